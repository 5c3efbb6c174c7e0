"""`FileSet`: the files of an export, in a folder, a zip, a `.tar.gz`, or beside one file."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from ...corpus.loaders.remote_files import MAX_BYTES
from ...corpus.loaders.zip_files import ZIP_ERRORS, open_zip
from ...errors import SetupError

_TAR_ENDINGS = (".tar.gz", ".tgz", ".tar")


class FileSet:
    """Files by their paths, with `/` between folders. A file is read when it is asked for.

    Parameters
    ----------
    openers
        What opens each file for reading.
    """

    def __init__(self, openers: Mapping[str, Callable[[], IO[bytes]]]) -> None:
        self._openers = dict(openers)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._openers))

    def read(self, name: str, n: int = -1) -> bytes | None:
        """The bytes of a file, or its first ones; None if there is no such file."""
        if name not in self._openers:
            return None
        with self._openers[name]() as handle:
            return handle.read(n)


def is_archive(file: Path) -> bool:
    """Whether a file is a zip or a tar by its name."""
    return file.name.lower().endswith((".zip", *_TAR_ENDINGS))


@contextmanager
def open_files(place: Path) -> Iterator[FileSet]:
    """Open the files of a folder or archive, or one file together with the files beside it.

    Raises
    ------
    SetupError
        The archive is damaged or too large.
    """
    if place.is_dir():
        inside = (path for path in sorted(place.rglob("*")) if _is_inside(path, place))
        files = {path.relative_to(place).as_posix(): partial(_open, path) for path in inside}
        yield FileSet({name: opener for name, opener in files.items() if not _is_hidden(name)})
    elif place.name.lower().endswith(_TAR_ENDINGS):
        yield FileSet({name: partial(io.BytesIO, data) for name, data in _read_tar(place).items()})
    elif place.suffix.lower() == ".zip":
        with open_zip(place, _is_wanted, "unpack it, and give the folder") as (archive, members):
            yield FileSet({_posix(member.filename): partial(archive.open, member) for member in members})
    else:
        beside = (path for path in place.parent.iterdir() if path.stem == place.stem and path.is_file())
        yield FileSet({path.name: partial(_open, path) for path in beside})


def _open(path: Path) -> IO[bytes]:
    return path.open("rb")


def _is_wanted(member: zipfile.ZipInfo) -> bool:
    return not _is_hidden(member.filename)


def _read_tar(file: Path) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    n_bytes = 0
    try:
        with tarfile.open(file) as archive:
            for member in archive:
                n_bytes += member.size
                if n_bytes > MAX_BYTES:
                    raise SetupError(f"`{file.name}` would unpack to more than 2 GiB; unpack it, and give the folder.")
                if member.isfile() and not _is_hidden(member.name) and (handle := archive.extractfile(member)):
                    contents[_posix(member.name)] = handle.read()
    except (tarfile.TarError, *ZIP_ERRORS) as error:
        raise SetupError(f"`{file.name}` cannot be read as a tar file: {error}.") from error
    return contents


def _is_inside(path: Path, folder: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(folder.resolve())


def _posix(name: str) -> str:
    return name.replace("\\", "/")


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(_posix(name)).parts
    return any(part.startswith((".", "~$")) or part == "__MACOSX" for part in parts if part != "..")
