"""`buttermilk-nb demo`, as a person on a new machine runs it."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import nbformat


def _demo(folder, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "buttermilk_nb", "demo", *more],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_demo_leaves_a_project_that_says_where_it_is(tmp_path):
    done = _demo(tmp_path)
    assert done.returncode == 0, done.stderr
    place = tmp_path / "buttermilk-demo"
    for wanted in (place, place / "traces.duckdb", place / "notebooks" / "01_start_here.ipynb"):
        assert str(wanted) in done.stdout
        assert wanted.exists()
    assert "no language model is used" in done.stdout
    assert "jupyter lab buttermilk-demo/notebooks/01_start_here.ipynb" in done.stdout
    assert "160 new" in done.stderr
    with duckdb.connect(str(place / "traces.duckdb"), read_only=True) as con:
        assert con.execute("select count(*) from latest_scores").fetchone() == (240,)
    nbformat.validate(nbformat.read(place / "notebooks" / "01_start_here.ipynb", as_version=4))


def test_the_second_demo_comes_from_the_cache_and_keeps_what_was_edited(tmp_path):
    _demo(tmp_path)
    notebook = tmp_path / "buttermilk-demo" / "notebooks" / "01_start_here.ipynb"
    notebook.write_text("mine")
    done = _demo(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "160 cached" in done.stderr
    assert notebook.read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "taken").write_text("a file")
    done = _demo(tmp_path, "--folder", "taken")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert "--folder" in done.stderr
    assert "Traceback" not in done.stderr
