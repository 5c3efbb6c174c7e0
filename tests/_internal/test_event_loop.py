"""The background loop: what is left on it at the end is cancelled, and a new one starts where one is needed again."""

import asyncio

import pytest

from buttermilk_nb._internal import event_loop


@pytest.fixture(autouse=True)
def own_loop(monkeypatch):
    """Leave the process's loop to the connections that are open on it."""
    for name in ("_loop", "_thread", "_pid"):
        monkeypatch.setattr(event_loop, name, None)
    yield
    event_loop.close()


def test_closing_cancels_what_is_left_and_the_next_call_gets_a_new_loop():
    ends = []

    async def never():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    async def start():
        return asyncio.create_task(never())

    task = event_loop.submit(start()).result(5)
    loop = event_loop.background_loop()
    event_loop.close()
    assert loop.is_closed()
    assert task.cancelled()
    assert ends == ["cancelled"]
    event_loop.close()

    async def answer():
        return 42

    assert event_loop.submit(answer()).result(5) == 42
    assert event_loop.background_loop() is not loop


def test_a_loop_that_never_ran_is_closed_without_effect():
    event_loop.close()
    assert event_loop._loop is None
