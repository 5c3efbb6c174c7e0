"""What was paid for is on record, also where its cell did not come to an end."""

import json
import threading

import pytest
from support.chat_server import ANSWER, CLOSE, CLOSE_HALFWAY, HANG, messages_text

import buttermilk_nb as bm
from buttermilk_nb.project import session

PRICED = {"local": False, "prices": {"input": 1000.0, "output": 1000.0}, "params": {"max_tokens": 20}}
EACH = (11 + 7) * 1000 / 1e6  # what the server says that it read and wrote


def calm():
    return bm.Criteria("calm", "Is it calm?", flag="no")


def desk():
    return bm.Criteria(
        "desk",
        "What the editors ask.",
        criteria={name: {"question": f"Is it {name}?", "flag": "no"} for name in ("calm", "fair")},
    )


def flow(criteria=None, **fields):
    return bm.Flow("tone", [bm.Judge("judge", criteria=criteria or calm(), **fields)])


def texts(n=1):
    return bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"Text {i}.") for i in range(n)])


def asked_of(body):
    """Which of the two questions a request asks."""
    return "fair" if "Is it fair?" in messages_text(body) else "calm"


def then(server, later, *, first=1, **answer):
    """So many answers, and then what `later` makes."""

    def reply(body):
        if len(server.received) <= first:
            return server.answer(body, name=asked_of(body), **answer)
        return later(body)

    server.reply = reply


def paid(run):
    """What the Store says that was paid in a run, by the rows of its calls."""
    stored = bm.sql("select cost_usd, status from calls where run_id = ? order by asked_at", [run.run_id])
    assert run.calls().cost_usd.dropna().tolist() == stored.cost_usd.dropna().tolist()
    return stored.cost_usd.dropna().tolist()


def test_a_budget_that_ends_between_two_questions_leaves_the_row_of_the_first(server, make_study):
    project = make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=None)
    then(server, server.answer, tokens=5_000)  # dear enough that the second does not fit any more
    with pytest.raises(bm.errors.BudgetReached):
        flow(desk(), ask="separately").run(texts(), budget_usd=2.0)
    run = bm.last_run()
    assert paid(run) == [pytest.approx((11 + 5_000) / 1e3)]
    assert run.counts == {"cancelled": 1}
    assert run.scores().status.tolist() == ["cancelled", "cancelled"]
    assert run.traces().attempts.item() == len(server.received) == 1
    assert "fair" not in asked_of(server.received[0])
    assert project.spent_usd == run.cost_usd == pytest.approx(5.011)
    assert run.calls().request.notna().all()


def test_a_budget_that_ends_before_an_answer_is_asked_for_again_leaves_its_row(server, make_study):
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=None)
    then(server, server.answer, text="Rather calm, I think.", tokens=5_000)
    with pytest.raises(bm.errors.BudgetReached):
        flow().run(texts(), budget_usd=2.0)
    assert paid(bm.last_run()) == [pytest.approx(5.011)]
    assert bm.last_run().counts == {"cancelled": 1}
    assert "Rather calm, I think." in bm.last_run().calls().response.item()


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}])
def test_an_answer_without_usage_counts_the_most_it_can_cost_in_the_next_session_too(server, make_study, usage):
    server.reply = lambda body: {**server.answer(body), "usage": usage}
    project = make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=5.0)
    run = flow().run(texts(3))
    calls = bm.sql("select cost_usd, max_cost_usd from calls")
    assert run.cost_usd is None
    assert calls.cost_usd.isna().all()
    assert (calls.max_cost_usd > 0.02).all()
    spent = project.spending_limit().spent_usd
    assert spent == pytest.approx(calls.max_cost_usd.sum())
    assert reopened(project).spending_limit().spent_usd == pytest.approx(spent)
    assert flow().run(texts(3)).calls().cached.all()
    assert bm.sql("select count(max_cost_usd) as n from calls").n.item() == 3, "cached answers cost nothing"
    assert bm.init("study", path=project.folder).evidence.verify().ok.all()


def test_a_timeout_counts_the_most_it_can_cost_in_the_next_session_too(server, make_study):
    server.reply = lambda _: HANG
    project = make_study(toy={**PRICED, "timeout_s": 0.2, "retries": 1}, allow=["hosted_vllm"], backoff_s=0.01)
    flow().run(texts())
    calls = bm.sql("select attempt, cost_usd, max_cost_usd from calls order by attempt")
    assert calls.attempt.tolist() == [1, 2]
    spent = project.spending_limit().spent_usd
    assert spent == pytest.approx(calls.max_cost_usd.sum())
    assert spent > 0.04
    assert reopened(project).spent_usd == pytest.approx(spent)


def test_a_refused_connection_and_an_http_error_cost_nothing(server, make_study):
    server.reply = lambda _: server.failure(429)
    project = make_study(toy=PRICED, allow=["hosted_vllm"], retries=0)
    flow().run(texts(2))
    assert bm.sql("select count(*) as n, count(max_cost_usd) as unknown from calls").values.tolist() == [[2, 0]]
    assert project.spending_limit().spent_usd == 0


def reopened(project):
    session.close()
    return bm.init("study", path=project.folder)


def test_a_call_that_is_cut_off_leaves_a_row_and_counts_the_most_it_can_cost(server, make_study):
    stop = threading.Event()
    server.reply = lambda _: stop.set() or HANG
    project = make_study(toy=PRICED, allow=["hosted_vllm"], grace_s=0.1)
    threading.Thread(target=lambda: stop.wait(20) and bm.last_run().cancel(), daemon=True).start()
    with pytest.raises(bm.Interrupted):
        flow().run(texts())
    (call,) = bm.sql("select status, remote, cached, error_message, max_cost_usd from calls").itertuples()
    assert (call.status, call.remote, call.cached) == ("cancelled", True, False)
    assert call.error_message == "The run was stopped before the model answered; run the notebook cell again to ask it."
    assert bm.sql("select provider from egress").provider.tolist() == ["hosted_vllm"]
    spent = project.spending_limit().spent_usd
    assert spent > 0.02
    assert reopened(project).spent_usd == pytest.approx(spent)


def test_two_cells_that_share_a_call_that_is_cut_off_leave_one_row_that_costs(server, make_study):
    stop = threading.Event()
    server.reply = lambda _: stop.set() or HANG
    make_study(toy=PRICED, allow=["hosted_vllm"], grace_s=0.1)
    threading.Thread(target=lambda: stop.wait(20) and bm.last_run().cancel(), daemon=True).start()
    twins = bm.Corpus([bm.Record(record_id=name, content="The same text.") for name in "ab"])
    with pytest.raises(bm.Interrupted):
        flow().run(twins)
    assert bm.sql("select count(*) as n, count(max_cost_usd) as costs from calls").values.tolist() == [[1, 1]]


def test_attempts_before_the_budget_ends_or_the_run_is_stopped_keep_their_rows(server, make_study):
    server.reply = lambda _: HANG
    project = make_study(
        toy={**PRICED, "timeout_s": 0.2, "retries": 9}, allow=["hosted_vllm"], budget_usd=1.0, backoff_s=0.01
    )
    for _ in range(3):  # each as in a kernel of its own
        with pytest.raises(bm.errors.BudgetReached):
            flow().run(texts())
        project = reopened(project)
    calls = bm.sql("select status, max_cost_usd from calls")
    assert len(calls) == len(server.received) > 1
    assert set(calls.status) == {"timeout"}
    assert 0.5 < project.spent_usd <= 1.0
    assert project.evidence.verify().ok.all()


@pytest.mark.parametrize("kind", [CLOSE, CLOSE_HALFWAY, 408, 504, 524])
def test_a_call_whose_answer_never_came_counts_the_most_it_can_cost(server, make_study, kind):
    server.reply = lambda _: kind if isinstance(kind, str) else server.failure(kind)
    project = make_study(toy=PRICED, allow=["hosted_vllm"], retries=0)
    flow().run(texts())
    assert bm.sql("select count(max_cost_usd) as n from calls").n.item() == 1
    assert project.spending_limit().spent_usd > 0.02


def test_a_server_that_cannot_be_reached_costs_nothing(server, make_study):
    server.refuse_connections()
    project = make_study(toy=PRICED, allow=["hosted_vllm"], retries=0)
    flow().run(texts())
    assert bm.sql("select count(*) as n, count(max_cost_usd) as costs from calls").values.tolist() == [[1, 0]]
    assert project.spending_limit().spent_usd == 0


def test_the_next_run_takes_that_answer_from_the_cache(server, make_study):
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=None)
    then(server, lambda body: server.answer(body, name=asked_of(body)), tokens=5_000)
    with pytest.raises(bm.errors.BudgetReached):
        flow(desk(), ask="separately").run(texts(), budget_usd=2.0)
    run = flow(desk(), ask="separately").run(texts())
    assert run.counts == {"ok": 1}
    assert run.calls().cached.tolist() == [True, False]
    assert len(server.received) == 2
    assert paid(run) == [0.0, EACH]


def test_a_stop_while_the_second_call_is_open_leaves_the_row_of_the_first(server, make_study):
    stop = threading.Event()

    def hang(body):
        stop.set()
        return HANG

    then(server, hang)
    make_study(toy=PRICED, allow=["hosted_vllm"], grace_s=0.1)
    threading.Thread(target=lambda: stop.wait(20) and bm.last_run().cancel(), daemon=True).start()
    with pytest.raises(bm.Interrupted):
        flow(desk(), ask="separately").run(texts())
    assert paid(bm.last_run()) == [EACH]
    assert bm.last_run().counts == {"cancelled": 1}


def test_a_question_that_is_skipped_leaves_the_row_of_the_one_that_was_answered(server, make_study):
    then(server, lambda _: server.failure(500))  # the second goes to a model that has no cues for it
    make_study(toy=PRICED, allow=["hosted_vllm"], retries=0)
    run = flow(desk(), ask="separately", fallback="offline/strict").run(texts())
    assert run.counts == {"skipped": 1}
    assert dict(run.scores()[["criterion", "status"]].values.tolist()) == {"calm": "ok", "fair": "skipped"}
    assert paid(run) == [EACH]


def test_a_record_without_leave_in_the_middle_of_its_cell_keeps_what_was_paid(server, make_study):
    """A model of last resort whose leave is taken back while the run goes on."""
    project = make_study(
        toy=PRICED,
        models={"far": {"model": "lm_studio/far", "api_base": server.base, "local": False}},
        allow=["hosted_vllm", "lm_studio"],
        retries=0,
    )

    def fail(_):
        project.client.consent.recipients.discard("lm_studio")
        return server.failure(500)

    then(server, fail)
    with pytest.raises(bm.ConsentError, match="lm_studio"):
        flow(desk(), ask="separately", fallback="far").run(texts())
    assert paid(bm.last_run()) == [EACH]
    assert bm.last_run().counts == {"cancelled": 1}


def test_a_re_ask_that_is_cut_off_leaves_what_was_removed_from_its_text(server, make_study):
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=None, redact={"name": "Kim"})
    then(server, server.answer, text=json.dumps({"criteria": {"calm": {**ANSWER, "answer": "rather"}}}), tokens=5_000)
    with pytest.raises(bm.errors.BudgetReached):
        flow().run(bm.Corpus([bm.Record(record_id="a", content="Kim sang.")]), budget_usd=2.0)
    assert bm.sql("select placeholder, original from redactions").values.tolist() == [["[name 1]", "Kim"]]
