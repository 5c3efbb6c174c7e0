"""Every test of this folder works in an empty folder of its own."""

from __future__ import annotations

import pytest

import buttermilk_nb as bm
from buttermilk_nb.project import session


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session.close()
    yield
    session.close()


@pytest.fixture
def corpus():
    """Three short texts."""
    texts = ("A door slammed!", "The hall was quiet.", "Somebody shouted: out!")
    return bm.Corpus([bm.Record(record_id=f"r{n}", content=text) for n, text in enumerate(texts)])


@pytest.fixture
def project(tmp_path):
    """An open project."""
    return bm.init("kinds", path=tmp_path / "project", models=["offline/strict"])
