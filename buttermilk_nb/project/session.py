"""The open project: find it, make it, open it, close it.

Projects are found as git finds repositories: `buttermilk.yaml` is searched in the working folder and upwards, and in a
folder of the project's name beside each of them. Nothing opens a second cache silently.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._internal import event_loop, notebook_hooks
from ..config.settings import CACHE_MODES, FILE, CacheMode, Settings, find_upwards
from ..errors import SetupError, nearest
from ..llm.providers.load_litellm import close_clients
from ..llm.registry import make_model
from .project import Project

if TYPE_CHECKING:
    import pandas as pd

_current: Project | None = None
_open_projects: dict[
    Path, Project
] = {}  # the newest of each folder; an older one's files are closed, and open again if used


def _open(folder: Path, settings: Settings, cache_mode: CacheMode = "use") -> Project:
    """Open a folder, and close the files of a project that was open there before."""
    project = Project(folder, settings, cache_mode=cache_mode)
    if earlier := _open_projects.get(folder):
        earlier.cache.close()
    _open_projects[folder] = project
    return project


def init(
    name: str,
    *,
    path: str | Path | None = None,
    models: str | Iterable[str] | None = None,
    cache: CacheMode = "use",
    **others: Any,
) -> Project:
    """Open a project by name, or make it; shows a card of what is open and where.

    Parameters
    ----------
    name
        The project's name.
    path
        The project's folder itself. Without it, a project of that name is looked for in the working
        folder, beside it and upwards; where there is none, a folder of that name is made here.
    models
        The models that judges use where they name none; kept in `buttermilk.yaml` as the set `judges`.
        A new project without it starts with the two offline baselines.
    cache
        `use` what is there, `refresh` it, ask `only` the cache (a miss is an error), or `off`.
    **others
        Any other setting of `buttermilk.yaml`, which is kept there: `budget_usd=2`, `local_only=True`, ...

    Returns
    -------
    Project
        The open project, which is also what every later call uses.

    Raises
    ------
    SetupError
        No such model, a folder that holds another project, settings that do not fit.

    Examples
    --------
    >>> import tempfile
    >>> project = init("press-tone", path=tempfile.mkdtemp(), models=["offline/strict"])
    >>> project
    Project('press-tone', judges: offline/strict)
    """
    global _current
    if cache not in CACHE_MODES:
        raise SetupError(f"cache={cache!r} is none of {', '.join(CACHE_MODES)}; {nearest(cache, CACHE_MODES)}")
    chosen = [models] if isinstance(models, str) else None if models is None else list(models)
    notes: list[str] = []
    if path is not None:
        folder = Path(path).expanduser().absolute()
        if folder.is_file():
            raise SetupError(f"path={str(path)!r} is a file; name the project's folder.")
    else:
        folder, notes = _search(name, Path.cwd())
    file = folder / FILE
    if file.is_file():
        settings = Settings.read(file)
        if settings.name != name:
            raise SetupError(
                f"{folder} holds the project `{settings.name}`; open it by that name, or give another path."
            )
    else:
        settings = Settings.checked({"name": name}, FILE)
        notes.append("a new project: its folder was made just now")
    if chosen is not None and settings.sets.get("judges") != chosen:
        if file.is_file():
            notes.append(f"the set `judges` changed in {FILE}; it was {', '.join(settings.sets.get('judges', []))}")
        others = {"sets": {**settings.sets, "judges": chosen}, **others}
    if others.get("scripted"):  # named from where the notebook is, kept from where the project is
        others["scripted"] = Path(os.path.relpath(Path(others["scripted"]).absolute(), folder)).as_posix()
    if others:
        settings = Settings.checked({**settings.model_dump(), **others}, "bm.init")
    for model in chosen or []:
        make_model(model, settings.models, scripted=settings.scripted_folder(folder))
    if not file.is_file() or Settings.read(file) != settings:
        _create_folder(folder, settings)
    project = _open(folder, settings, cache)
    project.notes += notes
    for model in chosen or []:
        project.model(model).preload()
    with project.store.reading():  # makes the file, so that the card names one that is there
        pass
    _current = project
    if show := notebook_hooks.get_hook("card"):
        show(project)
    return project


def current() -> Project:
    """The open project; where none is open, the one that the working folder belongs to, or a new one there."""
    global _current
    if _current is None:
        here = Path.cwd()
        found = find_upwards(here)
        folder = found[0] if found else here
        if found:
            settings = Settings.read(folder / FILE)
        else:
            settings = Settings.checked({"name": here.name or "project"}, FILE)
            _create_folder(folder, settings)
        _current = _open(folder, settings)
        print(  # noqa: T201  # the user is told which folder is used, once
            f"No project was opened, so this is {'' if found else 'the new project '}`{settings.name}` "
            "in the working folder or above it. bm.init(name) opens another."
        )
    return _current


def close() -> None:
    """Close the files of every project that was opened, and forget which one is open."""
    global _current
    for project in _open_projects.values():
        project.cache.close()
    _open_projects.clear()
    _current = None


def models() -> pd.DataFrame:
    """The models that the open project names: which can be used now, and why the others cannot.

    Nothing is sent; servers on this machine or at a configured address are knocked at.

    Returns
    -------
    pandas.DataFrame
        One row per model, with its provider, key's place, prices, limits, and whether texts may go there.

    Examples
    --------
    >>> import tempfile
    >>> _ = init("models-example", path=tempfile.mkdtemp(), models=["offline/strict"])
    >>> bool(models().set_index("name").usable["offline/strict"])
    True
    """
    return current().models()


def allow(provider: str) -> None:
    """Let texts of the open project go to a provider. Asked for once, and kept in `buttermilk.yaml`.

    Parameters
    ----------
    provider
        The first part of a model's full name (`anthropic`, `openai`, `gemini`), or the host in its `api_base`, where
        that is not the provider's own.

    Examples
    --------
    >>> import tempfile
    >>> _ = init("allow-example", path=tempfile.mkdtemp())
    >>> allow("anthropic")
    >>> current().settings.allow
    ['anthropic']
    """
    current().allow(provider)


@atexit.register
def _close_all() -> None:
    """Files and pooled connections, at the end of the process."""
    event_loop.run_until_complete(close_clients)
    close()


def sql(query: str, params: Sequence[Any] | dict[str, Any] | None = None) -> pd.DataFrame:
    """PlannedRequest the open project's tables and views, in SQL.

    Parameters
    ----------
    query
        One SELECT, in DuckDB's SQL. `latest_scores` is what most questions need; `bm.sql("show tables")`
        lists the others.
    params
        Values for `?` or `$name` in the query; never paste values into the text.

    Returns
    -------
    pandas.DataFrame
        The rows.

    Raises
    ------
    SetupError
        It is not one SELECT, or names something that there is not.

    Examples
    --------
    >>> import tempfile
    >>> _ = init("sql-example", path=tempfile.mkdtemp())
    >>> sql("select count(*) as n from latest_scores").n.item()
    0
    """
    return current().sql(query, params)


def _search(name: str, start: Path) -> tuple[Path, list[str]]:
    """The folder of a project by name, and what should be said about where it was found."""
    for folder in (start, *start.parents):
        for place in (folder, folder / name):
            if (place / FILE).is_file() and Settings.read(place / FILE).name == name:
                return place, []
    around = find_upwards(start)
    notes = []
    if around:
        other = Settings.read(around[0] / FILE).name
        notes.append(f"this folder is inside the project `{other}`; `{name}` is a second one with its own cache")
    return start / name, notes


def _create_folder(folder: Path, settings: Settings) -> None:
    try:
        for part in ("logs", "exports"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        settings.write(folder / FILE)
    except OSError as error:
        raise SetupError(
            f"the project folder {folder} cannot be made: {error.strerror}. Give another `path`."
        ) from error
