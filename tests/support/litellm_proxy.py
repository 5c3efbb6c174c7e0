"""Fixture: litellm's own proxy, which tests ask as they would ask an OpenAI-compatible server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.chat_server import ANSWER
from support.loopback_server import free_port
from support.paths import ROOT

PROXY_KEY = "sk-" + "0123456789abcdef" * 4  # of a server that lives for one test


@pytest.fixture(scope="session")
def litellm_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """litellm's own proxy, in its own environment: an OpenAI-compatible server that nobody here wrote."""
    command = os.environ.get("BUTTERMILK_NB_PROXY") or str(ROOT / ".venv-proxy" / "bin" / "litellm")
    if not shutil.which(command):
        pytest.skip(
            "no litellm proxy here; uv venv .venv-proxy && uv pip install --python .venv-proxy 'litellm[proxy]'"
        )
    folder = tmp_path_factory.mktemp("proxy")
    reply = json.dumps({"criteria": {"calm": ANSWER}})
    config = {
        "model_list": [
            {
                "model_name": "toy",
                "litellm_params": {"model": "openai/toy", "api_key": "none", "mock_response": reply},
            }
        ]
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    port = free_port()
    log = (folder / "proxy.log").open("w")
    env = {
        **os.environ,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_TELEMETRY": "False",
        "LITELLM_MASTER_KEY": PROXY_KEY,
    }
    env.pop("PYTEST_ADDOPTS", None)
    process = subprocess.Popen(
        [command, "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)],
        stdout=log, stderr=subprocess.STDOUT, env=env, cwd=folder,
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/health/liveliness", process, folder / "proxy.log")
        yield f"http://127.0.0.1:{port}", PROXY_KEY
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the proxy ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"the proxy did not start: {log.read_text()[-2000:]}")
