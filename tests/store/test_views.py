"""Copies of the file, and the views that answer where texts went, what they cost and how long it took."""

import duckdb
import pytest

import buttermilk_nb as bm
from buttermilk_nb.errors import StoreError
from buttermilk_nb.schema import Call, Score, Trace
from buttermilk_nb.store import Store
from buttermilk_nb.store.views import VIEWS
from buttermilk_nb.store.write_batch import WriteBatch

# --- snapshots -----------------------------------------------------------------------------------------


def test_a_snapshot_holds_everything_and_opens_in_plain_duckdb(store, make_unit, tmp_path):
    store.write(WriteBatch(units=[make_unit(n) for n in range(3)]))
    path = store.snapshot(tmp_path / "copies" / "study.duckdb")
    with duckdb.connect(str(path), read_only=True) as con:
        for name in ("traces", "scores", "calls", "texts", "latest_scores", "judge_scores", "meta"):
            with store.reading() as here:
                assert (
                    con.execute(f"from {name} order by all").fetchall()
                    == here.execute(f"from {name} order by all").fetchall()
                )
        assert con.execute("select hash_of_said('a', ['b']) = hash_of_said('a', ['b', ''])").fetchall() == [(False,)]
    assert list(path.parent.iterdir()) == [path]


def test_a_snapshot_is_a_store(store, make_unit, tmp_path):
    store.write(WriteBatch(units=[make_unit(1)]))
    copy = Store(store.snapshot(tmp_path / "copy.duckdb"))
    copy.write(WriteBatch(units=[make_unit(2)]))
    assert copy.select("select count(*) as n from traces").n.item() == 2
    assert store.select("select count(*) as n from traces").n.item() == 1


def test_what_waits_in_the_spool_is_in_the_snapshot(store, hold_file, make_unit, tmp_path):
    with hold_file(store.path):
        store.write(WriteBatch(units=[make_unit(1)]))
        with pytest.raises(StoreError, match="another process has had .* open for"):
            store.snapshot(tmp_path / "early.duckdb")
    with duckdb.connect(str(store.snapshot(tmp_path / "copy.duckdb")), read_only=True) as con:
        assert con.execute("select count(*) from traces").fetchall() == [(1,)]
    assert not (tmp_path / "early.duckdb").exists()


def test_a_snapshot_never_writes_over_a_file(store, tmp_path):
    (tmp_path / "mine.duckdb").write_text("mine")
    with pytest.raises(bm.SetupError, match="exists already"):
        store.snapshot(tmp_path / "mine.duckdb")
    assert (tmp_path / "mine.duckdb").read_text() == "mine"


def test_a_snapshot_that_fails_leaves_nothing_behind(store, make_unit, tmp_path, monkeypatch):
    store.write(WriteBatch(units=[make_unit(1)]))

    def fail(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("buttermilk_nb.store.snapshot.sync_to_disk", fail)
    folder = tmp_path / "copies"
    with pytest.raises(StoreError, match="the copy .* could not be made.* No space left"):
        store.snapshot(folder / "copy.duckdb")
    assert list(folder.iterdir()) == []
    assert store.select("select count(*) as n from traces").n.item() == 1


def test_making_a_snapshot_does_not_let_go_of_the_lock(store, tmp_path):
    """Closing any handle of the file would; so DuckDB makes the copy."""
    import subprocess
    import sys

    code = f"import duckdb; duckdb.connect({str(store.path)!r})"
    with store.writing():
        from buttermilk_nb.store.snapshot import copy_to

        with duckdb.connect() as other:
            copy_to(other, tmp_path / "empty.duckdb")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Could not set lock" in done.stderr


# --- views ---------------------------------------------------------------------------------------------


@pytest.fixture
def called(store, make_unit):
    """Five calls: sent twice to a remote provider, from the cache, failed, and to a model on this machine."""
    remote = {
        "remote": True,
        "provider": "anthropic",
        "model_requested": "anthropic/one",
        "tokens_in": 10,
        "tokens_out": 2,
    }
    changes = [
        {**remote, "latency_s": 1.0, "saved_usd": 0.0, "redaction": "names"},
        {**remote, "latency_s": 3.0, "attempt": 2, "waited_s": 4.0, "cost_usd": None},
        {**remote, "cached": True, "cost_usd": 0.0, "saved_usd": 0.01},
        {**remote, "status": "timeout", "response_hash": None, "cost_usd": None, "latency_s": 9.0, "error_code": "504"},
        {"remote": False, "provider": "offline", "latency_s": 0.1, "cost_usd": 0.0},
    ]
    units = [make_unit(n, call=change) for n, change in enumerate(changes)]
    store.write(WriteBatch(units=units))
    return units


def test_egress_has_one_row_for_each_text_that_left(store, called):
    found = store.select("select * from egress order by record_id")
    assert " ".join(found.columns) == (
        "asked_at provider model_requested record_id record_hash request_hash redaction status run_id"
    )
    assert found.record_id.tolist() == ["r0", "r1", "r3"], "neither what was cached nor what stayed here"
    assert found.redaction.fillna("").tolist() == ["names", "", ""]
    assert found.status.tolist() == ["ok", "ok", "timeout"]
    assert found.request_hash.tolist() == [called[n].calls[0].request_hash for n in (0, 1, 3)]


def test_costs_are_counted_by_run_step_and_model_with_those_that_have_no_price(store, called):
    found = store.select("select * from costs where model = 'anthropic/one'").to_dict("records")
    assert len(found) == 1
    assert {key: found[0][key] for key in ("step", "calls", "cached", "spent_usd", "saved_usd", "without_price")} == {
        "step": "judge", "calls": 4, "cached": 1, "spent_usd": 0.01, "saved_usd": 0.01, "without_price": 1
    }  # fmt: skip
    assert (found[0]["tokens_in"], found[0]["tokens_out"]) == (30, 6)


def test_timing_leaves_out_what_came_from_the_cache(store, called):
    found = store.select("select * from call_timing where model = 'anthropic/one'").to_dict("records")[0]
    assert (found["n"], found["failed"], found["median_s"], found["waited_s"]) == (3, 1, 3.0, 4.0)
    assert (found["most_attempts"], found["repeated"]) == (2, 1)
    assert found["p95_s"] == pytest.approx(8.4)


def test_judge_scores_name_their_calls(store, make_unit):
    unit = make_unit(1)
    second = unit.calls[0].model_copy(update={"call_id": "zz"})
    skipped = make_unit(2)
    store.write(WriteBatch(units=[type(unit)(trace=unit.trace, calls=(second, *unit.calls), scores=unit.scores),
                            type(unit)(trace=skipped.trace, scores=skipped.scores)]))  # fmt: skip
    with store.reading() as con:
        found = con.execute("select call_ids from judge_scores order by record_id").fetchall()
    assert found == [([unit.calls[0].call_id, "zz"],), ([],)]


MODELS = {
    "scores": Score, "traces": Trace, "latest_scores": Score, "latest_traces": Trace, "judgements": Trace,
    "judge_scores": Score, "calls_full": Call,
}  # fmt: skip


@pytest.mark.parametrize("view", MODELS)
def test_a_view_has_every_field_of_its_model_in_order(store, view):
    with store.reading() as con:
        columns = [name for (name,) in con.execute(f"select column_name from (describe {view})").fetchall()]
    fields = list(MODELS[view].model_fields)
    assert columns[: len(fields)] == fields


def test_whatever_a_view_selects_is_a_column_of_a_model(store):
    models = {name for model in (Call, Trace) for name in model.model_fields}
    with store.reading() as con:
        for view in ("egress",):
            columns = {name for (name,) in con.execute(f"select column_name from (describe {view})").fetchall()}
            assert columns <= models


def test_the_newest_finished_answer_is_the_latest_with_its_own_words(store, make_unit):
    old, new, cancelled = (make_unit(1, conclusion=words) for words in ("old", "new", "cancelled"))
    cancelled = make_unit(
        1, trace={"status": "cancelled"}, score={"status": "cancelled"}, conclusion=None, reasons=None
    )
    for unit in (new, old, cancelled):
        store.write(WriteBatch(units=[unit]))
    assert store.select("select conclusion from latest_scores").conclusion.tolist() == ["new"]
    assert store.select("select trace_id from latest_traces").trace_id.tolist() == [new.trace.trace_id]


def test_views_are_made_in_the_order_in_which_they_read_each_other():
    names = list(VIEWS)
    for place, (name, query) in enumerate(VIEWS.items()):
        later = {other for other in names[place + 1 :] if f" {other} " in query.replace("\n", " ")}
        assert not later, f"`{name}` reads {later}"
