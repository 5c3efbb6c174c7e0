"""Create files and folders that only this user can read.

Files get mode 0600 and folders 0700, whichever library makes them. In a folder that its group can write to, as in a
project that colleagues share, the group can read and write the new files too. On Windows, the folder decides.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OTHERS = stat.S_IRWXO
_GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO

_lock = threading.Lock()
_users_of_mask: list[int] = []
_mask_before = 0


@contextmanager
def private_files(folder: Path) -> Iterator[None]:
    """Create everything in this block so that only this user can read it.

    The rule holds for the whole process meanwhile, because an operating system knows it for processes only. Blocks of
    several threads may overlap: the strictest one counts, and the last one to end restores the process's own rule.

    Parameters
    ----------
    folder
        The folder where the files will be, or that will be created.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with private_files(folder):
    ...     _ = (folder / "notes.txt").write_text("secret")
    >>> os.name == "nt" or oct((folder / "notes.txt").stat().st_mode & 0o777)
    '0o600'
    """
    if os.name == "nt":
        yield
        return
    mask = _OTHERS if _is_shared(folder) else _GROUP_AND_OTHERS
    _enter(mask)
    try:
        yield
    finally:
        _leave(mask)


def make_private_folder(folder: Path) -> None:
    """Create a folder, with those above it that are missing, so that only this user can read them."""
    if not folder.is_dir():
        with private_files(folder):
            folder.mkdir(parents=True, exist_ok=True)


def restrict(*paths: Path) -> None:
    """Take the rights of other users away from files and folders that exist, if they are this user's."""
    if os.name == "nt":
        return
    for path in paths:
        with contextlib.suppress(OSError):  # missing, or somebody else's
            mode = path.stat().st_mode
            mask = _OTHERS if _is_shared(path.parent) else _GROUP_AND_OTHERS
            if mode & mask and not path.is_symlink():
                path.chmod(stat.S_IMODE(mode) & ~mask)


def _is_shared(folder: Path) -> bool:
    """Whether the group can write to a folder, or to the nearest folder above it that exists."""
    for candidate in (folder, *folder.absolute().parents):
        try:
            mode = candidate.stat().st_mode
        except OSError:
            continue
        return bool(mode & stat.S_IWGRP) and not mode & stat.S_IWOTH
    return False


def _enter(mask: int) -> None:
    global _mask_before  # the rule of the process
    with _lock:
        if not _users_of_mask:
            _mask_before = os.umask(mask)
        _users_of_mask.append(mask)
        os.umask(max(_users_of_mask))


def _leave(mask: int) -> None:
    with _lock:
        _users_of_mask.remove(mask)
        os.umask(max(_users_of_mask) if _users_of_mask else _mask_before)
