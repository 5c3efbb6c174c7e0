"""Removing old runs: whole or not at all, and only when that is asked for."""

import datetime as dt

import pytest
from support.study import corpus, flow

import buttermilk_nb as bm
from buttermilk_nb.schema import now
from buttermilk_nb.store.erasure.purge import purge
from buttermilk_nb.store.verify import verify

OLD = dt.datetime.fromisoformat("2020-05-01 12:00")


def aged(project, run, when=OLD):
    """The run, as if it had ended long ago."""
    with project.store.writing() as con:
        con.execute("update runs set started_at = ?, finished_at = ? where run_id = ?", [when, when, run.run_id])
    return run


@pytest.fixture
def old(project):
    """A run of 2020 over r0, r1 and r2."""
    return aged(project, flow().run(corpus(3)))


@pytest.fixture
def new(old):
    """A run of today over r0 and r3, whose answers to r0 are the same."""
    more = bm.Corpus([*corpus(4).records[:1], corpus(4).records[3]])
    return flow().run(more)


def sizes(project):
    tables = ("runs", "cells", "traces", "calls", "scores", "records", "texts", "events")
    return {name: project.store.df(f"select count(*) as n from {name}").n.item() for name in tables}


def test_without_yes_nothing_is_removed_and_the_answer_says_what_would_be(project, old, new):
    before = sizes(project)
    said = purge(project.store, before=dt.date(2021, 1, 1))
    assert said.run_ids == (old.run_id,)
    assert not said.done
    assert sizes(project) == before
    assert {name: said.n_rows[name] for name in ("runs", "cells", "traces", "calls", "scores")} == {
        "runs": 1, "cells": 3, "traces": 3, "calls": 3, "scores": 3,
    }  # fmt: skip
    lines = repr(said).splitlines()
    assert lines[0].startswith(
        "1 run that ended before 2021-01-01 00:00 (UTC) would be removed, with 3 calls, 3 cells, "
    )
    assert lines[1:] == ["2 designs would lose their only answer.",
                         "The cache keeps their answers; project.cache.delete(everything=True) removes all answers.",
                         "Nothing was removed yet; write yes=True to remove it."]  # fmt: skip


def test_with_yes_the_run_goes_with_what_only_it_has(project, old, new):
    done = purge(project.store, before=dt.date(2021, 1, 1), yes=True)
    assert done.done
    assert done.n_rows == purge_counts(done)
    left = sizes(project)
    assert {name: left[name] for name in ("runs", "cells", "traces", "calls", "scores", "records")} == {
        "runs": 1, "cells": 2, "traces": 2, "calls": 2, "scores": 2, "records": 2,
    }  # fmt: skip
    assert project.store.df("select record_id from records order by 1").record_id.tolist() == ["r0", "r3"]
    assert repr(done).splitlines()[1] == "2 designs have lost their only answer."


def purge_counts(done):
    return {name: n for name, n in done.n_rows.items() if n > 0}


def test_requests_and_answers_that_a_later_run_has_stay(project, old, new):
    purge(project.store, before=dt.date(2021, 1, 1), yes=True)
    found = project.store.df("select request, response from calls_full")
    assert len(found) == 2
    assert found.notna().all(axis=None)
    bodies = project.store.df("select kind, count(*) as n from texts group by kind").set_index("kind").n
    assert (bodies.request, bodies.response) == (2, len(set(found.response)))
    assert {"prompt", "criteria", "schema"} <= set(bodies.index)


def test_the_run_that_stays_is_what_it_was(project, old, new):
    before = new.scores(), new.calls()
    purge(project.store, before=dt.date(2021, 1, 1), yes=True)
    assert new.scores().equals(before[0])
    assert new.calls().equals(before[1])


def test_nothing_of_an_old_run_is_left_in_the_file(project):
    old = flow().run(bm.Corpus([bm.Record(record_id="z", content="The ZEBRAFINCH sang.")]))
    aged(project, old)
    flow().run(corpus(1))
    assert b"ZEBRAFINCH" in project.store.path.read_bytes()
    purge(project.store, before=dt.date(2021, 1, 1), yes=True)
    assert b"ZEBRAFINCH" not in project.store.path.read_bytes()


def test_each_run_that_went_leaves_a_row_that_says_so(project, old, new):
    purge(project.store, before=dt.date(2021, 1, 1), yes=True, reason="ten years are over")
    found = project.store.df("select kind, what, reason, n_rows from tombstones").to_dict("records")
    assert found == [{"kind": "run", "what": old.run_id, "reason": "ten years are over", "n_rows": 13}]


def test_the_links_of_the_chain_stay(project, old, new):
    before = project.store.df("select * from links order by position")
    purge(project.store, before=dt.date(2021, 1, 1), yes=True)
    assert project.store.df("select * from links order by position").equals(before)
    assert verify(project.store).ok.all()


def test_what_its_calls_cost_is_said(project, old):
    with project.store.writing() as con:
        con.execute("update calls set cost_usd = 0.25")
    said = purge(project.store, before=dt.date(2021, 1, 1))
    assert said.spent_usd == 0.75
    assert "Their calls cost 0.75 USD, which the project's budget would no longer count." in repr(said)


def test_a_run_that_never_ended_stays_and_is_counted(project, old):
    with project.store.writing() as con:
        con.execute("update runs set finished_at = null, status = 'running'")
    said = purge(project.store, before=dt.date(2021, 1, 1), yes=True)
    assert (said.run_ids, said.unfinished, said.done) == ((), 1, False)
    assert "1 run that began before and never ended stay" in repr(said)
    assert sizes(project)["runs"] == 1


def test_nothing_old_is_nothing_to_remove(project, new):
    said = purge(project.store, before=dt.date(2019, 1, 1), yes=True)
    assert repr(said) == "No run ended before 2019-01-01 00:00 (UTC). Nothing was removed."


@pytest.mark.parametrize(
    ("before", "goes"),
    [
        (dt.date(2020, 5, 1), False),
        (dt.date(2020, 5, 2), True),
        (dt.datetime.fromisoformat("2020-05-01 12:01"), True),
        (dt.datetime(2020, 5, 1, 14, 1, tzinfo=dt.timezone(dt.timedelta(hours=2))), True),
        (dt.datetime(2020, 5, 1, 13, 59, tzinfo=dt.timezone(dt.timedelta(hours=2))), False),
        (365, True),
        (100_000, False),
    ],
)
def test_a_day_a_moment_or_a_number_of_days_says_when(project, old, before, goes):
    assert bool(purge(project.store, before=before).run_ids) is goes


@pytest.mark.parametrize("before", ["2020-01-01", -1, True, None, 1.5])
def test_anything_else_is_refused(project, before):
    with pytest.raises(bm.SetupError, match="write a date"):
        purge(project.store, before=before)


def test_a_record_that_a_person_has_coded_stays(project, old):
    with project.store.writing() as con:
        con.execute("insert into labels (label_id, record_id, coder) values ('1', 'r1', 'kf')")
    purge(project.store, before=dt.date(2021, 1, 1), yes=True)
    assert project.store.df("select record_id from records").record_id.tolist() == ["r1"]


def test_a_project_goes_on_and_its_cache_is_whole(project, old):
    purge(project.store, before=now() - dt.timedelta(days=1), yes=True)
    again = flow().run(corpus(3))
    assert again.counts == {"ok": 3}
    assert project.store.df("select bool_and(cached) as all_cached from calls").all_cached.item()
