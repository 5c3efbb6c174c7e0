"""Running a study again from the cache adds ids to the file, and no texts."""

import hashlib

import pytest

import buttermilk_nb as bm
from buttermilk_nb.schema import Score
from buttermilk_nb.store import Store
from buttermilk_nb.store.append import drop_unused_bodies
from buttermilk_nb.store.write_batch import WriteBatch


def words(n, part):
    """Some 640 letters that no compression makes shorter by much."""
    return "".join(hashlib.sha512(f"{n} {part} {k}".encode()).hexdigest() for k in range(5))


def test_five_runs_from_the_cache_add_no_more_than_their_ids(tmp_path, make_unit, write_run):
    store, n = Store(tmp_path / "traces.duckdb"), 2000

    def run(name):
        said = [(words(k, 0), [words(k, 1), words(k, 2), words(k, 3)], {"output": words(k, 4)}) for k in range(n)]
        units = [make_unit(k, name, conclusion=a, reasons=b, trace=c) for k, (a, b, c) in enumerate(said)]
        write_run(store, name, units)

    run("run-0")
    before = used(store)
    for k in range(1, 6):
        run(f"run-{k}")
    grown = used(store) - before
    assert grown <= ids_of(store, "run-1") * 5, f"{grown / n / 5:.0f} bytes a cell and run"
    assert store.select("select count(*) as n from scores").n.item() == 6 * n
    assert store.select("select count(*) as n from said").n.item() == n


def used(store):
    """Bytes in blocks that hold something."""
    with store.reading() as con:
        ((blocks, size),) = con.execute(
            "select used_blocks, block_size from pragma_database_size() where database_name = current_database()"
        ).fetchall()
    return blocks * size


def ids_of(store, run_id):
    """The letters of all ids and hashes in the rows of a run."""
    columns = {
        "cells": "run_id design_id record_id record_hash criteria_hash details_hash",
        "trace_rows": "trace_id run_id design_id record_id record_hash criteria_hash",
        "calls": "call_id trace_id run_id cache_key request_hash response_hash",
        "score_rows": "trace_id run_id design_id record_id record_hash criteria_hash",
    }
    with store.reading() as con:
        return sum(
            con.execute(
                f"select sum({' + '.join(f'strlen({name})' for name in names.split())}) from {table} where run_id = ?",
                [run_id],
            ).fetchone()[0]
            for table, names in columns.items()
        )


def test_outputs_and_errors_that_repeat_are_stored_once(tmp_path, make_unit):
    store = Store(tmp_path / "traces.duckdb")
    for n in range(20):
        trace = {"output": f"raw {n % 2}", "error_message": "no JSON", "status": "invalid"}
        store.write(WriteBatch(units=[make_unit(n, trace=trace)]))
    with store.reading() as con:
        assert con.execute("select count(*) from outcomes").fetchall() == [(2,)]
        found = con.execute("select output, error_message, count(*) from traces group by all order by 1").fetchall()
    assert found == [("raw 0", "no JSON", 10), ("raw 1", "no JSON", 10)]


@pytest.mark.parametrize(
    ("conclusion", "reasons"),
    [(None, None), ("", None), (None, []), ("", []), ("", [""]), ("a", ["b"]), ("a", ["", "b"])],
)
def test_empty_and_missing_words_stay_what_they_were(store, make_unit, conclusion, reasons):
    store.write(WriteBatch(units=[make_unit(1, conclusion=conclusion, reasons=reasons)]))
    with store.reading() as con:
        assert con.execute("select conclusion, reasons from scores").fetchall() == [(conclusion, reasons)]


def test_each_of_many_scores_keeps_its_own_words(store, make_unit):
    (score,) = make_unit(0).scores
    whole = score.model_dump()
    with store.writing() as con:
        store.append_tuples(
            con,
            Score,
            (
                (*{**whole, "record_id": f"{n}", "conclusion": f"{n}", "reasons": [f"{n}", "all"]}.values(),)
                for n in range(250_000)
            ),
        )
    own = "conclusion = record_id and reasons = [record_id, 'all']"
    assert store.select(f"select count(*) as n, count(*) filter ({own}) as own from scores").values.tolist() == [
        [250_000, 250_000]
    ]


def test_different_words_never_share_a_hash(store, make_unit):
    said = [("ab", ["c"]), ("a", ["bc"]), ("ab", None), ("ab", []), ("a1:b", ["c"]), ("", ["ab", "c"]), ("", ["abc"])]
    store.write(WriteBatch(units=[make_unit(n, conclusion=a, reasons=b) for n, (a, b) in enumerate(said)]))
    assert store.select("select count(distinct said_hash) as n from score_rows").n.item() == len(said)
    with store.reading() as con:
        assert con.execute("select conclusion, reasons from scores order by record_id").fetchall() == said


def test_a_run_again_writes_no_text_record_or_reason_again(project):
    records = bm.Corpus([bm.Record(record_id=f"r{i}", content=f"Text {i}.") for i in range(4)])
    flow = bm.Flow("study", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"))])
    counts = "select (select count(*) from texts), (select count(*) from said), (select count(*) from records)"
    flow.run(records)
    before = bm.sql(counts).values.tolist()
    for _ in range(3):
        flow.run(records)
    assert bm.sql(counts).values.tolist() == before
    assert bm.sql("select count(*) as n from scores").n.item() == 16


def test_what_no_row_names_any_more_can_be_dropped(store, make_unit):
    store.write(
        WriteBatch(
            units=[make_unit(1), make_unit(2), make_unit(3, conclusion="Concluded 1.", reasons=["First 1.", "Second."])]
        )
    )
    with store.writing() as con:
        con.execute("delete from score_rows where record_id in ('r1', 'r2')")
        assert drop_unused_bodies(con) == 1
    with store.reading() as con:
        assert con.execute("select conclusion from scores").fetchall() == [("Concluded 1.",)]
