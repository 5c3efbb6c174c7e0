"""Why an answer is not in the cache: which part of the question differs from the nearest one that is.

A key is one hash, which says nothing about what changed. Each entry keeps the named hashes of its key's parts, so the
entry with the most equal parts says what a researcher changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..._internal.text import shorten
from .entries import FoundEntry

LOOKED_AT = 20_000
_MODELS_NAMED = 5


def explain(parts: Mapping[str, str], newest: Iterable[FoundEntry]) -> str:
    """A sentence on the nearest of the `LOOKED_AT` newest entries, of which the newest comes first."""
    model = parts.get("model", "")
    others: dict[str, None] = {}
    best: Mapping[str, str] | None = None
    n = 0
    for n, row in enumerate(newest, 1):  # noqa: B007  # how many there were
        if row.entry is None:
            continue
        if row.entry.model != model:
            others[row.entry.model] = None
        elif best is None or _nearness(row.entry.parts, parts) > _nearness(best, parts):
            best = row.entry.parts
    if best is not None:
        return _difference(parts, best)
    among = f" among the newest {LOOKED_AT:,} answers" if n >= LOOKED_AT else ""
    return f"Nothing is cached for this model{among}{_models(list(others))}."


def _models(names: Sequence[str]) -> str:
    if not names:
        return ""
    named = ", ".join(f"`{shorten(name)}`" for name in names[:_MODELS_NAMED])
    return f"; there are answers of {named}{', ...' if names[_MODELS_NAMED:] else ''}"


def _nearness(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[int, int]:
    """How many parts are equal; among as many, the fewer differ the nearer."""
    equal = sum(other.get(name) == value for name, value in one.items())
    return equal, -len({*one, *other})


def _difference(asked: Mapping[str, str], cached: Mapping[str, str]) -> str:
    names = [name for name in {**asked, **cached} if asked.get(name) != cached.get(name)]
    if names:
        return f"The nearest cached answer differs in: {', '.join(_said(name, asked, cached) for name in names)}."
    return (
        "The nearest cached answer was given to the same parts in another arrangement: more messages, another order, "
        "or another version of this package."
    )


def _said(name: str, asked: Mapping[str, str], cached: Mapping[str, str]) -> str:
    shown = shorten(name, 40)
    if name not in cached:
        return f"{shown} (only in this question)"
    if name not in asked:
        return f"{shown} (only in the cached one)"
    if name == "replicate":
        return f"replicate (here {shorten(asked[name], 12)}, cached {shorten(cached[name], 12)})"
    if not name.startswith("message "):
        return shown
    return f"{shown[:-1]}: its text or wording)" if shown.endswith(")") else f"{shown} (its text or wording)"
