"""The collector of cyclic garbage, kept from looking through a large process again and again while a run works."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_inside = 0
_ours = False


@contextmanager
def set_aside() -> Iterator[None]:
    """Let the collector leave alone what was there before; all of it is looked through as usual afterwards.

    With litellm and a corpus loaded, a single look at everything stops every thread for some 200 ms, and a run that
    makes many small objects causes one every few hundred cells. Where the program has frozen objects of its own,
    nothing is done.

    Examples
    --------
    >>> with set_aside():
    ...     gc.get_freeze_count() > 0
    True
    >>> gc.get_freeze_count()
    0
    """
    global _inside, _ours
    with _lock:
        if not _inside:
            _ours = not gc.get_freeze_count()
            if _ours:
                gc.freeze()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _ours:
                gc.unfreeze()
