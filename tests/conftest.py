"""What every test has: an empty working folder, no key of this machine, and no open project before and after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.paths import TESTS

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


SLOW_FOLDERS = [
    TESTS / folder
    for folder in ("notebook/browser", "system/notebooks", "system/packaging", "system/real_data", "system/stress")
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of a slow folder as slow."""
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in SLOW_FOLDERS):
            item.add_marker("slow")


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_key_of_this_machine: None) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    session.close()
    yield
    session.close()
    sender._shared_limiters.clear()
