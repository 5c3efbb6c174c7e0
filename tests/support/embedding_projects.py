"""Projects whose model `vec` is a real server on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.embedding_server import EmbeddingServer

import buttermilk_nb as bm
from buttermilk_nb.project import session


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    made = EmbeddingServer()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def make_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., session.Project]]:
    """Open a project with these lines in its buttermilk.yaml."""
    monkeypatch.chdir(tmp_path)
    session.close()

    def make(*lines: str, **options: Any) -> session.Project:
        folder = tmp_path / "vectors"
        folder.mkdir(exist_ok=True)
        (folder / "buttermilk.yaml").write_text("\n".join(["name: vectors", *lines]) + "\n", encoding="utf-8")
        return bm.init("vectors", path=folder, **options)

    yield make
    session.close()


@pytest.fixture
def local(server: EmbeddingServer, make_project: Callable[..., session.Project]) -> session.Project:
    """A project whose model `vec` is a server on this machine."""
    return make_project(f"models: {{vec: {{model: hosted_vllm/toy, api_base: '{server.base}'}}}}", "backoff_s: 0.01")


@pytest.fixture
def remote(server: EmbeddingServer, make_project: Callable[..., session.Project]) -> session.Project:
    """A project whose model `vec` counts as remote, and which has allowed its provider."""
    return make_project(
        "models:",
        f"  vec: {{model: hosted_vllm/toy, api_base: '{server.base}', local: false,",
        "        prices: {input: 100, output: 0}}",
        "allow: [hosted_vllm]",
        "redact: {phone: '\\d{4} \\d{3}'}",
    )


@pytest.fixture
def one_at_a_time(server: EmbeddingServer, make_project: Callable[..., session.Project]) -> session.Project:
    """Like `local`, with one request in flight."""
    return make_project(f"models: {{vec: {{model: hosted_vllm/toy, api_base: '{server.base}'}}}}", "concurrency: 1")
