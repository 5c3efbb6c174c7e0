"""The forms of a text in which it is compared with another: how a copy of it may be written.

White space, marks of block quotes, backslashes, invisible characters, kinds of quotation marks and the escapes of HTML,
addresses and JSON make no difference.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Any
from urllib.parse import unquote

_QUOTE_MARKS = re.compile(r"^[ \t>]+", re.MULTILINE)
_INVISIBLE = re.compile("[\ufeff\0\u00ad\u200b-\u200f\u2060]")
_QUOTES = tuple(zip("’‘´`“”„‟", "'" * 4 + '"' * 4, strict=True))
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
_NO_LETTERS = re.compile("[^a-z]+")
_MAX_DECODINGS, _MAX_DEPTH = 3, 50


def decoded_forms(text: str) -> list[str]:
    """The text without invisible characters; and, if that differs, with its escapes decoded, and with plain marks."""
    if text.isascii() and not may_have_escapes(text):
        return [text]  # most texts
    visible, decoded = _visible_and_decoded(text)
    return list(dict.fromkeys([visible, with_plain_quotes(decoded), decoded]))


def plain_forms(text: str) -> list[str]:
    """The forms of `decoded_forms` with straight quotation marks, each once.

    Examples
    --------
    >>> plain_forms("“No” &amp; “yes”")
    ['"No" &amp; "yes"', '"No" & "yes"']
    """
    if text.isascii() and not may_have_escapes(text):
        return [text]
    return list(dict.fromkeys(map(with_plain_quotes, _visible_and_decoded(text))))


def _visible_and_decoded(text: str) -> tuple[str, str]:
    """The text without invisible characters, and that with its escapes decoded."""
    visible = decoded = _INVISIBLE.sub("", text)
    for _ in range(_MAX_DECODINGS):  # some texts were escaped twice
        before, decoded = decoded, _decode(decoded)
        if decoded == before:
            break
    if not decoded.isascii() and not unicodedata.is_normalized("NFKC", decoded):
        decoded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", decoded))
    return visible, decoded


def may_have_escapes(text: str) -> bool:
    """Whether a text in ASCII may have escapes, NULs or grave accents; written out, because it is asked often."""
    return (
        "`" in text
        or "&" in text
        or "\0" in text
        or ("\\" in text and ("\\u" in text or "\\x" in text))
        or ("%" in text and ("%7" in text or "%25" in text))
    )


def _decode(text: str) -> str:
    """The text with the escapes of HTML, addresses, JSON and programs decoded once."""
    decoded = html.unescape(text) if "&" in text else text
    decoded = unquote(decoded) if "%7" in decoded or "%25" in decoded else decoded
    return _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), decoded) if "\\" in decoded else decoded


def letters_of(text: str) -> str:
    """The letters of a text, in lower case."""
    folded = text.casefold()
    if folded.isascii():
        return _NO_LETTERS.sub("", folded)
    return "".join(filter(str.isalpha, unicodedata.normalize("NFKC", folded)))


def with_plain_quotes(text: str) -> str:
    """The text with straight quotation marks."""
    if text.isascii():
        return text.replace("`", "'")  # the only mark of these in ASCII
    for mark, plain in _QUOTES:
        text = text.replace(mark, plain)
    return text


def fold_strings(value: Any, depth: int = 0) -> Any:
    """A value with each of its texts decoded, with straight quotation marks and single spaces."""
    if depth > _MAX_DEPTH:
        return value
    if isinstance(value, str):
        return " ".join(with_plain_quotes(decoded_forms(value)[-1]).replace('"', "'").split())
    if isinstance(value, dict):
        return {key: fold_strings(item, depth + 1) for key, item in value.items()}
    return [fold_strings(item, depth + 1) for item in value] if isinstance(value, list) else value


def is_compact(text: str) -> bool:
    """Whether a text with straight quotation marks is compact as soon as its white space is removed."""
    return "\\" not in text and ">" not in text


def compact_form(text: str) -> str:
    """The text without white space, marks of block quotes and backslashes, with straight quotation marks."""
    return "".join(with_plain_quotes(_QUOTE_MARKS.sub("", text).replace("\\", "")).split())


def structure(text: str) -> str:
    """The text without white space and marks of block quotes, with straight quotation marks."""
    return "".join(with_plain_quotes(_QUOTE_MARKS.sub("", text)).split())
