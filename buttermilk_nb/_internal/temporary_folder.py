"""Folders for what is being made, next to where it will be, which leave nothing behind even if the process is killed.

The process that makes one holds a lock on a file in it, and the operating system frees the lock when the process ends,
however it ends. So a folder whose lock is free is a left-over and can be removed.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import portalocker

from .ids import uuid7
from .private_files import make_private_folder, private_files

_ENDING = ".partial"
_LOCK = ".lock"
_EXCLUSIVE = portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING
_OLD_S = 86_400  # where a disk has no locks


@contextmanager
def temporary_folder(target: Path) -> Iterator[Path]:
    """A private folder next to `target` until the end of the block; move out of it what is complete.

    Parameters
    ----------
    target
        The file or folder that is being made.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "table.csv"
    >>> with temporary_folder(target) as folder:
    ...     _ = (folder / "table.csv").write_text("a,b")
    ...     _ = (folder / "table.csv").replace(target)
    >>> [path.name for path in target.parent.iterdir()]
    ['table.csv']
    """
    remove_leftovers(target.parent)
    folder = target.parent / f".{target.name}.{uuid7()[-12:]}{_ENDING}"
    unlocked = folder.with_suffix(".new")  # nobody takes it for a left-over before it is locked
    make_private_folder(unlocked)
    try:
        with private_files(folder), (unlocked / _LOCK).open("wb") as lock:
            with suppress(portalocker.LockException):  # the disk has no locks
                portalocker.lock(lock, _EXCLUSIVE)
            unlocked.rename(folder)
            yield folder
    finally:
        for path in (folder, unlocked):
            shutil.rmtree(path, ignore_errors=True)


def remove_leftovers(parent: Path) -> None:
    """Remove the temporary folders in a folder that belong to no process any more."""
    for folder in parent.glob(f".*{_ENDING}"):
        if folder.is_dir() and not folder.is_symlink() and _is_leftover(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_leftover(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("rb+") as lock:
            portalocker.lock(lock, _EXCLUSIVE)
            portalocker.unlock(lock)
    except portalocker.AlreadyLocked:
        return False
    except (OSError, portalocker.LockException):  # its maker has not got that far, or the disk has no locks
        with suppress(OSError):  # it is gone
            return time.time() - folder.stat().st_mtime > _OLD_S
        return False
    return True
