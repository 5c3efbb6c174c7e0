"""Finds, checks and writes the folder of a project."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from .._internal.markdown import code_list
from .._internal.private_files import make_private_folder
from ..config.confirmed_settings import ConfirmedSettings
from ..config.settings import FILE, Settings, find_upwards
from ..errors import SetupError

_FOLDERS = ("cache", "spool", "logs", "exports", "snapshots", "pages")
_FILES = ("traces.duckdb", "limits.sqlite", "cache/cache.db", "logs/events.jsonl")
_FILE_PREFIXES = ("traces.duckdb", ".traces.duckdb", "limits.sqlite", ".limits.sqlite")


def find_folder(name: str, start: Path, path: str | Path | None = None) -> tuple[Path, list[str]]:
    """The folder of a project: the one that is given, or the one found by its name from `start` upwards, or a new one.

    Returns
    -------
    tuple of Path and list of str
        The folder, which may not exist yet, and notes about its place.
    """
    if path is not None:
        given = Path(path).expanduser().absolute()
        if given.is_file():
            raise SetupError(f"path={str(path)!r} is a file; name the project's folder.")
        return given, []
    for folder in (start, *start.parents):
        for candidate in (folder, folder / name):
            if (candidate / FILE).is_file() and Settings.read(candidate / FILE).name == name:
                return candidate, []
    outer_folders = find_upwards(start)
    notes = []
    if outer_folders:
        outer_name = Settings.read(outer_folders[0] / FILE).name
        notes.append(
            f"this folder is inside the project `{outer_name}`; `{name}` is another project with its own cache"
        )
    return start / name, notes


def write_folder(folder: Path, settings: Settings) -> None:
    """Write the settings of a project into its folder, and make the folder if there is none.

    Raises
    ------
    SetupError
        The folder cannot be written, or a link in it leads to another place.
    """
    check_places(folder)
    is_new = not (folder / FILE).exists()
    try:
        for part in ("logs", "exports"):
            make_private_folder(folder / part)
        settings.write(folder / FILE)
    except OSError as error:
        raise SetupError(
            f"the project folder {folder} cannot be created: {error.strerror}. Choose another `path`."
        ) from error
    if is_new:
        ConfirmedSettings(folder).confirm_own_folder()


def check_places(*folders: Path) -> None:
    """Check that what a project writes stays in its folders: a folder may come from somebody else, with links in it.

    Parameters
    ----------
    *folders
        The project's folder, and the folder of its cache and traces.

    Raises
    ------
    SetupError
        A place where the project writes is a link to another place, or is not of the kind that it must be.
    """
    for folder in dict.fromkeys(folders):
        for path in _places(folder):
            if path.is_symlink() and not _stays_inside(path, folder):
                raise SetupError(
                    f"`{path.relative_to(folder)}` in {folder} is a link to {os.path.realpath(path)}, so the project "
                    f"would write outside its folder. Remove the link; to keep cache and traces in another place, "
                    f"name that as `data_folder` in {FILE}."
                )
        for names, is_right, kind in ((_FOLDERS, Path.is_dir, "folder"), (_FILES, Path.is_file, "file")):
            wrong = next((name for name in names if (folder / name).exists() and not is_right(folder / name)), None)
            if wrong:
                raise SetupError(f"`{wrong}` in {folder} is not a {kind}; move it to another place.")


def _places(folder: Path) -> list[Path]:
    """The entries of a folder at which a project writes."""
    entries = [entry.name for entry in os.scandir(folder)] if folder.is_dir() else []
    places = [folder / name for name in entries if name in _FOLDERS or name.startswith(_FILE_PREFIXES)]
    inner = [path / entry.name for path in places if path.is_dir() for entry in os.scandir(path)]
    return [*places, *inner]


def _stays_inside(path: Path, folder: Path) -> bool:
    target = Path(os.path.realpath(path))
    return target.exists() and target.is_relative_to(os.path.realpath(folder))


def note_on_new_project(name: str, folder: Path) -> str:
    """The note that a project is new, with the one beside it that has almost the same name."""
    note = "this is a new project, its folder was just created"
    beside = sorted(file.parent.name for file in folder.parent.glob(f"*/{FILE}") if file.parent != folder)
    similar = difflib.get_close_matches(name, beside, n=1, cutoff=0.75)
    return f"{note}; beside it is `{similar[0]}`: did you mean bm.init({similar[0]!r})?" if similar else note


def folder_without_name(start: Path, *, make: bool) -> tuple[Path, Settings, bool]:
    """The project of a folder or above it, for calls that name none; else a new one in the folder.

    Returns
    -------
    tuple of Path, Settings and bool
        The folder, its settings, and whether the project is new.

    Raises
    ------
    SetupError
        There is none, and the folder has projects in it, of which one is meant; or none may be made.
    """
    if folders := find_upwards(start):
        return folders[0], Settings.read(folders[0] / FILE), False
    if inside := sorted(file.parent.name for file in start.glob(f"*/{FILE}")):
        others = " and others" if len(inside) > 5 else ""
        raise SetupError(
            f"no project is open, and this folder has {code_list(inside[:5])}{others}; "
            f"open one, bm.init({inside[0]!r})."
        )
    if not make:
        raise SetupError('no project is open, and there is none in the working folder; open one, bm.init("name").')
    settings = Settings.from_dict({"name": start.name or "project"}, FILE)
    write_folder(start, settings)
    return start, settings, True
