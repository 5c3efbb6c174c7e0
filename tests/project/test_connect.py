"""A connection of one's own: to a copy that follows the project, and never in the way of a run."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest
from support.study import corpus, flow, judge

import buttermilk_nb as bm
from buttermilk_nb.store import live_copy
from buttermilk_nb.store.connection import FileOpenHere

N_SCORES = "select count(*) from scores"


def count(con, query=N_SCORES):
    return con.execute(query).fetchall()[0][0]


def test_a_connection_stays_open_while_runs_go_on_and_follows_them(project):
    con = bm.connect()
    assert count(con) == 0
    flow().run(corpus(3))
    assert count(con) == 3 * len(project.settings.sets["judges"])
    flow(judge(name="second")).run(corpus(2))
    assert count(con, "select count(distinct judge) from latest_scores") == 2
    assert con.sql("from latest_scores").df().shape[0] == len(bm.sql("from latest_scores"))


def test_every_table_and_view_is_there_and_says_the_same(project):
    flow().run(corpus(3))
    con = bm.connect()
    names = bm.sql("show tables").iloc[:, 0].tolist()
    assert con.execute("show tables").df().iloc[:, 0].tolist() == names
    for name in names:
        assert len(con.table(name).df()) == len(bm.sql(f'from "{name}"')), name


def test_what_is_done_with_a_copy_changes_nothing_in_the_project(project):
    flow().run(corpus(3))
    con = bm.connect()
    n = count(con)
    con.execute("delete from runs")
    con.execute("create table mine (i int)")
    assert bm.sql(N_SCORES).iloc[0, 0] == n
    flow(judge(name="second")).run(corpus(1))
    assert count(con) > n


def test_a_query_that_is_open_does_not_stop_a_run(project):
    flow().run(corpus(3))
    con = bm.connect()
    con.execute("from scores")
    assert flow(judge(name="second")).run(corpus(2)).status == "finished"
    con.fetchall()
    assert count(bm.connect(), "select count(distinct judge) from scores") == 2


def test_two_connections_are_of_one_copy_and_an_unchanged_file_is_not_copied_again(project, monkeypatch):
    flow().run(corpus(1))
    first = bm.connect()
    monkeypatch.setattr(live_copy, "_drop_everything", lambda con: pytest.fail("it is copied again"))
    assert count(bm.connect()) == count(first) > 0


def test_a_code_of_a_person_is_in_the_copy(project):
    criteria = bm.Criteria("calm", "Is it calm?")
    con = bm.connect()
    bm.import_labels(pd.DataFrame({"record_id": ["r0"], "ana": ["yes"]}), corpus(1), criteria)
    assert count(con, "select count(*) from latest_labels") == 1


def test_what_is_erased_is_erased_from_the_copy(project):
    flow().run(corpus(3))
    con = bm.connect()
    project.evidence.forget(record_id="r1")
    assert count(con, "select count(*) from records where record_id = 'r1'") == 0


def test_a_file_that_is_too_large_is_named_with_what_to_do(project, monkeypatch):
    flow().run(corpus(1))
    monkeypatch.setattr(live_copy, "_MAX_BYTES", 1000)
    with pytest.raises(bm.SetupError, match=r"project\.evidence\.snapshot"):
        bm.connect()


def test_a_large_file_is_followed_when_connect_is_called(project, monkeypatch):
    con = bm.connect()
    monkeypatch.setattr(live_copy, "_MAX_FOLLOWED_BYTES", 1000)
    flow().run(corpus(1))
    assert count(con) == 0
    assert count(bm.connect()) > 0
    assert count(con) > 0


def test_a_connection_to_the_file_itself_delays_the_rows_of_a_run_but_loses_none(project):
    flow().run(corpus(1))
    con = duckdb.connect(str(project.store.path), read_only=True)
    n = count(con)
    run = flow(judge(name="second")).run(corpus(2))
    assert run.status == "finished"
    assert "The answers cannot be read now: your code has `traces.duckdb` open" in repr(run)
    assert "Close that connection" in run._repr_html_()
    with pytest.raises(FileOpenHere, match=r"Close that connection; rows that could not be written are kept"):
        run.scores()
    con.close()
    assert len(run.scores()) > 0
    assert bm.sql(N_SCORES).iloc[0, 0] == n + len(run.scores())


def test_a_connection_to_the_file_does_not_stop_queries(project):
    flow().run(corpus(1))
    con = duckdb.connect(str(project.store.path), read_only=True)
    assert bm.sql(N_SCORES).iloc[0, 0] == count(con)
    assert count(bm.connect()) == count(con)
    con.close()


def test_a_project_that_is_closed_gives_up_its_copy(project):
    flow().run(corpus(1))
    con = bm.connect()
    project.close()
    with pytest.raises(duckdb.ConnectionException, match="closed"):
        count(con)
    assert count(bm.connect(project=project)) > 0


def test_a_query_that_wrote_to_disk_does_not_stop_the_copy(project):
    flow().run(corpus(1))
    con = bm.connect()
    con.execute("set memory_limit = '200MB'; set threads = 1")
    con.execute("create temp table t as select repeat('x', 300) || hash(range) as t from range(1000000) order by t")
    con.execute("drop table t")
    flow(judge(name="second")).run(corpus(1))
    assert count(bm.connect(), "select count(distinct judge) from scores") == 2


def test_a_transaction_of_ones_own_does_not_stop_a_run(project):
    flow().run(corpus(1))
    con = bm.connect()
    con.begin()
    con.execute("insert into tombstones select * from tombstones")
    assert flow(judge(name="second")).run(corpus(1)).status == "finished"
    con.rollback()
    assert count(bm.connect(), "select count(distinct judge) from scores") == 2
