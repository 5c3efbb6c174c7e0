"""Find the JSON objects in a text, and tell whether the last one is complete.

Strict JSON is decoded. For an object that is not strict JSON we only outline its strings and brackets (also unescaped
quotation marks, which people and models often forget to escape), to learn where it ends and whether it ends at all.
This matters because a repair library turns `"answer": "no` into `no`, although the full answer may have been `not
applicable`. Both steps take time proportional to the length of the text, and give up on texts with too many brackets
for an answer.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Literal, NamedTuple

JsonState = Literal["complete", "unclosed", "truncated", "malformed"]
"""Complete; only closing brackets are missing; it ends in the middle of a value; not worth reading."""

MAX_DEPTH = 64
"""The deepest nesting that is read; an answer has four levels."""
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
    """An object in a text: its position, whether it is complete, and its value if it is strict JSON."""

    start: int
    end: int
    state: JsonState
    value: dict[str, Any] | None = None
    contradiction: str = ""
    """A key that occurs twice in it with different values."""


def find_objects(text: str, start: int = 0) -> list[JsonCandidate]:
    """The outermost objects in a text, from `start` on; only the last one may be other than `complete`.

    Examples
    --------
    >>> [candidate.state for candidate in find_objects('First {"a": 1}, then {"a": "tw')]
    ['complete', 'truncated']
    """
    candidates: list[JsonCandidate] = []
    match = _OBJECT_START.search(text, start)
    while match is not None:
        if len(candidates) >= _MAX_OBJECTS:
            return [JsonCandidate(start, len(text), "malformed")]
        candidate = _decode_object(text, match.start()) or _outline_object(text, match.start())
        candidates.append(candidate)
        match = _OBJECT_START.search(text, candidate.end) if candidate.state == "complete" else None
    return candidates


def loads(text: str) -> Any:
    """Decode strict JSON, but allow line breaks in strings; NaN and infinity become texts.

    Raises
    ------
    ValueError
        The text is not JSON, is nested too deep, or gives a key twice with different values.

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
    """A key occurs twice with different values."""


def _object_from_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        contradiction = next((key for key, value in pairs if values[key] != value), None)
        if contradiction is not None:
            raise _ContradictionError(contradiction)
    return values


def _parse_float(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _parse_int(text: str) -> int | str:
    return int(text) if len(text) < 400 else text  # Python refuses to convert very long numbers


_DECODER = json.JSONDecoder(
    strict=False,
    object_pairs_hook=_object_from_pairs,
    parse_float=_parse_float,
    parse_int=_parse_int,
    parse_constant=str,
)


def _decode_object(text: str, start: int) -> JsonCandidate | None:
    """Decode strict JSON; None if it is not strict, or if it seems to continue after an extra closing bracket."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except _ContradictionError as error:
        end = _outline_object(text, start).end
        return JsonCandidate(start, end, "complete", None, str(error))
    except (ValueError, RecursionError):
        return None
    return None if _NEXT_PAIR.match(text, end) else JsonCandidate(start, end, "complete", value)


def _outline_object(text: str, start: int) -> JsonCandidate:
    """Follow strings and brackets from an opening bracket to the one that closes it, or to the end."""
    open_brackets: list[str] = []
    last, position, is_key = "", start, False  # the last significant character; whether a string there is a key
    fence = _CLOSING_FENCE.search(text, max(start, len(text) - 60))
    stop = fence.start() if fence else len(text)
    for _ in range(_MAX_TOKENS):
        match = _TOKEN.match(text, position, stop)
        if match is None:
            has_value = fence or last in ("}", "]") or (last == '"' and not is_key)
            return JsonCandidate(start, stop, "unclosed" if has_value else "truncated")
        symbol, position = match[0], match.end()
        if symbol in "{[":
            open_brackets.append(symbol)
            last = symbol
        elif symbol in "}]":
            if len(open_brackets) > 1:
                open_brackets.pop()
            elif symbol == "}" and not _NEXT_PAIR.match(text, position):
                return JsonCandidate(start, position, "complete")
            last = symbol
        elif symbol == '"' or (symbol in _TO_CLOSING_QUOTE and last in ("{", "[", ",", ":")):
            is_key = last == "{" or (last == "," and open_brackets[-1] == "{")
            end = _string_end(text, position, symbol)
            if end is None:
                has_end = fence or _has_all_brackets(text[position:stop], len(open_brackets))
                return JsonCandidate(start, stop, "unclosed" if has_end else "truncated")
            last, position = '"', end
        else:
            last = symbol.rstrip()[-1:] or last
        if len(open_brackets) > MAX_DEPTH:
            break
    return JsonCandidate(start, len(text), "malformed")


def _string_end(text: str, start: int, quote: str) -> int | None:
    """The position after a string's closing quotation mark: the first one that a comma, bracket or colon follows."""
    pattern = _TO_CLOSING_QUOTE[quote]
    position = start
    while match := pattern.match(text, position):
        position = match.end()
        if _AFTER_STRING.match(text, position):
            return position
    return None


def _has_all_brackets(text: str, levels: int) -> bool:
    """Whether a text that seems to end within a string has all closing brackets, so that only a quote is missing."""
    brackets = _TRAILING_BRACKETS.search(text[-400:])
    return brackets is not None and len("".join(brackets[0].split())) >= levels
