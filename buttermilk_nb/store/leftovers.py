"""Removes incomplete copies of the DuckDB file that a killed process has left next to it."""

from __future__ import annotations

from pathlib import Path

from .file_lock import FileLock

_ENDINGS = ("*.fresh", "*.fresh.wal", "*.part", "*.part.wal", "*.new", "*.new.wal")


def remove_copies(path: Path) -> None:
    """Remove incomplete copies; call this only while no other process can make one, because this one has the file.

    Parameters
    ----------
    path
        The DuckDB file.
    """
    for copy in _copies(path):
        copy.unlink(missing_ok=True)


def remove_copies_if_free(path: Path) -> None:
    """Remove incomplete copies, unless another process has the file at this moment and may be making one."""
    if not _copies(path):
        return
    lock = FileLock(path, shared=False)
    try:
        if lock.acquire():
            remove_copies(path)
    finally:
        lock.release()


def _copies(path: Path) -> list[Path]:
    return [
        copy for ending in _ENDINGS for dots in (".", "..") for copy in path.parent.glob(f"{dots}{path.name}.{ending}")
    ]
