"""Memory beyond the corpus stays below 500 MB, and does not grow with the number of records."""

from __future__ import annotations

import json
import sys

import pytest

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]

SCRIPT = """
import gc, json, sys, time
import buttermilk_nb as bm
path, n = sys.argv[1], int(sys.argv[2])

def status_kb(name):  # not ru_maxrss, which a process inherits from the one that started it
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name))

words = "the harbour was closed on monday and nobody said why although the guard knew about the boats and the tide "
judge = bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="yes", cues={"yes": ["dregs"]}))
project = bm.init("study", path=path, models=["offline/strict"])
corpus = bm.Corpus([bm.Record(record_id=f"r{i}", content=f"{i} {words * 5}") for i in range(n)])
assert corpus.hash  # which its records keep
gc.collect()
with_corpus, began = status_kb("VmRSS"), time.perf_counter()
run = bm.Flow("memory", [judge]).run(corpus)
took = time.perf_counter() - began
assert run.counts == {"ok": n}
print(json.dumps([with_corpus / 1024, status_kb("VmHWM") / 1024, took]))
"""
LIMIT_MB = {100_000: 500, 2_000: 150}
GROWTH = 1.15  # three times the records


@pytest.fixture
def beyond_the_corpus(tmp_path, start_script, print_figures):
    """How much more memory a run over so many records took at its peak than there was in use before, in MB."""

    def measure(n):
        out, problems = start_script(SCRIPT, tmp_path / f"study{n}", n).communicate(timeout=3_000)
        assert out, problems
        before, peak, took = json.loads(out.splitlines()[-1])
        print_figures(
            f"{n:,} records of 500 characters: {before:,.0f} MB with the corpus, {peak - before:,.0f} MB more at the "
            f"peak of the run, {n / took:,.0f} records/s"
        )
        return peak - before

    return measure


def test_a_run_takes_at_most_500_mb_beyond_its_corpus_however_many_records_there_are(beyond_the_corpus, full_stress):
    n = 100_000 if full_stress else 2_000
    peak = beyond_the_corpus(n)
    assert peak <= LIMIT_MB[n]
    if full_stress:
        assert beyond_the_corpus(3 * n) <= GROWTH * peak
