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
DATA_FILES = ("traces.duckdb", "cache/cache.db")


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
        return DataFolder(folder=_setting_path(setting, name))
    machine = machine or this_machine()
    problem = find_problem(folder, machine)
    if problem is None:
        return DataFolder(folder=folder)
    local_folder = machine.data_home() / "projects" / f"{name}-{digest('pl1', str(folder.resolve()))[-12:]}"
    return use_local_data_folder(folder, local_folder, name, problem, machine)


def use_local_data_folder(
    folder: Path, local_folder: Path, name: str, problem: FolderProblem, machine: Platform
) -> DataFolder:
    """The computer's own place, unless the data lies in the project's folder already or would be no better off."""
    problem_text = f"The project's folder is {problem.location}, {problem.effect}"
    existing_data = [part for part in DATA_FILES if (folder / part).is_file()]
    if not _has_data(local_folder):
        if existing_data:
            return DataFolder(
                folder=folder,
                reason=f"{problem_text}. Its cache and traces stay there, because they are there already. To move them, close "
                f"all its notebooks and move `traces.duckdb` and `cache` into {local_folder}; `data_folder: {IN_PROJECT}` in "
                "buttermilk.yaml ends this note.",
            )
        if local_problem := find_problem(local_folder, machine):
            return DataFolder(
                folder=folder,
                reason=f"{problem_text}. Cache and traces stay there, because this computer's own data folder ({local_folder.parent}) "
                f"is {local_problem.location}. Name a folder on a local disk as `data_folder` in buttermilk.yaml, if there is "
                "one, and open the project on one computer at a time.",
            )
    reason = (
        f"{problem_text}, so cache and traces lie in this computer's own data folder: {local_folder}. "
        f"`data_folder: {IN_PROJECT}` in buttermilk.yaml keeps them in the project's folder."
    )
    if existing_data:
        reason += f" There is data in the project's folder too ({' and '.join(existing_data)}), which is not used."
    return DataFolder(folder=local_folder, reason=reason + _moved_data_note(local_folder, name))


def _setting_path(setting: str, name: str) -> Path:
    path = Path(setting).expanduser()
    if not path.is_absolute():
        raise SetupError(
            f"`data_folder: {setting}` in buttermilk.yaml is not an absolute path on this computer. Write the whole "
            f"path, such as `{Path.home() / 'buttermilk' / name}`, or `{IN_PROJECT}` for the project's folder."
        )
    return path


def _has_data(folder: Path) -> bool:
    return any((folder / part).is_file() for part in DATA_FILES)


def _moved_data_note(local_folder: Path, name: str) -> str:
    """A sentence about data of a project of that name whose folder lay elsewhere, where this one has none yet."""
    if _has_data(local_folder) or not local_folder.parent.is_dir():
        return ""
    pattern = re.compile(re.escape(name) + r"-[0-9a-f]{12}")
    candidates = [
        candidate
        for candidate in sorted(local_folder.parent.iterdir())
        if pattern.fullmatch(candidate.name) and _has_data(candidate)
    ]
    if not candidates:
        return ""
    return (
        f" Data of a project of this name that lay in another folder is in {candidates[0]}: if that is this project, "
        f"moved since, rename it to `{local_folder.name}`."
    )
