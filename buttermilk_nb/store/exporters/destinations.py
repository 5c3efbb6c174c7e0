"""Local and remote folders to which an export is written.

A remote folder may be on any file system that fsspec knows. No incomplete file ever has its final name. Local files
are made in a folder next to the target and renamed. A remote file system gets each file under a temporary name first,
except object stores, where a file only appears when its upload is complete. Existing files are not overwritten unless
`replace` says so, and then only files that an export may have written: other files in the folder stay.
"""

from __future__ import annotations

import contextlib
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from ..._internal.ids import uuid7
from ..._internal.private_files import make_private_folder
from ..._internal.temporary_folder import temporary_folder
from ...corpus.loaders.remote_files import display_address, file_system, is_remote, upload
from ...errors import SetupError

_ATOMIC_UPLOADS = {"gs", "gcs", "s3", "s3a", "abfs", "abfss", "az", "adl"}


class Target(ABC):
    """One place for the files of an export.

    Parameters
    ----------
    path
        The path as the researcher wrote it.
    own_names
        The names of files that an earlier export may have written there.
    """

    def __init__(self, path: str, own_names: frozenset[str]) -> None:
        self.path = path
        self.own_names = own_names

    @property
    @abstractmethod
    def display(self) -> str:
        """The path in a form that may be printed and stored."""

    @abstractmethod
    def exists(self) -> list[str]:
        """The names of the files in the folder."""

    @abstractmethod
    def staging(self) -> contextlib.AbstractContextManager[Path]:
        """A temporary folder on this machine, in which the files are made."""

    @abstractmethod
    def publish(self, files: Sequence[Path]) -> list[str]:
        """Move the files to the target and return their addresses."""

    def check(self, names: Sequence[str] | None, *, replace: bool) -> None:
        """Raise an error if files would be overwritten.

        Parameters
        ----------
        names
            The files to write next to others; None if the folder is for the export alone.
        replace
            Whether an earlier export may be replaced.

        Raises
        ------
        SetupError
            The target contains such files, and `replace` is False.
        """
        existing = self.exists()
        clashes = existing if names is None else [name for name in names if name in existing]
        if clashes and not replace:
            count = "a file" if len(clashes) == 1 else f"{len(clashes)} files"
            problem = f"contains {count} already" if names is None else f"contains `{clashes[0]}` already"
            raise SetupError(
                f"`{self.display}` {problem}: choose another path, or replace the earlier export with replace=True."
            )


def open_target(path: str, own_names: frozenset[str]) -> Target:
    """The target at a path or an address."""
    if not is_remote(path):
        return _LocalTarget(str(Path(path).expanduser().absolute()), own_names)
    system, path_inside = file_system(path)
    names = (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)
    return (
        _LocalTarget(path_inside, own_names) if "file" in names else _RemoteTarget(path, own_names, system, path_inside)
    )


class _LocalTarget(Target):
    """A folder on this machine."""

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
        with contextlib.ExitStack() as stack:
            try:
                staging_folder = stack.enter_context(temporary_folder(folder))
            except OSError as error:
                raise SetupError(f"`{folder.parent}` cannot be written to: {error.strerror}.") from None
            yield staging_folder

    def publish(self, files: Sequence[Path]) -> list[str]:
        folder = Path(self.path)
        make_private_folder(folder)
        for file in files:
            file.replace(folder / file.name)
        new_names = {file.name for file in files}
        for name in self.own_names - new_names:
            (folder / name).unlink(missing_ok=True)
        return [str(folder / file.name) for file in files]


class _RemoteTarget(Target):
    """A folder on a remote file system."""

    def __init__(self, path: str, own_names: frozenset[str], system: Any, path_inside: str) -> None:
        super().__init__(path, own_names)
        self._system = system
        self._path_inside = path_inside.rstrip("/")
        self._protocol = path.partition("://")[0]

    @property
    def display(self) -> str:
        return display_address(self.path)

    def exists(self) -> list[str]:
        with _as_setup_error(self.display):
            if not self._system.exists(self._path_inside):
                return []
            if self._system.isfile(self._path_inside):
                raise SetupError(f"`{self.display}` is a file, not a folder.")
            return sorted(PurePosixPath(path).name for path in self._system.ls(self._path_inside, detail=False))

    @contextmanager
    def staging(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="buttermilk_nb-") as folder:
            yield Path(folder)

    def publish(self, files: Sequence[Path]) -> list[str]:
        with _as_setup_error(self.display):
            self._system.makedirs(self._path_inside, exist_ok=True)
            for file in files:
                self._upload_file(file, f"{self._path_inside}/{file.name}")
            for name in self.own_names.intersection(self.exists()) - {file.name for file in files}:
                self._system.rm(f"{self._path_inside}/{name}")
        return [f"{self.display.rstrip('/')}/{file.name}" for file in files]

    def _upload_file(self, file: Path, final_path: str) -> None:
        first_path = final_path if self._protocol in _ATOMIC_UPLOADS else f"{final_path}.{uuid7()[-8:]}.partial"
        try:
            upload(self._system, first_path, file)
            if first_path != final_path:
                if self._system.exists(final_path):
                    self._system.rm(final_path)
                self._system.mv(first_path, final_path)
        except BaseException:
            if first_path != final_path and self._system.exists(first_path):
                self._system.rm(first_path)
            raise


@contextmanager
def _as_setup_error(target: str) -> Iterator[None]:
    try:
        yield
    except SetupError:
        raise
    except Exception as error:  # noqa: BLE001  # each file system raises errors of its own
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise SetupError(f"`{target}` cannot be written to: {lines[0].rstrip('.')}.") from None
