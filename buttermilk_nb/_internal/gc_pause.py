"""Makes garbage collection rare while a run works.

In a large process a full collection stops every thread for a noticeable time, and a run would cause many.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_depth = 0
_is_paused = False
_usual_threshold = gc.get_threshold()
_RARE_THRESHOLD = (20_000, 50, 50)  # a run makes hundreds of small objects per answer, and hardly any cycles


@contextmanager
def paused_gc() -> Iterator[None]:
    """Exclude existing objects from garbage collection, and collect rarely, until the end of the block.

    With litellm and a corpus loaded, one full collection stops every thread for about 200 ms, and a run that makes
    many small objects causes one every few hundred answers. If the program has frozen objects or turned the collector
    off, this does nothing.

    Examples
    --------
    >>> with paused_gc():
    ...     gc.get_freeze_count() > 0
    True
    >>> gc.get_freeze_count()
    0
    """
    global _depth, _is_paused, _usual_threshold
    with _lock:
        if not _depth:
            _is_paused = gc.isenabled() and not gc.get_freeze_count()
            if _is_paused:
                _usual_threshold = gc.get_threshold()
                gc.freeze()
                gc.set_threshold(*_RARE_THRESHOLD)
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if not _depth and _is_paused:
                gc.set_threshold(*_usual_threshold)
                gc.unfreeze()
