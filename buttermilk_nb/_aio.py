"""Sync on top, async beneath: one background loop for the whole process.

A notebook already runs a loop in its main thread, and a script runs none. Running our own loop in a
daemon thread serves both the same way, keeps the pooled clients of every run on one loop, and leaves
the main thread free to take a Ctrl-C.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_pid: int | None = None
_POLL_S = 0.2  # how often the waiting main thread looks up; Windows delivers Ctrl-C only between waits


def background() -> asyncio.AbstractEventLoop:
    """The loop, started on first use (and again in a forked child, whose threads are gone)."""
    global _loop, _pid
    with _lock:
        if _loop is None or _loop.is_closed() or _pid != os.getpid():
            _loop = asyncio.new_event_loop()
            _pid = os.getpid()
            threading.Thread(target=_loop.run_forever, name="buttermilk_nb-loop", daemon=True).start()
        return _loop


def submit(work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Start a coroutine on the background loop."""
    return asyncio.run_coroutine_threadsafe(work, background())


def wait(future: concurrent.futures.Future[T], on_interrupt: Callable[[int], None]) -> T:
    """Wait in the calling thread; the n-th Ctrl-C calls `on_interrupt(n)` and goes on waiting."""
    presses = 0
    while not future.done():
        try:
            concurrent.futures.wait([future], timeout=_POLL_S)
        except KeyboardInterrupt:
            presses += 1
            on_interrupt(presses)
    return future.result()


async def wait_async(future: concurrent.futures.Future[T], on_interrupt: Callable[[int], None]) -> T:
    """The twin of `wait`: the n-th cancellation calls `on_interrupt(n)`, and is passed on at the end."""
    waiting = asyncio.wrap_future(future)
    presses = 0
    while not waiting.done():
        try:
            await asyncio.wait([waiting])
        except asyncio.CancelledError:
            presses += 1
            on_interrupt(presses)
    if presses:
        waiting.exception()  # seen; the cancellation is what the caller hears of
        raise asyncio.CancelledError
    return waiting.result()
