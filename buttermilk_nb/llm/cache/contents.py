"""Read the cache: all rows, filtered entries as a frame, and statistics by model."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from diskcache.core import MODE_RAW
from pydantic import BaseModel, ConfigDict

from ..._internal.html import fragment, table, title
from ..._internal.text import pluralise, shorten
from ...errors import StoreError
from .entries import DAMAGED_ROW, CacheRow, StoredCompletion, StoredEntry, parse_entry
from .safe_disk import TextDisk

if TYPE_CHECKING:
    import pandas as pd

_COMPACT_WAIT_S = 60.0


class ModelAnswers(BaseModel):
    """The cached answers of one model.

    Parameters
    ----------
    model
        The model's full name.
    answers
        The number of answers.
    first, last
        The times of the oldest and the newest answer, in UTC.
    cost_usd
        The cost of the original calls, in US dollars, as far as it is known.
    unpriced
        The number of answers of unknown cost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    answers: int
    first: dt.datetime
    last: dt.datetime
    cost_usd: float
    unpriced: int


class CacheStats(BaseModel):
    """The contents of a cache.

    Parameters
    ----------
    answers
        The number of readable entries.
    damaged
        The number of unreadable rows, which are not text or not an answer. They are never used.
    bytes_on_disk
        The size of all its files.
    models
        The answers of each model, in the order of the models' names.

    Examples
    --------
    >>> CacheStats(answers=0, damaged=0, bytes_on_disk=32768, models=())
    0 answers, 33 kB on disk
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    answers: int
    damaged: int
    bytes_on_disk: int
    models: tuple[ModelAnswers, ...]

    def df(self) -> pd.DataFrame:
        """One row per model."""
        import pandas as pd

        return pd.DataFrame([model.model_dump() for model in self.models], columns=list(ModelAnswers.model_fields))

    @property
    def _headline(self) -> str:
        damaged = f", {pluralise(self.damaged, 'damaged row')}" if self.damaged else ""
        return f"{pluralise(self.answers, 'answer')}, {_format_bytes(self.bytes_on_disk)} on disk{damaged}"

    def __repr__(self) -> str:
        return "\n".join([self._headline, *("  " + ", ".join(_model_line(model)) for model in self.models)])

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return fragment(
            title("Cache", self._headline),
            table(
                ["model", "answers", "answered (UTC)", "cost when asked"], [_model_line(model) for model in self.models]
            ),
        )


class EntryFilter(NamedTuple):
    """Conditions for entries; a field that is None is not a condition."""

    text: str | None = None
    model: str | None = None
    record_hash: str | None = None
    keys: frozenset[str] | None = None

    def matches(self, row: CacheRow, entry: StoredEntry) -> bool:
        """Whether an entry meets all conditions."""
        return (
            (self.keys is None or row.key in self.keys)
            and (self.model is None or entry.model == self.model)
            and (self.record_hash is None or self.record_hash in entry.parts.values())
            and (self.text is None or _contains_text(entry.completion, self.text))
        )


def as_keys(keys: Any) -> frozenset[str]:
    """A set of keys from one key, several keys, or a frame with a column `key`, such as `find` returns."""
    if isinstance(keys, str):
        return frozenset([keys])
    return frozenset(keys["key"] if hasattr(keys, "columns") else keys)


def select(rows: Iterable[CacheRow], entry_filter: EntryFilter) -> Iterator[tuple[str, StoredEntry]]:
    """The readable entries that match a filter."""
    for row in rows:
        if row.entry is not None and entry_filter.matches(row, row.entry):
            yield row.key, row.entry


def to_dataframe(rows: Iterable[CacheRow], entry_filter: EntryFilter) -> pd.DataFrame:
    """The matching entries, the oldest answer first; `.attrs["damaged"]` is the number of unreadable rows."""
    import pandas as pd

    counter = UnreadableCounter(rows)
    entry_rows = [_entry_row(key, entry) for key, entry in select(counter, entry_filter)]
    columns = ["key", "model", "answered_at", "finish_reason", "answer"]
    frame = pd.DataFrame(entry_rows, columns=columns).astype(
        {name: "datetime64[us]" if name == "answered_at" else "str" for name in columns}
    )
    frame = frame.sort_values(["answered_at", "key"], ignore_index=True)
    frame.attrs["damaged"] = counter.damaged
    return frame


def summarise(rows: Iterable[CacheRow], bytes_on_disk: int) -> CacheStats:
    """Counts, times and cost by model."""
    counter = UnreadableCounter(rows)
    by_model: dict[str, list[StoredCompletion]] = {}
    for row in counter:
        if row.entry is not None:
            by_model.setdefault(row.entry.model, []).append(row.entry.completion.model_copy(update={"raw": ""}))
    models = tuple(_model_answers(name, by_model[name]) for name in sorted(by_model))
    answers = sum(model.answers for model in models)
    return CacheStats(answers=answers, damaged=counter.damaged, bytes_on_disk=bytes_on_disk, models=models)


class UnreadableCounter:
    """Passes rows on, and counts the unreadable ones.

    Parameters
    ----------
    rows
        The rows.
    """

    def __init__(self, rows: Iterable[CacheRow]) -> None:
        self._rows = rows
        self.damaged = 0

    def __iter__(self) -> Iterator[CacheRow]:
        for row in self._rows:
            self.damaged += row.entry is None
            yield row


def _model_answers(name: str, completions: list[StoredCompletion]) -> ModelAnswers:
    costs = [completion.cost_usd for completion in completions if completion.cost_usd is not None]
    times = [completion.answered_at for completion in completions]
    return ModelAnswers(
        model=name,
        answers=len(completions),
        first=min(times),
        last=max(times),
        cost_usd=sum(costs),
        unpriced=len(completions) - len(costs),
    )


def _entry_row(key: str, entry: StoredEntry) -> tuple[object, ...]:
    completion = entry.completion
    answer = shorten(completion.text or completion.refusal or "")
    return key, entry.model, completion.answered_at, completion.finish_reason, answer


def _contains_text(completion: StoredCompletion, text: str) -> bool:
    """Whether an answer contains a text; `raw` is JSON, which writes some characters differently."""
    forms = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    fields = (completion.text, completion.refusal or "", completion.raw)
    return any(form.casefold() in field.casefold() for form in forms for field in fields)


def _model_line(answers: ModelAnswers) -> tuple[str, str, str, str]:
    unknown = f" and {answers.unpriced:,} of unknown cost" if answers.unpriced else ""
    days = dict.fromkeys([f"{answers.first:%Y-%m-%d}", f"{answers.last:%Y-%m-%d}"])
    return (
        shorten(answers.model) or "?",
        pluralise(answers.answers, "answer"),
        " to ".join(days),
        f"${answers.cost_usd:,.4f}{unknown}",
    )


def _format_bytes(n: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if n >= factor:
            return f"{n / factor:,.1f} {unit}"
    return f"{n / 1e3:,.0f} kB"


_SELECT_BY_KEY = "select key, raw, mode, filename, value from Cache order by key, raw"


_SELECT_THESE = (
    "select key, raw, mode, filename, value from Cache where key in (select value from json_each(?)) and raw = 1"
)
_SELECT_NEWEST = "select key, raw, mode, filename, value from Cache order by rowid desc limit ?"


def read_entries(file: Path, disk: TextDisk, newest: int | None = None) -> Iterator[CacheRow]:
    """All rows in the order of their keys; or the `newest` rows, the newest first."""
    with closing(sqlite3.connect(file)) as con:
        con.text_factory = _decode_leniently
        con.execute("pragma query_only = 1")
        rows = con.execute(_SELECT_BY_KEY) if newest is None else con.execute(_SELECT_NEWEST, [newest])
        for key, raw, mode, filename, value in rows:
            try:
                name, text = disk.get(key, raw), disk.fetch(mode, filename, value, False)
            except (StoreError, OSError, UnicodeError):
                yield DAMAGED_ROW
            else:
                yield CacheRow(name, text, parse_entry(text))


def read_texts(file: Path, disk: TextDisk, keys: Collection[str]) -> Iterator[tuple[str, str]]:
    """The keys among these that have a text that can be read, each with it."""
    with closing(sqlite3.connect(file)) as con:
        con.text_factory = _decode_leniently
        con.execute("pragma query_only = 1")
        for key, raw, mode, filename, value in con.execute(_SELECT_THESE, [json.dumps(list(keys))]):
            if mode == MODE_RAW and type(key) is type(value) is str:  # as nearly all are
                yield key, value
                continue
            try:
                text = disk.fetch(mode, filename, value, False)
                name = disk.get(key, raw)
            except (StoreError, OSError, UnicodeError):
                continue
            yield name, text


def truncate_log(file: Path) -> None:
    """Move SQLite's write-ahead log into the main file and empty it, because it still contains deleted texts.

    If another program is reading at this moment, SQLite keeps the log, and empties it when that program closes.
    """
    with closing(sqlite3.connect(file)) as con:
        con.execute("pragma wal_checkpoint(truncate)").fetchall()


def compact(file: Path) -> None:
    """Rewrite the file without the space of deleted rows, which may still contain their texts.

    Raises
    ------
    sqlite3.OperationalError
        Another program is writing, and does not end within a minute.
    """
    with closing(sqlite3.connect(file, timeout=_COMPACT_WAIT_S)) as con:
        con.execute("vacuum")
    truncate_log(file)


def bytes_on_disk(folder: Path) -> int:
    """The size of all files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _decode_leniently(data: bytes) -> str:
    """Text that is not UTF-8 must damage only its own row, not the reading of all rows."""
    return data.decode("utf-8", "surrogateescape")
