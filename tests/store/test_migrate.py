"""Files of every released version are brought up to this one, whole or not at all."""

from importlib import resources

import duckdb
import pytest

from buttermilk_nb.errors import StoreError
from buttermilk_nb.schema import ROWS
from buttermilk_nb.store import Store, migrate
from buttermilk_nb.store.verify import verify

MIGRATIONS = resources.files("buttermilk_nb.store") / "migrations"

SCORES = [
    ("t1", "yes", "She is named.", ["First.", "Second."], "ok"),
    ("t2", "no", "She is named.", ["First.", "Second."], "ok"),
    ("t3", "no", "", [], "ok"),
    ("t4", "no", "", None, "ok"),
    ("t5", "no", None, [], "ok"),
    ("t6", None, None, None, "error"),
    ("t7", "no", "é 😀 1:a", ["", "12:b", "ü"], "ok"),
]
TRACES = [
    ("t1", None, None, '{"temperature":0}', "ok"),
    ("t2", "raw text", None, "{}", "invalid"),
    ("t3", "raw text", "bad JSON", "{}", "invalid"),
    ("t4", "", None, "{}", "ok"),
    ("t6", None, "", "{}", "error"),
]


@pytest.fixture
def first(tmp_path):
    """A file of version 1 with rows in it, as version 1 of this package made it."""
    path = tmp_path / "traces.duckdb"
    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.5.0"}) as con:
        con.execute((MIGRATIONS / "0001_first.sql").read_text(encoding="utf-8"))
        con.execute("insert into meta values ('schema_version', '1'), ('views', 'v1-of-then')")
        con.execute("create view latest_scores as select * from scores")
        con.executemany(
            "insert into scores (trace_id, run_id, design_id, criterion, model, category, conclusion, reasons, status) "
            "select $1, 'run', 'd-' || $1, 'calm', 'm', $2, $3, $4, $5",
            SCORES,
        )
        con.executemany(
            "insert into traces (trace_id, run_id, design_id, record_id, output, error_message, params, status) "
            "select $1, 'run', 'd-' || $1, 'r', $2, $3, $4, $5",
            TRACES,
        )
        con.execute(
            "insert into runs (run_id, flow, status, finished_at) values ('run', 'f', 'finished', '2026-01-01')"
        )
        con.execute("insert into cells (run_id, design_id) select 'run', design_id from traces")
        con.execute("insert into calls (call_id, trace_id, run_id) values ('c1', 't1', 'run')")
        con.execute("insert into records (record_id, content, first_seen_at) values ('r', 'Text.', '2026-01-01')")
        con.execute("insert into texts values ('t1-x', 'request', null, null, 'the body')")
        con.execute("insert into trace_inputs values ('t2', 't1', 0)")
        con.execute("insert into events (event_id, type) values ('e1', 'StatusEvent')")
    return path


def everything(con, table):
    """The rows of a table as version 1 had it."""
    with duckdb.connect() as blank:
        blank.execute((MIGRATIONS / "0001_first.sql").read_text(encoding="utf-8"))
        columns = [name for (name,) in blank.execute(f"select column_name from (describe {table})").fetchall()]
    return con.execute(f"select {', '.join(columns)} from {table} order by all").fetchall()


OLD = ("runs", "cells", "records", "texts", "traces", "trace_inputs", "calls", "scores", "events")


def test_nothing_of_a_file_of_version_one_is_lost(first, capsys):
    with duckdb.connect(str(first), read_only=True) as con:
        before = {table: everything(con, table) for table in OLD}
    with Store(first).reading() as con:
        after = {table: everything(con, table) for table in OLD}
    assert after == before
    assert all(len(rows) for rows in before.values())


def test_what_was_said_twice_is_kept_once(first):
    with Store(first).reading() as con:
        assert con.execute("select count(*), count(distinct said_hash) from score_rows").fetchall() == [(7, 5)]
        assert con.execute("select count(*) from said").fetchall() == [(5,)]
        assert con.execute("select count(*) from outcomes").fetchall() == [(4,)]


def test_a_migrated_file_has_the_tables_of_a_blank_one(first, tmp_path):
    columns = "select table_name, column_name, data_type from duckdb_columns() where not internal order by all"
    shapes = []
    for path in (first, tmp_path / "blank.duckdb"):
        with Store(path).reading() as con:
            shapes.append(con.execute(columns).fetchall())
    assert shapes[0] == shapes[1]
    assert {model.table for model in ROWS} <= {table for table, _, _ in shapes[0]}


def test_a_file_of_version_two_gets_the_tables_of_people_and_keeps_its_rows(tmp_path):
    path = tmp_path / "traces.duckdb"
    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.5.0"}) as con:
        for name in ("0001_first.sql", "0002_calls_that_can_be_relied_on.sql"):
            con.execute((MIGRATIONS / name).read_text(encoding="utf-8"))
        con.execute("insert into meta values ('schema_version', '2'), ('views', 'v1-of-then')")
        con.execute("insert into records (record_id, content, first_seen_at) values ('r', 'Text.', '2026-01-01')")
    with Store(path).reading() as con:
        assert con.execute("select value from meta where key = 'schema_version'").fetchall() == [("5",)]
        assert con.execute("select record_id, content from records").fetchall() == [("r", "Text.")]
        assert con.execute("select count(*) from latest_labels").fetchall() == [(0,)]
    columns = "select table_name, column_name, data_type from duckdb_columns() where not internal order by all"
    with Store(path).reading() as con, Store(tmp_path / "blank.duckdb").reading() as blank:
        assert con.execute(columns).fetchall() == blank.execute(columns).fetchall()


def test_a_file_of_version_three_keeps_its_calls_and_batches(tmp_path):
    path = tmp_path / "traces.duckdb"
    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.5.0"}) as con:
        for migration in sorted(MIGRATIONS.glob("000[123]_*.sql")):
            con.execute(migration.read_text(encoding="utf-8"))
        con.execute("insert into meta values ('schema_version', '3'), ('views', 'v1-of-then')")
        con.execute("insert into calls (call_id, cost_usd) values ('c', 0.25)")
        con.execute("insert into batches (batch_id, cache_key, state) values ('b', 'k', 'submitted')")
    with Store(path).reading() as con:
        assert con.execute("select call_id, cost_usd, max_cost_usd from calls").fetchall() == [("c", 0.25, None)]
        assert con.execute("select batch_id, state, record_id from batches").fetchall() == [("b", "submitted", None)]


def test_a_file_of_version_four_keeps_its_scores(tmp_path):
    path = tmp_path / "traces.duckdb"
    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.5.0"}) as con:
        for migration in sorted(MIGRATIONS.glob("000[1234]_*.sql")):
            con.execute(migration.read_text(encoding="utf-8"))
        con.execute("insert into meta values ('schema_version', '4'), ('views', 'v1-of-then')")
        con.execute("insert into score_rows (run_id, criterion, value) values ('r', 'share', 0.5)")
    with Store(path).reading() as con:
        assert con.execute("select run_id, value, answer_note from scores").fetchall() == [("r", 0.5, None)]


def test_the_file_as_it_was_is_kept_and_said(first, capsys):
    with Store(first).reading():
        pass
    kept = first.with_name("traces.duckdb.before-v5")
    said = capsys.readouterr().out
    assert "were updated to version 5" in said
    assert kept.name in said
    with duckdb.connect(str(kept), read_only=True) as con:
        assert con.execute("select value from meta where key = 'schema_version'").fetchall() == [("1",)]
        assert con.execute("select count(*) from latest_scores").fetchall() == [(7,)]
        assert len(everything(con, "traces")) == len(TRACES)
    assert {path.name for path in first.parent.glob("[!.]*")} == {first.name, kept.name}


def test_a_file_that_is_migrated_already_is_left_alone(first, capsys):
    for _ in range(2):
        with Store(first).writing():
            pass
    assert capsys.readouterr().out.count("were updated to version 5") == 1
    assert len(list(first.parent.glob("traces.duckdb*"))) == 2


def test_a_blank_file_of_version_one_is_not_copied(tmp_path, capsys):
    path = tmp_path / "traces.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute((MIGRATIONS / "0001_first.sql").read_text(encoding="utf-8"))
        con.execute("insert into meta values ('schema_version', '1')")
    with Store(path).reading() as con:
        assert con.execute("select value from meta where key = 'schema_version'").fetchall() == [("5",)]
    assert [file.name for file in tmp_path.glob("traces.duckdb*")] == ["traces.duckdb"]
    assert capsys.readouterr().out == ""


def test_an_earlier_copy_is_never_written_over(first):
    earlier = first.with_name("traces.duckdb.before-v5")
    earlier.write_text("an earlier copy")
    with Store(first).reading():
        pass
    assert earlier.read_text() == "an earlier copy"
    assert first.with_name("traces.duckdb.before-v5-2").exists()


class Broken:
    """A migration that fails after it has changed much."""

    name = "0004_broken.sql"

    def read_text(self, encoding):
        return "create table half (a integer); drop table said; insert into nowhere values (1);"


def test_a_failing_migration_leaves_the_file_as_it_was(first, monkeypatch):
    real = migrate.migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: [*real, Broken()])
    with pytest.raises(StoreError, match="could not be written: Catalog Error"), Store(first).reading():
        pass
    with duckdb.connect(str(first), read_only=True) as con:
        assert con.execute("select value from meta order by key").fetchall() == [("1",), ("v1-of-then",)]
        assert len(everything(con, "scores")) == len(SCORES)
        tables = {name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()}
        assert not tables & {"half", "said", "score_rows", "links"}
    monkeypatch.undo()
    assert Store(first).select("select count(*) as n from scores").n.item() == len(SCORES)


def test_where_no_copy_can_be_made_nothing_is_migrated(first, monkeypatch):
    def fail(con, path):
        raise StoreError(f"no copy could be made at `{path}`: No space left on device")

    monkeypatch.setattr(migrate, "copy_to", fail)
    with pytest.raises(StoreError, match="no copy could be made"), Store(first).reading():
        pass
    with duckdb.connect(str(first), read_only=True) as con:
        assert con.execute("select value from meta where key = 'schema_version'").fetchall() == [("1",)]


def test_a_run_of_version_one_is_said_not_to_be_covered_by_the_chain(first):
    found = verify(Store(first)).query("check == 'chain'")
    assert found[["run_id", "ok"]].values.tolist() == [["run", True]]
    assert "before the chain existed" in found.meaning.item()


def test_what_is_said_again_after_the_migration_is_not_stored_again(first, make_unit):
    store = Store(first)
    unit = make_unit(1, conclusion="She is named.", reasons=["First.", "Second."])
    with store.writing() as con:
        store.append(con, list(unit.scores))
    assert store.select("select count(*) as n from said").n.item() == 5
    assert store.select("select count(*) as n from scores where conclusion = 'She is named.'").n.item() == 3


def test_a_new_file_can_be_read_by_the_oldest_duckdb_that_it_promises(tmp_path):
    with Store(tmp_path / "traces.duckdb").reading() as con:
        tags = con.execute("select tags from duckdb_databases() where database_name = current_database()").fetchall()
    assert "v1.5.0" in str(tags)
