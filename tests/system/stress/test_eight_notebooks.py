"""Eight processes on one project at once, as eight notebooks would be: no row is lost, and no error shown.

They begin at the same moment, and some ask the same questions about the same records. One only reads.
"""

from __future__ import annotations

import json
import re

import pytest

from buttermilk_nb.llm.cache import AnswerCache
from buttermilk_nb.store import Store
from buttermilk_nb.store.verify import verify

pytestmark = pytest.mark.stress

MODELS = ["offline/strict", "offline/lenient"]
BEGIN = """
import json, pathlib, sys
import buttermilk_nb as bm
path, number, n, turns = sys.argv[1], *map(int, sys.argv[2:])
print("ready", flush=True)
sys.stdin.readline()
project = bm.init("study", path=path, models=["offline/strict", "offline/lenient"])
"""
WRITER = f"""{BEGIN}
question = number % 3
criteria = bm.Criteria(f"q{{question}}", f"Question {{question}}?", flag="no", cues={{"no": ["vermin", "scum"]}})
flow = bm.Flow(f"flow {{number}}", [bm.Judge("judge", criteria=criteria)])
for turn in range(turns):
    first = (number // 3 + turn) * n // 2
    texts = ((i, "They are vermin." if i % 3 else "The choir sang.") for i in range(first, first + n))
    run = flow.run(bm.Corpus([bm.Record(record_id=f"r{{i}}", content=f"{{i}}: {{text}}") for i, text in texts]))
    print(json.dumps([run.run_id, run.planned, run.counts, len(run.scores())]), flush=True)
"""
READER = f"""{BEGIN}
reads, most = 0, 0
while not pathlib.Path(path, "over").exists():
    seen = bm.sql("select count(*) as n from latest_scores").n.item()
    assert seen >= most, (seen, most)
    reads, most = reads + 1, seen
print(json.dumps([reads, most]))
"""
PROGRESS = re.compile(r"[\d,]+/[\d,]+ answers · [^\n]+ · finished in [^\n]+")
ROWS = """
    select c.run_id, count(*) as cells, count(t.trace_id) as traces, count(s.trace_id) as scores,
           (select count(*) from calls k where k.run_id = c.run_id) as calls
    from cells c left join traces t using (run_id, design_id) left join scores s on s.trace_id = t.trace_id
    group by c.run_id"""
ORPHANS = [
    "select count(*) from scores anti join traces using (trace_id)",
    "select count(*) from calls anti join traces using (trace_id)",
    "select count(*) from traces anti join cells using (run_id, design_id)",
    "select count(*) from calls c anti join texts t on t.text_hash = c.response_hash",
    "select count(*) from cells anti join records using (record_id, record_hash)",
]


def test_notebooks_on_one_project_at_once_lose_no_row_and_show_no_error(
    tmp_path, start_script, full_stress, print_figures
):
    notebooks, n, turns = (8, 200, 6) if full_stress else (3, 100, 3)
    folder = tmp_path / "study"
    writers = [start_script(WRITER, folder, number, n, turns) for number in range(notebooks - 1)]
    reader = start_script(READER, folder, 0, 0, 0)
    for process in (*writers, reader):
        assert process.stdout.readline() == "ready\n", process.communicate()
    for process in (*writers, reader):
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [process.communicate(timeout=600) for process in writers]
    (folder / "over").touch()
    reads, problems = reader.communicate(timeout=60)
    shown = [line for _, errors in ended for line in errors.splitlines() if not PROGRESS.fullmatch(line)]
    assert shown == []
    assert problems == ""
    assert [process.returncode for process in (*writers, reader)] == [0] * notebooks

    told = [json.loads(line) for out, _ in ended for line in out.splitlines()]
    assert len(told) == (notebooks - 1) * turns
    assert all((counts, scores) == ({"ok": 2 * n}, 2 * n) and planned == 2 * n for _, planned, counts, scores in told)
    store = Store(folder / "traces.duckdb")
    rows = store.df(ROWS).set_index("run_id")
    assert sorted(rows.index) == sorted(run for run, *_ in told)
    assert (rows == 2 * n).all(axis=None)
    assert store.df("select distinct status from runs").status.tolist() == ["finished"]
    with store.reading() as con:
        assert [con.execute(query).fetchone()[0] for query in ORPHANS] == [0] * len(ORPHANS)
        spooled = con.execute("select count(*) from merged").fetchone()[0]
        cells = con.execute("select count(distinct design_id) from cells").fetchone()[0]
    assert store.spooled() == 0
    assert [path.name for path in folder.glob("spool/*")] == []
    checked = verify(store)
    assert checked[~checked.ok].to_dict("records") == []
    latest = store.df("select count(*) as n, count(distinct design_id) as designs from latest_scores")
    assert (latest.n.item(), latest.designs.item()) == (cells, cells)
    cache = AnswerCache(folder / "cache")
    assert len(cache) == cells
    cache.close()
    (line,) = reads.splitlines()
    many, most = json.loads(line)
    assert many > 0
    assert most <= cells
    print_figures(
        f"{notebooks} notebooks on one project, {len(told)} runs at once and {many:,} reads: {rows.scores.sum():,} of "
        f"{len(told) * 2 * n:,} scores stored, {spooled} batches went through the spool, 0 lines of error, verified"
    )


def test_a_slow_query_does_not_paint_a_progress_bar_of_duckdb_into_a_notebook(tmp_path, start_script):
    """DuckDB does so after two seconds, where it thinks itself in a notebook or a console."""
    asked = f"{BEGIN}print(bm.sql(\"select current_setting('enable_progress_bar') as shown\").shown.item())"
    out, problems = start_script(asked, tmp_path / "study", 0, 0, 0).communicate("go\n", timeout=60)
    assert (out, problems) == ("ready\nFalse\n", "")
