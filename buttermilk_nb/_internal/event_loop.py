"""One background event loop per process, on which synchronous functions run asynchronous code.

A notebook already runs a loop in its main thread, and a script runs none. A loop of our own in a daemon thread works
the same way for both. It keeps the pooled clients of every run on one loop, and leaves the main thread free for Ctrl-C.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
LONG_TEXT = 20_000
"""Characters from which on a text is processed on a thread."""

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_pid: int | None = None
_thread: threading.Thread | None = None
_POLL_S = 0.2  # the main thread wakes up this often while it waits; Windows delivers Ctrl-C only between waits


def background_loop() -> asyncio.AbstractEventLoop:
    """The loop, started on first use (and again in a forked child, which has lost its threads)."""
    global _loop, _pid, _thread
    with _lock:
        if _loop is None or _loop.is_closed() or _pid != os.getpid() or not (_thread and _thread.is_alive()):
            _loop = asyncio.new_event_loop()
            _pid = os.getpid()
            _thread = threading.Thread(target=_loop.run_forever, name="buttermilk_nb-loop", daemon=True)
            _thread.start()
        return _loop


async def process_text(n_characters: int, process: Callable[..., T], *args: Any) -> T:
    """Call a function that processes a text: on a thread if the text is long, so that the loop is never blocked."""
    return await asyncio.to_thread(process, *args) if n_characters > LONG_TEXT else process(*args)


def call_in_loop(function: Callable[[], object], timeout_s: float = 5.0) -> None:
    """Call a plain function in the loop's thread and wait; do nothing if the loop never ran."""
    if _loop is None or _loop.is_closed() or _pid != os.getpid() or not (_thread and _thread.is_alive()):
        return
    if _thread is threading.current_thread():
        function()
        return

    async def run() -> None:
        function()

    with contextlib.suppress(concurrent.futures.TimeoutError):  # the process is ending, and the loop's thread with it
        asyncio.run_coroutine_threadsafe(run(), _loop).result(timeout_s)


def run_until_complete(make_coroutine: Callable[[], Coroutine[Any, Any, object]], timeout_s: float = 5.0) -> None:
    """Run a coroutine on the loop to its end; do nothing if the loop never ran or this is its own thread."""
    if _loop is None or _loop.is_closed() or _pid != os.getpid() or not (_thread and _thread.is_alive()):
        return
    if _thread is threading.current_thread():
        return
    with contextlib.suppress(concurrent.futures.TimeoutError):  # the process is ending
        asyncio.run_coroutine_threadsafe(make_coroutine(), _loop).result(timeout_s)


def close(timeout_s: float = 5.0) -> None:
    """Cancel what is left on the loop, such as tasks of libraries, and end its thread; do nothing if it never ran."""

    async def cancel_all() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run_until_complete(cancel_all, timeout_s)
    if _loop is None or _thread is None or _pid != os.getpid() or _thread is threading.current_thread():
        return
    if not _loop.is_closed():
        _loop.call_soon_threadsafe(_loop.stop)
        _thread.join(timeout_s)
    if not _thread.is_alive():
        _loop.close()


def submit(work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Start a coroutine on the background loop."""
    return asyncio.run_coroutine_threadsafe(work, background_loop())


def wait(future: concurrent.futures.Future[T], on_interrupt: Callable[[int], None]) -> T:
    """Wait in the calling thread; the n-th Ctrl-C calls `on_interrupt(n)`, and the wait goes on."""
    presses = 0
    while not future.done():
        try:
            concurrent.futures.wait([future], timeout=_POLL_S)
        except KeyboardInterrupt:
            presses += 1
            on_interrupt(presses)
    return future.result()


async def wait_async(future: concurrent.futures.Future[T], on_interrupt: Callable[[int], None]) -> T:
    """The asynchronous `wait`: the n-th cancellation calls `on_interrupt(n)`, and is raised again at the end."""
    task = asyncio.wrap_future(future)
    presses = 0
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            presses += 1
            on_interrupt(presses)
    if presses:
        task.exception()  # marks it as retrieved; the caller gets the cancellation instead
        raise asyncio.CancelledError
    return task.result()
