"""A server, and projects whose models are asked there: `gpt` speaks OpenAI's API, `claude` Anthropic's."""

from __future__ import annotations

import pytest
from support.batch_server import BatchServer
from support.batch_study import SETTINGS, USUAL

import buttermilk_nb as bm
from buttermilk_nb.project import session


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-openai-123")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-planted-123")
    made = BatchServer()
    made.start()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session.close()
    yield
    session.close()


@pytest.fixture
def study(server, tmp_path):
    """Make or open a project of that name, with other settings where they are given."""

    def make(folder="study", extra="", **settings):
        path = tmp_path / folder
        if not path.exists():
            path.mkdir()
            given = {**USUAL, **settings, "root": server.root}
            (path / "buttermilk.yaml").write_text(
                f"name: {folder}\n{SETTINGS.format(**given)}{extra}\n", encoding="utf-8"
            )
        return bm.init(folder, path=path)

    return make
