"""Nothing is submitted twice, and nothing is lost: stopped, killed, broken off, out of money."""

import asyncio
import os
import signal
import textwrap
import threading
import time

import pytest
from aiohttp import web
from support.batch_server import Job
from support.batch_study import BOTH, DIRECT_USD, judging, texts

import buttermilk_nb as bm
from buttermilk_nb.flows.execution.runner import Runner
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


@pytest.fixture
def start(start_preloaded):
    """Start the program in a process of its own."""
    return lambda model, folder: start_preloaded(textwrap.dedent(PROGRAM).format(folder=str(folder), model=model))


def until(true, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def states(project):
    found = project.sql("select cache_key, state from batches order by happened_at, rowid")
    return found.groupby("cache_key").state.agg(list).tolist()


@BOTH
def test_a_killed_program_is_collected_by_the_next_one(model, batch_server, make_batch_project, tmp_path, start):
    batch_server.looks = 10_000
    make_batch_project()
    session.close()
    program = start(model, tmp_path / "study")
    try:
        until(lambda: any(job.looks for job in batch_server.jobs))
    finally:
        program.kill()
        program.wait()
    batch_server.looks = 0
    project = make_batch_project()
    run = judging(model).run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert (len(batch_server.jobs), len(batch_server.submitted), batch_server.direct) == (1, 4, [])
    assert run.cost_usd == pytest.approx(4 * DIRECT_USD / 2)
    assert states(project) == [["sending", "submitted", "collected"]] * 4


@pytest.mark.parametrize("model", ["claude"])
def test_a_program_killed_while_it_submits_has_submitted_once(model, batch_server, make_batch_project, tmp_path, start):
    held = threading.Event()

    def hold(request):
        if request.method == "POST" and request.path.endswith("batches"):
            held.set()
        return

    batch_server.refuse = hold
    make_batch_project()
    session.close()
    taken = batch_server._taken

    def slow(request, job, shown):
        made = taken(request, job, shown)
        program.kill()  # after the provider has taken it, before anybody hears of it
        program.wait()
        return made

    batch_server._taken = slow
    program = start(model, tmp_path / "study")
    until(lambda: batch_server.jobs and program.poll() is not None)
    assert held.is_set()
    batch_server._taken = taken
    project = make_batch_project()
    assert states(project) == [["sending"]] * 4
    run = judging(model).run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert (len(batch_server.jobs), batch_server.direct) == (1, [])
    assert states(project) == [["sending", "submitted", "collected"]] * 4


@pytest.mark.parametrize("model", ["gpt"])
def test_a_program_killed_before_it_submits_submits_afterwards(
    model, batch_server, make_batch_project, tmp_path, start
):
    make_batch_project()
    session.close()
    program = start(model, tmp_path / "study")

    def kill(request):
        if request.method == "POST" and request.path.endswith("batches"):
            program.kill()
            program.wait()
            raise ConnectionResetError
        return

    batch_server.refuse = kill
    until(lambda: program.poll() is not None)
    batch_server.refuse = lambda request: None
    assert batch_server.jobs == []
    make_batch_project()
    assert judging(model).run(texts(), batch=True).counts == {"ok": 4}
    assert (len(batch_server.jobs), batch_server.direct) == (1, [])


@BOTH
def test_a_submission_whose_answer_is_lost_is_found_and_not_repeated(model, batch_server, make_batch_project):
    make_batch_project()
    batch_server.lose_answer_to_submission = True
    run = judging(model).run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert (len(batch_server.jobs), batch_server.direct) == (1, [])


@BOTH
def test_a_submission_is_found_among_those_of_others(model, batch_server, make_batch_project):
    make_batch_project()
    batch_server.page, taken = 1, batch_server._taken

    def others_too(request, job, shown):
        batch_server._taken = taken
        made = taken(request, job, shown)
        for n in range(3):
            stranger = Job(f"other_{n}", {"a": {}}, "file-99" if job.file else "")
            stranger.looks = 99
            batch_server.jobs.append(stranger)
        return made

    batch_server._taken, batch_server.lose_answer_to_submission = others_too, True
    run = judging(model).run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert (len(batch_server.jobs), batch_server.direct) == (4, [])


def test_where_nothing_is_known_of_a_submission_the_next_run_looks_first(batch_server, make_batch_project):
    project = make_batch_project()
    batch_server.lose_answer_to_submission = True
    batch_server.refuse = lambda request: web.Response(status=503, text="{}") if request.method == "GET" else None
    with pytest.raises(bm.errors.RunStopped, match="Whether the batch has arrived at `openai` is not known"):
        judging().run(texts(), batch=True)
    assert states(project) == [["sending"]] * 4
    with pytest.raises(bm.errors.RunStopped, match="A batch may have arrived there"):
        judging().run(texts(), batch=True)
    batch_server.refuse = lambda request: None
    run = judging().run(texts(), batch=True)
    assert (run.counts, len(batch_server.jobs), batch_server.direct) == ({"ok": 4}, 1, [])
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


def open_usd(project):
    with project.store.reading() as con:
        return batch_jobs.open_usd(con)


def left_at_the_provider(server, flow, corpus):
    """Run it, and stop it while it waits."""
    server.looks = 10_000
    with pytest.raises(bm.Interrupted):
        interrupting(server, flow, corpus)
    server.looks = 0


def test_ctrl_c_leaves_the_batch_at_the_provider_and_says_so(batch_server, make_batch_project):
    make_batch_project()
    batch_server.looks = 10_000
    with pytest.raises(
        bm.Interrupted,
        match="At the provider: 4 requests in a batch, 0 done so far; run this notebook cell again to collect it",
    ):
        interrupting(batch_server, judging(), texts())
    assert bm.last_run().status == "interrupted"
    assert bm.last_run().counts == {"pending": 4}
    batch_server.looks = 0
    run = judging().run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert (len(batch_server.jobs), batch_server.direct) == (1, [])
    assert run.cost_usd == pytest.approx(4 * DIRECT_USD / 2)


def test_ctrl_c_is_heard_during_a_long_pause(batch_server, make_batch_project):
    make_batch_project(backoff_s=60, backoff_max_s=60)
    batch_server.looks = 10_000
    began = time.monotonic()
    with pytest.raises(bm.Interrupted):
        interrupting(batch_server, judging(), texts(), looks=1)
    assert time.monotonic() - began < 50


@pytest.mark.parametrize(("grace_s", "presses"), [(0.5, 1), (600, 2)])
def test_what_hangs_while_it_is_handed_in_is_cut_off(grace_s, presses, batch_server, make_batch_project):
    make_batch_project(grace_s=grace_s)
    batch_server.hang_on = "batches"

    def press():
        until(lambda: batch_server.files)
        for _ in range(presses):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1.0)

    stop = threading.Thread(target=press)
    stop.start()
    with pytest.raises(bm.Interrupted, match="run this notebook cell again to continue"):
        judging().run(texts(), batch=True)
    stop.join()
    batch_server.hang_on = "nowhere"
    assert judging().run(texts(), batch=True).counts == {"ok": 4}
    assert len(batch_server.jobs) == 1


def test_a_time_limit_ends_the_waiting_and_says_so(batch_server, make_batch_project):
    make_batch_project()
    judging().run(texts(1), batch=True)
    batch_server.looks = 10_000
    with pytest.raises(bm.errors.RunStopped, match="At the provider: 3 requests in a batch"):
        judging().run(texts(), batch=True, time_limit_s=3)
    assert bm.last_run().status == "out of time"
    batch_server.looks = 0
    assert judging().run(texts(), batch=True).counts == {"ok": 4}
    assert len(batch_server.submitted) == 4


def test_more_records_submit_only_what_is_new(batch_server, make_batch_project):
    make_batch_project()
    left_at_the_provider(batch_server, judging(), texts(3))
    assert judging().run(texts(5), batch=True).counts == {"ok": 5}
    assert [len(job.requests) for job in batch_server.jobs] == [3, 2]


def test_fewer_records_collect_what_they_want(batch_server, make_batch_project):
    project = make_batch_project()
    left_at_the_provider(batch_server, judging(), texts(4))
    run = judging().run(texts(2), batch=True)
    assert run.counts == {"ok": 2}
    assert not any("belong to no request" in remark for remark in run.remarks)
    assert judging().run(texts(4), batch=True).counts == {"ok": 4}
    assert len(batch_server.jobs) == 1
    assert states(project) == [["sending", "submitted", "collected"]] * 4


def test_what_was_collected_and_never_used_is_paid_for_by_the_next_run(batch_server, make_batch_project, monkeypatch):
    make_batch_project()
    from buttermilk_nb.flows.execution import runner

    async def killed(*_, **__):
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr(runner, "run_workers", killed)
        with pytest.raises(SystemError):
            judging().run(texts(), batch=True)
    session.close()
    make_batch_project()
    run = judging().run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert run.cost_usd == pytest.approx(4 * DIRECT_USD / 2)
    assert judging().run(texts(), batch=True).cost_usd == 0


def test_a_lost_cache_is_filled_from_the_provider_again_at_no_cost(batch_server, make_batch_project):
    project = make_batch_project()
    judging().run(texts(), batch=True)
    project.cache.open().clear()
    run = judging().run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert (len(batch_server.jobs), batch_server.direct, run.cost_usd) == (1, [], 0)


def test_what_was_asked_directly_meanwhile_is_not_collected(batch_server, make_batch_project):
    project = make_batch_project()
    left_at_the_provider(batch_server, judging(), texts())
    judging().run(texts())
    assert len(batch_server.direct) == 4
    run = judging().run(texts(), batch=True)
    assert (run.counts, run.cost_usd, len(batch_server.jobs)) == ({"ok": 4}, 0, 1)
    assert states(project) == [["sending", "submitted", "unused"]] * 4
    assert open_usd(project) == 0


def test_a_batch_that_the_provider_has_forgotten_is_submitted_again(batch_server, make_batch_project):
    make_batch_project()
    left_at_the_provider(batch_server, judging(), texts())
    batch_server.jobs[0].name = "forgotten"
    batch_server.looks = 0
    assert judging().run(texts(), batch=True).counts == {"ok": 4}
    assert len(batch_server.jobs) == 2


def test_two_runs_at_once_submit_once_and_pay_once(batch_server, make_batch_project):
    make_batch_project()

    async def both():
        return await asyncio.gather(*(judging().run_async(texts(), batch=True) for _ in range(2)))

    runs = asyncio.run(both())
    assert [run.counts for run in runs] == [{"ok": 4}] * 2
    assert (len(batch_server.jobs), batch_server.direct) == (1, [])
    assert sum(run.cost_usd for run in runs) == pytest.approx(4 * DIRECT_USD / 2)


async def fail_at_once(*_):
    raise RuntimeError("stopped here")


@BOTH
def test_a_record_that_is_forgotten_while_its_batch_is_open(model, batch_server, make_batch_project):
    project = make_batch_project()
    left_at_the_provider(batch_server, judging(model), texts())
    keys = project.sql("select distinct cache_key from batches where record_id = 'r002'").cache_key.tolist()
    most = open_usd(project)
    result = project.evidence.forget(record_id="r002")
    provider = {"gpt": "openai", "claude": "anthropic"}[model]
    (batch_id,) = {job.name for job in batch_server.jobs}
    assert (result.sent_to, result.open_batches) == ((provider,), (f"`{batch_id}` at {provider}",))
    assert f"It is in a batch that has not ended: `{batch_id}` at {provider}. Cancel that there." in str(result)
    assert len(keys) == 1
    assert not any(keys[0].encode() in path.read_bytes() for path in project.folder.rglob("*") if path.is_file())
    assert project.sql("select count(*) as n from batches where record_id = 'r002'").n.item() == 0
    assert open_usd(project) == pytest.approx(most), "the provider will still ask for its price"
    batch_server.looks = 0
    rest = bm.Corpus([record for record in texts().records if record.record_id != "r002"])
    run = judging(model).run(rest, batch=True)
    assert (run.counts, len(batch_server.jobs), batch_server.direct) == ({"ok": 3}, 1, [])
    assert f"in a batch of `{model}`: 1 line belongs to no request, and was ignored." in run.remarks


def test_an_answer_of_a_batch_that_no_run_has_read_is_forgotten_too(batch_server, make_batch_project, monkeypatch):
    project = make_batch_project()
    monkeypatch.setattr(Runner, "_run_cells", fail_at_once)
    with pytest.raises(RuntimeError, match="stopped here"):
        judging().run(texts(), batch=True)
    monkeypatch.undo()
    keys = project.sql("select distinct cache_key from batches where record_id = 'r002'").cache_key.tolist()
    assert keys[0] in project.cache
    assert project.evidence.forget(record_id="r002").n_cached == 1
    assert keys[0] not in project.cache


# --- money and consent ---------------------------------------------------------------------------------


def test_a_budget_that_is_too_small_is_said_before_anything_is_submitted(batch_server, make_batch_project):
    project = make_batch_project()
    with pytest.raises(bm.errors.BudgetReached, match="no batch was submitted"):
        judging().run(texts(), batch=True, budget_usd=0.01)
    assert batch_server.jobs == []
    assert batch_server.files == {}
    assert bm.last_run().status == "over budget"
    assert project.sql("select count(*) as n from batches").n.item() == 0


def test_what_is_at_the_provider_counts_towards_the_projects_budget(batch_server, make_batch_project):
    project = make_batch_project(budget_usd=0.05)
    left_at_the_provider(batch_server, judging(), texts(4))
    assert 0.025 < open_usd(project) < 0.05
    other = bm.Flow("other", [bm.Judge("judge", criteria=bm.Criteria("loud", "Is it loud?"), models="gpt")])
    with pytest.raises(bm.errors.BudgetReached, match="batches that are at the provider may cost"):
        other.run(texts(4), batch=True)
    assert len(batch_server.jobs) == 1


def test_a_direct_run_counts_what_is_at_the_provider(batch_server, make_batch_project):
    project = make_batch_project(budget_usd=0.06)
    left_at_the_provider(batch_server, judging(), texts(4))
    most = open_usd(project)
    loud = bm.Flow("other", [bm.Judge("judge", criteria=bm.Criteria("loud", "Is it loud?"), models="gpt")])
    with pytest.raises(bm.errors.BudgetReached, match=r"because batches that are at the provider may cost up to \$0.0"):
        loud.run(texts(40), concurrency=1)
    spent = sum(bm.sql("select cost_usd from calls").cost_usd)
    assert 2 * DIRECT_USD < spent <= 0.06 - most
    run = judging().run(texts(4), batch=True)  # what was submitted is collected, and counts no more than it cost
    assert run.counts == {"ok": 4}
    limit = project.spending_limit()
    assert (limit.open_usd, limit.own_batches_usd) == (0, pytest.approx(0))
    assert limit.spent_usd == pytest.approx(spent + 4 * DIRECT_USD / 2)


def test_a_request_that_was_answered_directly_meanwhile_is_billed_too(batch_server, make_batch_project):
    project = make_batch_project()
    left_at_the_provider(batch_server, judging(), texts())
    most = open_usd(project)
    judging().run(texts())
    judging().run(texts(), batch=True)
    assert states(project) == [["sending", "submitted", "unused"]] * 4
    assert open_usd(project) == 0
    session.close()
    assert make_batch_project().spent_usd == pytest.approx(4 * DIRECT_USD + most)


def test_a_reply_without_an_answer_may_be_billed(batch_server, make_batch_project):
    def without_choices(key, body, line):
        line["response"]["body"]["choices"] = []
        return line

    project = make_batch_project()
    batch_server.replace = without_choices
    run = judging().run(texts(), batch=True)
    assert run.counts == {"ok": 4}, "they are asked directly"
    assert project.spent_usd > 4 * DIRECT_USD + 0.02


@BOTH
def test_an_answer_without_usage_counts_the_most_it_can_cost(model, batch_server, make_batch_project):
    def without_usage(key, body, line):
        message = line["response"]["body"] if model == "gpt" else line["result"]["message"]
        message["usage"] = dict.fromkeys(message["usage"], 0)
        return line

    batch_server.replace = without_usage
    project = make_batch_project()
    run = judging(model).run(texts(), batch=True)
    assert run.counts == {"ok": 4}
    assert run.cost_usd is None
    spent = project.spending_limit().spent_usd
    assert spent > 0.025
    session.close()
    assert make_batch_project().spent_usd == pytest.approx(spent)


def test_money_that_was_set_aside_is_given_back(batch_server, make_batch_project):
    project = make_batch_project()
    judging().run(texts(), batch=True, budget_usd=0.05)
    purse = project.spending_limit()
    assert purse.reserved_usd == pytest.approx(0)
    assert purse.spent_usd == pytest.approx(4 * DIRECT_USD / 2)


def test_nothing_is_submitted_without_consent(batch_server, make_batch_project):
    make_batch_project(allow="[127.0.0.2]")
    with pytest.raises(bm.ConsentError, match="127.0.0.1"):
        judging().run(texts(), batch=True)
    assert batch_server.paths == []


def test_a_record_that_stays_local_is_not_submitted(batch_server, make_batch_project):
    make_batch_project()
    stays = bm.Corpus([*texts(2).records, bm.Record(record_id="own", content="Ours.", local_only=True)])
    run = judging().run(stays, batch=True)
    assert run.counts == {"ok": 2, "skipped": 1}
    assert len(batch_server.submitted) == 2
    assert "Ours" not in str(batch_server.bodies)


def test_a_run_that_must_only_read_the_cache_submits_nothing(batch_server, make_batch_project):
    make_batch_project()
    judging().run(texts(2))
    batch_server.paths.clear()
    assert judging().run(texts(2), batch=True, cache="only").counts == {"ok": 2}
    assert batch_server.paths == []


def test_the_keys_are_in_no_file(batch_server, make_batch_project, tmp_path):
    make_batch_project()
    judging(["gpt", "claude"]).run(texts(), batch=True)
    sent = [job.headers.get("Authorization") or job.headers.get("x-api-key") for job in batch_server.jobs]
    assert set(sent) == {"Bearer sk-planted-openai-123", "sk-ant-planted-123"}
    found = [f for f in tmp_path.rglob("*") if f.is_file() and b"planted" in f.read_bytes()]
    assert found == []
