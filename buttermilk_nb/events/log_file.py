"""Writes state changes and errors to the project's log file, one JSON line each."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from .._internal.private_files import make_private_folder, private_files
from .event import Event


class LogFile:
    """A listener that appends to a file.

    Parameters
    ----------
    path
        The file; it is created with the first line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write one line, unless events of this type are not stored."""
        if not event.is_stored:
            return
        line = event.as_row().model_dump(mode="json")
        with self._lock:
            make_private_folder(self.path.parent)
            with private_files(self.path.parent), self.path.open("a", encoding="utf-8", errors="replace") as handle:
                handle.write(json.dumps(line, ensure_ascii=False) + "\n")
