"""Rate limits wait, adapt, and are seen."""

import asyncio
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from hypothesis import given, settings, strategies as st

import buttermilk_nb as bm
from buttermilk_nb.config.model_settings import Limits
from buttermilk_nb.errors import RunStopped
from buttermilk_nb.flows.execution.progress import Tally
from buttermilk_nb.llm.calls.rate_limits import InFlight, Limiter, MemoryLedger, SharedLedger, gcra
from buttermilk_nb.llm.calls.run_scope import RunScope


def flow():
    return bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"))])


def texts(n):
    return bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"Text number {i} of many.") for i in range(n)])


def departures(per_minute, arrivals, amounts=None):
    """When calls that arrive then would go."""
    burst = max(1, per_minute // 10)
    each = 60 / (per_minute - burst + 1)
    empty_at, gone = 0.0, []
    for place, arrival in enumerate(arrivals):
        amount = amounts[place] if amounts else 1
        wait, empty_at = gcra(empty_at, arrival, amount * each, burst * each)
        gone.append(arrival + wait)
    return gone


@settings(max_examples=60, deadline=None)
@given(
    per_minute=st.integers(1, 300),
    gaps=st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=400),
)
def test_no_minute_ever_sees_more_than_the_limit(per_minute, gaps):
    arrivals = [1000.0 + sum(gaps[: i + 1]) for i in range(len(gaps))]
    gone = departures(per_minute, arrivals)
    for start in gone:
        assert sum(start <= moment < start + 60 - 1e-6 for moment in gone) <= per_minute


@settings(max_examples=60, deadline=None)
@given(
    per_minute=st.integers(1_000, 100_000),
    amounts=st.lists(st.integers(1, 90), min_size=1, max_size=300),
)
def test_no_minute_ever_sees_more_tokens_than_the_limit(per_minute, amounts):
    gone = departures(per_minute, [1000.0] * len(amounts), amounts)
    for start in gone:
        used = sum(a for moment, a in zip(gone, amounts, strict=True) if start <= moment < start + 60 - 1e-6)
        assert used <= per_minute


def test_a_limit_is_used_to_the_full():
    gone = departures(60, [1000.0] * 61)
    assert gone[59] - gone[0] < 60 <= gone[60] - gone[0] + 60 / 55


def test_those_who_wait_go_in_order():
    gone = departures(20, [1000.0] * 30)
    assert gone == sorted(gone)


def test_requests_per_minute_hold_back_a_run(server, make_study):
    make_study(toy={"limits": {"requests_per_minute": 600}})
    began = time.monotonic()  # the clock of `server.times`
    flow().run(texts(75))
    assert max(server.times) - began >= 15 * 60 / 541, "60 at once, then 541 a minute"


def test_tokens_per_minute_hold_back_a_run(server, make_study):
    server.reply = lambda body: server.answer(body, tokens=50)
    make_study(toy={"limits": {"tokens_per_minute": 60_000}})
    began = time.monotonic()
    flow().run(texts(40))
    assert max(server.times) - began > 0.5


def test_calls_in_flight_are_kept_to_the_model_s_limit(server, make_study):
    server.wait_s = 0.02
    make_study(toy={"limits": {"in_flight": 3}})
    flow().run(texts(30))
    assert server.most_open == 3


def test_a_429_lowers_the_calls_in_flight_and_they_grow_again(server, make_study):
    server.wait_s = 0.02
    refused = []

    def reply(body):
        if len(server.received) > 20 and not refused:
            refused.append(server.open)
            return server.failure(429, "slow down")
        return server.answer(body)

    server.reply = reply
    project = make_study(concurrency=16)
    run = flow().run(texts(200))
    (limiter,) = [project.client.sender._limiter(project.model("toy"))]
    assert run.counts == {"ok": 200}
    assert limiter.in_flight.limit < 100  # it has no limit before the first 429


def test_a_burst_of_429s_counts_as_one():
    places = InFlight(16)
    places.open = 16
    began = -1.0
    places.on_throttle(began)
    assert places.limit == 12
    places.on_throttle(began)
    assert places.limit == 12


def test_a_cancelled_waiter_gives_its_place_to_the_next():
    async def scene():
        places = InFlight(1)
        await places.enter()
        first, second = asyncio.create_task(places.enter()), asyncio.create_task(places.enter())
        await asyncio.sleep(0)
        places.release()
        first.cancel()
        await asyncio.wait_for(second, 1)
        return places.open

    assert asyncio.run(scene()) == 1


def test_a_wait_is_seen_in_the_progress_line(server, make_study):
    project = make_study(toy={"limits": {"requests_per_minute": 60}})
    lines = []
    tally = Tally("", 12)

    def listen(event):
        tally.run_id = event.payload.get("run_id", tally.run_id)
        tally.count(event)
        lines.append(tally.line)

    project.bus.subscribe(listen)
    flow().run(texts(8))
    assert any("`toy` waits" in line and "rate limit" in line for line in lines)
    assert "waits" not in lines[-1]


def test_calls_that_the_budget_refuses_do_not_wait_for_their_turn(server, make_study):
    price = {"local": False, "prices": {"input": 1000.0, "output": 1000.0}, "params": {"max_tokens": 20}}
    project = make_study(toy={**price, "limits": {"requests_per_minute": 240}}, allow=["hosted_vllm"], budget_usd=None)
    waits = _waits(project)
    with pytest.raises(bm.errors.BudgetReached):
        flow().run(texts(40), budget_usd=0.5)
    assert 1 <= len(server.received) <= 24, "as many as may start at once"
    assert waits == [], "the others would wait one by one"


def test_calls_to_a_model_that_refuses_the_key_do_not_wait_for_their_turn(server, make_study):
    server.reply = lambda body: server.failure(401, "Incorrect key.", code="invalid_api_key")
    project = make_study(toy={"limits": {"requests_per_minute": 30}})
    waits = _waits(project)
    run = flow().run(texts(40))
    assert run.counts == {"error": 40}
    assert len(server.received) <= 5
    assert len(waits) <= len(server.received)


def _waits(project):
    """The reports of a wait for a rate limit, as they come."""
    waits = []
    project.bus.subscribe(
        lambda event: "rate limit" in str(event.payload.get("waits", event.payload)) and waits.append(event)
    )
    return waits


def test_two_projects_of_a_process_share_the_limits_of_a_model(server, make_study, tmp_path):
    first = make_study(toy={"limits": {"requests_per_minute": 60}})
    second = bm.Project(tmp_path / "other", first.settings)
    assert first.client.sender._limiter(first.model("toy")) is second.client.sender._limiter(second.model("toy"))


def test_notebooks_in_other_processes_count_where_the_project_says_so(tmp_path):
    program = textwrap.dedent(
        """
        import asyncio, sys
        from pathlib import Path
        from buttermilk_nb.llm.calls.rate_limits import RateLimit, SharedLedger
        pace = RateLimit(SharedLedger(Path(sys.argv[1])), "toy", 1)
        print(asyncio.run(pace.reserve(1)))
        """
    )
    file = tmp_path / "limits.sqlite"
    waits = [
        float(subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    assert waits[0] == 0.0 < waits[1] < waits[2]


def test_a_shared_limit_that_cannot_be_kept_is_a_sentence(tmp_path):
    (tmp_path / "limits.sqlite").write_bytes(b"this is not a database, and longer than a header of one" * 10)
    with pytest.raises(bm.errors.StoreError, match="share_limits"):
        asyncio.run(SharedLedger(tmp_path / "limits.sqlite").reserve("toy", 1.0, 1.0))


def test_admission_without_limits_waits_for_nothing():
    async def scene():
        limiter = Limiter("toy", Limits(), MemoryLedger())
        return [await limiter.acquire(10, lambda seconds, why: None) for _ in range(50)]

    assert max(asyncio.run(scene())) < 0.05


GRACE_S = 60


def stop_when(is_time):
    """Stop the run as soon as `is_time()`; returns a list that then has the time of the stop."""
    stopped_at = []

    def wait_and_stop():
        while not is_time():
            time.sleep(0.05)
        stopped_at.append(time.monotonic())
        bm.last_run().cancel()

    threading.Thread(target=wait_and_stop, daemon=True).start()
    return stopped_at


def test_a_stop_wakes_the_calls_that_wait_for_their_turn(server, make_study):
    make_study(toy={"limits": {"requests_per_minute": 1}}, grace_s=GRACE_S)
    stopped_at = stop_when(lambda: bm.last_run() is not None and bm.last_run().counts.get("ok") == 1)
    with pytest.raises(bm.Interrupted):
        flow().run(texts(3), concurrency=8)
    assert time.monotonic() - stopped_at[0] < GRACE_S / 2, "the waiting calls did not wait out the grace"
    assert bm.last_run().counts == {"ok": 1, "pending": 2}


def test_a_stop_wakes_a_call_that_waits_to_be_sent_again(server, make_study):
    server.reply = lambda _: server.failure(500)
    make_study(backoff_s=2 * GRACE_S, grace_s=GRACE_S)
    stopped_at = stop_when(lambda: len(server.received) == 1)
    with pytest.raises(bm.Interrupted):
        flow().run(texts(1))
    assert time.monotonic() - stopped_at[0] < GRACE_S / 2


def test_a_call_that_would_begin_to_wait_after_the_stop_does_not():
    async def scene():
        scope = RunScope("run")
        scope.stop()
        with scope.cancellable_wait():
            await asyncio.sleep(GRACE_S)

    with pytest.raises(RunStopped):
        asyncio.run(scene())
