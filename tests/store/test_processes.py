"""Several programs on one file at once, each a process of its own."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import duckdb
import pytest

from buttermilk_nb.store import Store, connection
from buttermilk_nb.store.connection import FileLocked
from buttermilk_nb.store.verify import verify

WRITE = """
import sys
from pathlib import Path
from buttermilk_nb._internal.ids import uuid7
from buttermilk_nb.store import Store
from buttermilk_nb.store.write_batch import WriteBatch
from buttermilk_nb.schema import Score, TextRow, Trace, Unit, now
path, who, batches, wait_s = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
store = Store(Path(path), lock_wait_s=wait_s)
def unit(n, k):
    both = dict(trace_id=uuid7(), run_id=who, design_id=f"{n} {k}", record_id="r", record_hash="h", criteria_set="c",
                criteria_hash="c", model="m", replicate=0, status="ok")
    trace = Trace(step="j", agent="judge", role="judge", prompt_hash=None, params="{}", started_at=now(), duration_s=0,
                  output=f"{who} {n}", **both)
    score = Score(judge="j", criterion="c", conclusion=f"{n}", reasons=["shared by all"], **both)
    return Unit(trace=trace, scores=(score,), texts=(TextRow.of("response", f"{n} {k}"),))
print("ready", flush=True)
sys.stdin.readline()
spooled = 0
for n in range(batches):
    spooled += store.write(WriteBatch(units=[unit(n, k) for k in range(5)])).is_spooled
print(spooled, flush=True)
"""


def start(path, who, batches, wait_s=30.0):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(path), who, str(batches), str(wait_s)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    return process


def finish(processes):
    said = [process.communicate("\n") for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    return [int(out) for out, _ in said]


def go(process):
    process.stdin.write("\n")
    process.stdin.flush()


def check(path, writers, batches):
    """Every row once: nothing lost, nothing twice, nothing shared stored twice."""
    store = Store(path)
    counts = store.select(
        "select (select count(*) from traces), (select count(distinct trace_id) from traces), "
        "(select count(*) from scores), (select count(*) from texts), (select count(distinct text_hash) from texts), "
        "(select count(*) from said), (select count(*) from outcomes), "
        "(select count(*) from scores where reasons is null)"
    ).values.tolist()
    rows = writers * batches * 5
    assert counts == [[rows, rows, rows, batches * 5, batches * 5, batches, writers * batches, 0]]
    assert store.spooled() == 0
    found = verify(store)
    assert found[found.check.isin(["tables", "texts", "said", "outcomes"])].ok.all()


def test_one_process_reads_while_another_writes(tmp_path):
    path = tmp_path / "traces.duckdb"
    store = Store(path)
    writer = start(path, "a", 20)
    go(writer)
    seen = []
    while writer.poll() is None:
        seen.append(store.select("select count(*) as n from scores join traces using (trace_id)").n.item())
    assert finish([writer]) == [0]
    assert seen == sorted(seen), "a later read never shows less"
    assert all(n % 5 == 0 for n in seen), "a batch is there whole or not at all"
    assert len(set(seen)) > 2
    check(path, 1, 20)


def test_four_processes_that_write_at_once_lose_nothing(tmp_path):
    path = tmp_path / "traces.duckdb"
    writers = [start(path, who, 12) for who in "abcd"]
    for writer in writers:
        go(writer)
    finish(writers)
    check(path, 4, 12)


def test_writers_that_do_not_wait_lose_nothing_either(tmp_path):
    path = tmp_path / "traces.duckdb"
    with Store(path).reading():
        pass
    writers = [start(path, who, 12, wait_s=0) for who in "abcd"]
    for writer in writers:
        go(writer)
    n_spooled = sum(finish(writers))
    assert n_spooled > 0, "nobody ever had to wait, so that this shows nothing"
    check(path, 4, 12)


KILL = """
import os, signal, sys
import buttermilk_nb.store.merge_spool as merging
real = merging._write_merged
def once(con, store, path, batch):
    real(con, store, path, batch)
    os.kill(os.getpid(), signal.SIGKILL)
merging._write_merged = once
from pathlib import Path
from buttermilk_nb.store import Store
Store(Path(sys.argv[1])).select("select 1")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no SIGKILL here")
def test_a_process_killed_between_merging_and_deleting_makes_nothing_land_twice(store, hold_file, make_unit):
    from buttermilk_nb.store.write_batch import WriteBatch

    with hold_file(store.path):
        store.write(WriteBatch(units=[make_unit(1)]))
    done = subprocess.run([sys.executable, "-c", KILL, str(store.path)], capture_output=True)
    assert done.returncode == -9, done.stderr
    assert store.spooled() > 0
    assert store.select("select count(*) as n from traces").n.item() == 1
    assert store.spooled() == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forking with threads is just what must not hurt
def test_a_forked_child_neither_writes_nor_spools(store, make_unit):
    from buttermilk_nb.errors import StoreError
    from buttermilk_nb.store.write_batch import WriteBatch

    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            store.write(WriteBatch(units=[make_unit(1)]))
            os.write(write, b"written")
        except StoreError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    with os.fdopen(read) as pipe:
        assert "a forked process must not write" in pipe.read()
    assert not (store.path.parent / "spool").exists()
    assert not store.write(WriteBatch(units=[make_unit(2)])).is_spooled


MAKE = """
import sys, time
from pathlib import Path
from buttermilk_nb.store.connection import open_file
folder = Path(sys.argv[1])
print("ready", flush=True)
start = float(sys.stdin.readline())
for n in range(25):
    while time.time() < start + n * 0.05:  # all at the same moment
        pass
    with open_file(folder / f"{n}.duckdb", read_only=False, wait_s=30) as con:
        con.execute("create table if not exists t (who varchar)")
        con.execute("insert into t values (?)", [sys.argv[2]])
print(0, flush=True)
"""


def test_processes_that_make_the_same_file_at_once_all_find_one_that_opens(tmp_path):
    """DuckDB itself may leave one of no bytes where two make it at once."""
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE, str(tmp_path), who],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for who in "abc"
    ]  # fmt: skip
    for maker in makers:
        assert maker.stdout.readline() == "ready\n"
    for maker in makers:
        maker.stdin.write(f"{time.time() + 0.5}\n")
        maker.stdin.flush()
    finish(makers)
    for n in range(25):
        with duckdb.connect(str(tmp_path / f"{n}.duckdb"), read_only=True) as con:
            assert con.execute("select string_agg(who, '' order by who) from t").fetchall() == [("abc",)]
    assert {path.suffix for path in tmp_path.iterdir()} == {".duckdb", ".lock", ".next"}


LOCKING_PROCESS = """
import sys
from pathlib import Path
from buttermilk_nb.store.file_lock import FileLock
lock = FileLock(Path(sys.argv[1]), shared=sys.argv[2] == "shared")
assert lock.acquire()
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def lock_of_another(path, how):
    process = subprocess.Popen(
        [sys.executable, "-c", LOCKING_PROCESS, str(path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "locked\n"
        yield process
    finally:
        process.communicate()


def test_the_file_is_not_even_looked_at_while_another_process_writes(store, monkeypatch):
    """DuckDB reads the head of the file before it takes its lock, and would write over what it did not see."""
    touched, real = [], connection.take_instance
    monkeypatch.setattr(connection, "take_instance", lambda: touched.append("attached") or real())
    with lock_of_another(store.path, "alone"):
        for opened in (store.writing, store.reading):
            with pytest.raises(FileLocked), opened():
                pass
    assert touched == []
    with store.reading():
        assert touched == ["attached"]


def test_readers_share_a_lock_and_a_writer_waits_for_them(store):
    with lock_of_another(store.path, "shared"):
        assert store.select("select count(*) as n from traces").n.item() == 0
        with pytest.raises(FileLocked), store.writing():
            pass


def test_a_lock_ends_with_the_process_that_had_it(store):
    with lock_of_another(store.path, "alone") as process:
        process.kill()
        process.wait()
        assert store.select("select 1 as a").a.item() == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_forked_while_the_file_is_locked_does_not_keep_the_lock(store, make_unit):
    from buttermilk_nb.store.write_batch import WriteBatch

    read, write = os.pipe()
    with store.writing():
        if (pid := os.fork()) == 0:
            os.close(write)
            os.read(read, 1)  # until the parent has done
            os._exit(0)
    assert not store.write(WriteBatch(units=[make_unit(1)])).is_spooled, (
        "the batch was spooled: the child kept the file's lock"
    )
    assert os.waitpid(pid, os.WNOHANG) == (0, 0), "the child ended before the parent wrote, so that this shows nothing"
    os.close(write)
    assert os.waitpid(pid, 0) == (pid, 0)
    os.close(read)
    assert store.select("select count(*) as n from traces").n.item() == 1


def test_a_file_that_changed_while_it_was_opened_is_opened_again(store, monkeypatch):
    """A program that takes no locks may have written between DuckDB's look and its lock."""
    real, seen = connection.take_instance, []

    def take_instance():
        seen.append(real())
        if len(seen) == 1:
            os.utime(store.path, ns=(1, 1))
        return seen[-1]

    monkeypatch.setattr(connection, "take_instance", take_instance)
    with store.writing() as con:  # which fails if the file is still attached from the first time
        con.execute("from traces")
    assert len(seen) == 2


def test_a_file_of_no_bytes_is_made_anew(tmp_path):
    path = tmp_path / "traces.duckdb"
    path.touch()
    assert Store(path).select("select count(*) as n from runs").n.item() == 0


def test_a_folder_that_can_only_be_read_is_read_without_a_lock(store, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("buttermilk_nb.store.file_lock.os.open", refuse)
    assert store.select("select count(*) as n from runs").n.item() == 0
