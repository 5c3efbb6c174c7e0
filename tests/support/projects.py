"""Fixtures: projects whose models need no server."""

from __future__ import annotations

import pytest
from support.confirmed import confirm_settings

import buttermilk_nb as bm


@pytest.fixture
def make_project(tmp_path):
    """Make or open the project `test`, with other models or settings where they are given."""

    def make(*models, settings="", folder="project", **options):
        path = tmp_path / folder
        if settings and not path.exists():
            path.mkdir()
            (path / "buttermilk.yaml").write_text(f"name: test\n{settings}\n", encoding="utf-8")
            confirm_settings(path)
        return bm.init("test", path=path, models=list(models) or ["double/answer"], **options)

    return make


@pytest.fixture
def project(make_project):
    """A project whose judge is the obedient double."""
    return make_project()


@pytest.fixture
def offline_project(make_project):
    """A project whose judge is the dictionary method."""
    return make_project("offline/strict")


@pytest.fixture
def short_texts():
    """A corpus of three short texts."""
    texts = ("A door slammed!", "The hall was quiet.", "Somebody shouted: out!")
    return bm.Corpus([bm.Record(record_id=f"r{n}", content=text) for n, text in enumerate(texts)])
