"""Fixtures of the long tests: whether they run in full, other processes, and a line of figures for each."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.preloaded_python import PreloadedPython, Script

POLL_S = 0.002


@pytest.fixture(scope="session")
def full_stress() -> bool:
    """Whether the long tests are taken whole."""
    return os.environ.get("BUTTERMILK_NB_STRESS") == "full"


@pytest.fixture
def print_figures(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print what was counted, with the machine that it was counted on."""

    def say(figures: str) -> None:
        with capsys.disabled():
            line = f"\n{figures} [{os.cpu_count()} cores, Python {platform.python_version()}]"
            print(line, file=sys.stderr)  # where several processes run the tests, their stdout is nowhere

    return say


@pytest.fixture
def start_script(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a script in a process of its own; it is ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(script: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", script, *map(str, arguments)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def preloaded_python() -> Iterator[PreloadedPython]:
    """Python processes that have litellm imported already."""
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork here")
    server = PreloadedPython()
    yield server
    server.close()


@pytest.fixture
def start_preloaded(tmp_path: Path, preloaded_python: PreloadedPython) -> Iterator[Callable[..., Script]]:
    """The same as `start_script`, in processes that have litellm imported already."""
    started: list[Script] = []

    def run(script: str, *arguments: object) -> Script:
        started.append(preloaded_python.start(script, *arguments, cwd=tmp_path))
        return started[-1]

    yield run
    for process in started:
        process.close()


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Wait until a condition holds: `wait_until(condition, event)`."""
    pause = threading.Event()

    def wait(is_so: Callable[[], bool], event: str, limit_s: float = 60.0) -> None:
        deadline = time.monotonic() + limit_s
        while not is_so():
            assert time.monotonic() < deadline, f"after {limit_s:g} s still not: {event}"
            pause.wait(POLL_S)

    return wait
