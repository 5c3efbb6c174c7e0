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
def make_project(tmp_path):
    """Make or open the project `test`, with other models or settings where they are given."""

    def make(*models, settings="", folder="project", **options):
        path = tmp_path / folder
        if settings and not path.exists():
            path.mkdir()
            (path / "buttermilk.yaml").write_text(f"name: test\n{settings}\n", encoding="utf-8")
        return bm.init("test", path=path, models=list(models) or ["double/answer"], **options)

    return make


@pytest.fixture
def project(make_project):
    """A project whose judge is the obedient double."""
    return make_project()
