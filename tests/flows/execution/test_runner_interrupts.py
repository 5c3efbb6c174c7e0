"""Stopping, being killed, and going on from there: in real processes."""

import json
import signal
import subprocess
import sys
import threading
import time

import pytest
from support.paths import TESTS
from support.study import corpus, flow, judge, stop_after

import buttermilk_nb as bm

SCRIPT = """
import json, sys
sys.path.insert(0, {here!r})
import buttermilk_nb as bm
from support.study import corpus, flow, judge
project = bm.init("test", path={path!r}, models=["double/slow?seconds={seconds}"])
try:
    run = flow(judge(replicates=10)).run(corpus(4), concurrency=4)
    print(json.dumps({{"counts": run.counts, "sent": project.client.sent}}))
except bm.Interrupted as error:
    run = bm.last_run()
    print(json.dumps({{"said": str(error), "status": run.status, "counts": run.counts, "sent": project.client.sent}}))
    sys.exit(130)
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals to another process are POSIX here")


@pytest.fixture
def start_study(tmp_path):
    """Start the study of 40 slow cells in a process of its own; it is ended with the test."""
    started = []

    def start(seconds=0.2):
        code = SCRIPT.format(here=str(TESTS), path=str(tmp_path / "project"), seconds=seconds)
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for_answers(tmp_path, n, limit_s=20):
    """Until so many answers are in the cache."""
    from buttermilk_nb.llm.cache import AnswerCache

    file = tmp_path / "project" / "cache" / "cache.db"
    deadline = time.monotonic() + limit_s
    cache = AnswerCache(file.parent)
    pause = threading.Event()
    try:
        while time.monotonic() < deadline:
            if file.exists() and len(cache) >= n:
                return
            pause.wait(0.02)
    finally:
        cache.close()
    raise AssertionError(f"no {n} answers after {limit_s} s")


@posix
def test_one_ctrl_c_keeps_what_has_finished_and_the_next_run_pays_only_the_rest(start_study, tmp_path, make_project):
    first = start_study()
    wait_for_answers(tmp_path, 8)
    first.send_signal(signal.SIGINT)
    out, _ = first.communicate(timeout=20)
    said = json.loads(out)
    assert first.returncode == 130
    assert said["status"] == "interrupted"
    assert "of 40 answers are missing. Finished answers are stored" in said["said"]
    assert said["counts"]["ok"] + said["counts"]["pending"] == 40
    assert 8 <= said["counts"]["ok"] == said["sent"] < 40

    project = make_project("double/slow?seconds=0.2")
    assert bm.sql("select status from runs").status.tolist() == ["interrupted"]
    run = flow(judge(replicates=10)).run(corpus(4), concurrency=40)
    assert run.counts == {"ok": 40}
    assert project.client.sent == 40 - said["counts"]["ok"]
    assert bm.sql("select count(*) as n from latest_scores").n.item() == 40


@posix
def test_a_second_ctrl_c_cuts_off_what_is_in_flight_and_still_writes_every_row(start_study, tmp_path):
    process = start_study(seconds=15)
    deadline = time.monotonic() + 20
    log = tmp_path / "project" / "logs" / "events.jsonl"
    pause = threading.Event()
    while not log.exists() and time.monotonic() < deadline:
        pause.wait(0.02)
    pause.wait(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    pause.wait(0.3)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert json.loads(out)["counts"] == {"cancelled": 4, "pending": 36}


@posix
def test_a_killed_run_leaves_a_file_that_opens_and_a_study_that_goes_on(start_study, tmp_path, make_project):
    process = start_study()
    wait_for_answers(tmp_path, 10)
    process.kill()
    process.communicate()

    project = make_project("double/slow?seconds=0.2")
    kept = len(project.cache)
    planned = bm.sql(
        "select count(*) as n, count(t.trace_id) as done from cells c left join traces t using (run_id, design_id)"
    )
    assert (planned.n.item(), bm.sql("select status from runs").status.tolist()) == (40, ["running"])
    assert planned.done.item() <= kept < 40
    run = flow(judge(replicates=10)).run(corpus(4), concurrency=40)
    assert run.counts == {"ok": 40}
    assert project.client.sent == 40 - kept


def test_the_grace_ends_what_takes_too_long_after_a_stop(make_project):
    project = make_project("double/slow?seconds=30", settings="grace_s: 0.1")
    began = time.monotonic()
    stop_after(project, 1)
    with pytest.raises(bm.Interrupted):
        flow().run(corpus(2), concurrency=1)
    assert time.monotonic() - began < 5
    assert bm.last_run().counts == {"cancelled": 1, "pending": 1}


def test_cancel_from_another_thread_lets_the_calls_in_flight_finish(make_project):
    project = make_project("double/slow?seconds=0.3")
    stop_after(project, 1)
    with pytest.raises(bm.Interrupted, match="2 of 3 answers are missing"):
        flow().run(corpus(3), concurrency=1)
    assert bm.last_run().counts == {"ok": 1, "pending": 2}
    assert (len(project.cache), bm.last_run().status) == (1, "interrupted")


def test_a_cancelled_cell_has_scores_without_values(make_project):
    stop_after(make_project("double/slow?seconds=30", settings="grace_s: 0"), 1)
    with pytest.raises(bm.Interrupted):
        flow().run(corpus(1))
    assert bm.last_run().scores()[["status", "category"]].values.tolist() == [["cancelled", None]]


def test_interrupted_is_a_keyboard_interrupt_so_that_run_all_stops():
    assert issubclass(bm.Interrupted, KeyboardInterrupt)


def test_cancelling_a_finished_run_does_nothing(project):
    run = flow().run(corpus(1))
    run.cancel()
    assert run.status == "finished"


def test_last_run_before_any_run_says_what_to_do(monkeypatch):
    from buttermilk_nb.flows import run as runs

    monkeypatch.setattr(runs, "_last_run", None)
    with pytest.raises(bm.SetupError, match=r"flow\.run\(corpus\)"):
        bm.last_run()


def test_where_the_run_is_to_end_at_an_error_the_calls_in_flight_still_finish(make_project):
    project = make_project("double/slow?seconds=0.4", "double/unavailable", settings="retries: 0")
    with pytest.raises(bm.RunError, match="record `r0`"):
        flow().run(corpus(3), concurrency=2, on_error="raise")
    counts = bm.last_run().counts
    assert (counts["ok"], counts["error"], len(project.cache)) == (1, 1, 1)


def test_a_miss_in_the_middle_leaves_the_rows_before_it(make_project):
    project = make_project("double/slow?seconds=0.1")
    flow().run(corpus(2))
    with pytest.raises(bm.CacheMiss):
        flow().run(corpus(3), cache="only", concurrency=1)
    assert bm.last_run().counts == {"ok": 2, "pending": 1}
    assert bm.last_run().status == "failed"
    assert len(project.cache) == 2
