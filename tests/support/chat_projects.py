"""A project whose models are served by a loopback server that can misbehave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.chat_server import ChatServer

import buttermilk_nb as bm
from buttermilk_nb.llm.calls import sender
from buttermilk_nb.project import session


@pytest.fixture
def server() -> Iterator[ChatServer]:
    made = ChatServer()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def make_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: ChatServer) -> Iterator[Callable[..., Any]]:
    """Make a project `study` whose model `toy` is that server; `toy` and other settings as keywords."""
    monkeypatch.chdir(tmp_path)
    session.close()

    def make(*, toy: dict[str, Any] | None = None, models: dict[str, Any] | None = None, **settings: Any) -> Any:
        entry = {"model": "hosted_vllm/toy", "api_base": server.base, **(toy or {})}
        told = {
            "name": "study", "sets": {"judges": ["toy"]}, "models": {"toy": entry, **(models or {})},
            "backoff_s": 0.02, **settings,
        }  # fmt: skip
        folder = tmp_path / "study"
        folder.mkdir(exist_ok=True)
        (folder / "buttermilk.yaml").write_text(yaml.safe_dump(told))
        return bm.init("study", path=folder)

    yield make
    session.close()
    sender._shared_limiters.clear()
