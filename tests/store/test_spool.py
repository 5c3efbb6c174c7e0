"""While another program holds the file, rows wait beside it, and nothing that was acknowledged is lost."""

import hashlib
import json
import os
import subprocess
import sys
import time
import warnings
from contextlib import suppress

import pytest

import buttermilk_nb as bm
from buttermilk_nb.errors import StoreError
from buttermilk_nb.events.event import StatusEvent
from buttermilk_nb.schema import TextRow
from buttermilk_nb.store import Store, spool, store as store_module
from buttermilk_nb.store.connection import open_file
from buttermilk_nb.store.run_rows import finish_run
from buttermilk_nb.store.write_batch import WriteBatch


def count(store, table):
    return store.select(f"select count(*) as n from {table}").n.item()


def spool_of(store):
    folder = store.path.parent / "spool"
    return sorted(folder.iterdir()) if folder.exists() else []


def test_a_batch_waits_beside_a_file_that_is_held_and_is_merged_by_the_next_read(store, hold_file, make_unit):
    with hold_file(store.path):
        assert store.write(WriteBatch(units=[make_unit(n) for n in range(3)])).is_spooled
        assert store.spooled() == 3 * 5  # trace, call, score and two texts each
    assert count(store, "traces") == 3
    assert (store.spooled(), spool_of(store)) == (0, [])


def test_the_next_write_merges_before_it_writes(store, hold_file, make_unit):
    with hold_file(store.path):
        store.write(WriteBatch(units=[make_unit(1)]))
    assert not store.write(WriteBatch(units=[make_unit(2)])).is_spooled
    assert spool_of(store) == []
    with store.reading() as con:
        assert con.execute("select record_id from trace_rows").fetchall() == [("r1",), ("r2",)]


def test_a_file_that_is_free_again_is_written_at_once_after_it_was_held(store, hold_file, make_unit):
    with hold_file(store.path):
        assert store.write(WriteBatch(units=[make_unit(1)])).is_spooled
    assert not store.write(WriteBatch(units=[make_unit(2)])).is_spooled


def test_once_a_batch_was_spooled_the_next_ones_do_not_wait_again(tmp_path, hold_file, make_unit, monkeypatch):
    store = Store(tmp_path / "traces.duckdb", lock_wait_s=1.0)
    with store.reading():
        pass
    waits = []

    def open_and_note(*args, wait_s, **more):
        waits.append(wait_s)
        return open_file(*args, wait_s=wait_s, **more)

    monkeypatch.setattr(store_module, "open_file", open_and_note)
    with hold_file(store.path):
        for n in range(6):
            store.write(WriteBatch(units=[make_unit(n)]))
    assert waits == [1.0, *[0.0] * 5]
    assert count(store, "traces") == 6


def test_every_value_comes_out_of_the_spool_as_it_went_in(store, hold_file, make_unit):
    units = [
        make_unit(0, conclusion="", reasons=[], score={"value": 1e-300}),
        make_unit(1, conclusion=None, reasons=None, score={"value": None, "category": "[]"}),
        make_unit(2, conclusion='tab\t "quoted" \x00 \u2028 😀', score={"value": float("inf")}),
    ]
    again = [unit.trace.model_copy(update={"run_id": "again"}) for unit in units]
    store.write(WriteBatch(units=units))
    with hold_file(store.path):
        store.write(
            WriteBatch(rows=[score.model_copy(update={"run_id": "again"}) for unit in units for score in unit.scores])
        )
        store.write(WriteBatch(rows=again))
    for table in ("scores", "traces"):
        query = f"select * exclude (run_id) from {table} where run_id = ? order by record_id"
        with store.reading() as con:
            assert con.execute(query, ["run"]).fetchall() == con.execute(query, ["again"]).fetchall()


def test_a_run_that_finds_the_file_held_goes_on_and_all_of_it_is_there_afterwards(project, hold_file, tmp_path):
    records = bm.Corpus([bm.Record(record_id=f"r{i}", content=f"Text {i}.") for i in range(5)])
    calm = bm.Criteria("calm", "Is it calm?", flag="no")
    flow = bm.Flow("study", [bm.Judge("judge", criteria=calm)])
    flow.run(records.head(1))
    project.store._lock_wait_s = 0.2
    with hold_file(project.store.path):
        with pytest.raises(StoreError, match="another process has had .* open for"):
            project.store.select("select 1")
        with suppress(StoreError):  # what it says at its end may need the file
            flow.run(records)
        assert project.store.spooled() > 0
    found = bm.sql("select status, (select count(*) from traces t where t.run_id = r.run_id) as n from runs r")
    assert found.values.tolist() == [["finished", 1], ["finished", 5]]
    assert bm.sql("select count(*) as n from runs where digest is null or chain is null").n.item() == 0
    assert bm.sql("select count(*) as n from records").n.item() == 5


def test_the_end_of_a_run_that_was_spooled_covers_the_rows_that_were_spooled_with_it(
    store, hold_file, make_unit, write_run
):
    units = [make_unit(n, "spooled") for n in range(3)]
    with hold_file(store.path):
        write_run(store, "spooled", units)
    write_run(store, "direct", [make_unit(n, "direct") for n in range(3)])
    assert store.select("select count(distinct digest) as n, count(*) as runs from runs").values.tolist() == [[1, 2]]
    assert store.select("select run_id from links order by position").run_id.tolist() == ["spooled", "direct"]


def test_a_file_that_was_merged_and_not_deleted_lands_once(store, hold_file, make_unit):
    with hold_file(store.path):
        store.write(WriteBatch(units=[make_unit(1)]))
    (path,) = spool_of(store)
    body = path.read_bytes()
    assert count(store, "traces") == 1
    path.write_bytes(body)  # as after a kill between the commit and the deletion
    assert (count(store, "traces"), count(store, "calls"), spool_of(store)) == (1, 1, [])


@pytest.mark.parametrize(
    "harm",
    [
        lambda body: body[: len(body) // 2],
        lambda body: b"",
        lambda body: body.replace(b"Concluded", b"Decided"),
        lambda body: b"\n".join(body.split(b"\n")[:-2]) + b"\n",
        lambda body: b"not json at all\n\n\n",
    ],
    ids=["cut in half", "empty", "changed", "without its end", "no JSON"],
)
def test_a_damaged_file_is_set_aside_with_a_warning_and_blocks_nothing(store, hold_file, make_unit, harm):
    with hold_file(store.path):
        store.write(WriteBatch(units=[make_unit(1)]))
        store.write(WriteBatch(units=[make_unit(2)]))
    path = spool_of(store)[0]
    path.write_bytes(harm(path.read_bytes()))
    with pytest.warns(UserWarning, match="contains rows that could not be merged .* the file was renamed"):
        assert count(store, "traces") == 1
    assert [path.name for path in spool_of(store)] == [f"{path.name}.damaged"]
    assert store.spooled() == 0


def test_a_spool_file_with_a_column_that_there_is_not_is_set_aside(store, hold_file, make_unit):
    with hold_file(store.path):
        spool.add(store.path, WriteBatch(rows=[TextRow.of("request", "a")]))
    (path,) = spool_of(store)
    lines = path.read_bytes().replace(b'"version"', b'"vision"').split(b"\n")[:-2]
    body = b"\n".join(lines) + b"\n"
    path.write_bytes(body + json.dumps({"sha256": hashlib.sha256(body).hexdigest()}).encode() + b"\n")
    with pytest.warns(UserWarning, match="`texts` has no column vision"):
        assert count(store, "texts") == 0


def test_a_write_that_was_cut_off_is_ignored_and_said_once(store):
    folder = store.path.parent / "spool"
    folder.mkdir()
    part = folder / "traces-01a1f8ee-0dc3-7f6e-a512-58818ca9e8bb-1.part"
    part.write_bytes(b'{"format": 1')
    assert count(store, "traces") == 0, "a fresh one may still be being written"
    os.utime(part, (time.time() - 3600,) * 2)
    with pytest.warns(UserWarning, match="was cut off while it was written"):
        assert count(store, "traces") == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (count(store, "traces"), store.spooled()) == (0, 0)


def test_two_stores_in_one_folder_keep_their_spools_apart(tmp_path, hold_file, make_unit):
    stores = [Store(tmp_path / f"{name}.duckdb", lock_wait_s=0.1) for name in ("one", "one-1")]
    for store in stores:
        with store.reading():
            pass
    with hold_file(stores[0].path), hold_file(stores[1].path):
        for n, store in enumerate(stores):
            store.write(WriteBatch(units=[make_unit(n)]))
    assert [store.select("select record_id from traces").record_id.tolist() for store in stores] == [["r0"], ["r1"]]


def test_rows_that_a_reader_elsewhere_holds_back_are_not_silently_left_out_of_an_answer(store, hold_file, make_unit):
    with hold_file(store.path, "read"):
        assert store.write(WriteBatch(units=[make_unit(1)])).is_spooled
        with pytest.raises(StoreError, match="another process has had .* open for"):
            count(store, "traces")
    assert count(store, "traces") == 1


def test_a_spool_that_cannot_be_written_fails_with_a_sentence(store, hold_file, make_unit):
    (store.path.parent / "spool").write_text("a file where the folder should be")
    with hold_file(store.path), pytest.raises(StoreError, match="rows could not be saved in"):
        store.write(WriteBatch(units=[make_unit(1)]))


KILLED = """
import os, signal, sys
from pathlib import Path
from buttermilk_nb.store import spool
from buttermilk_nb.store.write_batch import WriteBatch
from buttermilk_nb.schema import TextRow
store = Path(sys.argv[1])
for n in range(5):
    print(spool.add(store, WriteBatch(rows=[TextRow.of("request", f"{n}")])).name, flush=True)
def rows():
    yield from (TextRow.of("request", f"torn {n}") for n in range(1000))
    os.kill(os.getpid(), signal.SIGKILL)
class Torn(list):
    def __iter__(self):
        return rows()
spool.add(store, WriteBatch(rows=Torn([1])))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no SIGKILL here")
def test_what_was_acknowledged_before_a_kill_is_merged_and_nothing_of_what_was_not(store):
    done = subprocess.run([sys.executable, "-c", KILLED, str(store.path)], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    acknowledged = done.stdout.split()
    assert {path.name for path in spool_of(store) if path.suffix == ".jsonl"} == set(acknowledged)
    assert count(store, "texts") == 5
    assert store.select("select spool from merged order by 1").spool.tolist() == acknowledged


def test_an_event_alone_is_spooled_as_well(store, hold_file):
    with hold_file(store.path):
        store.write(WriteBatch(rows=[StatusEvent(payload={"state": "exported"}).as_row()]))
    assert count(store, "events") == 1


def test_the_end_of_a_run_that_was_never_planned_links_nothing(store):
    finish_run(store, "no such run", "failed", StatusEvent().as_row())
    assert count(store, "links") == 0
