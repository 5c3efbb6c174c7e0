"""`bm.debug()`: whole tracebacks and a line for each event; without it one paragraph and none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import buttermilk_nb as bm

CALM = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["shout"]})


@pytest.fixture
def debugging():
    bm.debug()
    yield
    bm.debug(on=False)


def run_one():
    bm.Judge("judge", criteria=CALM, models="offline/strict")("They shout.")


def test_errors_show_their_traceback_only_while_debugging(debugging):
    with pytest.raises(bm.SetupError) as caught:
        bm.Criteria("calm", "")
    lines = caught.value._render_traceback_()
    assert lines[0].startswith("Traceback")
    assert any("test_debug.py" in line for line in lines)
    bm.debug(on=False)
    assert caught.value._render_traceback_() == [f"SetupError: {caught.value}"]


def test_events_are_printed_only_while_debugging(offline_project, debugging, capsys):
    run_one()
    printed = capsys.readouterr().err
    assert "Event" in printed
    assert offline_project.bus.failures == []
    bm.debug(on=False)
    bm.Judge("judge", criteria=CALM, models="offline/strict")("Hush.")
    assert "Event" not in capsys.readouterr().err


def test_the_environment_variable_does_it_from_the_start(tmp_path):
    program = """
import buttermilk_nb as bm
try:
    bm.Criteria("calm", "")
except bm.SetupError as error:
    print(len(error._render_traceback_()))
"""
    for value, many in (("1", True), ("0", False), ("", False)):
        done = subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "BUTTERMILK_DEBUG": value}, cwd=tmp_path,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert (int(done.stdout) > 1) == many


def test_a_project_in_a_with_block_is_closed_at_its_end(tmp_path):
    with bm.init("inner", path=tmp_path / "inner", models="offline/strict") as project:
        run_one()
        assert len(bm.runs()) == 1
    with bm.init("outer", path=tmp_path / "outer", models="offline/strict"):
        assert len(bm.runs()) == 0
    assert bm.project.session._current is None
    assert len(project.store.df("select * from runs")) == 1  # it opens again if it is used


def test_a_project_in_a_with_block_is_closed_when_the_block_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), bm.init("inner", path=tmp_path / "inner"):
        1 / 0  # noqa: B018
    assert bm.project.session._current is None
