"""What every test has: an empty working folder, no key of this machine, and no open project before and after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from buttermilk_nb.llm.calls import sender
from buttermilk_nb.project import session

pytest_plugins = [
    "support.batch_projects",
    "support.bigquery_server",
    "support.caches",
    "support.chat_projects",
    "support.embedding_projects",
    "support.figures",
    "support.ipython_shell",
    "support.judged_projects",
    "support.jupyterlab",
    "support.keys",
    "support.litellm_proxy",
    "support.pairs",
    "support.posts_generator",
    "support.processes",
    "support.projects",
    "support.scripted_judges",
    "support.servers",
    "support.stores",
]


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_key_of_this_machine: None) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    session.close()
    yield
    session.close()
    sender._shared_limiters.clear()
