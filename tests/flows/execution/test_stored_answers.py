"""Answers that are copied from an earlier run are those that would have been worked out."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support.chat_server import ChatServer, messages_text
from support.confirmed import confirm_settings

import buttermilk_nb as bm
from buttermilk_nb.flows.execution.stored_answers import StoredAnswers

KINDS = ("yes", "no", "unreadable", "mended", "refused", "filtered", "broken", "half")
CALM = bm.Criteria(
    "calm",
    "Read the text.",
    criteria={
        "quiet": {"question": "Is it quiet?", "scale": "1-5", "cues": {"4": ["text"]}},
        "calm": {"question": "Is it calm?", "flag": "no", "cues": {"no": ["dregs"]}},
    },
)


def entry(answer):
    return {"reasons": ["It says so."], "conclusion": "Plain.", "answer": answer, "uncertainty": "low"}


def reply(server, body):
    """An answer that depends on the text of the request alone."""
    text = messages_text(body)
    kind = next(kind for kind in KINDS if f"kind {kind}" in text)
    is_second = len(body["messages"]) > 2 and body["messages"][-2]["role"] == "assistant"
    whole = {"criteria": {"calm": entry("yes" if kind != "no" else "no"), "quiet": entry(3)}}
    if kind == "broken":
        return server.failure(400, "no such thing")
    if kind == "unreadable" or (kind == "mended" and not is_second):
        made = server.answer(body, "I { do not know.")
    elif kind == "half":
        made = server.answer(body, json.dumps({"criteria": {"calm": entry("no"), "quiet": entry("loud")}}))
    elif kind == "refused":
        made = server.answer(body, "I cannot help with that request.")
    else:
        made = server.answer(body, json.dumps(whole), "content_filter" if kind == "filtered" else "stop")
    return {**made, "id": hashlib.sha256(text.encode()).hexdigest()[:8]}


def corpus(kinds, *, local=()):
    return bm.Corpus(
        [
            bm.Record(record_id=f"r{n}", content=f"Text {n} of the kind {kind}.", local_only=n in local)
            for n, kind in enumerate(kinds)
        ]
    )


def open_project(folder, server):
    folder.mkdir(exist_ok=True)
    (folder / "buttermilk.yaml").write_text(
        f"name: study\nbackoff_s: 0.01\nmodels:\n  toy:\n    model: hosted_vllm/toy\n    api_base: {server.base}\n"
        "    local: false\n    prices: {input: 1.0, output: 2.0}\n    retries: 0\n"
    )
    confirm_settings(folder)
    project = bm.init("study", path=folder)
    project.client.consent.allow(project.model("toy").recipient)
    return project


_CHOSEN = {
    "cells": ("select * exclude (run_id) from cells where run_id = $run order by design_id", ()),
    "traces": (
        "select * exclude (trace_id, run_id, started_at, duration_s) from traces where run_id = $run "
        "order by design_id",
        (),
    ),
    "calls": (
        "select t.design_id, c.* exclude (call_id, trace_id, run_id, asked_at) from calls c "
        "join trace_rows t using (trace_id) where c.run_id = $run order by t.design_id, c.call_id",
        ("answered_at", "latency_s", "waited_s"),
    ),
    "scores": (
        "select * exclude (trace_id, run_id) from scores where run_id = $run order by design_id, criterion",
        (),
    ),
}


def rows_of(project, run_id):
    """The rows of a run without what differs from run to run, and those of calls that were sent without their times."""
    found = {}
    for name, (query, of_sent_calls) in _CHOSEN.items():
        rows = project.store.df(query, {"run": run_id}).astype(object).to_dict("records")
        for row in rows:
            if not row.get("cached", True):
                row.update(dict.fromkeys(of_sent_calls))
        found[name] = [json.dumps(row, default=str, sort_keys=True) for row in rows]
    run = project.store.df("select status, digest from runs where run_id = $run", {"run": run_id})
    return {**found, "run": run.astype(object).to_dict("records")}


def count_copies(patch):
    """Counts the answers that are copied from now on, under `n`."""
    copied: Counter[str] = Counter()
    original = StoredAnswers._copy_chunk

    def copy_chunk(self, asked):
        groups = original(self, asked)
        copied.update(n=sum(group.n for group in groups))
        return groups

    patch.setattr(StoredAnswers, "_copy_chunk", copy_chunk)
    return copied


def change_cache(project, change, share):
    """Change a share of the cached answers on disk, as another program could."""
    with sqlite3.connect(project.cache.folder / "cache.db") as con:
        for number, (key, value) in enumerate(con.execute("select key, value from Cache order by key").fetchall()):
            if number % 3 >= share:
                continue
            data = json.loads(value)
            if change == "delete":
                con.execute("delete from Cache where key = ?", [key])
                continue
            if change == "raw":
                data["completion"]["raw"] += " "
            elif change == "cost":
                data["completion"]["cost_usd"] = 0.25
            elif change == "text":
                data["completion"]["text"] = json.dumps({"criteria": {"calm": entry("yes"), "quiet": entry(1)}})
            else:
                data["surprise"] = 1
            con.execute("update Cache set value = ? where key = ?", [json.dumps(data), key])


STEPS = st.sampled_from(
    [("run", "use"), ("run", "refresh"), ("run", "off"), ("cache", "delete"), ("cache", "raw"), ("cache", "cost"),
     ("cache", "other"), ("run", "retry")]
)  # fmt: skip


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=6),
    steps=st.lists(STEPS, max_size=3),
    final=st.sampled_from(["use", "use", "use", "only", "retry"]),
    local=st.sets(st.integers(0, 2), max_size=1),
    ask=st.sampled_from(["together", "separately"]),
    replicates=st.integers(1, 2),
    share=st.integers(0, 3),
)
def test_rows_are_the_same_with_and_without_copies(
    tmp_path_factory, kinds, steps, final, local, ask, replicates, share, monkeypatch
):
    with ChatServer() as server:
        server.reply = lambda body: reply(server, body)
        monkeypatch.setenv("HOSTED_VLLM_API_KEY", "sk-planted-key-123")
        folder = tmp_path_factory.mktemp("twins")
        judge = bm.Judge("judge", criteria=CALM, models=["toy", "offline/strict"], ask=ask, replicates=replicates)
        flow = bm.Flow("study", [judge])
        project = open_project(folder / "first", server)
        flow.run(corpus(kinds))
        for what, how in steps:
            if what == "cache":
                change_cache(project, how, share)
            elif how == "retry":
                flow.run(corpus(kinds), retry=["invalid", "refused", "error"])
            else:
                flow.run(corpus(kinds), cache=how)
        options = {"retry": ["invalid", "refused"]} if final == "retry" else {"cache": final}
        found = {}
        for name in ("plain", "copied"):
            project.cache.close()
            shutil.copytree(folder / "first", folder / name)
            twin = open_project(folder / name, server)
            with monkeypatch.context() as patch:
                if name == "plain":
                    patch.setattr(StoredAnswers, "is_possible", False)
                copied = count_copies(patch)
                try:
                    run = flow.run(corpus(kinds, local=local), **options)
                    found[name] = (rows_of(twin, run.run_id), None)
                except bm.ButtermilkError as error:
                    found[name] = (None, type(error).__name__)
                COPIED.update(**{name: copied["n"]})
            checks = twin.evidence.verify()
            assert checks.ok.all(), checks[~checks.ok]
        (plain, plain_error), (copied_rows, copied_error) = found["plain"], found["copied"]
        assert copied_error == plain_error
        for table in plain or ():
            assert [row for row in copied_rows[table] if row not in plain[table]] == [], table
            assert copied_rows[table] == plain[table], table


def run_twice(project, monkeypatch, change=lambda con: None, flow=None, **options):
    """How many answers of a second run are copied, after a change in the Store."""
    judge = bm.Judge("judge", criteria=CALM, models=["offline/strict", "offline/lenient"])
    flow = flow or bm.Flow("study", [judge])
    texts = corpus(["yes", "no", "yes"])
    flow.run(texts)
    with project.store.writing() as con:
        change(con)
    with monkeypatch.context() as patch:
        copied = count_copies(patch)
        run = flow.run(texts, **options)
    assert run.status == "finished"
    return copied["n"]


@pytest.mark.parametrize(
    ("change", "n"),
    [
        ("select 1", 6),
        ("update runs set manifest = 'no JSON'", 0),
        ('update runs set manifest = replace(manifest, \'"code":"c1-\', \'"code":"c1-other\')', 0),
        ("insert into tombstones select 'run_changed', run_id, now()::timestamp, 'asked', 1 from runs", 0),
        ("update trace_rows set status = 'error'", 0),
        ("update score_rows set status = 'invalid'", 0),
        ("update calls set response_hash = 't1-other'", 0),
        ("delete from calls", 0),
    ],
)
def test_what_is_not_certain_is_worked_out(offline_project, monkeypatch, change, n):
    assert run_twice(offline_project, monkeypatch, lambda con: con.execute(change)) == n


def test_code_of_the_user_is_not_copied(offline_project, monkeypatch):
    class OwnJudge(bm.Judge):
        kind = "own_judge"

    flow = bm.Flow("study", [OwnJudge("judge", criteria=CALM, models="offline/strict")])
    assert run_twice(offline_project, monkeypatch, flow=flow) == 0


def test_steps_that_read_others_are_worked_out(offline_project, monkeypatch):
    judge = bm.Judge("judge", criteria=CALM, models=["offline/strict", "offline/lenient"])
    flow = bm.Flow("study", [judge, bm.Panel("panel", of="judge")])
    assert run_twice(offline_project, monkeypatch, flow=flow) == 0


@pytest.mark.parametrize(("mode", "n"), [("use", 6), ("only", 6), ("refresh", 0), ("off", 0)])
def test_the_mode_of_the_cache_decides(offline_project, monkeypatch, mode, n):
    assert run_twice(offline_project, monkeypatch, cache=mode) == n


COPIED: Counter[str] = Counter()


def test_copies_were_made_in_the_test_above():
    print(f"{COPIED['copied']} answers copied, {COPIED['plain']} where copies were switched off")
    if not COPIED:
        pytest.skip("the test above did not run in this process")
    assert COPIED["copied"] > 20
    assert COPIED["plain"] == 0
