"""One call for all who ask the same at once; what ends one run does not end another that waits for the same call."""

import asyncio
import threading
import time

import pytest

import buttermilk_nb as bm
from buttermilk_nb._internal import event_loop
from buttermilk_nb.config.settings import Settings
from buttermilk_nb.errors import QuotaError
from buttermilk_nb.llm.cache import AnswerCache
from buttermilk_nb.llm.calls.client import Client
from buttermilk_nb.llm.calls.run_scope import RunScope
from buttermilk_nb.llm.message import Message
from buttermilk_nb.llm.model import Request
from buttermilk_nb.llm.offline_input import OfflineInput
from buttermilk_nb.llm.registry import make_model

PRICED = {"local": False, "prices": {"input": 1000.0, "output": 1000.0}, "params": {"max_tokens": 20}}


def flow(**fields):
    return bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"), **fields)])


def texts(n):
    return bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"Text {i}.") for i in range(n)])


def until(true, limit_s=20):
    """Wait until something is so."""
    deadline, pause = time.monotonic() + limit_s, threading.Event()
    while not true():
        assert time.monotonic() < deadline
        pause.wait(0.01)


@pytest.fixture
def held(server):
    """A server whose answers wait until `let_go` is set."""
    server.let_go, server.tokens = threading.Event(), 7

    def reply(body):
        server.let_go.wait(20)
        return server.answer(body, tokens=server.tokens)

    server.reply = reply
    yield server
    server.let_go.set()


def together(held, project, first, second, *, flights, sent, stopping=False):
    """Two runs at once, of which the second joins each call of the first before any is answered; what came of both."""

    def waiting():
        return [call.n_waiting for call in list(project.client._in_flight.values())]

    async def both():
        one = asyncio.ensure_future(first())
        await asyncio.to_thread(until, lambda: held.received and len(waiting()) == flights)
        earlier = bm.last_run()
        two = asyncio.ensure_future(second())
        await asyncio.to_thread(until, lambda: waiting() == [2] * flights)
        assert len(held.received) == sent
        if stopping:
            earlier.cancel()
            await asyncio.to_thread(event_loop.call_in_loop, lambda: None)  # the loop has heard of it
        held.let_go.set()
        return await asyncio.gather(one, two, return_exceptions=True)

    return asyncio.run(both())


def test_another_run_s_budget_does_not_end_this_run(held, make_study):
    project = make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=None)
    held.tokens = 5_000  # the first call costs all there is
    poor = lambda: flow().run_async(texts(2), budget_usd=0.6)  # noqa: E731  # of which one call may take half
    stopped, finished = together(held, project, poor, lambda: flow().run_async(texts(2)), flights=2, sent=1)
    assert isinstance(stopped, bm.errors.BudgetReached)
    assert finished.counts == {"ok": 2}
    assert len(held.received) == 2


def test_another_run_that_is_stopped_does_not_end_this_run(held, make_study):
    project = make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=None)
    run = lambda: flow().run_async(texts(9), concurrency=8)  # noqa: E731  # the ninth waits at the gate
    stopped, finished = together(held, project, run, run, flights=9, sent=1, stopping=True)
    assert isinstance(stopped, bm.errors.RunStopped)
    assert finished.counts == {"ok": 9}
    assert len(held.received) == 9


def test_a_model_that_another_run_has_given_up_is_asked_by_this_one(tmp_path):
    model = make_model("double/answer")
    record = bm.Record(record_id="a", content="One text.")
    asked = Request(
        model,
        [Message("user", "One text.")],
        offline_input=OfflineInput(record, bm.Criteria("calm", "Calm?", flag="no")),
    )
    client = Client(AnswerCache(tmp_path / "cache"), Settings(name="study"))
    without, with_hope = (RunScope(name, model_info={model.name: {}}) for name in ("first", "second"))
    without.open_circuits[model.name] = QuotaError("the account is empty.")

    async def both():
        return await asyncio.gather(*(client.ask(asked, trace_id="t", scope=one) for one in (without, with_hope)))

    first, second = asyncio.run(both())
    client._cache.close()
    assert (type(first.error), first.attempts) == (QuotaError, 0)
    assert (second.error, second.attempts, client.sent) == (None, 1, 1)
