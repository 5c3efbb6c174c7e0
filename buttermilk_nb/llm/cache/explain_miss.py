"""Why an answer is not in the cache: which part of the question differs from the nearest one that is.

A key is one hash, which says nothing about what changed. Each entry keeps the named hashes of its key's parts, so the
entry with the most equal parts says what a researcher changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..._internal.text import shorten
from .entries import CacheRow

MAX_ROWS = 20_000
_MAX_MODELS = 5


def explain_miss(parts: Mapping[str, str], newest_rows: Iterable[CacheRow]) -> str:
    """A sentence on the nearest of the `LOOKED_AT` newest entries, of which the newest comes first."""
    model = parts.get("model", "")
    other_models: dict[str, None] = {}
    nearest_parts: Mapping[str, str] | None = None
    n = 0
    for n, row in enumerate(newest_rows, 1):  # noqa: B007  # how many there were
        if row.entry is None:
            continue
        if row.entry.model != model:
            other_models[row.entry.model] = None
        elif nearest_parts is None or _similarity(row.entry.parts, parts) > _similarity(nearest_parts, parts):
            nearest_parts = row.entry.parts
    if nearest_parts is not None:
        return _describe_difference(parts, nearest_parts)
    among = f" among the newest {MAX_ROWS:,} answers" if n >= MAX_ROWS else ""
    return f"Nothing is cached for this model{among}{_list_models(list(other_models))}."


def _list_models(names: Sequence[str]) -> str:
    if not names:
        return ""
    named = ", ".join(f"`{shorten(name)}`" for name in names[:_MAX_MODELS])
    return f"; there are answers of {named}{', ...' if names[_MAX_MODELS:] else ''}"


def _similarity(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[int, int]:
    """How many parts are equal; among as many, the fewer differ the nearer."""
    equal = sum(other.get(name) == value for name, value in one.items())
    return equal, -len({*one, *other})


def _describe_difference(requested: Mapping[str, str], cached: Mapping[str, str]) -> str:
    names = [name for name in {**requested, **cached} if requested.get(name) != cached.get(name)]
    if names:
        return f"The nearest cached answer differs in: {', '.join(_describe_part(name, requested, cached) for name in names)}."
    return (
        "The nearest cached answer was given to the same parts in another arrangement: more messages, another order, "
        "or another version of this package."
    )


def _describe_part(name: str, requested: Mapping[str, str], cached: Mapping[str, str]) -> str:
    shown = shorten(name, 40)
    if name not in cached:
        return f"{shown} (only in this question)"
    if name not in requested:
        return f"{shown} (only in the cached one)"
    if name == "replicate":
        return f"replicate (here {shorten(requested[name], 12)}, cached {shorten(cached[name], 12)})"
    if not name.startswith("message "):
        return shown
    return f"{shown[:-1]}: its text or wording)" if shown.endswith(")") else f"{shown} (its text or wording)"
