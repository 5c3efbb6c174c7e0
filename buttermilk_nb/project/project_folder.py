"""Finds and writes the folder of a project."""

from __future__ import annotations

from pathlib import Path

from .._internal.private_files import make_private_folder
from ..config.confirmed_settings import ConfirmedSettings
from ..config.settings import FILE, Settings, find_upwards
from ..errors import SetupError


def find_folder(name: str, start: Path) -> tuple[Path, list[str]]:
    """Find the folder of a project by name, from a folder upwards; by default a new one in that folder.

    Returns
    -------
    tuple of Path and list of str
        The folder, which may not exist yet, and notes about its place.
    """
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
        The folder cannot be written.
    """
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
