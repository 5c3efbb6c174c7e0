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

JsonState = Literal["whole", "open", "cut", "tangled"]
"""How it ends: closed; only brackets missing; in the middle of a value; never mind."""

MAX_DEPTH = 64
"""Levels of nesting; an answer has four."""
_MAX_TOKENS = 20_000
_MAX_OBJECTS = 500
_OBJECT_START = re.compile(r"""\{\s*+(?:["'“”‘’`}]|[\w$.-]++\s*+:)""")
_TOKEN = re.compile(r"""[^"'“”‘’`{}\[\]]++|.""", re.DOTALL)
_TO_CLOSING_QUOTE = {
    '"': re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL),
    "'": re.compile(r"[^'\\]*+(?:\\.[^'\\]*+)*+'", re.DOTALL),
    "`": re.compile(r"[^`]*+`"),
    "“": re.compile(r'[^”“"\\]*+(?:\\.[^”“"\\]*+)*+[”“"]', re.DOTALL),
    "‘": re.compile(r"[^’‘'\\]*+(?:\\.[^’‘'\\]*+)*+[’‘']", re.DOTALL),
}
_TO_CLOSING_QUOTE["”"], _TO_CLOSING_QUOTE["’"] = _TO_CLOSING_QUOTE["“"], _TO_CLOSING_QUOTE["‘"]
_VALUE_START = r"""["'“”‘’`{\[\]}\d-]|true|false|null|nan|none|[\w$.-]++\s*+:|//|/\*|\#|$"""
_AFTER_STRING = re.compile(rf"""\s*+(?:[:}}\]"'“”]|//|/\*|\#|```|$|,\s*+(?:{_VALUE_START}))""", re.IGNORECASE)
_NEXT_PAIR = re.compile(r'\s*+,\s*+"(?:[^"\\]|\\.){1,80}+"\s*+:')
_CLOSING_FENCE = re.compile(r"(?:```|</\w{1,40}>)\s*+$")
_TRAILING_BRACKETS = re.compile(r"[}\]\s]*+$")


class JsonCandidate(NamedTuple):
    """An object in a text: where it stands, how it ends, and its value where it is strict JSON."""

    start: int
    end: int
    state: JsonState
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
    begins = _OBJECT_START.search(text, start)
    while begins is not None:
        if len(found) >= _MAX_OBJECTS:
            return [JsonCandidate(start, len(text), "tangled")]
        piece = _decode_object(text, begins.start()) or _outline_object(text, begins.start())
        found.append(piece)
        begins = _OBJECT_START.search(text, piece.end) if piece.state == "whole" else None
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


def _object_from_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next((name for name, value in pairs if found[name] != value), None)
        if twice is not None:
            raise _ContradictionError(twice)
    return found


def _parse_float(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _parse_int(text: str) -> int | str:
    return int(text) if len(text) < 400 else text  # longer ones Python may refuse to read


_DECODER = json.JSONDecoder(
    strict=False,
    object_pairs_hook=_object_from_pairs,
    parse_float=_parse_float,
    parse_int=_parse_int,
    parse_constant=str,
)


def _decode_object(text: str, start: int) -> JsonCandidate | None:
    """Strict JSON; None where it is not, or where it seems to go on behind a bracket too many."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except _ContradictionError as error:
        end = _outline_object(text, start).end
        return JsonCandidate(start, end, "whole", None, str(error))
    except (ValueError, RecursionError):
        return None
    return None if _NEXT_PAIR.match(text, end) else JsonCandidate(start, end, "whole", value)


def _outline_object(text: str, start: int) -> JsonCandidate:
    """Strings and brackets from an opening bracket to the one that closes it, or to the end."""
    inside: list[str] = []
    last, at, key = "", start, False  # the last character that counts; whether a string there is a name
    fence = _CLOSING_FENCE.search(text, max(start, len(text) - 60))
    stop = fence.start() if fence else len(text)
    for _ in range(_MAX_TOKENS):
        found = _TOKEN.match(text, at, stop)
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
            elif piece == "}" and not _NEXT_PAIR.match(text, at):
                return JsonCandidate(start, at, "whole")
            last = piece
        elif piece == '"' or (piece in _TO_CLOSING_QUOTE and last in ("{", "[", ",", ":")):
            key = last == "{" or (last == "," and inside[-1] == "{")
            end = _string_end(text, at, piece)
            if end is None:
                return JsonCandidate(
                    start, stop, "open" if fence or _has_all_brackets(text[at:stop], len(inside)) else "cut"
                )
            last, at = '"', end
        else:
            last = piece.rstrip()[-1:] or last
        if len(inside) > MAX_DEPTH:
            break
    return JsonCandidate(start, len(text), "tangled")


def _string_end(text: str, at: int, quote: str) -> int | None:
    """Behind the mark that ends a string: one that is followed by what may follow a string."""
    closes = _TO_CLOSING_QUOTE[quote]
    while found := closes.match(text, at):
        at = found.end()
        if _AFTER_STRING.match(text, at):
            return at
    return None


def _has_all_brackets(text: str, levels: int) -> bool:
    """Whether a text that seems to end within a string does not: a mark is missing, and every bracket is there."""
    brackets = _TRAILING_BRACKETS.search(text[-400:])
    return brackets is not None and len("".join(brackets[0].split())) >= levels
