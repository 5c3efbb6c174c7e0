"""A price is known only if it is listed for that very name or set by the user; nothing else counts as free."""

from __future__ import annotations

import pytest
from support.study import corpus, flow, judge

import buttermilk_nb as bm
from buttermilk_nb.llm.providers.listed_price import listed_price, nearest_listed_name

LISTED = [
    "anthropic/claude-sonnet-4-5", "openai/gpt-4o", "gemini/gemini-2.5-flash", "openai/o1", "azure/gpt-4o",
    "mistral/mistral-large-latest", "deepseek/deepseek-chat", "vertex_ai/gemini-2.5-flash",
    "openai/text-embedding-3-small",
]  # fmt: skip
UNLISTED = [
    "anthropic/claude-opus-9", "gemini/gemini-9-pro", "openai/o99", "anthropic/claude-sonet-4-5", "openai/gpt-40",
    "gemini/gemini-2.5-flsh", "openai/claude-sonnet-4-5", "anthropic/gpt-4o", "gemini/gemini-exp-1206", "openai/",
    "hosted_vllm/toy", "nobody/nothing",
]  # fmt: skip


@pytest.mark.parametrize("name", LISTED)
def test_a_listed_name_has_its_price(name):
    price = listed_price(name)
    assert price is not None
    assert price[0] > 0


@pytest.mark.parametrize("name", UNLISTED)
def test_any_other_name_has_none(name):
    assert listed_price(name) is None


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("anthropic/claude-sonet-4-5", "anthropic/claude-sonnet-4-5"),
        ("gemini/gemini-2.5-flsh", "gemini/gemini-2.5-flash"),
        ("openai/gpt-4o", ""),
        ("openai/qqqqqqqqqqqqqqqqqqqq", ""),
    ],
)
def test_a_misspelt_name_gets_the_nearest_listed_one(name, nearest):
    assert nearest_listed_name(name) == nearest


@pytest.fixture
def unlisted_project(make_project, monkeypatch):
    for provider in ("ANTHROPIC", "OPENAI", "GEMINI"):
        monkeypatch.setenv(f"{provider}_API_KEY", "sk-planted-0123456789")
    return make_project("anthropic/claude-sonet-4-5", settings="allow: [anthropic]")


def test_an_unlisted_model_is_not_estimated_as_free_and_does_not_start_within_a_budget(unlisted_project):
    shaky = flow(judge())
    estimate = shaky.estimate(corpus(2))
    assert [entry.cost_usd for entry in estimate.models] == [None]
    assert "$0" not in str(estimate)
    with pytest.raises(bm.SetupError) as raised:
        shaky.run(corpus(2))
    message = str(raised.value)
    assert "(did you mean `anthropic/claude-sonnet-4-5`?) is not known, so the budget cannot be kept" in message
    assert "prices: {input: ..., output: ...}" in message
    assert "run(..., yes=True)" in message
    assert bm.sql("select count(*) as n from runs").n.item() == 0


def test_with_a_yes_or_without_a_budget_it_would_be_asked(make_study, server):
    remote = {"local": False, "prices": None}
    make_study(toy=remote, allow=["hosted_vllm"])
    with pytest.raises(bm.SetupError, match="is not known, so the budget cannot be kept"):
        flow(judge()).run(corpus(1))
    run = flow(judge()).run(corpus(1), yes=True)
    assert "do not count towards the project's budget" in " ".join(run.remarks)
    assert len(server.received) >= 1
    flow(judge()).run(corpus(1))  # from the cache, where nothing is paid
    make_study(toy=remote, allow=["hosted_vllm"], budget_usd=None)
    assert flow(judge()).run(corpus(2)).planned == 2
