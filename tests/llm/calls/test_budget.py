"""Budgets stop new calls before they are exceeded; large runs are confirmed; unknown prices are never zero."""

import asyncio

import pytest

import buttermilk_nb as bm
from buttermilk_nb._internal import hooks
from buttermilk_nb.llm.calls.budget import Budget, SpendingLimit

PRICED = {"local": False, "prices": {"input": 1000.0, "output": 1000.0}, "params": {"max_tokens": 20}}
EACH = (11 + 7) * 1000 / 1e6  # what the server says that it read and wrote


def flow(**fields):
    return bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"), **fields)])


def texts(n, start=0):
    return bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"Text {i}.") for i in range(start, start + n)])


def spent():
    return bm.sql("select sum(cost_usd) as usd from calls").usd.item()


def test_a_run_stops_before_its_budget_is_exceeded_and_keeps_every_row(server, make_study):
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=None)
    with pytest.raises(bm.errors.BudgetReached, match=r"this run's budget \(\$1\.00\).*budget_usd.*are missing"):
        flow().run(texts(40), budget_usd=1.0)
    run = bm.last_run()
    assert run.status == "over budget"
    assert 0 < run.counts["ok"] == len(server.received)
    assert sum(run.counts.values()) == 40
    assert 0.5 < spent() <= 1.0
    assert run.cost_usd == pytest.approx(run.counts["ok"] * EACH)


def test_running_again_with_more_money_goes_on_where_it_stopped(server, make_study):
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=None)
    with pytest.raises(bm.errors.BudgetReached):
        flow().run(texts(20), budget_usd=0.5)
    before = len(server.received)
    assert flow().run(texts(20), budget_usd=5).counts == {"ok": 20}
    assert len(server.received) == 20 > before


def test_the_project_s_budget_counts_what_earlier_runs_spent(server, make_study):
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=1.0)
    flow().run(texts(20))
    with pytest.raises(bm.errors.BudgetReached, match=r"the project's budget \(\$1\.00\).*buttermilk.yaml"):
        flow().run(texts(40, start=100))
    assert spent() <= 1.0


def test_what_is_cached_costs_nothing_of_a_budget(server, make_study):
    make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=1.0)
    flow().run(texts(20))
    assert flow().run(texts(20), budget_usd=0.0).counts == {"ok": 20}


def test_a_project_starts_with_five_dollars():
    assert bm.Project.__init__ is not None
    from buttermilk_nb.config.settings import Settings

    assert (Settings(name="x").budget_usd, Settings(name="x").confirm_above) == (5.0, 200)


def test_an_unknown_price_is_null_and_counted_and_no_budget_can_be_kept_of_it(server, make_study):
    make_study(toy={"local": False}, allow=["hosted_vllm"])
    with pytest.raises(bm.SetupError, match="the price of `toy` is not known.*prices.*yes=True"):
        flow().run(texts(3))
    with pytest.raises(bm.SetupError, match="prices"):
        flow().run(texts(3), budget_usd=1.0)
    assert server.received == []
    run = flow().run(texts(3), yes=True)
    assert run.calls().cost_usd.isna().all()
    assert run.cost_usd is None
    assert any("is not known" in remark for remark in run.remarks)
    assert flow().run(texts(3)).counts == {"ok": 3}, "what is cached needs no price"


def test_calls_wait_for_those_in_flight_instead_of_failing_at_the_edge_of_a_budget():
    async def scene():
        purse = SpendingLimit(0.10, label="the run's budget", hint="")
        budget = Budget([purse])
        await budget.reserve(lambda: 0.06)
        second = asyncio.create_task(budget.reserve(lambda: 0.06))
        await asyncio.sleep(0.01)
        waited = not second.done()
        budget.settle(0.06, 0.02)
        await asyncio.wait_for(second, 1)
        return waited, purse.reserved_usd

    assert asyncio.run(scene()) == (True, 0.06)


def test_a_large_run_on_remote_models_wants_a_yes(server, make_study):
    make_study(toy=PRICED, allow=["hosted_vllm"], confirm_above=5)
    with pytest.raises(bm.errors.UnconfirmedError, match=r"6 calls: 0 cached, 6 new, about \$.*cap \$5.00.*yes=True"):
        flow().run(texts(6))
    assert server.received == []
    assert flow().run(texts(6), yes=True).counts == {"ok": 6}
    assert flow().run(texts(6)).counts == {"ok": 6}  # all cached: nothing to confirm


@pytest.mark.parametrize("said", [True, False])
def test_a_notebook_asks_and_does_what_it_is_told(server, make_study, said):
    make_study(toy=PRICED, allow=["hosted_vllm"], confirm_above=5)
    asked = []
    hooks.register_hook("confirm", lambda question: asked.append(question) or said)
    try:
        if said:
            assert flow().run(texts(6)).counts == {"ok": 6}
        else:
            with pytest.raises(bm.errors.UnconfirmedError, match="nothing was sent"):
                flow().run(texts(6))
    finally:
        hooks.remove_hook("confirm")
    assert len(asked) == 1
    assert "Send 6 calls" in asked[0]
    assert len(server.received) == (6 if said else 0)


def test_a_local_model_is_never_asked_about(server, make_study):
    make_study(confirm_above=0)
    assert flow().run(texts(6)).counts == {"ok": 6}


def test_an_estimate_knows_the_cache_the_price_and_the_cap(server, make_study):
    make_study(toy=PRICED, allow=["hosted_vllm"])
    flow().run(texts(4))
    found = flow().estimate(texts(6))
    assert (found.calls, found.cached, found.new) == (6, 4, 2)
    assert str(found).startswith("6 calls: 4 cached, 2 new, about $")
    assert str(found).endswith("cap $5.00")
    assert "estimated from characters" in found.to_html()


def test_an_estimate_counts_with_the_model_s_own_tokenizer_where_it_has_one(make_study):
    made = make_study(models={"gpt": {"model": "openai/gpt-4o-mini", "key": "env:SOME_KEY"}})
    assert made.model("gpt").own_tokenizer
    assert made.model("gpt").count_tokens("Hello world") == 2


@pytest.mark.parametrize(("option", "value"), [("budget_usd", -1.0), ("time_limit_s", 0)])
def test_a_limit_that_makes_no_sense_is_a_sentence(make_study, option, value):
    make_study()
    with pytest.raises(bm.SetupError, match=option):
        flow().run(texts(1), **{option: value})
