"""Instances of DuckDB are used again, and nothing of one use is seen by the next."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import duckdb
import pytest

from buttermilk_nb.store import connection, instance_pool
from buttermilk_nb.store.connection import open_file


@pytest.fixture(autouse=True)
def no_instance_waits(monkeypatch):
    monkeypatch.setattr(instance_pool, "_waiting", [])


def write(path, statement="create or replace table t as select 1 as a"):
    with open_file(path, read_only=False, wait_s=1) as con:
        con.execute(statement)


def test_two_uses_take_one_instance(tmp_path, monkeypatch):
    started, real = [], duckdb.connect
    monkeypatch.setattr(duckdb, "connect", lambda *args, **kwargs: started.append(args) or real(*args, **kwargs))
    write(tmp_path / "a.duckdb")
    for name in ("a.duckdb", "b.duckdb"):
        write(tmp_path / name)
        with open_file(tmp_path / name, read_only=True, wait_s=1) as con:
            assert con.execute("from t").fetchall() == [(1,)]
    assert len(started) == 1


def test_a_temporary_table_or_a_setting_ends_with_its_use(tmp_path):
    write(tmp_path / "a.duckdb", "create temp table mine as select 1 as a")
    write(tmp_path / "a.duckdb", "set enable_progress_bar = true")
    with open_file(tmp_path / "a.duckdb", read_only=True, wait_s=1) as con:
        assert con.execute("select table_name from duckdb_tables()").fetchall() == []
        assert con.execute("select current_setting('enable_progress_bar')").fetchall() == [(False,)]
        assert con.execute("select current_setting('temp_directory')").fetchone() == (f"{tmp_path / 'a.duckdb'}.tmp",)


def test_between_two_uses_nothing_holds_the_file(tmp_path):
    path = tmp_path / "a.duckdb"
    write(path)
    assert len(instance_pool._waiting) == 1
    assert [file.name for file in tmp_path.iterdir() if file.suffix in {".wal", ".tmp", ".new"}] == []
    code = f"import duckdb; duckdb.connect({str(path)!r}).execute('create or replace table t as select 2 as a')"
    subprocess.run([sys.executable, "-c", code], check=True)
    with open_file(path, read_only=True, wait_s=1) as con:
        assert con.execute("from t").fetchall() == [(2,)]


def test_an_instance_whose_use_failed_is_not_used_again(tmp_path):
    path = tmp_path / "a.duckdb"
    write(path)
    with pytest.raises(duckdb.Error), open_file(path, read_only=False, wait_s=1) as con:
        con.execute("begin; create table half as select 1 as a; from nowhere")
    assert instance_pool._waiting == []
    with open_file(path, read_only=True, wait_s=1) as con:
        assert con.execute("select table_name from duckdb_tables()").fetchall() == [("t",)]


def test_a_block_that_leaves_a_transaction_open_keeps_nothing_of_it(tmp_path):
    path = tmp_path / "a.duckdb"
    write(path)
    write(path, "begin; create table half as select 1 as a")
    with open_file(path, read_only=True, wait_s=1) as con:
        assert con.execute("select table_name from duckdb_tables()").fetchall() == [("t",)]


def test_what_a_large_query_wrote_beside_the_file_is_gone_after_its_use(tmp_path):
    path = tmp_path / "a.duckdb"
    with open_file(path, read_only=False, wait_s=1) as con:
        con.execute("set memory_limit = '60MB'")
        con.execute("create temp table big as select md5(range::varchar) as b from range(2000000)")
        con.execute("select count(*) from (from big order by b)").fetchone()
        assert list((tmp_path / "a.duckdb.tmp").iterdir()), "it fitted into memory, so that this shows nothing"
    assert not (tmp_path / "a.duckdb.tmp").exists()
    write(path)
    with open_file(path, read_only=True, wait_s=1) as con:
        assert con.execute("from t").fetchall() == [(1,)]


def test_a_connection_that_was_closed_in_its_block_loses_nothing(tmp_path):
    path = tmp_path / "a.duckdb"
    with open_file(path, read_only=False, wait_s=1) as con:
        con.execute("create table t as select 1 as a")
        con.close()
    assert instance_pool._waiting == []
    with open_file(path, read_only=True, wait_s=1) as con:
        assert con.execute("from t").fetchall() == [(1,)]


def test_a_file_that_is_no_database_leaves_no_instance_in_use(tmp_path):
    path = tmp_path / "a.duckdb"
    path.write_text("this is not a database, and long enough to be looked at " * 100)
    with pytest.raises(connection.StoreError, match=r"a\.duckdb"), open_file(path, read_only=True, wait_s=1):
        pass
    assert instance_pool._waiting == []


def test_threads_that_read_at_once_have_an_instance_each(tmp_path):
    write(tmp_path / "a.duckdb")
    inside, rows = threading.Barrier(4), []

    def read():
        with open_file(tmp_path / "a.duckdb", read_only=True, wait_s=5) as con:
            inside.wait(10)
            rows.append(con.execute("from t").fetchall())

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert rows == [[(1,)]] * 4
    assert len(instance_pool._waiting) == instance_pool._MOST_WAITING


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_starts_an_instance_of_its_own_and_ends(tmp_path):
    path = tmp_path / "a.duckdb"
    write(path)
    if (pid := os.fork()) == 0:
        try:
            with open_file(path, read_only=True, wait_s=1) as con:
                os._exit(con.execute("from t").fetchall() != [(1,)])
        finally:
            os._exit(2)
    deadline = time.monotonic() + 30
    while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
        time.sleep(0.05)
    if ended == (0, 0):
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    assert ended == (pid, 0)
    write(path)
