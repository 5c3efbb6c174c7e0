"""Each benchmark runs and prints its rows. What they measure is for people to read, on a quiet machine."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from support.paths import TESTS

FOLDER = TESTS / "system" / "benchmarks"


@pytest.mark.parametrize(
    ("command", "rows"),
    [
        (["run.py", "offline_cold_and_warm", "over_http", "frames_of_200_000", "growth", "a_year"], 16),
        (["agreement.py"], 4),
        (["statistics_functions.py", "metrics", "span_agreement"], 11),
        (["blocked_loop.py"], 8),
        (["large_files.py"], 2),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_the_command_runs_and_prints_its_rows(command, rows, tmp_path):
    done = subprocess.run(
        [sys.executable, FOLDER / command[0], "--small", *command[1:]],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    printed = [line for line in done.stdout.splitlines() if re.search(r"\d(/s| ms|x| call|  ?MB| s)\b", line)]
    assert len([line for line in printed if "answers \N{MIDDLE DOT}" not in line]) == rows, done.stdout
