"""Every test of this folder works in an empty folder of its own, offline, and closes its project."""

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
def project(tmp_path):
    """An empty project."""
    return bm.init("test", path=tmp_path / "project", models=["double/answer"])


@pytest.fixture
def store(project):
    """Its evidence."""
    return project.store
