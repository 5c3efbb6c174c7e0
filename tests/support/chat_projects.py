"""Fixtures: projects whose models are served by the chat server on loopback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.chat_server import ChatServer
from support.confirmed import confirm_settings

import buttermilk_nb as bm
from buttermilk_nb.project.project import Project


@pytest.fixture
def make_study(tmp_path: Path, server: ChatServer) -> Callable[..., Project]:
    """Make a project `study` whose model `toy` is that server; `toy` and other settings as keywords."""

    def make(*, toy: dict[str, Any] | None = None, models: dict[str, Any] | None = None, **settings: Any) -> Project:
        entry = {"model": "hosted_vllm/toy", "api_base": server.base, **(toy or {})}
        lines = {
            "name": "study", "sets": {"judges": ["toy"]}, "models": {"toy": entry, **(models or {})},
            "backoff_s": 0.02, **settings,
        }  # fmt: skip
        folder = tmp_path / "study"
        folder.mkdir(exist_ok=True)
        (folder / "buttermilk.yaml").write_text(yaml.safe_dump(lines))
        confirm_settings(folder)
        return bm.init("study", path=folder)

    return make


@pytest.fixture
def toy_project(tmp_path: Path, server: ChatServer) -> Project:
    """A project whose judge is that server, found through the environment."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "buttermilk.yaml").write_text("name: study\nbackoff_s: 0.02\n")
    return bm.init("study", path=folder, models=["hosted_vllm/toy"])
