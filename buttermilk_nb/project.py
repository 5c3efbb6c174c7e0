"""A project: the open folder with its settings, models, cache, store and bus.

Projects are found as git finds repositories: `buttermilk.yaml` is looked for in the working folder and
upwards, and in a folder of the project's name beside each of them. Nothing opens a second cache silently.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from . import _aio, _views
from ._html import fragment, table, title
from ._text import counted
from .bus import Bus
from .cache import AnswerCache
from .errors import SetupError, nearest
from .events import CommandEvent, WaitEvent
from .keeping import Keeping
from .keys import Keys
from .limits import SharedLedger
from .llm.base import Model
from .llm.client import Client
from .llm.litellm_model import close_clients, load_litellm
from .llm.registry import make_model
from .llm.sending import Sender
from .logs import LogFile
from .model_settings import ModelSettings
from .places import data_place
from .redaction import Redaction
from .settings import CACHE_MODES, FILE, CacheMode, Settings, find_upwards
from .spending import Purse
from .store import Store

if TYPE_CHECKING:
    from typing import Unpack

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from .corpus import Corpus
    from .embedding import EmbedOptions

_current: Project | None = None
_opened: dict[Path, Project] = {}  # the newest of each folder; an older one's files are closed, and open again if used


class Project(Keeping):
    """An open project. Use `init` to make or open one.

    Parameters
    ----------
    folder
        The project's folder; it holds `buttermilk.yaml`.
    settings
        What the file says.
    cache_mode
        How runs use the cache unless they say otherwise.
    """

    def __init__(self, folder: Path, settings: Settings, *, cache_mode: CacheMode = "use") -> None:
        self.folder = folder
        self.settings = settings
        self.cache_mode: CacheMode = cache_mode
        self.place = data_place(folder, settings.data_folder, settings.name)
        for part in (self.place.folder, self.place.folder / "cache"):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.cache = AnswerCache(self.place.folder / "cache")
        self.store = Store(self.place.folder / "traces.duckdb", lock_wait_s=settings.lock_wait_s)
        self.bus = Bus()
        self.bus.subscribe(LogFile(folder / "logs" / "events.jsonl"))
        self.keys = Keys(folder, settings.dotenv)
        ledger = SharedLedger(self.place.folder / "limits.sqlite") if settings.share_limits else None
        self.client = Client(self.cache, settings, sender=Sender(settings, ledger=ledger, heard=self._heard))
        self.redaction: Redaction | None = Redaction(settings.redact) if settings.redact else None
        """What is taken out of texts before they go to a remote provider; assign a `Redaction` to use a function."""
        self._purse = Purse(
            settings.budget_usd, whose="the project's budget", more=f"Raise `budget_usd` in {FILE} to go on."
        )
        self.notes: list[str] = [self.place.why] if self.place.why else []
        self._models: dict[str, Model] = {}
        if earlier := _opened.get(folder):
            earlier.cache.close()
        _opened[folder] = self

    @property
    def name(self) -> str:
        """The project's name."""
        return self.settings.name

    def model(self, name: str) -> Model:
        """The model of that name; the same object each time."""
        if "/" not in name and name not in self.settings.models:
            raise SetupError(
                f"`{name}` is not a model: write `family/model`, or a name that {FILE} has under `models:`; "
                f"{nearest(name, self.settings.models)}"
            )
        if name not in self._models:
            scripted = _scripts(self.folder, self.settings)
            self._models[name] = make_model(name, self._entries(name), self.keys, scripted)
        return self._models[name]

    def _entries(self, name: str) -> dict[str, ModelSettings]:
        """What is said about a model, with the file of its weights looked for from this folder."""
        entry = self.settings.models.get(name)
        if entry is None:
            return {}
        file = str(self.folder / Path(entry.file).expanduser()) if entry.file else None
        return {name: entry.model_copy(update={"file": file})}

    def allow(self, provider: str) -> None:
        """Let texts of this project go to a provider; kept in `buttermilk.yaml`. See `buttermilk_nb.allow`."""
        self._check_provider(provider)
        if provider not in self.settings.allow:
            settings = Settings.read(self.folder / FILE)
            allowed = list(dict.fromkeys([*settings.allow, provider]))
            settings.model_copy(update={"allow": allowed}).write(self.folder / FILE)
            self.settings = self.settings.model_copy(update={"allow": allowed})
            payload = {"allow": provider, "project": self.name}
            self.bus.publish(CommandEvent(source="project", payload=payload))
        self.client.sender.allowed.add(provider)

    def _check_provider(self, provider: str) -> None:
        named = [name for names in self.settings.sets.values() for name in names] + list(self.settings.models)
        ours = {self.model(name).receiver for name in named}
        if provider in ours:
            return
        every = {str(getattr(known, "value", known)) for known in load_litellm().provider_list}
        if provider not in every:
            raise SetupError(
                f"`{provider}` is no provider; {nearest(provider, sorted(ours | every))} Write the first part of a "
                "model's full name, or the host in its `api_base`."
            )

    @property
    def spent_usd(self) -> float:
        """What the calls of this project have cost so far, as far as prices are known."""
        return float(self.store.df("select coalesce(sum(cost_usd), 0.0) as spent from calls").spent.item())

    def purse(self) -> Purse:
        """The project's budget, with what its calls have cost so far; shared by the runs of this process."""
        limit = self.settings.budget_usd
        if limit is not None:
            self._purse.limit_usd = limit
            stored = self.spent_usd  # takes a while, in which others spend
            self._purse.spent_usd = max(self._purse.spent_usd, stored)
        return self._purse

    def _heard(self, run_id: str, model: str, seconds: float, why: str) -> None:
        payload = {"run_id": run_id, "model": model, "seconds": round(seconds, 1), "why": why}
        self.bus.publish(WaitEvent(source="limits", payload=payload))

    def model_names(self, given: str | Sequence[str] | None) -> list[str]:
        """The models that a name, the name of a set, a list of either, or None (the set `judges`) stands for.

        Raises
        ------
        SetupError
            There is no such set or model.
        """
        wanted = ["judges"] if given is None else [given] if isinstance(given, str) else list(given)
        names: list[str] = []
        for name in wanted:
            if "/" not in name and name not in self.settings.sets and name not in self.settings.models:
                raise SetupError(
                    f"`{name}` is neither a model (`family/model`) nor a set of models nor a model's name in `{FILE}`; "
                    f"{nearest(name, [*self.settings.sets, *self.settings.models])}"
                )
            names += self.settings.sets.get(name, [name])
        if not names:
            raise SetupError(f"no models: write models=[...] here, or `sets: judges: [...]` in `{FILE}`.")
        for name in names:
            self.model(name)
        return list(dict.fromkeys(names))

    def models(self) -> pd.DataFrame:
        """The models that this project names: which can be used now, and why not; see `buttermilk_nb.models`."""
        from .catalogue import models

        return models(self)

    @overload
    def embed(self, texts: Corpus, *, model: str, **options: Unpack[EmbedOptions]) -> pd.DataFrame: ...
    @overload
    def embed(self, texts: Sequence[str], *, model: str, **options: Unpack[EmbedOptions]) -> NDArray[np.float32]: ...
    def embed(
        self, texts: Corpus | Sequence[str], *, model: str, **options: Unpack[EmbedOptions]
    ) -> NDArray[np.float32] | pd.DataFrame:
        """The vectors of texts, cached; see `buttermilk_nb.embedding.embed`."""
        from .embedding import embed

        return embed(self, texts, model=model, **options)

    def sql(self, query: str, params: Sequence[Any] | dict[str, Any] | None = None) -> pd.DataFrame:
        """One SELECT on this project's tables and views; see `buttermilk_nb.sql`."""
        return self.store.select(query, params)

    def card(self) -> list[tuple[str, str]]:
        """What the card shows, paths included."""
        answers = len(self.cache)
        return [
            ("project folder", str(self.folder)),
            ("traces (DuckDB)", str(self.store.path)),
            ("cache", f"{self.cache.folder} ({counted(answers, 'answer')}, mode {self.cache_mode})"),
            *((f"models: {name}", ", ".join(models)) for name, models in self.settings.sets.items()),
            *(("note", note) for note in (*self.notes, *self.keys.remarks)),
        ]

    def __repr__(self) -> str:
        return f"Project({self.name!r}, judges: {', '.join(self.settings.sets.get('judges', []))})"

    def _repr_html_(self) -> str:
        rows = [(name, ", ".join(models)) for name, models in self.settings.sets.items()]
        return fragment(title(f"Project {self.name}"), table(["set", "models"], rows))


def _scripts(folder: Path, settings: Settings) -> Path | None:
    """Where answers for `scripted/...` models lie; the project's folder itself need not be there yet."""
    return Path(os.path.normpath(folder / settings.scripted)) if settings.scripted else None


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
        make_model(model, settings.models, scripted=_scripts(folder, settings))
    if not file.is_file() or Settings.read(file) != settings:
        _make(folder, settings)
    project = Project(folder, settings, cache_mode=cache)
    project.notes += notes
    for model in chosen or []:
        project.model(model).warm()
    with project.store.reading():  # makes the file, so that the card names one that is there
        pass
    _current = project
    if show := _views.find("card"):
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
            _make(folder, settings)
        _current = Project(folder, settings)
        print(  # noqa: T201  # the user is told which folder is used, once
            f"No project was opened, so this is {'' if found else 'the new project '}`{settings.name}` "
            "in the working folder or above it. bm.init(name) opens another."
        )
    return _current


def close() -> None:
    """Close the files of every project that was opened, and forget which one is open."""
    global _current
    for project in _opened.values():
        project.cache.close()
    _opened.clear()
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
    _aio.finish(close_clients)
    close()


def sql(query: str, params: Sequence[Any] | dict[str, Any] | None = None) -> pd.DataFrame:
    """Ask the open project's tables and views, in SQL.

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


def _make(folder: Path, settings: Settings) -> None:
    try:
        for part in ("logs", "exports"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        settings.write(folder / FILE)
    except OSError as error:
        raise SetupError(
            f"the project folder {folder} cannot be made: {error.strerror}. Give another `path`."
        ) from error
