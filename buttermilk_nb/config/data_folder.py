"""Chooses the folder of a project's cache and traces.

It is the project's folder, unless that is synchronised or on a network drive. Cache and traces are databases. A program
that copies them to a cloud while they are being written makes incomplete and "conflicted" copies, and the locks of
network file systems are not reliable. In such cases the data go to this computer's own data folder, and the card says
so. This module copies, moves and writes nothing. It never ignores data that a project already has in its folder,
because the same answers would then be paid for twice.

The check is quick, because each project asks for it when it is opened: it lists no folder. It looks for eight marker
files in the folder and in each folder above it, at environment variables, and at the type of the file system. These
facts come as a `Platform`, so that each decision can be tested on any computer.
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
    """The folder of a project's cache and traces.

    Parameters
    ----------
    folder
        The folder of `cache` and `traces.duckdb`.
    reason
        A note for the project's card; None if there is nothing to note.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    reason: str | None = None


def choose_data_folder(folder: Path, setting: str | None, name: str, machine: Platform | None = None) -> DataFolder:
    """Choose the folder of a project's cache and traces, without creating it.

    Parameters
    ----------
    folder
        The project's folder.
    setting
        `data_folder` in its settings: None, `here`, or an absolute path.
    name
        The project's name.
    machine
        The computer; by default this one.

    Returns
    -------
    DataFolder
        The folder, with a note for the card.

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
    """The computer's own data folder, unless the project's folder already has data or the other is no better."""
    problem_text = f"The project's folder is {problem.location}, {problem.effect}"
    existing_data = [part for part in DATA_FILES if (folder / part).is_file()]
    if not _has_data(local_folder):
        if existing_data:
            return DataFolder(
                folder=folder,
                reason=f"{problem_text}. It already contains cache and traces, so they stay there. To move them, close "
                f"all notebooks of the project and move `traces.duckdb` and `cache` into {local_folder}; to keep them "
                f"in the project's folder without this note, write `data_folder: {IN_PROJECT}` into buttermilk.yaml.",
            )
        if local_problem := find_problem(local_folder, machine):
            return DataFolder(
                folder=folder,
                reason=f"{problem_text}. Cache and traces stay there, because this computer's own data folder "
                f"({local_folder.parent}) is {local_problem.location}. If you have a folder on a local disk, name it "
                "as `data_folder` in buttermilk.yaml. Open the project on one computer at a time.",
            )
    reason = (
        f"{problem_text}, so cache and traces are in this computer's own data folder: {local_folder}. "
        f"`data_folder: {IN_PROJECT}` in buttermilk.yaml keeps them in the project's folder."
    )
    if existing_data:
        reason += f" The project's folder also contains data ({' and '.join(existing_data)}), which are not used."
    return DataFolder(folder=local_folder, reason=reason + _moved_data_note(local_folder, name))


def _setting_path(setting: str, name: str) -> Path:
    path = Path(setting).expanduser()
    if not path.is_absolute():
        raise SetupError(
            f"`data_folder: {setting}` in buttermilk.yaml is not an absolute path on this computer. Write the full "
            f"path, such as `{Path.home() / 'buttermilk' / name}`, or `{IN_PROJECT}` for the project's folder."
        )
    return path


def _has_data(folder: Path) -> bool:
    return any((folder / part).is_file() for part in DATA_FILES)


def _moved_data_note(local_folder: Path, name: str) -> str:
    """A note about data of another folder with the same project name, if this project has no data yet."""
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
        f" {candidates[0]} contains data of a project with this name from another folder. If that is this project, and "
        f"you have moved it, rename the data folder to `{local_folder.name}`."
    )
