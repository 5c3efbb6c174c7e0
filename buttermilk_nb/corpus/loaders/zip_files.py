"""Zip files, opened safely: their contents are checked before anything is unpacked."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import SetupError
from .remote_files import MAX_BYTES

ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,  # zipfile does not know the compression
    RuntimeError,  # a password is needed
)
"""What `zipfile` raises for a damaged or hostile file."""


@contextmanager
def open_zip(
    file: Path, is_wanted: Callable[[zipfile.ZipInfo], bool], alternative: str
) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """Open a zip, and list its wanted files.

    Parameters
    ----------
    file
        The zip.
    is_wanted
        Whether a file in it is wanted. Folders never are.
    alternative
        The advice in the error message if the zip would unpack to too many bytes.

    Raises
    ------
    SetupError
        The file is not a zip, is damaged, needs a password, uses an unknown compression, or is too large.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = [member for member in archive.infolist() if not member.is_dir() and is_wanted(member)]
            if sum(member.file_size for member in members) > MAX_BYTES:
                raise SetupError(f"`{file.name}` would unpack to more than 2 GiB; {alternative}.")
            yield archive, members
    except ZIP_ERRORS as error:
        raise SetupError(f"`{file.name}` cannot be read as a zip: {error}.") from error
