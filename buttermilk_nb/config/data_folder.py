"""Where a project's cache and traces lie: in its folder, unless that is synchronised or on a network drive.

Both are databases. A program that copies them to a cloud while they are being written makes torn and "conflicted"
copies, and network file systems promise locks that they do not keep. So there the data goes to this computer's own
data folder, and the card says so. Three things are never done: nothing is copied or moved, nothing is written here, and
data that a project has in its folder already is never left behind, since its answers would be paid for twice.

What can be seen is looked at, in less than a millisecond: names and marker files of the folder and those above it,
environment variables, and the type of the file system. What a computer knows of itself comes as a `Platform`, so that
each decision can be tested on any other.
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from .._internal.ids import digest
from ..errors import SetupError
from .file_systems import Platform, this_machine
from .sync_folders import FolderProblem, find_problem

__all__ = ["DataFolder", "Platform", "choose_data_folder", "find_problem", "this_machine"]

IN_PROJECT = "here"
DATA = ("traces.duckdb", "cache/cache.db")


class DataFolder(BaseModel):
    """Where cache and traces lie.

    Parameters
    ----------
    folder
        The folder of `cache` and `traces.duckdb`.
    reason
        What the project's card should say about it; None where there is nothing to say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    reason: str | None = None


def choose_data_folder(folder: Path, setting: str | None, name: str, machine: Platform | None = None) -> DataFolder:
    """Where the cache and the traces of a project lie. Nothing is made or written.

    Parameters
    ----------
    folder
        The project's folder.
    setting
        `data_folder` in its settings: None, `here`, or an absolute path.
    name
        The project's name.
    machine
        The computer; this one unless given.

    Raises
    ------
    SetupError
        The setting is a relative path.

    Examples
    --------
    >>> choose_data_folder(Path("/srv/press"), "here", "press").reason is None
    True
    """
    folder = folder.absolute()
    if setting == IN_PROJECT:
        return DataFolder(folder=folder)
    if setting is not None:
        return DataFolder(folder=_named(setting, name))
    machine = machine or this_machine()
    found = find_problem(folder, machine)
    if found is None:
        return DataFolder(folder=folder)
    own = machine.data_home() / "projects" / f"{name}-{digest('pl1', str(folder.resolve()))[-12:]}"
    return use_local_data_folder(folder, own, name, found, machine)


def use_local_data_folder(folder: Path, own: Path, name: str, found: FolderProblem, machine: Platform) -> DataFolder:
    """The computer's own place, unless the data lies in the project's folder already or would be no better off."""
    here = f"The project's folder is {found.where}, {found.harm}"
    older = [part for part in DATA if (folder / part).is_file()]
    if not _holds_data(own):
        if older:
            return DataFolder(
                folder=folder,
                reason=f"{here}. Its cache and traces stay there, because they are there already. To move them, close "
                f"all its notebooks and move `traces.duckdb` and `cache` into {own}; `data_folder: {IN_PROJECT}` in "
                "buttermilk.yaml ends this note.",
            )
        if worse := find_problem(own, machine):
            return DataFolder(
                folder=folder,
                reason=f"{here}. Cache and traces stay there, because this computer's own data folder ({own.parent}) "
                f"is {worse.where}. Name a folder on a local disk as `data_folder` in buttermilk.yaml, if there is "
                "one, and open the project on one computer at a time.",
            )
    why = (
        f"{here}, so cache and traces lie in this computer's own data folder: {own}. "
        f"`data_folder: {IN_PROJECT}` in buttermilk.yaml keeps them in the project's folder."
    )
    if older:
        why += f" There is data in the project's folder too ({' and '.join(older)}), which is not used."
    return DataFolder(folder=own, reason=why + _moved(own, name))


def _named(setting: str, name: str) -> Path:
    path = Path(setting).expanduser()
    if not path.is_absolute():
        raise SetupError(
            f"`data_folder: {setting}` in buttermilk.yaml is not an absolute path on this computer. Write the whole "
            f"path, such as `{Path.home() / 'buttermilk' / name}`, or `{IN_PROJECT}` for the project's folder."
        )
    return path


def _holds_data(folder: Path) -> bool:
    return any((folder / part).is_file() for part in DATA)


def _moved(own: Path, name: str) -> str:
    """A sentence about data of a project of that name whose folder lay elsewhere, where this one has none yet."""
    if _holds_data(own) or not own.parent.is_dir():
        return ""
    named = re.compile(re.escape(name) + r"-[0-9a-f]{12}")
    others = [place for place in sorted(own.parent.iterdir()) if named.fullmatch(place.name) and _holds_data(place)]
    if not others:
        return ""
    return (
        f" Data of a project of this name that lay in another folder is in {others[0]}: if that is this project, "
        f"moved since, rename it to `{own.name}`."
    )
