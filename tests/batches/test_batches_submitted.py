"""Nothing is submitted twice, and nothing is lost: stopped, killed, broken off, out of money."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from aiohttp import web
from batch_server import Job
from batch_study import BOTH, DIRECT_USD, judging, texts

import buttermilk_nb as bm
from buttermilk_nb.project import session
from buttermilk_nb.store import batch_jobs

PROGRAM = """
    import buttermilk_nb as bm
    bm.init("study", path={folder!r})
    corpus = bm.load(
        [{{"id": f"r{{i:03d}}", "text": f"Text number {{i}}, «ä»\\u2028判."}} for i in range(4)],
        content="text", record_id="id",
    )
    calm = bm.Criteria("calm", "Is the text calm?", flag="no")
    bm.Flow("batched", [bm.Judge("judge", criteria=calm, models={model!r})]).run(corpus, batch=True)
"""


def start(model, folder):
    code = textwrap.dedent(PROGRAM).format(folder=str(folder), model=model)
    return subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONWARNINGS": "default"})


def until(true, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def states(project):
    found = project.sql("select cache_key, state from batches order by happened_at, rowid")
    return found.groupby("cache_key").state.agg(list).tolist()


@BOTH
def test_a_killed_program_is_collected_by_the_next_one(model, server, study, tmp_path):
    server.looks = 10_000
    study()
    session.close()
    program = start(model, tmp_path / "study")
    try:
        until(lambda: any(job.looks for job in server.jobs))
    finally:
        program.kill()
        program.wait()
    server.looks = 0
    project = study()
    run = judging(model).run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert (len(server.jobs), len(server.submitted), server.direct) == (1, 4, [])
    assert run.cost_usd == pytest.approx(4 * DIRECT_USD / 2)
    assert states(project) == [["sending", "submitted", "collected"]] * 4


@BOTH
def test_a_program_killed_while_it_submits_has_submitted_once(model, server, study, tmp_path):
    held = threading.Event()

    def hold(request):
        if request.method == "POST" and request.path.endswith("batches"):
            held.set()
        return

    server.refuse = hold
    study()
    session.close()
    taken = server._taken

    def slow(request, job, shown):
        made = taken(request, job, shown)
        program.kill()  # after the provider has taken it, before anybody hears of it
        program.wait()
        return made

    server._taken = slow
    program = start(model, tmp_path / "study")
    until(lambda: server.jobs and program.poll() is not None)
    assert held.is_set()
    server._taken = taken
    project = study()
    assert states(project) == [["sending"]] * 4
    run = judging(model).run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert (len(server.jobs), server.direct) == (1, [])
    assert states(project) == [["sending", "submitted", "collected"]] * 4


@BOTH
def test_a_program_killed_before_it_submits_submits_afterwards(model, server, study, tmp_path):
    study()
    session.close()
    program = start(model, tmp_path / "study")

    def kill(request):
        if request.method == "POST" and request.path.endswith("batches"):
            program.kill()
            program.wait()
            raise ConnectionResetError
        return

    server.refuse = kill
    until(lambda: program.poll() is not None)
    server.refuse = lambda request: None
    assert server.jobs == []
    study()
    assert judging(model).run(texts(), batch=True).counts == {"ok": 4}
    assert (len(server.jobs), server.direct) == (1, [])


@BOTH
def test_a_submission_whose_answer_is_lost_is_found_and_not_repeated(model, server, study):
    study()
    server.lose_answer_to_submission = True
    run = judging(model).run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert (len(server.jobs), server.direct) == (1, [])


@BOTH
def test_a_submission_is_found_among_those_of_others(model, server, study):
    study()
    server.page, taken = 1, server._taken

    def others_too(request, job, shown):
        server._taken = taken
        made = taken(request, job, shown)
        for n in range(3):
            stranger = Job(f"other_{n}", {"a": {}}, "file-99" if job.file else "")
            stranger.looks = 99
            server.jobs.append(stranger)
        return made

    server._taken, server.lose_answer_to_submission = others_too, True
    run = judging(model).run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert (len(server.jobs), server.direct) == (4, [])


def test_where_nothing_is_known_of_a_submission_the_next_run_looks_first(server, study):
    project = study()
    server.lose_answer_to_submission = True
    server.refuse = lambda request: web.Response(status=503, text="{}") if request.method == "GET" else None
    with pytest.raises(bm.errors.RunStopped, match="Whether the batch has arrived at `openai` is not known"):
        judging().run(texts(), batch=True)
    assert states(project) == [["sending"]] * 4
    with pytest.raises(bm.errors.RunStopped, match="A batch may have arrived there"):
        judging().run(texts(), batch=True)
    server.refuse = lambda request: None
    run = judging().run(texts(), batch=True)
    assert (run.counts, len(server.jobs), server.direct) == ({"ok": 4}, 1, [])
    assert run.cost_usd == pytest.approx(4 * DIRECT_USD / 2)


def interrupting(server, flow, corpus, looks=2):
    """Run it, and press Ctrl-C when the batch has been looked at so often."""

    def press():
        until(lambda: server.jobs and server.jobs[-1].looks >= looks)
        os.kill(os.getpid(), signal.SIGINT)

    stop = threading.Thread(target=press)
    stop.start()
    try:
        return flow.run(corpus, batch=True)
    finally:
        stop.join()


def left_at_the_provider(server, flow, corpus):
    """Run it, and stop it while it waits."""
    server.looks = 10_000
    with pytest.raises(bm.Interrupted):
        interrupting(server, flow, corpus)
    server.looks = 0


def test_ctrl_c_leaves_the_batch_at_the_provider_and_says_so(server, study):
    study()
    server.looks = 10_000
    with pytest.raises(
        bm.Interrupted,
        match="At the provider: 4 requests in a batch, 0 done so far; run the same cell again to collect it",
    ):
        interrupting(server, judging(), texts())
    assert bm.last_run().status == "interrupted"
    assert bm.last_run().counts == {"pending": 4}
    server.looks = 0
    run = judging().run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert (len(server.jobs), server.direct) == (1, [])
    assert run.cost_usd == pytest.approx(4 * DIRECT_USD / 2)


def test_ctrl_c_is_heard_during_a_long_pause(server, study):
    study(backoff_s=60, backoff_max_s=60)
    server.looks = 10_000
    began = time.monotonic()
    with pytest.raises(bm.Interrupted):
        interrupting(server, judging(), texts(), looks=1)
    assert time.monotonic() - began < 50


@pytest.mark.parametrize(("grace_s", "presses"), [(0.5, 1), (600, 2)])
def test_what_hangs_while_it_is_handed_in_is_cut_off(grace_s, presses, server, study):
    study(grace_s=grace_s)
    server.hang_on = "batches"

    def press():
        until(lambda: server.files)
        for _ in range(presses):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1.0)

    stop = threading.Thread(target=press)
    stop.start()
    with pytest.raises(bm.Interrupted, match="run the same cell again to go on"):
        judging().run(texts(), batch=True)
    stop.join()
    server.hang_on = "nowhere"
    assert judging().run(texts(), batch=True).counts == {"ok": 4}
    assert len(server.jobs) == 1


def test_a_time_limit_ends_the_waiting_and_says_so(server, study):
    study()
    judging().run(texts(1), batch=True)
    server.looks = 10_000
    with pytest.raises(bm.errors.RunStopped, match="At the provider: 3 requests in a batch"):
        judging().run(texts(), batch=True, time_limit_s=6)
    assert bm.last_run().status == "out of time"
    server.looks = 0
    assert judging().run(texts(), batch=True).counts == {"ok": 4}
    assert len(server.submitted) == 4


def test_more_records_submit_only_what_is_new(server, study):
    study()
    left_at_the_provider(server, judging(), texts(3))
    assert judging().run(texts(5), batch=True).counts == {"ok": 5}
    assert [len(job.requests) for job in server.jobs] == [3, 2]


def test_fewer_records_collect_what_they_want(server, study):
    project = study()
    left_at_the_provider(server, judging(), texts(4))
    run = judging().run(texts(2), batch=True)
    assert run.counts == {"ok": 2}
    assert not any("belong to no request" in remark for remark in run.remarks)
    assert judging().run(texts(4), batch=True).counts == {"ok": 4}
    assert len(server.jobs) == 1
    assert states(project) == [["sending", "submitted", "collected"]] * 4


def test_what_was_collected_and_never_used_is_paid_for_by_the_next_run(server, study, monkeypatch):
    study()
    from buttermilk_nb.flows.execution import runner

    async def killed(*_, **__):
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr(runner, "run_workers", killed)
        with pytest.raises(SystemError):
            judging().run(texts(), batch=True)
    session.close()
    study()
    run = judging().run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert run.cost_usd == pytest.approx(4 * DIRECT_USD / 2)
    assert judging().run(texts(), batch=True).cost_usd == 0


def test_a_lost_cache_is_filled_from_the_provider_again_at_no_cost(server, study):
    project = study()
    judging().run(texts(), batch=True)
    project.cache.open().clear()
    run = judging().run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert (len(server.jobs), server.direct, run.cost_usd) == (1, [], 0)


def test_what_was_asked_directly_meanwhile_is_not_collected(server, study):
    project = study()
    left_at_the_provider(server, judging(), texts())
    judging().run(texts())
    assert len(server.direct) == 4
    run = judging().run(texts(), batch=True)
    assert (run.counts, run.cost_usd, len(server.jobs)) == ({"ok": 4}, 0, 1)
    assert states(project) == [["sending", "submitted", "unused"]] * 4
    assert batch_jobs.open_usd(project.store) == 0


def test_a_batch_that_the_provider_has_forgotten_is_submitted_again(server, study):
    study()
    left_at_the_provider(server, judging(), texts())
    server.jobs[0].name = "forgotten"
    server.looks = 0
    assert judging().run(texts(), batch=True).counts == {"ok": 4}
    assert len(server.jobs) == 2


def test_two_runs_at_once_submit_once_and_pay_once(server, study):
    study()

    async def both():
        return await asyncio.gather(*(judging().run_async(texts(), batch=True) for _ in range(2)))

    runs = asyncio.run(both())
    assert [run.counts for run in runs] == [{"ok": 4}] * 2
    assert (len(server.jobs), server.direct) == (1, [])
    assert sum(run.cost_usd for run in runs) == pytest.approx(4 * DIRECT_USD / 2)


# --- money and consent ---------------------------------------------------------------------------------


def test_a_budget_that_is_too_small_is_said_before_anything_is_submitted(server, study):
    project = study()
    with pytest.raises(bm.errors.BudgetReached, match="of which none was submitted"):
        judging().run(texts(), batch=True, budget_usd=0.01)
    assert server.jobs == []
    assert server.files == {}
    assert bm.last_run().status == "over budget"
    assert project.sql("select count(*) as n from batches").n.item() == 0


def test_what_is_at_the_provider_counts_towards_the_projects_budget(server, study):
    project = study(budget_usd=0.05)
    left_at_the_provider(server, judging(), texts(4))
    assert 0.025 < batch_jobs.open_usd(project.store) < 0.05
    other = bm.Flow("other", [bm.Judge("judge", criteria=bm.Criteria("loud", "Is it loud?"), models="gpt")])
    with pytest.raises(bm.errors.BudgetReached, match="others that may cost .* are at the provider"):
        other.run(texts(4), batch=True)
    assert len(server.jobs) == 1


def test_money_that_was_set_aside_is_given_back(server, study):
    project = study()
    judging().run(texts(), batch=True, budget_usd=0.05)
    purse = project.spending_limit()
    assert purse.reserved_usd == pytest.approx(0)
    assert purse.spent_usd == pytest.approx(4 * DIRECT_USD / 2)


def test_nothing_is_submitted_without_consent(server, study):
    study(allow="[127.0.0.2]")
    with pytest.raises(bm.ConsentError, match="127.0.0.1"):
        judging().run(texts(), batch=True)
    assert server.paths == []


def test_a_record_that_stays_local_is_not_submitted(server, study):
    study()
    stays = bm.Corpus([*texts(2).records, bm.Record(record_id="own", content="Ours.", local_only=True)])
    run = judging().run(stays, batch=True)
    assert run.counts == {"ok": 2, "skipped": 1}
    assert len(server.submitted) == 2
    assert "Ours" not in str(server.bodies)


def test_a_run_that_must_only_read_the_cache_submits_nothing(server, study):
    study()
    judging().run(texts(2))
    server.paths.clear()
    assert judging().run(texts(2), batch=True, cache="only").counts == {"ok": 2}
    assert server.paths == []


def test_the_keys_are_in_no_file(server, study, tmp_path):
    study()
    judging(["gpt", "claude"]).run(texts(), batch=True)
    sent = [job.headers.get("Authorization") or job.headers.get("x-api-key") for job in server.jobs]
    assert set(sent) == {"Bearer sk-planted-openai-123", "sk-ant-planted-123"}
    found = [f for f in tmp_path.rglob("*") if f.is_file() and b"planted" in f.read_bytes()]
    assert found == []
