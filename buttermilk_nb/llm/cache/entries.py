"""Stored answers, as far as the cache itself reads them.

`llm/completion.py` defines the full form (`CacheEntry`). The cache imports nothing from the models, so it reads only a
few fields and ignores the others. A text that is not an answer counts as damaged and never raises an error, because a
cache may come from anywhere.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator


class StoredCompletion(BaseModel):
    """The fields of a completion that the cache reads."""

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
        """The fields that make two answers equal; time and cost are not among them."""
        return self.text, self.refusal, self.finish_reason


class StoredEntry(BaseModel):
    """An entry of the cache: the named hashes of a key's parts, and the answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    parts: dict[str, str]
    completion: StoredCompletion

    @property
    def model(self) -> str:
        """The model's full name; empty if the entry does not have it."""
        return self.parts.get("model", "")


class CacheRow(NamedTuple):
    """One row of the cache. `text` is the value on disk; `entry` is None if it cannot be read."""

    key: str
    text: str
    entry: StoredEntry | None


DAMAGED_ROW = CacheRow("", "", None)
"""A row with a key or a value that is not text."""


def parse_entry(text: str | None) -> StoredEntry | None:
    """Parse an entry; None if the text is not one.

    Examples
    --------
    >>> parse_entry('{"parts":{},"completion":{"text":"yes","answered_at":"2026-01-02T03:04:05","raw":""}}').parts
    {}
    >>> parse_entry("cut sho") is None
    True
    """
    if text is None:
        return None
    try:
        return StoredEntry.model_validate_json(text)
    except ValidationError:
        return None
