"""Builds Markdown in which names from outside appear as code and cannot add markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .text import shorten


def code(name: str | None) -> str:
    """A name from outside as code on one line, which also fits into a table.

    Examples
    --------
    >>> code("judge"), code("a`|<b>")
    ('`judge`', '`a´¦<b>`')
    """
    plain = shorten(name or "", 120).replace("`", "´").replace("|", "¦")
    return f"`{plain or '?'}`"


def strip_markup(text: str, width: int = 40) -> str:
    """A short text from outside, without characters that Markdown or HTML would interpret.

    Examples
    --------
    >>> strip_markup("2026-11-20 <b>*")
    '2026-11-20 b'
    """
    return " ".join("".join(c if c.isalnum() or c in ".,:-/" else " " for c in shorten(text, width)).split())


def bullets(lines: Iterable[str]) -> str:
    """The lines as a bulleted list."""
    return "\n".join(f"- {line}" for line in lines)


def join_names(names: Iterable[str]) -> str:
    """Names joined for a sentence.

    Examples
    --------
    >>> join_names(["a"]), join_names(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    items: Sequence[str] = list(names)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def code_list(names: Iterable[str]) -> str:
    """Names from outside as code, joined for a sentence.

    Examples
    --------
    >>> code_list(["a", "b"])
    '`a` and `b`'
    """
    return join_names(code(name) for name in names)
