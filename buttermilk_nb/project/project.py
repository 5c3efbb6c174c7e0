"""`Project`: an open folder with its settings, models, cache, store and bus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

from .._internal.arguments import check_arguments, require_text
from .._internal.html import fragment, table, title
from .._internal.private_files import make_private_folder, restrict
from .._internal.temporary_folder import remove_leftovers
from .._internal.text import pluralise
from ..config.api_keys import Keys
from ..config.confirmed_settings import ConfirmedSettings, check_data_folder, sensitive_settings
from ..config.data_folder import choose_data_folder
from ..config.model_settings import ModelSettings
from ..config.settings import FILE, CacheMode, Settings
from ..errors import SetupError, nearest
from ..events import Bus
from ..events.console import print_event
from ..events.event import CommandEvent, WaitEvent
from ..events.log_file import LogFile
from ..llm.cache import AnswerCache
from ..llm.calls.budget import Spending, SpendingLimit
from ..llm.calls.client import Client
from ..llm.calls.consent import Consent
from ..llm.calls.rate_limits import SharedLedger
from ..llm.calls.redaction import Redaction
from ..llm.calls.sender import Sender
from ..llm.model import Model
from ..llm.providers.load_litellm import load_litellm
from ..llm.registry import make_model
from ..store import Store, batch_jobs
from ..store.costs import counted_usd
from .embed import EmbedOptions, embed
from .evidence import Evidence
from .model_table import model_table
from .pages import Pages
from .project_folder import check_places

if TYPE_CHECKING:
    from typing import Unpack

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ..corpus.corpus import Corpus


class Project:
    """An open project. Use `init` to make or open one.

    Parameters
    ----------
    folder
        The project's folder; it contains `buttermilk.yaml`.
    settings
        The settings in that file.
    cache_mode
        How runs use the cache by default.
    """

    def __init__(self, folder: Path, settings: Settings, *, cache_mode: CacheMode = "use") -> None:
        self.folder = folder
        self.settings = settings
        self.cache_mode: CacheMode = cache_mode
        self._confirmed = ConfirmedSettings(folder)
        unconfirmed = self._confirmed.select_unconfirmed(sensitive_settings(settings))
        check_data_folder(folder, settings, unconfirmed)
        self.data_folder = choose_data_folder(folder, settings.data_folder, settings.name)
        data = self.data_folder.folder
        check_places(folder, data)
        try:
            make_private_folder(data / "cache")
        except OSError as error:
            raise SetupError(
                f"the data folder {data} cannot be made: {error.strerror}. Name another one as `data_folder` in {FILE}."
            ) from error
        restrict(  # what an earlier version made
            data / "cache", data / "spool", folder / "logs", folder / "exports", folder / "snapshots",
            *data.glob("traces.duckdb*"), *data.glob("limits.sqlite*"), *(data / "cache").glob("cache.db*"),
            *(folder / "logs").glob("*.jsonl*"),
        )  # fmt: skip
        self.cache = AnswerCache(data / "cache")
        self.store = Store(self.data_folder.folder / "traces.duckdb", lock_wait_s=settings.lock_wait_s)
        self.store.remove_leftovers()
        for place in (folder, folder / "snapshots"):
            remove_leftovers(place)
        self.bus = Bus()
        self.bus.subscribe(LogFile(folder / "logs" / "events.jsonl"))
        self.bus.subscribe(print_event)
        self.keys = Keys(folder, settings.dotenv)
        consent = Consent(settings.allow, local_only=settings.local_only, unconfirmed=unconfirmed, folder=folder)
        ledger = SharedLedger(self.data_folder.folder / "limits.sqlite") if settings.share_limits else None
        sender = Sender(settings, ledger=ledger, on_wait=self._on_wait)
        self.client = Client(self.cache, settings, sender=sender, consent=consent)
        self.redaction: Redaction | None = Redaction(settings.redact) if settings.redact else None
        """Redacts texts before they go to a remote provider; assign a `Redaction` to use your own function."""
        self._spending_limit = SpendingLimit(
            settings.budget_usd,
            label="the project's budget",
            hint=f"Raise `budget_usd` in {FILE} to go on.",
            total=self._spending,
        )
        self.on_close: Callable[[], None] | None = None
        """What the session does when the project is closed."""
        self.notes: list[str] = [self.data_folder.reason] if self.data_folder.reason else []
        self._models: dict[str, Model] = {}
        self.pages = Pages(data / "pages")
        self.evidence = Evidence(folder, self.store, self.cache, self.pages, keep_days=settings.keep_days)

    def close(self) -> None:
        """Close the files of this project. They open again if the project is used again."""
        self.cache.close()
        self.store.close_copy()
        if self.on_close is not None:
            self.on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The project's name."""
        return self.settings.name

    def model(self, name: str) -> Model:
        """The model with that name; the same object each time."""
        if "/" not in name and name not in self.settings.models:
            raise SetupError(
                f"`{name}` is not a model: write `family/model`, or a name under `models:` in {FILE}; "
                f"{nearest(name, self.settings.models)}"
            )
        if name not in self._models:
            scripted = self.settings.scripted_folder(self.folder)
            self._models[name] = make_model(name, self._entries(name), self.keys, scripted)
        return self._models[name]

    def _entries(self, name: str) -> dict[str, ModelSettings]:
        """The settings of a model; the path of its weights starts from the project's folder."""
        entry = self.settings.models.get(name)
        if entry is None:
            return {}
        file = str(self.folder / Path(entry.file).expanduser()) if entry.file else None
        return {name: entry.model_copy(update={"file": file})}

    def allow(self, provider: str) -> None:
        """Allow texts of this project to go to a provider; saved in `buttermilk.yaml`. See `buttermilk_nb.allow`."""
        self._check_provider(require_text(provider, "a provider"))
        self._confirmed.confirm(sensitive_settings(Settings(name=self.name, allow=[provider])))
        if provider not in self.settings.allow:
            settings = Settings.read(self.folder / FILE)
            allowed = list(dict.fromkeys([*settings.allow, provider]))
            settings.model_copy(update={"allow": allowed}).write(self.folder / FILE)
            self.settings = self.settings.model_copy(update={"allow": allowed})
            payload = {"allow": provider, "project": self.name}
            self.bus.publish(CommandEvent(source="project", payload=payload))
        self.client.consent.allow(provider)

    def trust(self) -> list[str]:
        """Confirm what the settings of this folder say about texts and keys; see `buttermilk_nb.trust`."""
        settings = self.client.consent.unconfirmed
        self._confirmed.confirm(settings)
        for setting in settings:
            if setting.recipient:
                self.client.consent.allow(setting.recipient)
        self.client.consent.unconfirmed = ()
        return [setting.sentence for setting in settings]

    def _check_provider(self, provider: str) -> None:
        model_names = [name for names in self.settings.sets.values() for name in names] + list(self.settings.models)
        recipients = {self.model(name).recipient for name in model_names}
        if provider in recipients:
            return
        providers = {str(getattr(item, "value", item)) for item in load_litellm().provider_list}
        if provider not in providers:
            raise SetupError(
                f"`{provider}` is not a provider; {nearest(provider, sorted(recipients | providers))} Write the first "
                "part of a model's full name, or the host in its `api_base`."
            )

    @property
    def spent_usd(self) -> float:
        """The cost of this project's calls so far in US dollars, as far as prices are known.

        A call counts the most that it can have cost if no answer says what it did cost.
        """
        return self._spending().spent_usd

    def _spending(self) -> Spending:
        with self.store.reading() as con:
            return Spending(counted_usd(con) + batch_jobs.billed_usd(con), batch_jobs.open_usd(con))

    def spending_limit(self) -> SpendingLimit:
        """The project's budget with the cost of its calls so far, which all its runs share, also in other processes."""
        limit = self.settings.budget_usd
        if limit is not None:
            self._spending_limit.limit_usd = limit
            self._spending_limit.learn_total(self._spending())
        return self._spending_limit

    def _on_wait(self, run_id: str, model: str, seconds: float, reason: str) -> None:
        payload = {"run_id": run_id, "model": model, "seconds": round(seconds, 1), "why": reason}
        self.bus.publish(WaitEvent(source="limits", payload=payload))

    def model_names(self, selection: str | Sequence[str] | None) -> list[str]:
        """The names of the selected models.

        Parameters
        ----------
        selection
            The name of a model or of a set, a list of them, or None for the set `judges`.

        Raises
        ------
        SetupError
            A set or model does not exist.
        """
        entries = ["judges"] if selection is None else [selection] if isinstance(selection, str) else list(selection)
        names: list[str] = []
        for name in entries:
            if "/" not in name and name not in self.settings.sets and name not in self.settings.models:
                raise SetupError(
                    f"`{name}` is neither a model (`family/model`) nor a set or short name of a model in `{FILE}`; "
                    f"{nearest(name, [*self.settings.sets, *self.settings.models])}"
                )
            names += self.settings.sets.get(name, [name])
        if not names:
            raise SetupError(f"no models are selected: write models=[...], or `sets: judges: [...]` in `{FILE}`.")
        for name in names:
            self.model(name)
        return list(dict.fromkeys(names))

    def models(self) -> pd.DataFrame:
        """The models that this project names, and whether they can be used now; see `buttermilk_nb.models`."""
        return model_table(self)

    @overload
    def embed(self, texts: Corpus, *, model: str, **options: Unpack[EmbedOptions]) -> pd.DataFrame: ...
    @overload
    def embed(self, texts: Sequence[str], *, model: str, **options: Unpack[EmbedOptions]) -> NDArray[np.float32]: ...
    @check_arguments
    def embed(
        self, texts: Corpus | Sequence[str], *, model: str, **options: Unpack[EmbedOptions]
    ) -> NDArray[np.float32] | pd.DataFrame:
        """The vectors of texts, cached; see `buttermilk_nb.project.embed.embed`."""
        return embed(self, texts, model=model, **options)

    def sql(
        self, query: str, params: Sequence[Any] | dict[str, Any] | None = None, *, timeout_s: float = 120.0
    ) -> pd.DataFrame:
        """The result of one SELECT on this project's tables and views; see `buttermilk_nb.sql`."""
        return self.store.select(query, params, timeout_s=timeout_s)

    def summary(self) -> list[tuple[str, str]]:
        """The lines of the card, with paths."""
        answers = len(self.cache)
        return [
            ("project folder", str(self.folder)),
            ("traces (DuckDB)", str(self.store.path)),
            ("cache", f"{self.cache.folder} ({pluralise(answers, 'answer')}, mode {self.cache_mode})"),
            *((f"models: {name}", ", ".join(models)) for name, models in self.settings.sets.items()),
            *(("note", note) for note in (*self.notes, *self.keys.warnings)),
        ]

    def __repr__(self) -> str:
        return f"Project({self.name!r}, judges: {', '.join(self.settings.sets.get('judges', []))})"

    def _repr_html_(self) -> str:
        rows = [(name, ", ".join(models)) for name, models in self.settings.sets.items()]
        return fragment(title(f"Project {self.name}"), table(["set", "models"], rows))
