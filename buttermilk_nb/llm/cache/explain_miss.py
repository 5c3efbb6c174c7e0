"""Explain a cache miss by comparing the question with the most similar entry.

A key is one hash, which does not show what changed. But each entry contains the named hashes of its key's parts, so a
comparison with the entry that has the most equal parts shows what a researcher has changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..._internal.text import shorten
from .entries import CacheRow

MAX_ROWS = 20_000
_MAX_MODELS = 5


def explain_miss(parts: Mapping[str, str], newest_rows: Iterable[CacheRow]) -> str:
    """A sentence about the most similar entry among the newest rows.

    Parameters
    ----------
    parts
        The named hashes of the question's parts.
    newest_rows
        Up to `MAX_ROWS` rows of the cache, the newest first.
    """
    model = parts.get("model", "")
    other_models: dict[str, None] = {}
    nearest_parts: Mapping[str, str] | None = None
    n = 0
    for n, row in enumerate(newest_rows, 1):  # noqa: B007  # the number of rows, used below
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
    listed_names = ", ".join(f"`{shorten(name)}`" for name in names[:_MAX_MODELS])
    return f"; there are answers of {listed_names}{', ...' if names[_MAX_MODELS:] else ''}"


def _similarity(a: Mapping[str, str], b: Mapping[str, str]) -> tuple[int, int]:
    """The number of equal parts; in a tie, fewer parts in total means more similar."""
    n_equal = sum(b.get(name) == value for name, value in a.items())
    return n_equal, -len({*a, *b})


def _describe_difference(requested: Mapping[str, str], cached: Mapping[str, str]) -> str:
    names = [name for name in {**requested, **cached} if requested.get(name) != cached.get(name)]
    if names:
        differences = ", ".join(_describe_part(name, requested, cached) for name in names)
        return f"The nearest cached answer differs in: {differences}."
    return (
        "The nearest cached answer has the same parts in another arrangement: more messages, another order, or another "
        "version of this package."
    )


def _describe_part(name: str, requested: Mapping[str, str], cached: Mapping[str, str]) -> str:
    label = shorten(name, 40)
    if name not in cached:
        return f"{label} (only in this question)"
    if name not in requested:
        return f"{label} (only in the cached question)"
    if name == "replicate":
        return f"replicate (here {shorten(requested[name], 12)}, cached {shorten(cached[name], 12)})"
    if not name.startswith("message "):
        return label
    return f"{label[:-1]}: its text or wording)" if label.endswith(")") else f"{label} (its text or wording)"
