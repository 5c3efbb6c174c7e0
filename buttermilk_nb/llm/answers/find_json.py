"""Where JSON objects stand in a text, and how the last of them ends.

Strict JSON is decoded as it is. Of what is not strict only an outline is drawn (strings and brackets, the quotation
marks that people and models forget to escape included), to learn where it ends and whether it ends at all: a repairer
that is handed `"answer": "no` makes `no` of what may have been `not applicable`. Both take time in proportion to the
text, and give up where brackets are so many that it is no answer.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Literal, NamedTuple

End = Literal["whole", "open", "cut", "tangled"]
"""How it ends: closed; only brackets missing; in the middle of a value; never mind."""

DEEPEST = 64
"""Levels of nesting; an answer has four."""
_MOST_PIECES = 20_000
_MOST_OBJECTS = 500
_BEGINS = re.compile(r"""\{\s*+(?:["'“”‘’`}]|[\w$.-]++\s*+:)""")
_PIECE = re.compile(r"""[^"'“”‘’`{}\[\]]++|.""", re.DOTALL)
_CLOSES = {
    '"': re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL),
    "'": re.compile(r"[^'\\]*+(?:\\.[^'\\]*+)*+'", re.DOTALL),
    "`": re.compile(r"[^`]*+`"),
    "“": re.compile(r'[^”“"\\]*+(?:\\.[^”“"\\]*+)*+[”“"]', re.DOTALL),
    "‘": re.compile(r"[^’‘'\\]*+(?:\\.[^’‘'\\]*+)*+[’‘']", re.DOTALL),
}
_CLOSES["”"], _CLOSES["’"] = _CLOSES["“"], _CLOSES["‘"]
_VALUE = r"""["'“”‘’`{\[\]}\d-]|true|false|null|nan|none|[\w$.-]++\s*+:|//|/\*|\#|$"""
_STRING_ENDS = re.compile(rf"""\s*+(?:[:}}\]"'“”]|//|/\*|\#|```|$|,\s*+(?:{_VALUE}))""", re.IGNORECASE)
_GOES_ON = re.compile(r'\s*+,\s*+"(?:[^"\\]|\\.){1,80}+"\s*+:')
_FENCED_OFF = re.compile(r"(?:```|</\w{1,40}>)\s*+$")
_LAST_BRACKETS = re.compile(r"[}\]\s]*+$")


class JsonCandidate(NamedTuple):
    """An object in a text: where it stands, how it ends, and its value where it is strict JSON."""

    start: int
    end: int
    ends: End
    value: dict[str, Any] | None = None
    contradiction: str = ""
    """The name that stands in it twice, with different values."""


def find_objects(text: str, start: int = 0) -> list[JsonCandidate]:
    """The objects in a text, from a place on, that stand in no other; only the last can be other than `whole`.

    Examples
    --------
    >>> [piece.ends for piece in find_objects('First {"a": 1}, then {"a": "tw')]
    ['whole', 'cut']
    """
    found: list[JsonCandidate] = []
    begins = _BEGINS.search(text, start)
    while begins is not None:
        if len(found) >= _MOST_OBJECTS:
            return [JsonCandidate(start, len(text), "tangled")]
        piece = _decoded(text, begins.start()) or _outlined(text, begins.start())
        found.append(piece)
        begins = _BEGINS.search(text, piece.end) if piece.ends == "whole" else None
    return found


def loads(text: str) -> Any:
    """Strict JSON but for line breaks in strings; numbers that are none, such as NaN, as their text.

    Raises
    ------
    ValueError
        It is something else, or nested too deep, or contradicts itself.

    Examples
    --------
    >>> loads('{"answer": NaN}')
    {'answer': 'NaN'}
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


class _ContradictionError(ValueError):
    """One name, two values."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next((name for name, value in pairs if found[name] != value), None)
        if twice is not None:
            raise _ContradictionError(twice)
    return found


def _float(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _int(text: str) -> int | str:
    return int(text) if len(text) < 400 else text  # longer ones Python may refuse to read


_DECODER = json.JSONDecoder(
    strict=False, object_pairs_hook=_pairs, parse_float=_float, parse_int=_int, parse_constant=str
)


def _decoded(text: str, start: int) -> JsonCandidate | None:
    """Strict JSON; None where it is not, or where it seems to go on behind a bracket too many."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except _ContradictionError as error:
        end = _outlined(text, start).end
        return JsonCandidate(start, end, "whole", None, str(error))
    except (ValueError, RecursionError):
        return None
    return None if _GOES_ON.match(text, end) else JsonCandidate(start, end, "whole", value)


def _outlined(text: str, start: int) -> JsonCandidate:
    """Strings and brackets from an opening bracket to the one that closes it, or to the end."""
    inside: list[str] = []
    last, at, key = "", start, False  # the last character that counts; whether a string there is a name
    fence = _FENCED_OFF.search(text, max(start, len(text) - 60))
    stop = fence.start() if fence else len(text)
    for _ in range(_MOST_PIECES):
        found = _PIECE.match(text, at, stop)
        if found is None:
            complete = fence or last in ("}", "]") or (last == '"' and not key)
            return JsonCandidate(start, stop, "open" if complete else "cut")
        piece, at = found[0], found.end()
        if piece in "{[":
            inside.append(piece)
            last = piece
        elif piece in "}]":
            if len(inside) > 1:
                inside.pop()
            elif piece == "}" and not _GOES_ON.match(text, at):
                return JsonCandidate(start, at, "whole")
            last = piece
        elif piece == '"' or (piece in _CLOSES and last in ("{", "[", ",", ":")):
            key = last == "{" or (last == "," and inside[-1] == "{")
            end = _string_end(text, at, piece)
            if end is None:
                return JsonCandidate(start, stop, "open" if fence or _all_closed(text[at:stop], len(inside)) else "cut")
            last, at = '"', end
        else:
            last = piece.rstrip()[-1:] or last
        if len(inside) > DEEPEST:
            break
    return JsonCandidate(start, len(text), "tangled")


def _string_end(text: str, at: int, quote: str) -> int | None:
    """Behind the mark that ends a string: one that is followed by what may follow a string."""
    closes = _CLOSES[quote]
    while found := closes.match(text, at):
        at = found.end()
        if _STRING_ENDS.match(text, at):
            return at
    return None


def _all_closed(text: str, levels: int) -> bool:
    """Whether a text that seems to end within a string does not: a mark is missing, and every bracket is there."""
    brackets = _LAST_BRACKETS.search(text[-400:])
    return brackets is not None and len("".join(brackets[0].split())) >= levels
