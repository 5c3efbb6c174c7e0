"""A budget at its edge: many calls at once, several runs at once, calls that cost nothing."""

import asyncio
import io

import PIL.Image
import pytest
from hypothesis import given, settings, strategies as st

import buttermilk_nb as bm
from buttermilk_nb.errors import BudgetReached
from buttermilk_nb.llm.calls.budget import Budget, Spending, SpendingLimit
from buttermilk_nb.project.project import Project

PRICED = {"local": False, "prices": {"input": 1000.0, "output": 1000.0}, "params": {"max_tokens": 20}}
EACH = (11 + 7) * 1000 / 1e6  # what the server says that it read and wrote
CALM = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["Text"]})


def flow(**fields):
    return bm.Flow("tone", [bm.Judge("judge", criteria=CALM, **fields)])


def texts(n, start=0):
    return bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"Text {i}.") for i in range(start, start + n)])


def spent():
    return bm.sql("select coalesce(sum(cost_usd), 0) as usd from calls").usd.item()


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(0, 100),
    calls=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 100), st.integers(0, 5)), max_size=30),
)
def test_however_calls_come_and_end_what_they_cost_and_may_cost_stays_below_the_limit(limit, calls):
    purse = SpendingLimit(float(limit), label="the budget", hint="")
    budget = Budget([SpendingLimit(1e9, label="another", hint=""), purse])

    async def call(most, share, turns):
        try:
            await budget.reserve(lambda: float(most))
        except BudgetReached:
            assert purse.spent_usd + most > limit  # not for what others have only set aside
            return 0
        assert purse.spent_usd + purse.reserved_usd <= limit + 1e-9  # what binary fractions add up to
        for _ in range(turns):
            await asyncio.sleep(0)
        budget.settle(float(most), most * share / 100)
        return 1

    async def all_at_once():
        return await asyncio.wait_for(asyncio.gather(*(call(*one) for one in calls)), 20)

    asyncio.run(all_at_once())
    assert purse.spent_usd <= limit + 1e-9
    assert purse.reserved_usd == pytest.approx(0)


def test_many_calls_at_once_spend_a_budget_to_its_end_and_not_beyond():
    purse = SpendingLimit(1.0, label="the budget", hint="")
    budget = Budget([purse])
    sent = []

    async def call():
        await budget.reserve(lambda: 0.3)
        sent.append(purse.reserved_usd)
        await asyncio.sleep(0.001)
        budget.settle(0.3, 0.2)

    async def scene():
        return await asyncio.gather(*(call() for _ in range(50)), return_exceptions=True)

    ends = asyncio.run(scene())
    assert (sum(end is None for end in ends), purse.spent_usd) == (4, pytest.approx(0.8))
    assert max(sent) <= 1.0  # no more than three open at once
    assert all(isinstance(end, BudgetReached) for end in ends if end is not None)


def test_many_calls_at_once_do_not_exceed_the_budget_of_their_run(server, make_study):
    server.wait_s = 0.02
    server.reply = lambda body: server.answer(body, tokens=20)  # as many as it may write
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=None)
    with pytest.raises(bm.errors.BudgetReached):
        flow().run(texts(60), budget_usd=2.0, concurrency=32)
    assert 1.0 < spent() <= 2.0
    assert server.most_open <= 2.0 / 0.3


def test_runs_at_once_share_the_project_s_budget(server, make_study):
    server.wait_s = 0.02
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=1.0)

    async def scene():
        runs = [flow().run_async(texts(30, start=100 * i), concurrency=16) for i in range(3)]
        return await asyncio.gather(*runs, return_exceptions=True)

    ends = asyncio.run(scene())
    assert any(isinstance(end, bm.errors.BudgetReached) for end in ends)
    assert 0.5 < spent() <= 1.0


def test_a_run_that_begins_does_not_forget_what_others_spend_meanwhile(make_study, monkeypatch):
    project = make_study(budget_usd=1.0)
    shared = project.spending_limit()
    budget = Budget([shared])

    def slowly(_):
        budget.settle(0.0, 0.4)  # a call of another run ends while the Store adds up what is stored
        return Spending(0.0)

    monkeypatch.setattr(Project, "_spending", slowly)
    assert project.spending_limit() is shared
    assert shared.spent_usd == pytest.approx(0.4)
    assert project.spending_limit().spent_usd == pytest.approx(0.8)


SPENDER = """
import json, sys
import buttermilk_nb as bm
start = int(sys.argv[2])
project = bm.init("study", path=sys.argv[1])
calm = bm.Criteria("calm", "Is it calm?", flag="no")
texts = bm.Corpus([bm.Record(record_id=f"r{n}", content=f"Text {n}.") for n in range(start, start + 200)])
try:
    bm.Flow("tone", [bm.Judge("judge", criteria=calm)]).run(texts, concurrency=2)
except bm.errors.BudgetReached as error:
    print(json.dumps(str(error)))
"""


def test_processes_at_once_share_the_project_s_budget(server, make_study, start_preloaded):
    server.wait_s = 0.25
    project = make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=1.0)
    programs = [start_preloaded(SPENDER, project.folder, start) for start in (0, 1000, 2000)]
    printed = [program.communicate(timeout=120)[0] for program in programs]
    assert all("the project's budget" in text for text in printed), printed
    assert len(server.received) <= 1.5 / EACH, "alone, each of the three would spend the whole budget"
    assert spent() <= 1.5


@pytest.mark.parametrize("tokens", [7, 5_000])  # with the second the first call alone exceeds the budget
def test_calls_that_cost_nothing_go_on_when_the_money_is_spent(server, make_study, tokens):
    server.reply = lambda body: server.answer(body, tokens=tokens)
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=None)
    with pytest.raises(bm.errors.BudgetReached):
        flow(models=["toy", "offline/strict", "double/answer"]).run(texts(40), budget_usd=0.6, concurrency=1)
    judged = bm.last_run().scores().groupby("model").status.apply(lambda found: (found == "ok").sum())
    assert judged["offline/strict"] == judged["double/answer"] == 40
    assert judged["toy"] == len(server.received) < 40


def test_a_server_of_one_s_own_goes_on_too(server, make_study):
    server.reply = lambda body: server.answer(body, tokens=5_000)
    here = {"model": "hosted_vllm/here", "api_base": server.base}
    make_study(toy=PRICED, models={"here": here}, allow=["hosted_vllm"], budget_usd=1.0)
    with pytest.raises(bm.errors.BudgetReached):
        flow(models=["toy", "here"]).run(texts(6), concurrency=1)
    assert bm.last_run().counts == {"ok": 7, "pending": 5}
    run = flow(models="here").run(texts(9))  # in a project that has spent more than it may
    assert run.counts == {"ok": 9}


def test_sixty_four_calls_in_flight_stop_within_the_budget_and_what_was_in_flight(make_study, server):
    """The server says that every answer was a hundred times as long as anybody could expect."""
    tokens = 20_000
    server.wait_s = 0.05
    server.reply = lambda body: server.answer(body, tokens=tokens)
    price = 10.0  # US dollars per million tokens
    each = (11 + tokens) * price / 1e6
    make_study(
        toy={"local": False, "prices": {"input": price, "output": price}}, allow=["hosted_vllm"],
        budget_usd=20 * each, concurrency=64,
    )  # fmt: skip
    with pytest.raises(BudgetReached):
        flow().run(texts(400), concurrency=64, yes=True)
    assert len(server.received) < 400
    assert spent() <= 20 * each + 64 * each
    before = len(server.received)
    with pytest.raises(BudgetReached):
        flow().run(texts(400), concurrency=64, yes=True)
    assert len(server.received) == before, "once it is spent, nothing more is sent"


def picture(width, height):
    data = io.BytesIO()
    PIL.Image.new("L", (width, height)).save(data, "PNG")
    return bm.Image.from_bytes(data.getvalue(), "picture.png")


def test_images_are_part_of_the_estimated_and_of_the_highest_cost(server, make_study):
    server.reply = lambda body: {**server.answer(body), "usage": {"prompt_tokens": 1200, "completion_tokens": 20}}
    make_study(
        toy={"local": False, "prices": {"input": 100.0, "output": 100.0}, "params": {"max_tokens": 20}},
        allow=["hosted_vllm"], budget_usd=0.3,
    )  # fmt: skip
    corpus = bm.Corpus(
        [bm.Record(record_id=f"r{n}", content=f"Text {n}.", images=(picture(900, 900),)) for n in range(8)]
    )
    assert flow().estimate(corpus).cost_usd > 8 * 0.1
    with pytest.raises(BudgetReached):
        flow().run(corpus, concurrency=8, yes=True)
    assert len(server.received) == 2, "two calls of 0.13 dollars fit, and a third would not"


def test_a_model_that_reads_more_than_was_estimated_raises_what_its_next_calls_reserve(server, make_study):
    """Some providers count 20,000 tokens and more for an image."""
    server.wait_s = 0.05
    server.reply = lambda body: {**server.answer(body), "usage": {"prompt_tokens": 20_000, "completion_tokens": 20}}
    make_study(
        toy={"local": False, "prices": {"input": 10.0, "output": 10.0}, "params": {"max_tokens": 20}},
        allow=["hosted_vllm"], budget_usd=1.0,
    )  # fmt: skip
    with pytest.raises(BudgetReached):
        flow().run(texts(200), concurrency=1)
    assert (len(server.received), spent()) == (4, pytest.approx(4 * 0.2002))


def test_answers_of_unknown_length_count_as_the_longest_that_is_expected(server, make_study):
    def without_usage(body):
        answer = server.answer(body)
        del answer["usage"]
        return answer

    server.reply = without_usage
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=1.0)
    with pytest.raises(BudgetReached):
        flow().run(texts(40), concurrency=1)
    assert 0 < len(server.received) < 10, "each may have cost 0.2 dollars and more"


UNTRUE = {
    "negative": {"prompt_tokens": -1, "completion_tokens": -1, "total_tokens": -2},
    "very negative": {"prompt_tokens": -5000, "completion_tokens": -5000, "total_tokens": -10_000},
    "nothing written": {"prompt_tokens": 11, "completion_tokens": 0, "total_tokens": 11},
    "only what was read": {"prompt_tokens": 11, "total_tokens": 700},
    "huge": {"prompt_tokens": 11, "completion_tokens": 10**30, "total_tokens": 10**30},
}


@pytest.mark.parametrize("kind", UNTRUE)
def test_a_count_of_tokens_that_cannot_be_true_counts_as_the_longest_answer(server, make_study, kind):
    server.reply = lambda body: {**server.answer(body), "usage": UNTRUE[kind]}
    make_study(toy={**PRICED, "limits": {"in_flight": 1}}, allow=["hosted_vllm"], budget_usd=None)
    with pytest.raises(BudgetReached):
        flow().run(texts(40), budget_usd=1.0, concurrency=1)
    assert 0 < len(server.received) <= 10
    assert spent() >= 0


def test_a_paid_reply_without_an_answer_counts_as_the_longest_answer(server, make_study):
    server.reply = lambda body: {**server.answer(body), "choices": []}
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=None)
    with pytest.raises(BudgetReached):
        flow().run(texts(40), budget_usd=1.0, concurrency=1)
    assert 0 < len(server.received) <= 10


def test_calls_that_never_answered_count_as_what_they_may_have_cost(server, make_study):
    server.wait_s = 5
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=0.5, timeout_s=1, retries=0)
    with pytest.raises(BudgetReached):
        flow().run(texts(40), concurrency=1)
    assert len(server.received) < 10
    assert bm.last_run().counts["timeout"] >= 1


def test_nobody_pays_for_more_answers_than_are_read(server, make_study):
    make_study(toy={**PRICED, "params": {"max_tokens": 20, "n": 20}}, allow=["hosted_vllm"], budget_usd=None)
    run = flow().run(texts(1))
    assert run.counts == {"ok": 1}
    assert "n" not in server.received[0]
    assert run.calls().params_dropped.str.contains('"n"').all()
