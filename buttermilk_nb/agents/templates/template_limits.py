"""Limits of time and size of a prompt template.

Loops and macros check the time. Each way to make a long text or list from a short one (an operator, a filter, a list in
a list) checks the size before the result is made, so that no template can fill the memory.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from functools import partial
from typing import Any

from jinja2 import TemplateRuntimeError, Undefined

from ...corpus.image import Image
from ...corpus.record import RecordView
from .template_values import TemplateView

MAX_CHARACTERS = 20_000_000
"""Characters of a filled template, and of each text that it makes on the way."""
MAX_ITEMS = 100_000
"""Values in a list or mapping that a template makes, with those of the lists in it."""
MAX_SECONDS = 10.0
"""Seconds that filling one part may take."""

_MAX_NUMBER_BITS = 10_000


class _Rendering:
    """What is left of the limits of one rendering."""

    def __init__(self) -> None:
        self.deadline = time.monotonic() + MAX_SECONDS
        self.characters = 0


_rendering: ContextVar[_Rendering | None] = ContextVar("rendering", default=None)


class limits:  # noqa: N801  # a context manager, which is used like a function
    """Start the limits of one rendering."""

    def __enter__(self) -> None:
        self._token = _rendering.set(_Rendering())

    def __exit__(self, *_: object) -> None:
        _rendering.reset(self._token)


def print_value(value: Any) -> Any:
    """Check a value before it becomes a part of the text."""
    n = len(value) if isinstance(value, str) else text_length(value)
    if rendering := _rendering.get():
        rendering.characters += n
        n = rendering.characters
    check_length(n)
    return value


def text_length(value: Any) -> int:
    """About how many characters a value has as text; an error if it is not plain data."""
    total, rest = 0, [value]
    while rest and total <= MAX_CHARACTERS:
        part = rest.pop()
        total += len(part) + 2 if isinstance(part, str | list | tuple | dict) else 8
        if isinstance(part, dict):
            rest += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple):
            rest += part
        elif isinstance(part, TemplateView) and part.text:
            total += len(part.text)
        elif part is not None and not isinstance(part, str | int | float | Undefined):
            raise TemplateRuntimeError(_why_no_text(part))
    return total


def _why_no_text(value: Any) -> str:
    if isinstance(value, RecordView):
        return "`record` itself is not a text; write `record.content`, or another of its fields"
    if isinstance(value, TemplateView):
        return f"`{value.kind}` itself is not a text; write one of its fields: {', '.join(value.fields)}"
    if isinstance(value, Image):
        return (
            "an image is not a text: it is sent with the message in any case; write `record.images|length`, or its "
            "`name`"
        )
    name = getattr(value.args[-1] if isinstance(value, partial) else value, "__name__", None)
    if callable(value) and name:
        return f"`{name}` is a function, not a text; call it, `{name}()`, or check the name"
    return f"a {type(value).__name__} is not a text; write one of its parts, or `|list` after it"


def check_length(n: int) -> None:
    """Check the number of characters of a text before it is made."""
    if n > MAX_CHARACTERS:
        raise TemplateRuntimeError(f"its text would be longer than {MAX_CHARACTERS:,} characters")


def check_items(value: Any) -> Any:
    """Check the size of a list or mapping, with what its parts contain."""
    if _count_items(value) > MAX_ITEMS:
        raise TemplateRuntimeError(f"it would make a list of more than {MAX_ITEMS:,} values")
    return value


def _count_items(value: Any) -> int:
    total, rest = 0, [value]
    while rest and total <= MAX_ITEMS:
        part = rest.pop()
        if isinstance(part, list | tuple | dict):
            total += len(part)
            rest += part.values() if isinstance(part, dict) else part
    return total


def check_time() -> None:
    """Check that there is time left; each turn of a loop and each call of a macro does it."""
    rendering = _rendering.get()
    if rendering and time.monotonic() > rendering.deadline:
        raise TemplateRuntimeError(f"filling it in takes longer than {MAX_SECONDS:g} s; it repeats something too often")


def check_operands(operator: str, left: Any, right: Any) -> None:
    """Check the size of a result before it is made."""
    if operator == "*" and isinstance(right, str | list | tuple):
        left, right = right, left
    times = right if operator == "*" and isinstance(right, int) else 1
    if isinstance(left, str):
        check_length(len(left) * times + (len(right) if isinstance(right, str) else 0))
    elif isinstance(left, list | tuple):
        if _count_items(left) * times + _count_items(right) > MAX_ITEMS:
            raise TemplateRuntimeError(f"it would make a list of more than {MAX_ITEMS:,} values")
    elif isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
        if bits > _MAX_NUMBER_BITS:
            raise TemplateRuntimeError("it would make a number of more than 3,000 digits")
