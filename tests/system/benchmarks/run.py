"""Benchmarks: `uv run python tests/system/benchmarks/run.py [name ...]`. Each line stands beside its floor.

The floor is what the bare libraries do for the same work on this machine, in the same minute: a gather of
litellm calls on the same server, DuckDB appends of as many rows, a query without us. Ratios are what
counts; seconds depend on the machine. Nothing leaves loopback. `--small` tries the commands out with few records.
"""

from __future__ import annotations

import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

import buttermilk_nb as bm
from buttermilk_nb.analysis.frames import scores
from buttermilk_nb.project import session

SMALL = "--small" in sys.argv
STRESS = Path(__file__).parents[1] / "stress"
WORDS = "the harbour was closed on monday and nobody said why although the guard knew about the boats and the tide"
HATE = bm.Criteria("calm", "Is the text calm?", flag="yes", cues={"yes": ["dregs", "scum*"]})


def texts(n: int, characters: int = 48) -> bm.Corpus:
    """Short texts, all different."""
    body = (WORDS + " ") * (characters // len(WORDS) + 1)
    made = [{"id": f"r{i}", "text": f"{i} {'dregs' if i % 3 == 0 else 'guests'} {body}"[:characters]} for i in range(n)]
    return bm.load(made, content="text", record_id="id")


def flow(*models: str, **judge: object) -> bm.Flow:
    return bm.Flow("bench", [bm.Judge("judge", criteria=HATE, models=list(models), **judge)])


def size(n: int) -> int:
    """A number of records; a hundredth of it with `--small`."""
    return n // 100 if SMALL else n


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def row(what: str, ours: str, floor: str, ratio: float | None, goal: str) -> None:
    shown = "" if ratio is None else f"{ratio:.2f}x"
    print(f"{what:<52} {ours:>22} {floor:>26} {shown:>8}   {goal}", flush=True)


def offline_cold_and_warm(folder: Path) -> None:
    """1,000 to 10,000 records, offline models, every row written; then again from the cache."""
    for n, characters in ((size(10_000), 48), (size(10_000), 1000)):
        project = bm.init(f"cold{characters}", path=folder / f"cold{characters}")
        corpus, made = texts(n, characters), flow("offline/strict")
        cold = seconds(lambda: made.run(corpus))
        floor = _raw_rows(folder / f"raw{characters}.duckdb", n, characters)
        row(
            f"{n:,} cells of {characters} characters, nothing cached",
            f"{n / cold:,.0f}/s",
            f"raw DuckDB rows {n / floor:,.0f}/s",
            cold / floor,
            ">= 2,000/s",
        )
        sent = project.client.sent
        warm = min(seconds(lambda: made.run(corpus)) for _ in range(3))
        row(
            "   the same again, all cached (best of 3)",
            f"{warm:.2f} s, {n / warm:,.0f}/s",
            f"raw DuckDB rows {floor:.2f} s",
            warm / floor,
            "<= 2 s",
        )
        assert project.client.sent == sent
        made.run(texts(n + 1, characters))
        row("   one record added", f"{project.client.sent - sent} call", "1 call", None, "exactly 1")
        session.close()


def linear(folder: Path) -> None:
    """100,000 cached records: time per cell as at 10,000; memory beyond the corpus."""
    import resource

    bm.init("linear", path=folder / "linear")
    n = size(100_000)
    corpus, made = texts(n), flow("offline/strict")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cold = seconds(lambda: made.run(corpus))
    warm = seconds(lambda: made.run(corpus))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    row(f"{n:,} cells, nothing cached", f"{n / cold:,.0f}/s", "", None, ">= 2,000/s")
    row("   the same again, all cached", f"{warm:.1f} s, {n / warm:,.0f}/s", "", None, "5,000/s, linear")
    row("   peak memory beyond the corpus", f"{peak:,.0f} MB", "", None, "<= 500 MB")
    session.close()


def over_http(folder: Path) -> None:
    """A loopback server of its own process: at once, and after 200 ms."""
    for n, wait, goal in ((size(1000), 0.0, ">= 0.8 x its rate"), (size(2000), 0.2, "<= 1.15 x its time")):
        with _server(wait) as base:
            os.environ["HOSTED_VLLM_API_BASE"] = base
            os.environ["HOSTED_VLLM_API_KEY"] = "none"
            corpus = texts(n)
            asyncio.run(_bare(corpus.head(50), 32))  # warm both: import litellm, open connections
            bm.init(f"http{wait}", path=folder / f"http{wait}")
            made = flow("hosted_vllm/toy")
            bares, own = [], []
            for turn in range(2):  # in turn, the best of two each: the machine's speed drifts
                bares.append(seconds(lambda: asyncio.run(_bare(corpus, 64))))
                bm.init(f"http{wait}-{turn}", path=folder / f"http{wait}-{turn}")
                made.run(corpus.head(1), cache="off")
                own.append(seconds(lambda: made.run(corpus, concurrency=64)))
            bare, ours = min(bares), min(own)
            ratio = bare / ours if wait == 0 else ours / bare
            what = f"{n:,} records over HTTP, answers after {wait * 1000:.0f} ms, 64 at once"
            row(what, f"{ours:.2f} s, {n / ours:,.0f}/s", f"bare litellm {bare:.2f} s, {n / bare:,.0f}/s", ratio, goal)
            session.close()


def frames_of_200_000(folder: Path) -> None:
    """The scores frame, and a group-by, over 200,000 traces."""
    project = bm.init("frames", path=folder / "frames")
    n = size(1000)
    flow("offline/strict").run(texts(n))
    _multiplied(project, 200)
    run_id = bm.last_run().run_id
    frame = min(seconds(lambda: scores.scores(project.store, run_id)) for _ in range(3))
    floor = min(seconds(lambda: _plain(project.store.path, "select * from scores")) for _ in range(3))
    row(
        f"scores frame over {200 * n:,} traces", f"{frame:.2f} s", f"DuckDB df() {floor:.2f} s", frame / floor, "<= 1 s"
    )
    query = "select model, criterion, avg(flagged::int) from latest_scores group by all"
    grouped = min(seconds(lambda: bm.sql(query)) for _ in range(3))
    floor = min(seconds(lambda: _plain(project.store.path, query.replace("latest_", ""))) for _ in range(3))
    row(
        "   group-by on latest_scores",
        f"{grouped * 1000:.0f} ms",
        f"on the table {floor * 1000:.0f} ms",
        grouped / floor,
        "<= 100 ms",
    )
    session.close()


def a_year(folder: Path) -> None:
    """1,000,000 scores and as many calls, of which 200,000 with answers of their own: what a year's study asks."""
    project = bm.init("year", path=folder / "year")
    n = size(5000)
    flow("offline/strict").run(texts(n))
    _multiplied(project, 200)
    megabytes = project.store.path.stat().st_size / 1e6
    row(f"{200 * n:,} scores, as many traces: the file", f"{megabytes:,.0f} MB", "", None, "")
    for what, query in (
        ("   group-by on latest_scores", "select model, criterion, avg(flagged::int) from latest_scores group by all"),
        ("   one record's scores", "select * from latest_scores where record_id = 'r77'"),
        ("   what it cost", "select * from costs"),
    ):
        found = min(seconds(lambda query=query: bm.sql(query)) for _ in range(3))
        row(what, f"{found * 1000:,.0f} ms", "", None, "quick")
    more = seconds(lambda: flow("offline/strict").run(texts(n)))
    row(f"   {n:,} cached cells more", f"{more:.2f} s, {n / more:,.0f}/s", "", None, "")
    session.close()


def growth(folder: Path) -> None:
    """Ten cached re-runs of 5,000 cells: how many bytes a cell they add, beside its ids and numbers alone."""
    project = bm.init("growth", path=folder / "growth")
    n = size(5000)
    corpus, made = texts(n, 2000), flow("offline/strict")
    made.run(corpus)
    made.run(corpus)
    before = project.store.path.stat().st_size
    for _ in range(10):
        made.run(corpus)
    added = (project.store.path.stat().st_size - before) / (10 * n)
    ids = _ids_alone(folder / "ids.duckdb", project.store.path)
    row(
        "ten cached re-runs, bytes a cell",
        f"{added:,.0f}",
        f"ids and numbers alone {ids:,.0f}",
        added / ids,
        "ids only",
    )
    session.close()


def _ids_alone(path: Path, full: Path) -> float:
    """Bytes a cell of what cannot be shared: the columns of ids, times and numbers, in a file of their own."""
    with duckdb.connect(str(path)) as con:
        con.execute("attach ? as store (read_only)", [str(full)])
        con.execute("create table cells as select run_id, design_id, record_id from store.cells")
        con.execute(
            "create table traces as select trace_id, run_id, design_id, started_at, duration_s from store.trace_rows"
        )
        con.execute("create table calls as select call_id, trace_id, run_id, cache_key, asked_at from store.calls")
        con.execute("create table scores as select trace_id, run_id, design_id, value, flagged from store.score_rows")
        (n,) = con.execute("select count(*) from cells").fetchone()
    return path.stat().st_size / n


def _multiplied(project: bm.Project, times: int) -> None:
    """The rows of the last run, so many times over, each with designs, ids and reasons of their own."""
    with project.store.writing() as con:
        for table in ("said", "cells", "trace_rows", "score_rows", "calls"):
            columns = {
                name
                for (name,) in con.execute(
                    "select column_name from duckdb_columns() where table_name = ?", [table]
                ).fetchall()
            }
            new = [f"{name} || '-' || k as {name}" for name in ("design_id", "trace_id", "call_id") if name in columns]
            new += ["md5(said_hash::varchar || k)::uuid as said_hash"] if "said_hash" in columns else []
            con.execute(
                f"insert into {table} select * exclude (k) replace ({', '.join(new)}) "
                f"from (select * from {table}), range(1, {times}) as more(k)"
            )


def misbehaving_server(_: Path) -> None:
    """2,000 records against a server that fails, hangs and talks nonsense: the counts by status."""
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-s", str(STRESS / "test_misbehaving_server.py")],
        check=True,
        cwd=STRESS,
        env={**os.environ, "BUTTERMILK_NB_STRESS": "full"},
    )


def importing(_: Path) -> None:
    """`import buttermilk_nb` beside `import pandas`, in fresh interpreters."""

    def best(code: str) -> float:
        return min(seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True)) for _ in range(5))

    ours, pandas, nothing = best("import buttermilk_nb"), best("import pandas"), best("pass")
    row(
        "import buttermilk_nb",
        f"{(ours - nothing) * 1000:.0f} ms",
        f"pandas {(pandas - nothing) * 1000:.0f} ms",
        (ours - nothing) / (pandas - nothing),
        "<= pandas",
    )


def _plain(path: Path, query: str) -> object:
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(query).df()


def _raw_rows(path: Path, n: int, characters: int) -> float:
    """As many rows as a run writes, appended in one go by DuckDB alone."""

    def work() -> None:
        with duckdb.connect(str(path)) as con:
            con.execute("create table t (a varchar, b varchar, c varchar, d double, e boolean, f timestamp)")
            appender = con.appender("t")
            filler = "x" * 30
            for body in ("y" * 3000, "y" * 600, filler, filler, filler, "y" * characters):
                appender.append_rows((str(i), filler, body, 1.0, True, None) for i in range(n))
            appender.flush()

    return seconds(work)


async def _bare(corpus: bm.Corpus, at_once: int) -> None:
    """A gather of litellm calls, at most so many at once, with the judge's own messages."""
    from buttermilk_nb.llm.providers.load_litellm import load_litellm

    litellm = load_litellm()
    (slot,) = flow("hosted_vllm/toy").steps[0].agent.slots(session.current())
    bound = slot.prepared[0].bound_prompt
    gate = asyncio.Semaphore(at_once)

    async def one(record: bm.Record) -> None:
        async with gate:
            messages = [message.as_dict() for message in bound.render(record.view())]
            await litellm.acompletion(
                model="hosted_vllm/toy", messages=messages, temperature=0, max_retries=0, timeout=60
            )

    await asyncio.gather(*(one(record) for record in corpus))


SERVER = """
import asyncio, json, sys
from aiohttp import web
wait = float(sys.argv[1])
answer = {"reasons": ["It says so."], "conclusion": "Plain.", "answer": "no", "uncertainty": "low"}
body = json.dumps({"id": "x", "object": "chat.completion", "created": 1, "model": "toy", "choices": [{"index": 0,
  "finish_reason": "stop", "message": {"role": "assistant", "content": json.dumps({"criteria": {"calm": answer}})}}],
  "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}}).encode()
async def chat(request):
    await request.read()
    if wait: await asyncio.sleep(wait)
    return web.Response(body=body, content_type="application/json")
async def main():
    app = web.Application(); app.router.add_post("/v1/chat/completions", chat)
    runner = web.AppRunner(app, access_log=None); await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0); await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


class _server:  # noqa: N801  # used like a function
    def __init__(self, wait: float) -> None:
        self._process = subprocess.Popen([sys.executable, "-c", SERVER, str(wait)], stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> str:
        assert self._process.stdout is not None
        return f"http://127.0.0.1:{int(self._process.stdout.readline())}/v1"

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


BENCHMARKS = {
    made.__name__: made
    for made in (
        importing, offline_cold_and_warm, over_http, frames_of_200_000, linear, growth, a_year, misbehaving_server,
    )
}  # fmt: skip


def main() -> None:
    names = [name for name in sys.argv[1:] if name != "--small"] or list(BENCHMARKS)
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    print(f"{'':<52} {'buttermilk_nb':>22} {'floor':>26} {'ratio':>8}   goal")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            before = Path.cwd()
            os.chdir(folder)
            try:
                BENCHMARKS[name](Path(folder))
            finally:
                os.chdir(before)


if __name__ == "__main__":
    main()
