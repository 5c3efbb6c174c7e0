"""The binder/ folder: what it says, and what repo2docker makes of it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import ROOT

BINDER = ROOT / "binder"


@pytest.mark.skipif(
    importlib.util.find_spec("repo2docker") is None or sys.platform == "win32",
    reason="repo2docker is not importable here (it does not support Windows; elsewhere `uv sync` brings it)",
)
def test_repo2docker_installs_the_lock_then_the_package_on_python_3_12(tmp_path: Path):
    shutil.copytree(BINDER, tmp_path / "binder")
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    dockerfile = done.stdout + done.stderr
    assert done.returncode == 0, dockerfile
    assert "3-2e12" in dockerfile, "repo2docker did not take binder/runtime.txt (it writes 3.12 as 3-2e12)"
    steps = ["COPY --chown=0:0 src/ ${REPO_DIR}/", 'pip install --no-cache-dir -r "binder/requirements.txt"']
    steps.append("RUN ./binder/postBuild")
    places = [dockerfile.find(step) for step in steps]
    assert -1 not in places, dict(zip(steps, places, strict=True))
    assert places == sorted(places), "the lock must be copied before it is installed, the package installed last"


def test_binder_runs_python_3_12():
    assert (BINDER / "runtime.txt").read_text("utf-8").strip() == "python-3.12"


def test_binder_installs_exactly_the_lock():
    lines = (BINDER / "requirements.txt").read_text("utf-8").split("\n")
    assert [line for line in lines if line and not line.startswith("#")] == ["-r ../requirements.lock"]


def test_post_build_stops_at_an_error_and_adds_only_the_package():
    lines = (BINDER / "postBuild").read_text("utf-8").split("\n")
    assert lines[0] == "#!/usr/bin/env bash"
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ["set -e", "pip install --no-cache-dir --no-deps ."]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no executable bit")
@pytest.mark.parametrize("script", ["binder/postBuild", ".ci/run"])
def test_scripts_are_executable(script: str):
    assert os.access(ROOT / script, os.X_OK)
