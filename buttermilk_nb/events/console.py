"""Prints events while somebody looks for a mistake: `bm.debug()`."""

from __future__ import annotations

import sys

from .._internal.ids import canonical
from .._internal.text import shorten
from ..errors import is_debugging
from .event import Event

_MAX_CHARACTERS = 300


def print_event(event: Event) -> None:
    """A listener that prints one line for each event, and nothing unless `bm.debug()` was called."""
    if is_debugging():
        about = " ".join(filter(None, (event.source, event.transaction_id)))
        payload = shorten(canonical(event.payload), _MAX_CHARACTERS) if event.payload else ""
        time = event.happened_at.astimezone().strftime("%H:%M:%S.%f")[:-3]
        print(f"{time} {type(event).__name__} {about} {payload}".rstrip(), file=sys.stderr)  # noqa: T201  # asked for
