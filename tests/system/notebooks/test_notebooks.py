"""Every notebook: strict nbval on a copy, cold and then warm; and what a saved notebook may hold."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from support.paths import ROOT

COPIES = ("1_cold.ipynb", "2_warm.ipynb")
COLD_ONLY = {"00_words", "02_real_models"}
"""Their projects are in folders that are new each time."""
NOTEBOOKS = sorted([*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "examples").glob("*.ipynb")])


@pytest.fixture(scope="module")
def outcomes(request, tmp_path_factory):
    """The folder of each notebook's two copies, and what strict nbval says of each cell of both, by notebook.

    The second copy finds the project and the cache that the first has made. One process of pytest takes all of them.
    """
    top = tmp_path_factory.mktemp("strict")
    asked = {
        item.callspec.params["notebook"]
        for item in request.session.items
        if item.path == request.path and "outcomes" in item.fixturenames
    }
    for notebook in asked:
        shutil.copytree(ROOT / "data", top / notebook.stem / "data")
        (top / notebook.stem / "notebooks").mkdir()
        for copy in _copies(notebook):
            shutil.copy(notebook, top / notebook.stem / "notebooks" / copy)
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "-rA", "-p", "no:cacheprovider", "-p", "no:xdist", *sorted(
            str(folder.relative_to(top)) for folder in top.glob("*/notebooks"))],
        cwd=top, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return top, done.stdout


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_saved_outputs_come_out_again_cold_and_warm(notebook, outcomes):
    top, printed = outcomes
    n_cells = len([cell for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"])
    for copy in _copies(notebook):
        name = re.escape(f"{notebook.stem}/notebooks/{copy}::")
        ends = re.findall(rf"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL) {name}", printed, re.MULTILINE)
        assert ends == ["PASSED"] * n_cells, printed[-6000:]
    folder = top / notebook.stem / "notebooks"
    assert _not_ignored(folder, notebook.parent) == [], "a lesson leaves no new file in a clone"


def _copies(notebook):
    return COPIES[:1] if notebook.stem in COLD_ONLY else COPIES


def _not_ignored(folder, home):
    """The files and folders that a notebook has made next to itself, and that git would show as new."""
    made = [path.name + "/" * path.is_dir() for path in folder.iterdir() if not path.name.endswith(".ipynb")]
    command = ["git", "check-ignore", "--no-index", "--stdin"]
    paths = "".join(f"{home.relative_to(ROOT).as_posix()}/{name}\n" for name in made)
    done = subprocess.run(command, cwd=ROOT, input=paths, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        pytest.skip("this is no clone")
    return sorted(set(paths.splitlines()) - set(done.stdout.splitlines()))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_saved_notebook_holds_only_what_the_study_determines(notebook):
    text = notebook.read_text(encoding="utf-8")
    assert len(text) < 200_000
    outputs = "\n".join(
        str(output) for cell in nbformat.read(notebook, as_version=4).cells for output in cell.get("outputs", [])
    )
    assert outputs, "a notebook is committed with its outputs"
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-", outputs), "an id of one run"
    assert not re.search(r"(?<![\w.])/(?:home|Users|tmp|root|work)/", outputs), "a path of one machine"
    assert not re.search(r"\b\d+ (?:cached|new)\b", outputs), "what happened to be cached"
    assert "widget-view" not in outputs, "widgets do not live in saved notebooks"
    assert "Traceback" not in outputs
