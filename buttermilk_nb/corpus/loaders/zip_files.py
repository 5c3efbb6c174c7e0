"""Opening a zip of somebody else's: what is in it is looked at before anything is unpacked."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import SetupError
from .remote_files import LIMIT_BYTES


@contextmanager
def open_zip(
    file: Path, wanted: Callable[[zipfile.ZipInfo], bool], instead: str
) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """The archive, and those of its files that are wanted.

    Parameters
    ----------
    file
        The zip.
    wanted
        Which files in it; folders never are.
    instead
        What to do where it would unpack to too much.

    Raises
    ------
    SetupError
        It is no zip, is damaged, needs a password, is packed in a way that Python cannot read, or is too large.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = [member for member in archive.infolist() if not member.is_dir() and wanted(member)]
            if sum(member.file_size for member in members) > LIMIT_BYTES:
                raise SetupError(f"`{file.name}` would unpack to more than 2 GiB; {instead}.")
            yield archive, members
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # NotImplementedError: packed by a method that zipfile does not know; RuntimeError: a password is needed
        raise SetupError(f"`{file.name}` cannot be read as a zip: {error}.") from error
