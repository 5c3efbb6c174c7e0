"""`Platform`: facts about a computer, such as the types of its file systems.

On Linux, macOS and Windows one function each interprets the system's answer, and can be tested anywhere; only the
system call itself needs that system. No program is started, and no network is used. `psutil` would list every volume
to find one: on Windows that waits for network drives that do not answer.
"""

from __future__ import annotations

import ctypes
import os
import re
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Literal, NamedTuple

_ESCAPED = re.compile(r"\\([0-7]{3})")
_WINDOWS_REMOTE = 4  # DRIVE_REMOTE of GetDriveTypeW
_STATFS_BYTES, _STATFS_TYPE = 4096, slice(72, 88)  # struct statfs of macOS with 64-bit inodes: f_fstypename


class Platform(NamedTuple):
    """Facts about a computer that decide where databases can be.

    Parameters
    ----------
    env
        Environment variables.
    home
        The user's home folder.
    file_system
        A function for the type of a path's file system; empty if it is not known.
    kind
        A function that tells whether a path is a `file` or a `folder`; None if it does not exist.
    data_home
        This computer's own folder for the data of this package.
    """

    env: Mapping[str, str]
    home: PurePath
    file_system: Callable[[PurePath], str]
    kind: Callable[[PurePath], Literal["file", "folder"] | None]
    data_home: Callable[[], Path]


def linux_file_system(path: PurePath, mounts: str) -> str:
    r"""The file system type of a path's mount, from the text of `/proc/mounts`.

    9p counts as local, because containers use it. The exception are Windows drives in WSL: 9p with the option `drvfs`.

    Examples
    --------
    >>> mounts = "/dev/sda / ext4 rw 0 0\nserver:/home /home nfs4 rw 0 0\n"
    >>> linux_file_system(PurePath("/home/me/press"), mounts), linux_file_system(PurePath("/homework"), mounts)
    ('nfs4', 'ext4')
    """
    text = str(path)
    longest_match, kind = -1, ""
    for line in mounts.splitlines():
        device, mount_point, type_, options, *_ = (*line.split(" "), "", "", "", "")
        mount_point = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), mount_point).rstrip("/")
        if len(mount_point) >= longest_match and (
            text == mount_point or text.startswith(f"{mount_point}/")
        ):  # the last mount hides others
            longest_match, kind = len(mount_point), "drvfs" if "drvfs" in f"{device} {options}" else type_
    return kind


def windows_file_system(path: PurePath, drive_type: Callable[[str], int]) -> str:
    r"""`network share` for `\\server\folder`, `network drive` for the letter of one.

    Examples
    --------
    >>> from pathlib import PureWindowsPath
    >>> windows_file_system(PureWindowsPath(r"\\server\share\press"), lambda root: 3)
    'network share'
    >>> windows_file_system(PureWindowsPath(r"Z:\press"), lambda root: 4)
    'network drive'
    """
    drive = path.drive
    if drive.startswith("\\\\?\\") and not drive.upper().startswith("\\\\?\\UNC"):
        drive = drive[4:]
    if drive.startswith("\\\\"):
        return "network share"
    return "network drive" if drive_type(f"{drive}\\") == _WINDOWS_REMOTE else ""


def mac_file_system(statfs: bytes) -> str:
    r"""The type's name in macOS's `struct statfs`.

    Examples
    --------
    >>> mac_file_system(bytes(72) + b"smbfs" + bytes(2000))
    'smbfs'
    """
    return statfs[_STATFS_TYPE].partition(b"\0")[0].decode("ascii", "replace")


def this_machine() -> Platform:
    """The facts about this computer."""
    return Platform(os.environ, Path.home(), _file_system, _kind, _data_home)


def _data_home() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("buttermilk_nb", appauthor=False))


def _kind(path: PurePath) -> Literal["file", "folder"] | None:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  # called a hundred times per opened project
    except (OSError, ValueError):
        return None  # it does not exist, or this user cannot see it
    return "folder" if stat.S_ISDIR(mode) else "file"


def _file_system(path: PurePath) -> str:
    if sys.platform == "win32":
        return windows_file_system(path, ctypes.windll.kernel32.GetDriveTypeW)
    if sys.platform == "darwin":
        return mac_file_system(_read_statfs(_nearest_existing(Path(path))))
    mounts = Path("/proc/self/mounts")
    return linux_file_system(path, mounts.read_text("utf-8", "surrogateescape")) if mounts.is_file() else ""


def _nearest_existing(path: Path) -> Path:
    return next((parent for parent in (path, *path.parents) if parent.exists()), path)


def _read_statfs(path: Path) -> bytes:
    """The `struct statfs` of a path from macOS; zeros if the call fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    function = libc["statfs$INODE64"] if hasattr(libc, "statfs$INODE64") else libc["statfs"]
    buffer = ctypes.create_string_buffer(_STATFS_BYTES)
    return buffer.raw if function(os.fsencode(path), buffer) == 0 else bytes(_STATFS_BYTES)
