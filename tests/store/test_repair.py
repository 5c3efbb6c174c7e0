"""One value that DuckDB refuses costs its own cell, and none of its neighbours."""

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import buttermilk_nb as bm
from buttermilk_nb.errors import StoreError
from buttermilk_nb.schema import EventRow, RedactionRow, TextRow, now
from buttermilk_nb.store import Store, repair
from buttermilk_nb.store.connection import RowsRejected
from buttermilk_nb.store.write_batch import WriteBatch

REFUSED = [
    {"conclusion": "a\ud800b"},
    {"reasons": ["fine", "\udfff"]},
    {"trace": {"replicate": 2**40}},
    {"trace": {"attempts": 2**70}},
    {"trace": {"output": "\ud800"}},
    {"call": {"tokens_in": 2**64}},
    {"call": {"tokens_out": 10**400}},
    {"call": {"request_id": "\ud800"}},
    {"score": {"category": "\udead"}},
]
TAKEN = [
    {"conclusion": "nul \x00 inside"},
    {"reasons": ["x" * 2_000_000]},
    {"score": {"value": math.nan}},
    {"score": {"value": -math.inf}},
    {"trace": {"params": "{malformed"}},
    {"trace": {"output": "\U0010ffff\u202e"}},
    {"call": {"tokens_in": 2**62}},
]


@pytest.mark.parametrize("harm", REFUSED, ids=str)
def test_a_refused_value_becomes_an_error_and_the_neighbours_land(store, make_unit, harm):
    units = [make_unit(n) for n in range(20)]
    units[13] = make_unit(13, **harm)
    store.write(WriteBatch(units=units))
    found = store.select("select record_id, status, error_type, error_message, output from traces order by trace_id")
    bad = found[found.record_id == "r13"]
    assert (found.status == "ok").sum() == 19
    assert bad[["status", "error_type"]].values.tolist() == [["error", "StoreError"]]
    assert "the rows of this answer could not be stored" in bad.error_message.item()
    scores = store.select("select * from scores where record_id = 'r13'")
    assert scores.status.tolist() == ["error"]
    assert scores[["value", "category", "flagged", "uncertainty", "conclusion"]].isna().all(axis=None)
    assert store.select("select count(*) as n from scores").n.item() == 20


@pytest.mark.parametrize("harm", REFUSED, ids=str)
def test_the_call_of_a_refused_cell_keeps_its_cost_and_ids(store, make_unit, harm):
    unit = make_unit(1, **harm)
    store.write(WriteBatch(units=[unit]))
    call = store.select("select * from calls")
    assert call[["call_id", "trace_id", "cost_usd"]].values.tolist() == [
        [unit.calls[0].call_id, unit.trace.trace_id, 0.01]
    ]


@pytest.mark.parametrize("value", TAKEN, ids=lambda value: str(value)[:60])
def test_strange_values_that_duckdb_can_hold_are_held(store, make_unit, value):
    store.write(WriteBatch(units=[make_unit(1, **value), make_unit(2)]))
    assert store.select("select status from traces").status.tolist() == ["ok", "ok"]


def test_a_text_that_is_refused_costs_its_cell_but_not_its_neighbours(store, make_unit):
    bad = make_unit(1)
    bad = type(bad)(trace=bad.trace, calls=bad.calls, texts=(TextRow.of("request", "a\ud800"),))
    store.write(WriteBatch(units=[make_unit(0), bad, make_unit(2)]))
    found = store.select("select status from traces order by record_id")
    assert found.status.tolist() == ["ok", "error", "ok"]


def test_a_refused_unit_in_the_spool_becomes_an_error_when_it_is_merged(store, hold_file, make_unit):
    with hold_file(store.path):
        store.write(WriteBatch(units=[make_unit(0), make_unit(1, reasons=["\ud800"]), make_unit(2)]))
    found = store.select("select status from traces order by record_id")
    assert found.status.tolist() == ["ok", "error", "ok"]
    assert store.spooled() == 0


def test_an_event_that_is_refused_says_so_in_its_place(store):
    rows = [
        EventRow.model_construct(
            event_id=f"e{n}", type="StatusEvent", transaction_id=None, correlation_id=None, source="",
            happened_at=now(), payload="\ud800" if n == 1 else "{}",
        )
        for n in range(3)
    ]  # fmt: skip
    store.write(WriteBatch(rows=rows))
    found = store.select("select payload from events order by event_id").payload.tolist()
    assert found[0] == found[2] == "{}"
    assert "could not be written" in json.loads(found[1])["error"]


def test_a_cell_whose_very_id_is_no_text_is_named_in_the_error_row(store, make_unit):
    store.write(WriteBatch(units=[make_unit(1, trace={"record_id": "r\ud800"}), make_unit(2)]))
    assert store.select("select record_id from traces order by 1").record_id.tolist() == ["r2", "r\ufffd"]


def test_what_is_no_unit_and_cannot_be_written_stops_with_a_sentence(store, make_unit):
    with pytest.raises(RowsRejected, match="a row of `texts` cannot be written"):
        store.write(WriteBatch(rows=[TextRow.of("request", "\ud800")]))


def test_what_fails_for_another_reason_is_not_taken_for_a_refused_row(store, make_unit, monkeypatch):
    def never(batch):
        raise AssertionError("nothing was refused")

    monkeypatch.setattr("buttermilk_nb.store.store.repair_batch", never)
    with store.writing() as con:
        con.execute("drop table calls")
    with pytest.raises(StoreError, match="Catalog Error"):
        store.write(WriteBatch(units=[make_unit(1)]))


def test_a_whole_run_survives_an_answer_that_duckdb_refuses(project, monkeypatch):
    from buttermilk_nb.agents.judge.parse_scores import ScoreParser

    real = ScoreParser.score

    def score(self, *args, **kwargs):
        made = real(self, *args, **kwargs)
        return made.model_copy(update={"reasons": ["\ud800"]}) if self.cell.record.record_id == "r2" else made

    monkeypatch.setattr(ScoreParser, "score", score)
    records = bm.Corpus([bm.Record(record_id=f"r{i}", content=f"Text {i}.") for i in range(5)])
    run = bm.Flow("study", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"))]).run(records)
    assert run.counts == {"ok": 4, "error": 1}
    assert run.errors().record_id.tolist() == ["r2"]


def test_no_more_trials_than_halving_needs(make_unit, monkeypatch):
    tried = []
    real = repair._rejection_reason
    monkeypatch.setattr(repair, "_rejection_reason", lambda *args: tried.append(1) or real(*args))
    units = [make_unit(n) for n in range(256)]
    units[100] = make_unit(100, reasons=["\ud800"])
    assert [unit.trace.status for unit in repair.repair_batch(WriteBatch(units=units)).units].count("error") == 1
    assert len(tried) <= 2 * 8 + 4


text = st.text(st.characters(codec=None, categories=None), max_size=20)  # lone surrogates and NUL too
number = st.one_of(st.integers(-(2**80), 2**80), st.integers(-5, 5))
field = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"conclusion": st.none() | text, "reasons": st.none() | st.lists(text, max_size=3)}
    ),
    st.fixed_dictionaries(
        {"trace": st.fixed_dictionaries({}, optional={"output": text, "attempts": number, "params": text})}
    ),
    st.fixed_dictionaries({"call": st.fixed_dictionaries({}, optional={"tokens_in": number, "finish_reason": text})}),
    st.fixed_dictionaries({"score": st.fixed_dictionaries({}, optional={"value": st.floats(), "category": text})}),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(field, min_size=1, max_size=8))
def test_whatever_is_in_a_batch_each_of_its_units_lands_once_with_a_status(make_unit, tmp_path_factory, changes):
    store = Store(tmp_path_factory.mktemp("store") / "traces.duckdb")
    units = [make_unit(n, **change) for n, change in enumerate(changes)]
    store.write(WriteBatch(units=units))
    with store.reading() as con:
        traces = con.execute("select trace_id, status, output from traces order by trace_id").fetchall()
        scores = con.execute("select conclusion, reasons, status from scores order by trace_id").fetchall()
    assert [row[0] for row in traces] == [unit.trace.trace_id for unit in units]
    for unit, (_, status, output), (conclusion, reasons, scored) in zip(units, traces, scores, strict=True):
        assert status == scored
        if status == "ok":
            assert (output, conclusion, reasons) == (
                unit.trace.output,
                unit.scores[0].conclusion,
                unit.scores[0].reasons,
            )
        else:
            assert (status, output, conclusion, reasons) == ("error", None, None, None)


def test_what_was_redacted_is_kept_once_for_each_request_and_placeholder(store, make_unit):
    unit = make_unit(1)
    entries = tuple(
        RedactionRow(request_hash="t1-a", placeholder=f"[NAME {n}]", original=f"Name {n}") for n in range(2)
    )
    for _ in range(2):
        store.write(WriteBatch(units=[type(unit)(trace=unit.trace, redacted=(*entries, entries[0]))]))
    found = store.select("select placeholder, original from redactions order by 1")
    assert found.values.tolist() == [["[NAME 0]", "Name 0"], ["[NAME 1]", "Name 1"]]
