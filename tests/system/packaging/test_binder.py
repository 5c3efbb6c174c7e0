"""The binder/ folder: what it says, and what repo2docker makes of it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
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
    steps = ['pip install --no-cache-dir -r "binder/requirements.txt"', "COPY --chown=0:0 src/ ${REPO_DIR}/"]
    steps.append("RUN ./binder/postBuild")
    places = [dockerfile.find(step) for step in steps]
    assert -1 not in places, dict(zip(steps, places, strict=True))
    assert places == sorted(places), "the lock comes first, and the package last"


def test_binder_runs_python_3_12():
    assert (BINDER / "runtime.txt").read_text("utf-8").strip() == "python-3.12"


def pins(path: Path) -> set[str]:
    """The pinned packages of a lock, each as its line."""
    return {line for line in path.read_text("utf-8").split("\n") if line and not line.startswith((" ", "#"))}


def test_binder_installs_what_the_lessons_need_in_the_versions_of_the_lock():
    own, all_pins = pins(BINDER / "requirements.txt"), pins(ROOT / "requirements.lock")
    assert own < all_pins, "make binder/requirements.txt with the command that CONTRIBUTING.md gives"
    names = {line.partition("==")[0] for line in own}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["lab"]]
    assert {canonicalize_name(Requirement(text).name) for text in needed} <= names
    assert not names & {"pytest", "hypothesis", "mypy", "ruff", "playwright", "google-cloud-bigquery", "s3fs"}


def test_post_build_stops_at_an_error_and_adds_only_the_package():
    lines = (BINDER / "postBuild").read_text("utf-8").split("\n")
    assert lines[0] == "#!/usr/bin/env bash"
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ["set -e", "pip install --no-cache-dir --no-deps ."]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no executable bit")
@pytest.mark.parametrize("script", ["binder/postBuild", ".ci/run"])
def test_scripts_are_executable(script: str):
    assert os.access(ROOT / script, os.X_OK)
