"""300 records, or 2,000 in full, against a server that fails, hangs and talks nonsense: every row accounted for."""

import os
from collections import Counter

import pytest
import yaml
from support.misbehaving_server import SHARES, MisbehavingServer

import buttermilk_nb as bm
from buttermilk_nb.project import session

N = 2_000 if os.environ.get("BUTTERMILK_NB_STRESS") == "full" else 300
RETRIES = 5


@pytest.fixture
def misbehaving_server(tmp_path):
    server = MisbehavingServer()
    server.start()
    toy = {"model": "hosted_vllm/toy", "api_base": server.base, "timeout_s": 3.0}
    settings = {
        "name": "study", "sets": {"judges": ["toy"]}, "models": {"toy": toy},
        "concurrency": 64, "retries": RETRIES, "backoff_s": 0.1,
    }  # fmt: skip
    (tmp_path / "buttermilk.yaml").write_text(yaml.safe_dump(settings))
    bm.init("study", path=tmp_path)
    yield server
    session.close()
    server.stop()


@pytest.mark.stress
def test_every_row_is_accounted_for_and_nothing_is_asked_beyond_retries(misbehaving_server, capsys):
    flow = bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"))])
    corpus = bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"The text of record {i}") for i in range(N)])
    run = flow.run(corpus)

    calls = run.calls()
    assert sum(run.counts.values()) == N == run.planned
    assert set(run.counts) == {"ok", "invalid"}
    assert len(run.scores()) == N
    # what the server received is what the Store says was sent, request by request; on a busy machine the time of a call
    # can be over before the server has read it
    n_received = len(misbehaving_server.received)
    n_late = (calls.status == "timeout").sum() - misbehaving_server.faults["hung"]
    assert len(calls) == run.traces().attempts.sum()
    assert 0 <= len(calls) - n_received <= n_late
    sent = Counter(calls.request_hash)
    failed = calls[calls.status.isin(["error", "timeout"])].groupby("request_hash").size()
    beyond = {key: n for key, n in sent.items() if n > 1 + failed.get(key, 0)}
    assert beyond == {}
    assert max(misbehaving_server.requests.values()) <= 1 + RETRIES
    # each fault struck about as often as it was meant to, and each is on record
    for fault in ("rate-limited", "server error", "hung"):
        assert misbehaving_server.faults[fault] == pytest.approx(SHARES[fault] * N, rel=0.5)
    assert (calls.error_code == "rate_limit_exceeded").sum() == misbehaving_server.faults["rate-limited"]
    assert (calls.status == "timeout").sum() >= misbehaving_server.faults["hung"]  # more if the machine is busy

    again = flow.run(corpus)
    assert len(misbehaving_server.received) == n_received
    assert again.counts == run.counts
    with capsys.disabled():
        print(
            f"\n{N:,} records, {len(calls):,} calls: {run.counts}; "
            f"faults that struck: {dict(misbehaving_server.faults)}; re-run: 0 calls"
        )
