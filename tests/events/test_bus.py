"""Observers: they hear of everything, and no failure of theirs stops a run."""

import json

import pytest
from support.study import corpus, flow

import buttermilk_nb as bm
from buttermilk_nb.events import Bus
from buttermilk_nb.events.event import CommandEvent, CompensationEvent, ErrorEvent, Event, ResultEvent, StatusEvent
from buttermilk_nb.events.log_file import LogFile


def log_of(project):
    lines = (project.folder / "logs" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_failing_listener_is_warned_about_once_and_taken_off_while_the_run_goes_on(project):
    heard = []

    def fails(event):
        heard.append(event)
        raise ValueError("an observer's trouble")

    project.bus.subscribe(fails)
    with pytest.warns(RuntimeWarning, match="fails failed and was removed: ValueError") as warned:
        run = flow().run(corpus(3))
    assert (run.counts, len(heard), len(warned)) == ({"ok": 3}, 1, 1)
    assert "an observer's trouble" in project.bus.failures[0]


def test_a_listener_that_fails_leaves_the_others_on():
    bus, seen = Bus(), []
    bus.subscribe(lambda event: 1 / 0)
    bus.subscribe(seen.append)
    with pytest.warns(RuntimeWarning, match="ZeroDivisionError"):
        bus.publish(Event(source="one"))
    bus.publish(Event(source="two"))
    assert [event.source for event in seen] == ["one", "two"]


def test_a_listener_may_stop_listening_while_it_is_called():
    bus, seen = Bus(), []

    def once(event):
        seen.append(event)
        stop()

    stop = bus.subscribe(once)
    bus.publish(Event())
    bus.publish(Event())
    stop()
    assert len(seen) == 1


def test_listeners_hear_of_the_start_each_cell_and_the_end(project):
    heard = []
    project.bus.subscribe(heard.append)
    run = flow().run(corpus(2))
    assert [type(event).__name__ for event in heard] == ["StatusEvent", "ResultEvent", "ResultEvent", "StatusEvent"]
    assert [heard[0].payload["state"], heard[-1].payload["state"]] == ["running", "finished"]
    assert {event.transaction_id for event in heard} == {run.run_id, f"{run.run_id}/r0", f"{run.run_id}/r1"}
    assert {event.correlation_id for event in heard[1:3]} == set(run.traces().trace_id)


def test_the_log_file_holds_the_states_of_a_run_and_its_errors(make_project):
    project = make_project("double/ratelimit")
    run = flow().run(corpus(1))
    lines = log_of(project)
    assert [line["type"] for line in lines] == ["StatusEvent", "ErrorEvent", "StatusEvent"]
    assert [json.loads(line["payload"]).get("state") for line in lines] == ["running", None, "finished"]
    assert "429" in json.loads(lines[1]["payload"])["message"]
    assert lines[1]["transaction_id"] == f"{run.run_id}/r0"


def test_errors_are_in_the_events_table_with_their_trace(make_project):
    make_project("double/ratelimit")
    flow().run(corpus(2))
    found = bm.sql("select count(*) as n from events e join traces t on t.trace_id = e.correlation_id")
    assert found.n.item() == 2
    assert set(bm.sql("select type from events where correlation_id is not null").type) == {"ErrorEvent"}


def test_the_states_of_a_run_are_in_the_events_table(project):
    flow().run(corpus(1))
    found = bm.sql("select payload ->> '$.state' as state from events order by happened_at")
    assert found.state.tolist() == ["running", "finished"]


def test_a_run_that_cannot_be_planned_is_failed_and_leaves_no_listener(project):
    project.store.path.write_text("not a database " * 100)
    listeners = len(project.bus._listeners)
    with pytest.raises(bm.errors.StoreError):
        flow().run(corpus(1))
    assert bm.last_run().status == "failed"
    assert len(project.bus._listeners) == listeners


def test_a_finished_run_leaves_no_listener_behind(project):
    listeners = len(project.bus._listeners)
    flow().run(corpus(1))
    assert len(project.bus._listeners) == listeners


def test_results_are_not_stored_and_everything_else_is():
    assert [kind.is_stored for kind in (CommandEvent, ResultEvent, ErrorEvent, CompensationEvent, StatusEvent)] == [
        True, False, True, True, True,
    ]  # fmt: skip


def test_a_log_line_is_one_line_whatever_the_text(tmp_path):
    log = LogFile(tmp_path / "deep" / "events.jsonl")
    log(StatusEvent(source="a\nb\u2028c\ud800", payload={"text": "x\ny\ud800"}))
    log(ResultEvent(source="not kept"))
    raw = (tmp_path / "deep" / "events.jsonl").read_bytes()
    assert raw.count(b"\n") == 1
    assert json.loads(raw.decode("utf-8"))["source"].startswith("a\nb")


def test_a_log_that_cannot_be_written_warns_once_and_the_run_goes_on(project):
    (project.folder / "logs").rmdir()
    (project.folder / "logs").write_text("a file where a folder was")
    with pytest.warns(RuntimeWarning, match=r"LogFile.*was removed"):
        run = flow().run(corpus(2))
    assert run.counts == {"ok": 2}


def test_an_event_is_frozen_and_knows_when_it_happened():
    event = StatusEvent(source="x")
    with pytest.raises(ValueError, match="frozen"):
        event.source = "y"
    assert event.as_row().happened_at == event.happened_at
    assert event.happened_at.tzinfo is None


def test_a_text_terminal_gets_one_line_at_the_end(project, capsys):
    flow().run(corpus(3))
    said = capsys.readouterr().err
    assert said.startswith("3/3 answers · 3 new · ")
    assert said.count("\n") == 1
