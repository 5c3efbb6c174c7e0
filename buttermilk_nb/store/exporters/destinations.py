"""Where an export goes: a folder or one file, on this machine or on any file system that fsspec knows.

Nothing half-written is ever under its final name. Files are made in a folder beside the target and renamed; a
file system elsewhere gets each file under another name first, except where a file appears whole at the end of
its upload anyway (object stores). What is there already is not overwritten unless that is asked for, and
then only what an export may have written: other files of the folder stay.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from ..._internal.ids import uuid7
from ...corpus.loaders.remote_files import display_address, file_system, is_remote, upload
from ...errors import SetupError

_WHOLE_AT_ONCE = {"gs", "gcs", "s3", "s3a", "abfs", "abfss", "az", "adl"}


class Target(ABC):
    """One place for the files of an export.

    Parameters
    ----------
    path
        As the researcher wrote it.
    ours
        The names that an export may have written there before.
    """

    def __init__(self, path: str, ours: frozenset[str]) -> None:
        self.path = path
        self.ours = ours

    @property
    @abstractmethod
    def display(self) -> str:
        """The place as it may be printed and stored."""

    @abstractmethod
    def exists(self) -> list[str]:
        """The names of what is there."""

    @abstractmethod
    def staging(self) -> contextlib.AbstractContextManager[Path]:
        """A folder on this machine in which files are made; gone afterwards."""

    @abstractmethod
    def publish(self, files: Sequence[Path]) -> list[str]:
        """Put the files in their place, and say where they are."""

    def check(self, names: Sequence[str] | None, *, replace: bool) -> None:
        """Refuse to write over what is there.

        Parameters
        ----------
        names
            The files to be written, where they go beside others; None where the folder is the export's own.
        replace
            Whether an earlier export may be replaced.
        """
        there = self.exists()
        clash = there if names is None else [name for name in names if name in there]
        if clash and not replace:
            count = "a file" if len(clash) == 1 else f"{len(clash)} files"
            what = f"holds {count} already" if names is None else f"has `{clash[0]}` already"
            raise SetupError(
                f"`{self.display}` {what}: name another place, or replace an earlier export with replace=True."
            )


def place(path: str, ours: frozenset[str]) -> Target:
    """The folder at a path or an address."""
    if not is_remote(path):
        return _Here(str(Path(path).expanduser().absolute()), ours)
    system, inside = file_system(path)
    names = (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)
    return _Here(inside, ours) if "file" in names else _Elsewhere(path, ours, system, inside)


class _Here(Target):
    """A folder of this machine."""

    @property
    def display(self) -> str:
        return self.path

    def exists(self) -> list[str]:
        folder = Path(self.path)
        if folder.exists() and not folder.is_dir():
            raise SetupError(f"`{self.path}` is a file, not a folder.")
        return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []

    @contextmanager
    def staging(self) -> Iterator[Path]:
        folder = Path(self.path)
        made = folder.parent / f".{folder.name}.{uuid7()[-8:]}.partial"
        try:
            made.mkdir(parents=True)
        except OSError as error:
            raise SetupError(f"`{folder.parent}` cannot be written to: {error.strerror}.") from None
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def publish(self, files: Sequence[Path]) -> list[str]:
        folder = Path(self.path)
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            file.replace(folder / file.name)
        new = {file.name for file in files}
        for name in self.ours - new:
            (folder / name).unlink(missing_ok=True)
        return [str(folder / file.name) for file in files]


class _Elsewhere(Target):
    """A folder of another file system."""

    def __init__(self, path: str, ours: frozenset[str], system: Any, inside: str) -> None:
        super().__init__(path, ours)
        self._system = system
        self._inside = inside.rstrip("/")
        self._protocol = path.partition("://")[0]

    @property
    def display(self) -> str:
        return display_address(self.path)

    def exists(self) -> list[str]:
        with _said(self.display):
            if not self._system.exists(self._inside):
                return []
            if self._system.isfile(self._inside):
                raise SetupError(f"`{self.display}` is a file, not a folder.")
            return sorted(PurePosixPath(found).name for found in self._system.ls(self._inside, detail=False))

    @contextmanager
    def staging(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="buttermilk_nb-") as folder:
            yield Path(folder)

    def publish(self, files: Sequence[Path]) -> list[str]:
        with _said(self.display):
            self._system.makedirs(self._inside, exist_ok=True)
            for file in files:
                self._put(file, f"{self._inside}/{file.name}")
            for name in self.ours.intersection(self.exists()) - {file.name for file in files}:
                self._system.rm(f"{self._inside}/{name}")
        return [f"{self.display.rstrip('/')}/{file.name}" for file in files]

    def _put(self, file: Path, final: str) -> None:
        first = final if self._protocol in _WHOLE_AT_ONCE else f"{final}.{uuid7()[-8:]}.partial"
        try:
            upload(self._system, first, file)
            if first != final:
                if self._system.exists(final):
                    self._system.rm(final)
                self._system.mv(first, final)
        except BaseException:
            if first != final and self._system.exists(first):
                self._system.rm(first)
            raise


@contextmanager
def _said(where: str) -> Iterator[None]:
    try:
        yield
    except SetupError:
        raise
    except Exception as error:  # noqa: BLE001  # each file system raises errors of its own
        why = str(error).strip().splitlines() or [type(error).__name__]
        raise SetupError(f"`{where}` cannot be written to: {why[0].rstrip('.')}.") from None
