"""`FileSet`: the files of an export, in a folder, a zip, a `.tar.gz`, or beside one file."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ...corpus.loaders.remote_files import MAX_BYTES
from ...corpus.loaders.zip_files import ZIP_ERRORS, open_zip
from ...errors import SetupError

_TAR_ENDINGS = (".tar.gz", ".tgz", ".tar")


class FileSet:
    """Files by their paths, with `/` between folders.

    Parameters
    ----------
    name
        The name of the folder or file, for messages.
    paths
        The place on disk of each file.
    contents
        The bytes of each file that is not on disk by itself.
    """

    def __init__(
        self, name: str, paths: Mapping[str, Path] | None = None, contents: Mapping[str, bytes] | None = None
    ) -> None:
        self.name = name
        self._paths = dict(paths or {})
        self._contents = dict(contents or {})

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._paths, *self._contents}))

    def read(self, name: str) -> bytes | None:
        """The bytes of a file; None if there is no such file."""
        if name in self._contents:
            return self._contents[name]
        return self._paths[name].read_bytes() if name in self._paths else None

    def head(self, name: str, n: int = 4096) -> bytes:
        """The first bytes of a file."""
        if name in self._contents:
            return self._contents[name][:n]
        with self._paths[name].open("rb") as handle:
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
        files = {
            path.relative_to(place).as_posix(): path for path in sorted(place.rglob("*")) if _is_inside(path, place)
        }
        yield FileSet(place.name, {name: path for name, path in files.items() if not _is_hidden(name)})
    elif place.name.lower().endswith(_TAR_ENDINGS):
        yield FileSet(place.name, contents=_read_tar(place))
    elif place.suffix.lower() == ".zip":
        with open_zip(
            place, lambda member: not _is_hidden(member.filename), "unpack it, and give the folder"
        ) as opened:
            archive, members = opened
            yield FileSet(place.name, contents={_posix(member.filename): archive.read(member) for member in members})
    else:
        beside = {path.name: path for path in place.parent.iterdir() if path.stem == place.stem and path.is_file()}
        yield FileSet(place.name, beside)


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
