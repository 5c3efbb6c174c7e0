"""Opens and closes the current project: `init`, `current`, `close`, `models`, `allow`, `sql`.

Projects are found as git finds repositories: `buttermilk.yaml` is searched in the working folder and the folders above
it, and in a subfolder of each with the project's name. A second cache is never opened silently.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .._internal import event_loop, hooks
from .._internal.arguments import check_arguments
from ..config.confirmed_settings import ConfirmedSettings, sensitive_settings
from ..config.settings import CACHE_MODES, FILE, CacheMode, Settings
from ..errors import SetupError, nearest
from ..llm.providers.load_litellm import close_clients
from ..llm.registry import make_model
from .project import Project
from .project_folder import find_folder, folder_without_name, note_on_new_project, write_folder

if TYPE_CHECKING:
    import pandas as pd

_current: Project | None = None
_opened_before: WeakKeyDictionary[Project, Project] = WeakKeyDictionary()
"""The project that was open when another was opened."""
_open_projects: dict[Path, Project] = {}
"""The newest of each folder. An older one's files are closed, and open again if used."""


def _open_folder(folder: Path, settings: Settings, cache_mode: CacheMode = "use") -> Project:
    """Open a folder, and close the files of a project that was opened there before."""
    project = Project(folder, settings, cache_mode=cache_mode)
    if earlier := _open_projects.get(folder):
        earlier.cache.close()
    _open_projects[folder] = project
    project.on_close = partial(_forget, project)
    return project


def _forget(project: Project) -> None:
    """Leave a closed project: if it was the open one, the project that was open before it is open again."""
    global _current
    before = _opened_before.pop(project, None)
    if _open_projects.get(project.folder) is project:
        del _open_projects[project.folder]
    if _current is project:
        _current = before if before and _open_projects.get(before.folder) is before else None


@check_arguments
def init(
    name: str,
    *,
    path: str | Path | None = None,
    models: str | Iterable[str] | None = None,
    cache: CacheMode = "use",
    **other_settings: Any,
) -> Project:
    """Open a project by name, or make it, and show a card with its folders and models.

    Parameters
    ----------
    name
        The project's name.
    path
        The project's folder itself. By default a project with that name is searched in the working folder, its
        subfolders and the folders above; if there is none, a folder with that name is made in the working folder.
    models
        The models of judges that name none; saved in `buttermilk.yaml` as the set `judges`. A new project without it
        starts with the two offline baselines.
    cache
        `use` cached answers, `refresh` them, use `only` the cache (a missing answer is an error), or `off`.
    **other_settings
        Any other setting, which is saved in `buttermilk.yaml`: `budget_usd=2`, `local_only=True`, ...

    Returns
    -------
    Project
        The open project, which all later calls use. In `with bm.init(...) as project:` it is closed at the end.

    Raises
    ------
    SetupError
        A model does not exist, the folder belongs to another project, or a setting is invalid.

    Examples
    --------
    >>> import tempfile
    >>> project = init("press-tone", path=tempfile.mkdtemp(), models=["offline/strict"])
    >>> project
    Project('press-tone', judges: offline/strict)
    """
    global _current
    if cache not in CACHE_MODES:
        raise SetupError(f"cache={cache!r} must be one of {', '.join(CACHE_MODES)}; {nearest(cache, CACHE_MODES)}")
    model_list = [models] if isinstance(models, str) else None if models is None else list(models)
    settings = Settings.from_dict({"name": name}, FILE)
    folder, notes = find_folder(name, Path.cwd(), path)
    file = folder / FILE
    if file.is_file():
        settings = Settings.read(file)
        if settings.name != name:
            raise SetupError(
                f"{folder} contains the project `{settings.name}`; open it by that name, or choose another path."
            )
    else:
        notes.append(note_on_new_project(name, folder))
    if model_list is not None and settings.sets.get("judges") != model_list:
        if file.is_file():
            notes.append(f"the set `judges` changed in {FILE}; it was {', '.join(settings.sets.get('judges', []))}")
        other_settings = {"sets": {**settings.sets, "judges": model_list}, **other_settings}
    if isinstance(scripted := other_settings.get("scripted"), str | Path):  # given relative to the notebook
        scripted = Path(scripted).absolute()
        other_settings["scripted"] = Path(os.path.relpath(scripted, folder)).as_posix()
    if other_settings:
        settings = Settings.from_dict({**settings.model_dump(), **other_settings}, "bm.init")
    for model in model_list or []:
        make_model(model, settings.models, scripted=settings.scripted_folder(folder))
    if not file.is_file() or Settings.read(file) != settings:
        write_folder(folder, settings)
    ConfirmedSettings(folder).confirm(
        sensitive_settings(Settings.from_dict({"name": name, **other_settings}, "bm.init"))
    )
    project = _open_folder(folder, settings, cache)
    project.notes += notes
    for model in model_list or []:
        project.model(model).preload()
    with project.store.reading():  # creates the file, so that the card names a file that exists
        pass
    if _current is not None and _current is not project:
        _opened_before[project] = _current
    _current = project
    if show := hooks.get_hook("card"):
        show(project)
    return project


def require_project(project: Project | None, *, to_read: bool = False) -> Project:
    """The given project, or the open one if none is given.

    Parameters
    ----------
    project
        The project, or None.
    to_read
        Whether the caller only reads, so that no new project is made for it.

    Raises
    ------
    SetupError
        The value is not a project, or there is none to read.
    """
    if project is not None and not isinstance(project, Project):
        raise SetupError(f"project must be a project, as bm.init(...) returns it, not {type(project).__name__}.")
    return current(make=not to_read) if project is None else project


def current(*, make: bool = True) -> Project:
    """The open project; if none is open, the project of the working folder, or a new one there.

    Parameters
    ----------
    make
        Whether a new project may be made.

    Returns
    -------
    Project
        The project that all calls use.

    Raises
    ------
    SetupError
        None is open, and the working folder has several in it, or none and none may be made.
    """
    global _current
    if _current is None:
        folder, settings, is_new = folder_without_name(Path.cwd(), make=make)
        _current = _open_folder(folder, settings)
        origin = "I made a project called" if is_new else "this is the project"
        print(  # noqa: T201  # the user should know once which project is used
            f"You have not opened a project, so {origin} `{settings.name}` in the working folder"
            f'{"" if is_new else " or above it"}. To use another, run bm.init("name").'
        )
    return _current


def close() -> None:
    """Close the files of all projects; afterwards no project is open."""
    global _current
    for project in _open_projects.values():
        project.cache.close()
    _open_projects.clear()
    _opened_before.clear()
    _current = None


@check_arguments
def models() -> pd.DataFrame:
    """The models that the open project names: which can be used now, and why the others cannot.

    No text is sent. Servers on this machine or at a configured address are checked with a short connection attempt.

    Returns
    -------
    pandas.DataFrame
        One row per model, with its provider, the source of its key, prices (US dollars per million tokens), limits,
        and whether texts may go there.

    Examples
    --------
    >>> import tempfile
    >>> _ = init("models-example", path=tempfile.mkdtemp(), models=["offline/strict"])
    >>> bool(models().set_index("name").usable["offline/strict"])
    True
    """
    return current().models()


@check_arguments
def allow(provider: str) -> None:
    """Allow texts of the open project to go to a provider. This is needed once, and saved in `buttermilk.yaml`.

    Parameters
    ----------
    provider
        The first part of a model's full name (`anthropic`, `openai`, `gemini`), or the host in its `api_base`, if that
        is not the provider's own.

    Raises
    ------
    SetupError
        The provider does not exist.

    Examples
    --------
    >>> import tempfile
    >>> _ = init("allow-example", path=tempfile.mkdtemp())
    >>> allow("anthropic")
    >>> current().settings.allow
    ['anthropic']
    """
    current().allow(provider)


@check_arguments
def trust() -> None:
    """Confirm what the open project's `buttermilk.yaml` says about recipients, addresses, keys and spending.

    A project's folder may come from somebody else. So before anything is sent, what it says in `allow`, in `dotenv`,
    and in `api_base`, `key` and `local` of a model must be your own: made with `bm.allow` or `bm.init`, or confirmed
    here. This prints what you confirm. It is kept in your own settings on this computer. A value that changes later
    must be confirmed again. Limits that allow more than the defaults do (`budget_usd`, `confirm_above`,
    `concurrency`) and `prices` are asked about once, in folders that were not made on this computer.

    Examples
    --------
    >>> import tempfile
    >>> _ = init("trust-example", path=tempfile.mkdtemp())
    >>> trust()
    Nothing needs to be confirmed.
    """
    sentences = current().trust()
    print(  # noqa: T201  # the user should know what is confirmed
        "\n".join(["Confirmed for this folder on this computer:", *(f"- {sentence}" for sentence in sentences)])
        if sentences
        else "Nothing needs to be confirmed."
    )


@atexit.register
def _close_all() -> None:
    """Close files, pooled connections and the loop at the end of the process."""
    event_loop.run_until_complete(close_clients)
    close()
    event_loop.close()


@check_arguments
def sql(query: str, params: Sequence[Any] | dict[str, Any] | None = None, *, timeout_s: float = 120.0) -> pd.DataFrame:
    """Query the open project's tables and views in SQL.

    Parameters
    ----------
    query
        One SELECT, in DuckDB's SQL. `latest_scores` is enough for most questions; `bm.sql("show tables")` lists the
        others.
    params
        Values for `?` or `$name` in the query; never paste values into the text.
    timeout_s
        The longest time in seconds; after that the query is stopped. Other notebooks can write meanwhile.

    Returns
    -------
    pandas.DataFrame
        The rows.

    Raises
    ------
    SetupError
        The query is not a single SELECT, a table or column does not exist, or it takes longer than `timeout_s`.

    Examples
    --------
    >>> import tempfile
    >>> _ = init("sql-example", path=tempfile.mkdtemp())
    >>> sql("select count(*) as n from latest_scores").n.item()
    0
    """
    return current().sql(query, params, timeout_s=timeout_s)
