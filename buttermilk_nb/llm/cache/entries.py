"""An answer on disk, as far as the cache itself needs to understand it.

`llm/base.py` owns the form (`CacheEntry`); the cache is a floor below, so it reads its own few fields and
leaves the rest as it is. A text that cannot be read as an answer counts as damaged, never as an error: the cache
may come from anywhere.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator


class StoredCompletion(BaseModel):
    """What is read of a completion."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str
    refusal: str | None = None
    finish_reason: str | None = None
    cost_usd: float | None = Field(default=None, allow_inf_nan=False)
    answered_at: dt.datetime
    raw: str

    @field_validator("answered_at")
    @classmethod
    def _utc(cls, value: dt.datetime) -> dt.datetime:
        if value.tzinfo is None:
            return value
        try:
            return value.astimezone(dt.UTC).replace(tzinfo=None)
        except OverflowError:
            raise ValueError("a time outside the calendar") from None

    @property
    def answer(self) -> tuple[str, str | None, str | None]:
        """What makes two answers to one request the same: not when they were given or what they cost."""
        return self.text, self.refusal, self.finish_reason


class StoredEntry(BaseModel):
    """The named hashes of a key's parts, and the answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    parts: dict[str, str]
    completion: StoredCompletion

    @property
    def model(self) -> str:
        """The model's name; empty where the entry does not say."""
        return self.parts.get("model", "")


class CacheRow(NamedTuple):
    """One row of the cache. `text` is as it lies on disk; `entry` is None where it cannot be read."""

    key: str
    text: str
    entry: StoredEntry | None


DAMAGED_ROW = CacheRow("", "", None)
"""A row whose key or value is not even text."""


def parse_entry(text: str | None) -> StoredEntry | None:
    """The entry that a text is, or None.

    Examples
    --------
    >>> read_entry('{"parts":{},"completion":{"text":"yes","answered_at":"2026-01-02T03:04:05","raw":""}}').parts
    {}
    >>> read_entry("cut sho") is None
    True
    """
    if text is None:
        return None
    try:
        return StoredEntry.model_validate_json(text)
    except ValidationError:
        return None
