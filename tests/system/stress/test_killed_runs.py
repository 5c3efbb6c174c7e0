"""kill -9 in mid-run, again and again: no paid answer is lost, and nothing is paid twice but what was in flight.

A real process runs a flow against a server in this one, which keeps every request. After each kill a *copy* of the
project is opened and looked at, so that the next process finds the files exactly as the kill left them.
"""

from __future__ import annotations

import ast
import random
import re
import shutil
import sys
import threading
from typing import NamedTuple

import pytest
import yaml
from support.chat_server import ANSWER, messages_text

from buttermilk_nb.analysis.frames import traces
from buttermilk_nb.llm.cache import AnswerCache
from buttermilk_nb.store import Store
from buttermilk_nb.store.verify import verify

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX"),
]

SCRIPT = """
import sys
import buttermilk_nb as bm
path, (first, n, concurrency) = sys.argv[1], map(int, sys.argv[2:])
records = [bm.Record(record_id=f"r{i:04}", content=f"This is record {i:04}.") for i in range(first, first + n)]
flow = bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"))])
print("ready", flush=True)
bm.init("study", path=path)
print(flow.run(bm.Corpus(records), concurrency=concurrency).counts)
"""
CONCURRENCY = 8
IN_FLIGHT = 2 * CONCURRENCY  # calls under way, and answers on their way to the disk: as many workers as there are
ANSWER_S = 0.04
RECORD = re.compile(r"record (\d{4})")
WHOLE = {
    "a score without its trace": "select count(*) from scores anti join traces using (trace_id)",
    "a call without its trace": "select count(*) from calls anti join traces using (trace_id)",
    "a trace without a call": "select count(*) from traces anti join calls using (trace_id)",
    "a trace without a score": "select count(*) from traces anti join scores using (trace_id)",
    "a call without its request": "select count(*) from calls c anti join texts t on t.text_hash = c.request_hash",
    "a call without its answer": "select count(*) from calls c anti join texts t on t.text_hash = c.response_hash",
    "a score that says nothing": "select count(*) from scores where conclusion is null or category is null",
    "a cell without its run": "select count(*) from cells anti join runs using (run_id)",
    "a cell without its record": "select count(*) from cells anti join records using (record_id, record_hash)",
    "a trace that was not planned": "select count(*) from traces anti join cells using (run_id, design_id)",
    "two traces of one cell": "select count(*) - count(distinct (run_id, design_id)) from traces",
    "two scores of one cell": "select count(*) - count(distinct (run_id, design_id)) from scores",
}
"""What there must be none of: every answer here is ok, so every trace has one call and one score."""
KEPT = {
    "runs": "select run_id from runs",
    "cells": "select run_id, design_id from cells",
    "traces": "select trace_id, status, output from traces",
    "calls": "select call_id, request_hash, response_hash from calls",
    "scores": "select trace_id, criterion, category, conclusion from scores",
    "records": "select record_id, record_hash from records",
}
"""Rows by what they say: what stood in the file once stands in it for good."""


class Seen(NamedTuple):
    """What a project holds after a kill."""

    answers: set[str]
    rows: dict[str, set[tuple[object, ...]]]
    runs: dict[str, tuple[str, dict[str, int]]]
    """The status of each run, and its cells by status."""


class Killed:
    """A project whose runs are killed, and the server that they ask."""

    def __init__(self, folder, server, start, wait_until):
        self.folder = folder / "study"
        self.looked_at = folder / "copy"
        self.server, self._start, self._until = server, start, wait_until
        self._pause = threading.Event()
        self.planned: dict[str, int] = {}
        server.wait_s = ANSWER_S
        server.reply = self.reply
        self.folder.mkdir()
        toy = {"model": "hosted_vllm/toy", "api_base": server.base}
        settings = {"name": "study", "sets": {"judges": ["toy"]}, "models": {"toy": toy}}
        (self.folder / "buttermilk.yaml").write_text(yaml.safe_dump(settings))

    def reply(self, body):
        """Every answer names its record, so that it can be told from the cache which were kept."""
        told = str({"criteria": {"calm": {**ANSWER, "conclusion": record_in(messages_text(body))}}}).replace("'", '"')
        return self.server.answer(body, text=told)

    def run(self, first, n):
        """Start a run over these records; returns when it is about to open the project."""
        process = self._start(SCRIPT, self.folder, first, n, CONCURRENCY)
        assert process.stdout.readline() == "ready\n", process.communicate()
        return process

    def asked(self, since=0):
        """The records that the server was asked about."""
        return [record_in(messages_text(body)) for body in self.server.received[since:]]

    def kill_after(self, process, requests, seconds):
        """Let so many requests arrive and so many seconds go by; then SIGKILL. Returns what was asked meanwhile."""
        since = len(self.server.received)
        self._until(
            lambda: len(self.server.received) >= since + requests or process.poll() is not None,
            f"{requests} requests",
        )
        self._pause.wait(seconds)
        process.kill()
        process.communicate()
        self._pause.wait(2 * ANSWER_S)  # requests that lay in the socket reach the server still
        self._until(lambda: self.server.open == 0, "the server at rest")
        return self.asked(since)

    def finish(self, first, n):
        """Run to the end, undisturbed; returns what was asked."""
        since = len(self.server.received)
        out, problems = self.run(first, n).communicate(timeout=300)
        assert ast.literal_eval(out) == {"ok": n}, problems
        return self.asked(since)

    def look(self):
        """Open a copy and see what is there, that nothing is torn, and that every planned cell is accounted for."""
        shutil.rmtree(self.looked_at, ignore_errors=True)
        shutil.copytree(self.folder, self.looked_at)
        cache = AnswerCache(self.looked_at / "cache")
        keys = cache.find().key
        answers = [record_in(cache.get(key)) for key in keys]
        cache.close()
        assert len(answers) == len(set(answers))
        store = Store(self.looked_at / "traces.duckdb")
        with store.reading() as con:
            torn = {what: con.execute(query).fetchone()[0] for what, query in WHOLE.items()}
            rows = {table: set(con.execute(query).fetchall()) for table, query in KEPT.items()}
            runs = con.execute("select run_id, status from runs order by run_id").fetchall()
        assert {what: n for what, n in torn.items() if n} == {}
        checked = verify(store)
        assert checked[~checked.ok].to_dict("records") == []
        return Seen(set(answers), rows, {run: (status, traces.status_counts(store, run)) for run, status in runs})


def record_in(text):
    return RECORD.search(text)[0]


@pytest.fixture
def killed(tmp_path, server, start_preloaded, wait_until):
    return Killed(tmp_path, server, start_preloaded, wait_until)


def lost(before, after):
    """Rows that stood in the file and do not any more, by table."""
    gone = {table: len(before.rows[table] - after.rows[table]) for table in KEPT}
    return {table: n for table, n in gone.items() if n}


def test_a_run_that_is_killed_again_and_again_loses_nothing_and_pays_nothing_twice(killed, full_stress, print_figures):
    kills, n, most = (25, 2_000, 100) if full_stress else (2, 300, 100)
    chance = random.Random(25)
    seen = [Seen(set(), {table: set() for table in KEPT}, {})]
    in_flight, landed = [], {"before a call": 0, "in mid-run": 0}
    for kill in range(kills):
        process = killed.run(0, n)
        by_the_clock = kill % 5 == 3  # wherever it is then: loading, planning, running
        requests, seconds = (0, 3.0) if by_the_clock else (chance.randint(1, most), 0.05)
        asked = killed.kill_after(process, requests, chance.uniform(0.0, seconds))
        assert process.returncode == -9, "it ended before it was killed: the study is too small"
        landed["in mid-run" if asked else "before a call"] += 1
        assert len(asked) == len(set(asked))
        assert not set(asked) & seen[-1].answers, "a stored answer was asked for again"

        now = killed.look()
        assert seen[-1].answers <= now.answers, "a stored answer is gone"
        assert lost(seen[-1], now) == {}
        assert all(sum(counts.values()) == n for _, counts in now.runs.values())
        assert all(status == "running" and counts.get("pending") for status, counts in now.runs.values())
        assert all(counts.get("ok", 0) <= len(now.answers) for _, counts in now.runs.values())
        in_flight.append(set(asked) - now.answers)
        assert len(in_flight[-1]) <= IN_FLIGHT
        seen.append(now)

    asked = killed.finish(0, n)
    assert len(asked) == len(set(asked))
    assert not set(asked) & seen[-1].answers
    end = killed.look()
    assert len(end.answers) == n
    assert lost(seen[-1], end) == {}
    assert [counts for status, counts in end.runs.values() if status == "finished"] == [{"ok": n}]
    latest = Store(killed.folder / "traces.duckdb").df("select record_id, status from latest_scores")
    assert (len(latest), latest.record_id.nunique(), set(latest.status)) == (n, n, {"ok"})
    twice = sum(map(len, in_flight))
    assert len(killed.server.received) == n + twice, "what was in flight was asked once more, and nothing else"
    assert landed["in mid-run"] >= kills / 2
    print_figures(
        f"{kills} kill -9 of a run over {n:,} records ({landed}): 0 stored answers lost, 0 asked for again; "
        f"{twice} of {n:,} were in flight and asked once more (at most {max(map(len, in_flight))} a kill); "
        f"0 rows lost of {sum(map(len, end.rows.values())):,}, 0 torn units, {len(end.runs)} runs all accounted for"
    )


def test_a_run_that_is_killed_while_it_writes_its_last_rows_loses_nothing(killed, full_stress, print_figures):
    least, n = (25, 48) if full_stress else (2, 48)
    chance = random.Random(9)
    seen = Seen(set(), {table: set() for table in KEPT}, {})
    kills, paid_twice, cut, whole = 0, 0, 0, 0
    while kills < least or not cut:
        assert kills < least + 20, "no kill fell into the last writing: the moments are wrong for this machine"
        kill, kills = kills, kills + 1
        process = killed.run(kill * n, n)
        asked = killed.kill_after(process, n, ANSWER_S + chance.uniform(0.0, 0.15))
        assert sorted(asked) == [f"record {i:04}" for i in range(kill * n, kill * n + n)]
        now = killed.look()
        assert seen.answers <= now.answers
        assert lost(seen, now) == {}
        status, counts = now.runs[max(now.runs)]
        assert sum(counts.values()) == n
        assert status != "finished" or counts == {"ok": n}, "finished, and rows are missing"
        in_flight = set(asked) - now.answers
        assert len(in_flight) <= IN_FLIGHT
        cut += status == "running" and not in_flight
        whole += status == "finished"
        paid_twice += len(in_flight)
        seen = now

    asked = killed.finish(0, kills * n)
    assert len(asked) == len(set(asked)) == paid_twice
    assert not set(asked) & seen.answers
    end = killed.look()
    assert lost(seen, end) == {}
    latest = Store(killed.folder / "traces.duckdb").df("select record_id, status from latest_scores")
    assert (len(latest), latest.record_id.nunique(), set(latest.status)) == (kills * n, kills * n, {"ok"})
    print_figures(
        f"{kills} kill -9 about the last writing of {n} records: {cut} fell into it, {whole} came after it; "
        f"0 stored answers lost, {paid_twice} in flight and asked once more, 0 rows lost, 0 torn units"
    )
