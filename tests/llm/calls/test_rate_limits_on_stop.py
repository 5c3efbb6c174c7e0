"""Calls that wait when a run is stopped are not sent, and take nobody's turn."""

import asyncio
import threading
import time

import pytest

import buttermilk_nb as bm
from buttermilk_nb._internal import event_loop
from buttermilk_nb.config.model_settings import Limits
from buttermilk_nb.llm.calls.rate_limits import Limiter, MemoryLedger, RateLimit

EACH_S = 60 / 55  # of 60 a minute, of which six may go at once


def flow(**fields):
    return bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"), **fields)])


def texts(n):
    return bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"Text {i}.") for i in range(n)])


def stop_when(true, then, presses=1, limit_s=20):
    """Stop the run, in another thread, as soon as something is so; when it has heard of that, go on with `then`."""
    pause = threading.Event()

    def work():
        deadline = time.monotonic() + limit_s
        while not true() and time.monotonic() < deadline:
            pause.wait(0.005)
        for _ in range(presses):
            bm.last_run().cancel()
        event_loop.call_in_loop(lambda: None)  # the loop has heard of it
        then()

    threading.Thread(target=work, daemon=True).start()


@pytest.mark.parametrize(
    "toy", [{}, {"limits": {"in_flight": 8}}, {"local": False, "prices": {"input": 1, "output": 1}}]
)
def test_calls_that_wait_at_the_gate_are_not_sent_after_a_stop(server, make_study, toy):
    go = threading.Event()
    server.reply = lambda body: go.wait(20) and server.answer(body)
    project = make_study(toy=toy, allow=["hosted_vllm"], probe_s=0.2)
    stop_when(lambda: project.client.sent == 8, go.set)
    with pytest.raises(bm.Interrupted):
        flow().run(texts(40), concurrency=8)  # beyond these eight, others are ready and wait
    assert bm.last_run().counts == {"ok": 8, "pending": 32}
    assert len(server.received) == project.client.sent == 8


def test_a_question_of_a_cell_in_the_middle_is_not_sent_after_a_stop(server, make_study):
    go = threading.Event()
    server.reply = lambda body: go.wait(20) and server.answer(body)
    desk = bm.Criteria(
        "desk", "What?", criteria={name: {"question": f"Is it {name}?", "flag": "no"} for name in ("calm", "fair")}
    )
    project = make_study(probe_s=0.2)
    stop_when(lambda: project.client.sent == 2, go.set)
    with pytest.raises(bm.Interrupted):
        bm.Flow("tone", [bm.Judge("judge", criteria=desk, ask="separately")]).run(texts(2))
    assert bm.last_run().counts == {"cancelled": 2}
    assert (len(server.received), len(bm.last_run().calls())) == (2, 2)


def next_wait(cancelled):
    """Seconds that the next call waits after so many others have stopped waiting, where six have gone."""

    async def scene():
        ledger = MemoryLedger()
        limiter = Limiter("toy", Limits(requests_per_minute=60), ledger)
        for _ in range(6):
            assert await limiter.acquire(0, lambda seconds, why: None) < EACH_S
            limiter.release()
        waiting = [asyncio.create_task(limiter.acquire(0, lambda seconds, why: None)) for _ in range(cancelled)]
        await asyncio.sleep(0.02)
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return await RateLimit(ledger, "toy requests", 60).reserve(1)

    return asyncio.run(scene())


@pytest.mark.parametrize("cancelled", [0, 1, 20])
def test_who_stops_waiting_delays_nobody(cancelled):
    assert next_wait(cancelled) <= EACH_S + 0.001


def test_a_run_that_was_stopped_in_its_queue_leaves_no_queue_behind(server, make_study):
    project = make_study(toy={"limits": {"requests_per_minute": 60}}, grace_s=0.1)
    stop_when(lambda: len(server.received) >= 6, lambda: None, presses=2)
    with pytest.raises(bm.Interrupted):
        flow().run(texts(40), concurrency=32)
    gone = len(server.received)
    began = time.monotonic()
    assert flow().run(texts(40).head(gone + 1)).counts == {"ok": gone + 1}
    assert time.monotonic() - began < 10 * EACH_S  # thirty had waited
    assert project.client.sent == gone + 1
