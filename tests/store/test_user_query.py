"""Queries that a user or a model writes: limited in time, stopped in words, and in nobody's way."""

import json
import os
import threading
import time

import pytest

import buttermilk_nb as bm
from buttermilk_nb.errors import SetupError
from buttermilk_nb.store import Store

ENDLESS = "select count(*) from range(1_000_000_000) a, range(1_000_000_000) b where a.range + b.range = -1"


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "traces.duckdb", lock_wait_s=1)
    opened.select("select 1")
    return opened


def test_a_query_that_does_not_end_is_stopped_with_a_sentence(store):
    with pytest.raises(SetupError, match=r"did not end within 0\.3 s, so it was stopped.*timeout_s=60"):
        store.select(ENDLESS, timeout_s=0.3)
    assert store.select("select 1 as n").n.item() == 1
    assert [path.name for path in store.path.parent.iterdir() if "partial" in path.name] == []


WRITE = """
import sys, time
from pathlib import Path
from buttermilk_nb.store import Store
store = Store(Path(sys.argv[1]), lock_wait_s=3)
print("ready", flush=True)
sys.stdin.readline()
with store.writing() as con:
    con.execute("insert into events values ('e1', 'StatusEvent', null, null, 'x', '{}', now()::timestamp)")
print("written", flush=True)
"""


def test_a_long_query_goes_on_in_a_copy_so_that_others_can_write(store, start_script, wait_until):
    other = start_script(WRITE, store.path)
    assert other.stdout.readline() == "ready\n"
    failures = []

    def query():
        try:
            store.select(ENDLESS, timeout_s=5)
        except SetupError as error:
            failures.append(str(error))

    thread = threading.Thread(target=query)
    started = time.monotonic()
    thread.start()
    other.stdin.write("go\n")
    other.stdin.flush()
    assert other.stdout.readline() == "written\n", other.communicate()
    assert thread.is_alive(), f"the query was over after {time.monotonic() - started:.1f} s"
    wait_until(lambda: list(store.path.parent.glob(".*.partial")), "the copy")
    thread.join()
    assert ["did not end within 5 s" in failure for failure in failures] == [True]
    assert store.select("select count(*) as n from events").n.item() == 1
    assert list(store.path.parent.glob(".*.partial")) == []


def test_a_long_query_that_ends_returns_its_rows_from_the_copy(store):
    slow = "select count(*) as n from range(9_000) a, range(9_000) b where (a.range * b.range) % 7 = 3"
    quick = Store(store.path, lock_wait_s=0.003)
    assert quick.select(slow, timeout_s=100).n.item() > 0


def test_bm_sql_takes_the_limit(tmp_path):
    bm.init("study", path=tmp_path / "project")
    with pytest.raises(SetupError, match=r"did not end within 0\.2 s"):
        bm.sql(ENDLESS, timeout_s=0.2)


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_text('/proc/self/environ')",
        "select * from read_csv('{outside}')",
        "from '{outside}'",
        "select * from glob('/*')",
        "select write_log('x')",
        "select \"write_log\"('x')",
        "select write_log/* a */('x')",
        'select * from "duckdb_secrets"()',
        "select * from duckdb_databases()",
        "select * from query('select write_log(1)')",
        "select WRITE_LOG ('x')",
        "select getenv('HOME')",
        "select * from sniff_csv('{outside}')",
        "select * from read_blob('{outside}')",
        "select * from read_json('{outside}')",
    ],
)
def test_a_query_of_a_model_reads_no_file(store, tmp_path, query):
    outside = tmp_path / "secret.csv"
    outside.write_text("word\nplanted\n")
    with pytest.raises(SetupError) as raised:
        store.select(query.format(outside=outside), read_files=False)
    assert "planted" not in str(raised.value)
    assert store.select("select count(*) as n from latest_scores", read_files=False).n.item() == 0
    assert store.select(f"select word from read_csv('{outside}')").word.item() == "planted", "people may"


def test_what_a_model_may_not_do_is_not_undone_by_its_query(store):
    for query in (
        "set enable_external_access = true",
        "reset lock_configuration",
        "attach 'x.db'",
        "copy scores to 'x'",
    ):
        with pytest.raises(SetupError, match="takes one SELECT"):
            store.select(query, read_files=False)


FORK = """
import os, sys
import buttermilk_nb as bm
path = sys.argv[1]
records = [bm.Record(record_id=f"r{n}", content=f"This is text {n}.") for n in range(4)]
flow = bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"))])
bm.init("study", path=path)
assert flow.run(bm.Corpus(records[:2])).counts == {"ok": 2}
if (pid := os.fork()) == 0:
    project = bm.init("study", path=path)
    run = flow.run(bm.Corpus(records))
    print("child", run.counts, project.client.sent, flush=True)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
print("parent", flow.run(bm.Corpus(records)).counts, bm.sql("select count(*) as n from runs").n.item(), flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_that_opens_the_project_anew_runs(tmp_path, server, start_preloaded):
    (tmp_path / "project").mkdir()
    toy = {"model": "hosted_vllm/toy", "api_base": server.base}
    settings = {"name": "study", "sets": {"judges": ["toy"]}, "models": {"toy": toy}}
    (tmp_path / "project" / "buttermilk.yaml").write_text(json.dumps(settings))
    process = start_preloaded(FORK, tmp_path / "project")
    out, problems = process.communicate()
    lines = [line for line in out.splitlines() if line.startswith(("child", "parent"))]
    assert lines == ["child {'ok': 4} 2", "parent {'ok': 4} 3"], problems[-2000:]
    assert len(server.received) == 4
