"""The evidence: one DuckDB file that many may open, and that says what it holds."""

import os
import re
import subprocess
import sys
import threading
import warnings
from importlib import resources

import duckdb
import pytest
from support.paths import TESTS
from support.study import corpus, flow, judge

import buttermilk_nb as bm
from buttermilk_nb.errors import StoreError
from buttermilk_nb.events.event import StatusEvent
from buttermilk_nb.schema import ROWS, CellRow, EventRow, RunRow, TextRow
from buttermilk_nb.store import Store, Writer
from buttermilk_nb.store.append import SPLIT_TABLES
from buttermilk_nb.store.views import VIEWS

RUN_IN_ANOTHER_PROCESS = """
import sys
sys.path.insert(0, {here!r})
import buttermilk_nb as bm
from support.study import flow, judge
project = bm.init("test", path={path!r}, models=["double/answer"])
records = bm.Corpus([bm.Record(record_id=f"{who}{{i}}", content=f"{who} {{i}}") for i in range(40)])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(4):
    flow().run(records, cache="refresh")
"""


def another_process(tmp_path, who):
    code = RUN_IN_ANOTHER_PROCESS.format(
        here=str(TESTS),
        path=str(tmp_path / "project"),
        who=who,
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    return process


def go(process):
    process.stdin.write("\n")
    process.stdin.flush()


# --- many at once ------------------------------------------------------------------------------------


def test_two_processes_that_write_and_a_third_that_reads_lose_nothing(make_project, tmp_path):
    make_project()
    flow().run(corpus(1))
    writers = [another_process(tmp_path, who) for who in "ab"]
    for process in writers:
        go(process)
    reads = 0
    while any(process.poll() is None for process in writers):
        assert bm.sql("select count(*) as n from traces join cells using (run_id, design_id)").n.item() >= 1
        reads += 1
    errors = [process.communicate()[1] for process in writers]
    assert [process.returncode for process in writers] == [0, 0], errors
    assert reads > 1
    counts = bm.sql(
        "select (select count(*) from cells), (select count(*) from traces), (select count(*) from scores), "
        "(select count(*) from records), (select count(*) from runs where status = 'finished')"
    )
    assert counts.values.tolist() == [[321, 321, 321, 81, 9]]


def test_two_stores_of_one_file_in_one_program_wait_for_each_other(project):
    flow().run(corpus(1))
    other = Store(project.store.path)
    failures = []

    def work(opened):
        try:
            for _ in range(15):
                with opened() as con:
                    con.execute("select count(*) from cells").fetchall()
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=[opened]) for opened in (project.store.writing, other.reading)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_opening_the_project_again_while_a_run_writes_disturbs_neither(make_project):
    make_project("double/slow?seconds=0.02")
    done = []
    thread = threading.Thread(target=lambda: done.append(flow(judge(replicates=20)).run(corpus(4), concurrency=8)))
    thread.start()
    make_project("double/slow?seconds=0.02")
    while thread.is_alive():
        bm.sql("select count(*) from cells")
    thread.join()
    assert done[0].counts == {"ok": 80}


def test_the_file_opens_read_only_with_plain_duckdb_while_the_project_is_idle(project):
    flow().run(corpus())
    with duckdb.connect(str(project.store.path), read_only=True) as con:
        assert con.execute("select count(*) from latest_scores").fetchall() == [(3,)]


def test_a_reader_beside_an_open_reader_needs_no_lock_for_writing(project, hold_file):
    flow().run(corpus())
    with hold_file(project.store.path, "read"):
        assert Store(project.store.path, lock_wait_s=0).select("select count(*) as n from scores").n.item() == 3


def test_a_file_that_another_program_holds_is_waited_for_and_then_named(project, hold_file):
    flow().run(corpus(1))
    with (
        hold_file(project.store.path, "write"),
        pytest.raises(StoreError, match=r"another process has had .* open for 0\.1 s.*lock_wait_s"),
    ):
        Store(project.store.path, lock_wait_s=0.1).select("select 1")
    assert Store(project.store.path, lock_wait_s=5).select("select 1 as a").a.item() == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_refuses_to_write(project):
    flow().run(corpus(1))
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is just what must not hurt
        pid = os.fork()
    if pid == 0:
        try:
            with project.store.writing():
                os.write(write, b"written")
        except StoreError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    with os.fdopen(read) as pipe:
        assert "a forked process must not write" in pipe.read()
    assert flow().run(corpus(2)).counts == {"ok": 2}


# --- transactions ------------------------------------------------------------------------------------


def test_a_transaction_lands_whole_or_not_at_all(project):
    flow().run(corpus(1))
    with pytest.raises(ValueError, match="half way"), project.store.writing() as con:  # noqa: PT012
        con.execute("delete from score_rows")
        raise ValueError("half way")
    assert bm.sql("select count(*) as n from scores").n.item() == 1


def test_a_failing_statement_becomes_a_store_error_that_names_the_file(project):
    with pytest.raises(StoreError, match=r"`traces.duckdb` could not be written"), project.store.writing() as con:
        con.execute("insert into nowhere values (1)")


@pytest.fixture
def full_disk(monkeypatch):
    """No row of a cell can be written."""

    def fail(self, units, events):
        raise StoreError("the disk is full.")

    monkeypatch.setattr(Writer, "_write", fail)


@pytest.mark.usefixtures("full_disk")
def test_a_store_that_fails_stops_the_run(make_project):
    project = make_project("double/slow?seconds=0.15")
    with pytest.raises(StoreError, match="the disk is full"):
        flow(judge(replicates=10)).run(corpus(2), concurrency=1)
    assert project.client.sent < 20


@pytest.mark.usefixtures("project", "full_disk")
def test_a_run_whose_rows_could_not_be_written_is_not_called_finished():
    with pytest.raises(StoreError, match="the disk is full"):
        flow().run(corpus(3))
    assert bm.last_run().status == "failed"


def test_a_full_queue_makes_the_run_wait_and_loses_nothing(project, monkeypatch):
    from buttermilk_nb.store import writer

    monkeypatch.setattr(writer, "_BATCH", 3)
    monkeypatch.setattr(writer, "_QUEUE", 5)
    run = flow(judge(replicates=10)).run(corpus(4))
    assert run.counts == {"ok": 40}


def test_a_file_deleted_while_the_project_is_open_is_made_anew(project):
    flow().run(corpus(1))
    project.store.path.unlink()
    assert flow().run(corpus(2)).counts == {"ok": 2}
    project.store.path.unlink()
    assert bm.sql("select count(*) as n from runs").n.item() == 0


def test_what_is_not_a_duckdb_file_is_refused_with_its_name(project):
    project.store.path.write_text("not a database " * 100)
    with pytest.raises(StoreError, match=r"traces\.duckdb. cannot be opened"):
        bm.sql("select 1")


# --- tables and views --------------------------------------------------------------------------------


OUR_OWN = {"meta", "merged", "batches", "score_rows", "said", "trace_rows", "outcomes"}


def test_every_field_of_every_row_model_is_a_column_and_the_other_way_round(project):
    columns = bm.sql("select table_name, column_name from duckdb_columns() where not internal")
    found = columns.groupby("table_name").column_name.apply(list).to_dict()
    tables = {name: set(names) for name, names in found.items() if name not in {*VIEWS, *OUR_OWN}}
    assert tables == {model.table: set(model.model_fields) for model in ROWS if model not in SPLIT_TABLES}
    for model in SPLIT_TABLES:
        assert found[model.table] == list(model.model_fields), "a view has the columns in the order of the model"


@pytest.mark.parametrize("model", SPLIT_TABLES)
def test_a_row_kept_in_two_parts_has_each_field_in_one_of_them(project, model):
    rows, bodies, key, columns, _ = SPLIT_TABLES[model]
    found = bm.sql("select table_name, column_name from duckdb_columns()").groupby("table_name").column_name.apply(set)
    assert found[rows] == set(model.model_fields) - set(columns) | {key}
    assert found[bodies] == {key, *columns}


def test_the_columns_that_notebooks_rely_on_are_there(project):
    wanted = {
        "runs": "run_id flow flow_hash corpus_hash status started_at finished_at manifest digest",
        "cells": "run_id design_id step record_id record_hash criteria_set criteria_hash model replicate",
        "records": "record_id record_hash content metadata ground_truth cluster parent_id start_offset end_offset uri "
        "mime",
        "texts": "text_hash kind name version body",
        "traces": "trace_id run_id design_id record_id record_hash step agent role model criteria_set criteria_hash "
        "prompt_hash params replicate status output error_type error_message attempts started_at duration_s",
        "trace_inputs": "trace_id input_trace_id position",
        "calls_full": "call_id trace_id run_id model_requested model_served fingerprint request_id cache_key cached "
        "asked_at answered_at params_sent params_dropped attempt request_hash response_hash finish_reason tokens_in "
        "tokens_out cost_usd saved_usd latency_s status request response",
        "latest_scores": "trace_id run_id design_id record_id record_hash judge criteria_set criteria_hash criterion "
        "model replicate value category flagged uncertainty conclusion reasons status",
        "judge_scores": "record_id judge judge_model judge_template judge_criteria judge_role reasons conclusion "
        "violating uncertainty timestamp run_id replicate criterion value label status call_ids scorer scoring_model "
        "scoring_template scorer_call_id assessment_correct assessment_feedback correctness",
        "ratings": "record_id criteria_set criterion coder kind replicate category value flagged status",
        "egress": "asked_at provider model_requested record_id record_hash request_hash redaction status run_id",
        "costs": "run_id step model calls cached spent_usd saved_usd without_price",
        "call_timing": "model n median_s p95_s waited_s most_attempts",
        "events": "event_id type transaction_id correlation_id source payload happened_at",
    }
    for table, columns in wanted.items():
        found = bm.sql(f"select {', '.join(columns.split())} from {table}")
        assert list(found.columns) == columns.split(), table


NOT_HERE = {
    "egress": "the double is no remote model",
    "latest_labels": "nobody has coded",
    "reason_recall": "nobody has matched reasons",
    "divergences": "nobody has compared answers",
}


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_every_view_selects(project, view):
    flow().run(corpus(1))
    assert len(bm.sql(f"select * from {view}")) == (view not in NOT_HERE), NOT_HERE.get(view)


def test_times_are_utc_without_a_zone(project):
    flow().run(corpus(1))
    types = bm.sql("select distinct data_type from duckdb_columns() where column_name like '%\\_at' escape '\\'")
    assert types.data_type.tolist() == ["TIMESTAMP"]


def test_texts_from_outside_are_never_a_json_column(project):
    assert bm.sql("select count(*) as n from duckdb_columns() where data_type = 'JSON'").n.item() == 0


def test_migrations_are_numbered_from_one_without_gaps():
    names = sorted(
        entry.name
        for entry in (resources.files("buttermilk_nb.store") / "migrations").iterdir()
        if entry.name[0] != "_"
    )
    assert [int(re.match(r"(\d{4})_\w+\.sql$", name)[1]) for name in names] == list(range(1, len(names) + 1))


def test_a_newer_file_is_refused_with_a_sentence(project, make_project):
    flow().run(corpus(1))
    with duckdb.connect(str(project.store.path)) as con:
        con.execute("update meta set value = '9999' where key = 'schema_version'")
    for use in (make_project, make_project):
        with pytest.raises(
            StoreError, match=r"written by a newer buttermilk_nb \(its tables have version 9999, yours \d+\)"
        ):
            use()


def test_views_of_an_older_package_are_brought_up_to_date(project, make_project):
    flow().run(corpus(1))
    with duckdb.connect(str(project.store.path)) as con:
        con.execute("create or replace view latest_scores as select 1 as old")
        con.execute("update meta set value = 'v1-older' where key = 'views'")
    make_project()
    assert "criterion" in bm.sql("select * from latest_scores").columns


def test_a_text_is_stored_once_whoever_writes_it(project):
    row = TextRow.of("request", "the body")
    for _ in range(2):
        flow().run(corpus(2), cache="refresh")
    assert bm.sql("select count(*) - count(distinct text_hash) as n from texts").n.item() == 0
    assert row.text_hash == TextRow.of("request", "the body").text_hash != TextRow.of("response", "the body").text_hash


def test_rows_hold_what_an_event_says_even_with_a_lone_surrogate(project):
    row = StatusEvent(payload={"name": "a\ud800b"}).as_row()
    with project.store.writing() as con:
        project.store.append(con, [row])
    assert bm.sql("select payload from events").payload.item() == '{"name":"a\ufffdb"}'
    assert EventRow.table == "events"
    assert (RunRow.table, CellRow.table) == ("runs", "cells")


# --- records -----------------------------------------------------------------------------------------


def test_a_record_is_stored_once_for_each_text_it_had(project):
    flow().run(corpus(2))
    flow().run(corpus(2))
    flow().run(bm.Corpus([bm.Record(record_id="r0", content="Another text.")]))
    assert bm.sql("select record_id from records order by 1").record_id.tolist() == ["r0", "r0", "r1"]


def test_a_corrected_truth_is_a_new_version_and_an_earlier_run_keeps_its_own(project):
    first = flow().run(corpus(2, ground_truth={"respect": "yes"}, cluster="a"))
    again = flow().run(corpus(2, ground_truth={"respect": "no"}, cluster="b"))
    without = flow().run(corpus(2))
    assert first.scores().truth.tolist() == ["yes", "yes"]
    assert again.scores().truth.tolist() == ["no", "no"]
    assert without.scores().truth.isna().all()
    assert bm.sql("select count(*) as n from records").n.item() == 6
    assert bm.sql("select count(*) as n from latest_records").n.item() == 2
    assert bm.sql("select distinct ground_truth from latest_records").ground_truth.tolist() == ["{}"]


def test_an_unchanged_record_is_stored_once(project):
    for _ in range(2):
        flow().run(corpus(2, ground_truth={"respect": "yes"}))
    assert bm.sql("select count(*) as n from records").n.item() == 2


def test_truth_is_written_as_the_scale_writes_its_answers(project):
    for code in ("Yes", " yes", True):
        assert flow().run(corpus(1, ground_truth={"respect": code})).scores().truth.tolist() == ["yes"]


# --- bm.sql ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("insert into meta values ('a', 'b')", "INSERT"),
        ("delete from scores", "DELETE"),
        ("update scores set status = 'ok'", "UPDATE"),
        ("drop table scores", "DROP"),
        ("create table t as select 1", "CREATE"),
        ("attach 'other.duckdb'", "ATTACH"),
        ("copy (select 1) to 'out.csv'", "COPY"),
        ("export database 'out'", "EXPORT"),
        ("pragma database_list", "PRAGMA"),
        ("set threads = 1", "SET"),
        ("install httpfs", "LOAD"),
        ("load httpfs", "LOAD"),
        ("select 1; select 2", "2 statements"),
        ("select 1; drop table scores", "2 statements"),
        ("", "an empty text"),
        ("-- nothing", "an empty text"),
    ],
)
def test_anything_but_one_select_is_refused(project, tmp_path, query, found):
    flow().run(corpus(1))
    with pytest.raises(bm.SetupError, match=f"takes one SELECT, not {found}"):
        bm.sql(query)
    assert {path.name for path in tmp_path.iterdir()} == {"project"}


@pytest.mark.parametrize(
    "query", ["select 1 as a", "with t as (select 1 as a) from t", "from (values (1)) t(a)", "select 1 as a;"]
)
def test_one_select_may_be_written_in_any_form(project, query):
    assert bm.sql(query).iloc[0, 0] == 1


def test_the_tables_can_be_listed(project):
    assert {"latest_scores", "traces", "calls_full"} <= set(bm.sql("show tables").name)


@pytest.mark.parametrize(("query", "params"), [("select ? as a", ["x'; drop"]), ("select $a as a", {"a": "x'; drop"})])
def test_values_are_given_as_parameters(project, query, params):
    assert bm.sql(query, params).a.item() == "x'; drop"


def test_a_missing_table_is_answered_with_the_nearest(project):
    with pytest.raises(bm.SetupError, match="there is no table `latest_score`; did you mean `latest_scores`"):
        bm.sql("select * from latest_score")


@pytest.mark.parametrize("query", ["selec 1", "select nothing from scores", "select ?"])
def test_a_query_that_duckdb_does_not_understand_is_one_sentence(project, query):
    with pytest.raises(bm.SetupError, match="DuckDB does not understand this query"):
        bm.sql(query)


def test_a_select_cannot_change_the_file(project):
    flow().run(corpus(1))
    before = project.store.path.read_bytes()
    bm.sql("select * from latest_scores")
    assert project.store.path.read_bytes() == before
