"""Every test of this folder works in an empty folder of its own, offline, and closes its project."""

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
    return bm.init("coding", path=tmp_path / "project", models=["offline/strict"])
