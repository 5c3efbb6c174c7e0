"""Documents that are zips of XML (`.docx`, `.odt`, `.epub`): their size is checked before they are unpacked."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from ....errors import SetupError
from ..zip_files import ZIP_ERRORS

MAX_UNPACKED_BYTES = 500_000_000
_CHUNK = 1 << 20


class ZipPackage:
    """The parts of such a file.

    Parameters
    ----------
    archive
        The open zip.
    name
        The name of the file, for messages.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive = archive
        self.name = name
        self.parts = frozenset(archive.namelist())

    def read(self, part: str) -> bytes | None:
        """The bytes of a part, or None if there is no such part.

        Raises
        ------
        SetupError
            It unpacks to more bytes than the zip says or than are read.
        """
        if part not in self.parts:
            return None
        data = bytearray()
        with self._archive.open(part) as member:
            while chunk := member.read(_CHUNK):
                data += chunk
                if len(data) > MAX_UNPACKED_BYTES:
                    raise SetupError(_too_large(self.name))
        return bytes(data)


@contextmanager
def open_package(data: bytes, name: str, kind: str) -> Iterator[ZipPackage]:
    """Open the zip of a document.

    Raises
    ------
    SetupError
        It is no zip, is damaged, is encrypted, or would unpack to too many bytes. The errors of reading a part are
        raised as this one too.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise SetupError(_too_large(name))
            yield ZipPackage(archive, name)
    except ZIP_ERRORS as error:
        raise SetupError(f"`{name}` cannot be read as {kind}: it is damaged, or something else.") from error


def _too_large(name: str) -> str:
    return f"`{name}` would unpack to more than {MAX_UNPACKED_BYTES // 1_000_000} MB, and is not opened."
