"""Fixtures: a project with a finished run, its Store, and units that hold a secret."""

from __future__ import annotations

import pytest
from support.study import corpus, flow

from buttermilk_nb._internal.ids import uuid7
from buttermilk_nb.schema import Call, RedactionRow, Score, TextRow, Trace, Unit, now


@pytest.fixture
def judged_project(project):
    """A project with one run over three records."""
    flow().run(corpus())
    return project


@pytest.fixture
def judged_store(judged_project):
    """The Store of that project."""
    return judged_project.store


@pytest.fixture
def hostile_store(judged_store):
    """That Store, with texts in it that a spreadsheet would run, and a record that must stay on this machine."""
    with judged_store.writing() as con:
        con.execute("update records set content = '=HYPERLINK(\"http://x\")' where record_id = 'r0'")
        con.execute("update records set content = 'line one\nline, \"two\"; three' where record_id = 'r2'")
        con.execute("update records set local_only = true, content = 'SECRET' where record_id = 'r1'")
    return judged_store


def _secret_unit(run_id, record_id, secret="ZEBRAFINCH", **words):
    """A unit that says the secret wherever a unit can."""
    trace_id, design = uuid7(), f"d1-{words.get('design', record_id)}"
    request = TextRow.of("request", words.get("request", f"ask {secret} {record_id}"))
    answer = TextRow.of("response", words.get("response", f"answer {secret} {record_id}"))
    same = {"trace_id": trace_id, "run_id": run_id}
    cell = {**same, "design_id": design, "record_id": record_id, "record_hash": f"r1-{record_id}", "replicate": 0}
    trace = Trace(
        **cell, step="free", agent="agent", role="agent", model="m/x", criteria_set=None, criteria_hash=None,
        prompt_hash=None, params="{}", status="error", output=f"out {secret}", error_message=f"bad {secret}",
        started_at=now(), duration_s=0.1,
    )  # fmt: skip
    call = Call(
        **same, call_id=uuid7(), model_requested="m/x", cache_key=words.get("key", f"k1-{record_id}"), cached=False,
        asked_at=now(), params_sent="{}", params_dropped="{}", request_hash=request.text_hash,
        response_hash=answer.text_hash, status="ok", error_message=f"failed {secret}", provider="far", remote=True,
    )  # fmt: skip
    score = Score(
        **cell, judge="free", criteria_set="c", criteria_hash="c1", criterion="q", model="m/x", value=1.0,
        category="yes", conclusion=f"so {secret}", reasons=[f"why {secret}"], status="ok",
    )  # fmt: skip
    redacted = RedactionRow(request_hash=request.text_hash, placeholder="[NAME]", original=secret)
    return Unit(trace=trace, calls=(call,), scores=(score,), texts=(request, answer), redacted=(redacted,))


@pytest.fixture
def secret_unit():
    """Make a unit that says a secret in every place that holds words."""
    return _secret_unit
