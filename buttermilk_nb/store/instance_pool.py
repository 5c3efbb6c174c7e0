"""DuckDB instances without a file, which this process reuses.

DuckDB takes 10 to 30 ms to start an instance, even for an empty file, and 2 to 5 ms to attach a file to one that runs.
A run opens its file some ten times, so instances wait here for the next use. Between two uses they have no file, no
connection and no temporary table.

Threads do not survive a fork, so the instances that wait are closed before one.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import duckdb

STORAGE = "v1.5.0"
"""The oldest version of DuckDB that can read the files."""
_CONFIG: dict[str, Any] = {"autoinstall_known_extensions": False, "storage_compatibility_version": STORAGE}
_MOST_WAITING = 2
_waiting: list[duckdb.DuckDBPyConnection] = []
_lock = threading.Lock()


def take_instance() -> duckdb.DuckDBPyConnection:
    """An instance that nothing else uses; end its use with `return_instance`, or close it."""
    with _lock:
        if _waiting:
            return _waiting.pop()
    return new_instance()


def new_instance() -> duckdb.DuckDBPyConnection:
    """A new instance, with the settings of this package."""
    return duckdb.connect(":memory:", config=_CONFIG)


def return_instance(instance: duckdb.DuckDBPyConnection) -> None:
    """Keep an instance for the next use. Its files must be detached."""
    with _lock:
        if len(_waiting) < _MOST_WAITING:
            _waiting.append(instance)
            return
    instance.close()


def _close_before_fork() -> None:
    _lock.acquire()
    while _waiting:
        _waiting.pop().close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_close_before_fork, after_in_parent=_lock.release, after_in_child=_lock.release)
