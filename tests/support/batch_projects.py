"""Fixtures: projects whose models are asked at the batch server: `gpt` speaks OpenAI's API, `claude` Anthropic's."""

from __future__ import annotations

import pytest
from support.batch_study import SETTINGS, USUAL
from support.confirmed import confirm_settings

import buttermilk_nb as bm


@pytest.fixture
def make_batch_project(batch_server, tmp_path):
    """Make or open a project of that name, with other settings where they are given."""

    def make(folder="study", extra="", **settings):
        path = tmp_path / folder
        if not path.exists():
            path.mkdir()
            values = {**USUAL, **settings, "root": batch_server.root}
            (path / "buttermilk.yaml").write_text(
                f"name: {folder}\n{SETTINGS.format(**values)}{extra}\n", encoding="utf-8"
            )
            confirm_settings(path)
        return bm.init(folder, path=path)

    return make
