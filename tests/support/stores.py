"""Fixtures: Stores, units as agents hand them back, and other programs that hold the file."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from contextlib import contextmanager

import pytest

from buttermilk_nb._internal.ids import digest, uuid7
from buttermilk_nb.events.event import StatusEvent
from buttermilk_nb.schema import Call, RunRow, Score, TextRow, Trace, TraceInput, Unit
from buttermilk_nb.store import Store
from buttermilk_nb.store.run_rows import finish_run, write_plan
from buttermilk_nb.store.write_batch import WriteBatch

HOLD = """
import duckdb, sys
con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path):
    """A store that does not wait long."""
    store = Store(tmp_path / "traces.duckdb", lock_wait_s=0.2)
    with store.reading():
        return store


@pytest.fixture
def hold_file():
    """Another program that has the file open, for reading or for writing."""

    @contextmanager
    def hold(path, how="write"):
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert holder.stdout.readline() == "open\n"
            yield
        finally:
            holder.communicate()

    return hold


@pytest.fixture
def make_unit():
    """Units as a judge hands them back, with what they say and any field of trace, call or score changed."""

    def make(n=0, run_id="run", *, reads=(), trace=None, call=None, score=None, **words):
        trace_id = uuid7()
        common = {
            "run_id": run_id,
            "design_id": f"d1-{n:032d}",
            "record_id": f"r{n}",
            "record_hash": f"r1-{n}",
            "criteria_set": "calm",
            "criteria_hash": "c1-x",
            "model": "double/answer",
            "replicate": 0,
            "status": "ok",
        }
        at = dt.datetime.fromisoformat("2026-01-02T03:04:05.000678")
        request, answer = TextRow.of("request", f"ask {n}"), TextRow.of("response", f"say {n}")
        traced = Trace(
            trace_id=trace_id, step="judge", agent="judge", role="judge", prompt_hash=None, params="{}",
            started_at=at, duration_s=0.5, **common,
        )  # fmt: skip
        called = Call(
            call_id=uuid7(), trace_id=trace_id, run_id=run_id, model_requested="double/answer", asked_at=at,
            cache_key=digest("k1", str(n)), cached=False, params_sent="{}", params_dropped="[]", cost_usd=0.01,
            request_hash=request.text_hash, response_hash=answer.text_hash, status="ok",
        )  # fmt: skip
        words = {"conclusion": f"Concluded {n}.", "reasons": [f"First {n}.", "Second."], **words}
        scored = Score(trace_id=trace_id, judge="judge", criterion="calm", category="yes", value=1.0, **common)
        inputs = tuple(
            TraceInput(trace_id=trace_id, input_trace_id=other.trace.trace_id, position=place)
            for place, other in enumerate(reads)
        )
        return Unit(
            trace=traced.model_copy(update=trace or {}),
            calls=(called.model_copy(update=call or {}),),
            scores=(scored.model_copy(update={**words, **(score or {})}),),
            texts=(request, answer),
            inputs=inputs,
        )

    return make


@pytest.fixture
def write_run():
    """Write a whole run: its plan, units, and how it ended."""

    def write(store, run_id, units, status="finished"):
        began = dt.datetime.fromisoformat("2026-01-02T03:04:05")
        row = RunRow(
            run_id=run_id, flow="f", flow_hash="f1", corpus_hash="c1", status="running", started_at=began, manifest="{}"
        )
        cells = (
            (
                run_id,
                t.design_id,
                t.step,
                t.record_id,
                t.record_hash,
                t.criteria_set,
                t.criteria_hash,
                t.model,
                0,
                "rd1",
            )
            for t in (unit.trace for unit in units)
        )
        write_plan(store, row, StatusEvent().as_row(), cells=cells)
        store.write(WriteBatch(units=units))
        finish_run(store, run_id, status, StatusEvent().as_row())

    return write
