"""`start_load`: a corpus that is read in the background, while the notebook goes on."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import threading
import time
from collections.abc import Generator
from concurrent.futures import CancelledError, Future, InvalidStateError
from typing import Any

from .._internal.arguments import check_argument_names
from .._internal.html import fragment, title
from .._internal.progress_line import send_progress_to
from ..errors import SetupError
from .corpus import Corpus
from .load import check_format_options, load

_POLL_S = 0.2  # the main thread wakes up this often while it waits, so that Ctrl-C reaches it


class CorpusLoad:
    """A corpus that is being read. Make one with `bm.start_load`.

    Show it again to see how far it is; `await` it, or call `result()`, to have the corpus.
    """

    def __init__(self, source: Any, options: dict[str, Any]) -> None:
        self._name = source if isinstance(source, str) else type(source).__name__
        self._future: Future[Corpus] = Future()
        self._progress = "it has just begun"
        self._is_stopped = False
        self._began = time.monotonic()
        self._seconds = 0.0
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._read, source, options), name="load", daemon=True).start()

    def _read(self, source: Any, options: dict[str, Any]) -> None:
        with contextlib.suppress(InvalidStateError):  # it was stopped, and has no result
            try:
                with send_progress_to(self._show):
                    corpus = load(source, **options)
            except Exception as error:  # noqa: BLE001  # an error of any kind is the caller's
                self._future.set_exception(error)
            else:
                self._seconds = time.monotonic() - self._began
                self._future.set_result(corpus)

    def _show(self, line: str) -> None:
        if self._is_stopped:
            raise CancelledError
        self._progress = line

    @property
    def is_running(self) -> bool:
        """Whether the corpus is still being read."""
        return not self._future.done()

    def result(self, timeout_s: float | None = None) -> Corpus:
        """Wait for the corpus.

        Parameters
        ----------
        timeout_s
            The seconds to wait at most; by default as long as it takes.

        Raises
        ------
        SetupError
            What `bm.load` raises; or the load was stopped.
        TimeoutError
            The corpus is not there after `timeout_s`; the load goes on.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while self.is_running and (end is None or time.monotonic() < end):
            wait_s = _POLL_S if end is None else min(_POLL_S, max(0.0, end - time.monotonic()))
            try:
                self._future.exception(wait_s)
            except (TimeoutError, CancelledError):
                continue
        if self.is_running:
            raise TimeoutError(f"{self._name}: {self._progress}; the load goes on.")
        if self._future.cancelled():
            raise SetupError(f"the load of `{self._name}` was stopped ({self._progress}).")
        return self._future.result()

    def stop(self) -> None:
        """Stop reading. A later load of the same folder need not read its documents again."""
        self._is_stopped = True
        self._future.cancel()

    def __await__(self) -> Generator[Any, None, Corpus]:
        return asyncio.to_thread(self.result).__await__()

    def _state(self) -> str:
        if self.is_running:
            return self._progress
        if self._future.cancelled():
            return f"stopped ({self._progress})"
        if error := self._future.exception():
            return f"failed: {error}"
        return f"{len(self._future.result()):,} records, read in {self._seconds:,.1f} s"

    def __repr__(self) -> str:
        return f"CorpusLoad({self._name!r}, {self._state()})"

    def _repr_html_(self) -> str:
        return fragment(title(f"Load of {self._name}", self._state()))


@check_argument_names
def start_load(source: Any, **options: Any) -> CorpusLoad:
    """Begin to load a corpus, and return at once: for a folder of many documents, or a table of many rows.

    Parameters
    ----------
    source, **options
        What `bm.load` takes.

    Returns
    -------
    CorpusLoad
        What shows how far it is. `result()` waits for the corpus, `stop()` ends the reading; in a notebook you may
        also `await` it.

    Raises
    ------
    SetupError
        An option is unknown, or the file does not exist. What else is wrong is raised by `result()`.

    Examples
    --------
    >>> reading = start_load([{"text": "One."}, {"text": "Two."}])
    >>> reading.result()
    Corpus(2 records)
    """
    named = inspect.signature(load).parameters
    check_format_options(source, {name: value for name, value in options.items() if name not in named})
    return CorpusLoad(source, options)
