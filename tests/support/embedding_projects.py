"""Fixtures: projects whose model `vec` is the embedding server on loopback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.confirmed import confirm_settings
from support.embedding_server import EmbeddingServer

import buttermilk_nb as bm
from buttermilk_nb.project.project import Project

MakeProject = Callable[..., Project]


@pytest.fixture
def make_embedding_project(tmp_path: Path) -> MakeProject:
    """Open a project with these lines in its buttermilk.yaml."""

    def make(*lines: str, **options: Any) -> Project:
        folder = tmp_path / "vectors"
        folder.mkdir(exist_ok=True)
        (folder / "buttermilk.yaml").write_text("\n".join(["name: vectors", *lines]) + "\n", encoding="utf-8")
        confirm_settings(folder)
        return bm.init("vectors", path=folder, **options)

    return make


@pytest.fixture
def local_vec_project(embedding_server: EmbeddingServer, make_embedding_project: MakeProject) -> Project:
    """A project whose model `vec` is a server on this machine."""
    return make_embedding_project(
        f"models: {{vec: {{model: hosted_vllm/toy, api_base: '{embedding_server.base}'}}}}", "backoff_s: 0.01"
    )


@pytest.fixture
def remote_vec_project(embedding_server: EmbeddingServer, make_embedding_project: MakeProject) -> Project:
    """A project whose model `vec` counts as remote, and which has allowed its provider."""
    return make_embedding_project(
        "models:",
        f"  vec: {{model: hosted_vllm/toy, api_base: '{embedding_server.base}', local: false,",
        "        prices: {input: 100, output: 0}}",
        "allow: [hosted_vllm]",
        "redact: {phone: '\\d{4} \\d{3}'}",
    )


@pytest.fixture
def sequential_vec_project(embedding_server: EmbeddingServer, make_embedding_project: MakeProject) -> Project:
    """Like `local_vec_project`, with one request in flight."""
    return make_embedding_project(
        f"models: {{vec: {{model: hosted_vllm/toy, api_base: '{embedding_server.base}'}}}}", "concurrency: 1"
    )
