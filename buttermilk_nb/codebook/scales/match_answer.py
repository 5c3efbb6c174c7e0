"""Match a raw answer with the answers of a scale.

An answer is matched as a whole; no answer is searched for in a longer text. So `not hateful`, `hardly hateful` and
`yes or no` match nothing, unless a scale offers them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

_CLOSING = ".!\N{IDEOGRAPHIC FULL STOP}\N{FULLWIDTH EXCLAMATION MARK}"
_PAIRS = frozenset(
    {
        '""',
        "''",
        "``",
        "**",
        "__",
        "()",
        "[]",
        "“”",
        "„“",
        "„”",
        "‘’",
        "‚‘",
        "«»",
        "»«",
        "‹›",
        "「」",
        "『』",
        "（）",
        "【】",
    }
)
"""The marks that may stand around an answer."""
_ENCLOSED = re.compile(r"\\boxed\{(.*)\}|<answer>(.*)</answer>", re.DOTALL | re.IGNORECASE)
_LEAD_IN = re.compile(
    r"(?:(?:the|my|final|overall|die|meine|la|ma|mi|a|minha) )*"
    r"(?:answer|label|rating|score|verdict|category|choice|code|judge?ment|"
    r"antwort|bewertung|urteil|réponse|verdict|respuesta|resposta|risposta)"
    r" ?(?:[:=]|\b(?:is|ist|est|es|é|è)\b ?:?) ?",
    re.IGNORECASE,
)
_MAX_LENGTH = 400


def normalise(text: str) -> str:
    """The form in which names are compared: case, spaces, closing punctuation and composed accents are ignored."""
    plain = unicodedata.normalize("NFC", text).replace("−", "-")
    return " ".join(plain.strip().strip(".!\"'`*_").casefold().split())


def exact_match(raw: str, offered: Sequence[str]) -> str | None:
    """The offered answer that equals `raw`, or None; blanks at the ends, case and Unicode form are ignored.

    Examples
    --------
    >>> exact_match(" YES ", ["yes", "no"])
    'yes'
    >>> exact_match("not yes", ["yes", "no"]) is None
    True
    """
    if raw in offered:
        return raw
    if len(raw) > _MAX_LENGTH:
        return None
    for form in (_composed, _compatible):
        wanted = form(raw)
        if matches := [name for name in offered if form(name) == wanted]:
            return matches[0] if len(matches) == 1 else None
    return None


def match_wrapped(raw: str, match: Callable[[str], Any]) -> Any | None:
    """What `match` makes of an answer as models write it: in marks, with closing punctuation, after a lead-in.

    Examples
    --------
    >>> match_wrapped("The answer is **yes**.", lambda text: exact_match(text, ["yes", "no"]))
    'yes'
    """
    if len(raw) > _MAX_LENGTH:
        return None
    for text in _unwrapped_forms(raw):
        if (answer := match(text)) is not None:
            return answer
    return None


def only_item(raw: object) -> object:
    """The answer in a list of one, also in a list written as JSON; else the answer itself.

    Examples
    --------
    >>> only_item(["yes"]), only_item('["yes"]'), only_item(["yes", "no"])
    ('yes', 'yes', ['yes', 'no'])
    """
    if isinstance(raw, str) and raw.lstrip().startswith("[") and len(raw) <= _MAX_LENGTH:
        try:
            items = json.loads(raw)
        except (ValueError, RecursionError):
            return raw
        raw = items if len(items) == 1 and isinstance(items[0], str) else raw
    if isinstance(raw, list | tuple) and len(raw) == 1 and not isinstance(raw[0], list | tuple | dict):
        return raw[0]
    return raw


def plain_scalar(raw: object) -> object:
    """The plain Python value of a numpy scalar; else the value itself."""
    return raw.item() if type(raw).__module__ == "numpy" and getattr(raw, "ndim", 1) == 0 else raw  # type: ignore[attr-defined]


def plain_number(text: str) -> str:
    """A text with its digits and its sign in their plain forms; a raised or circled digit is no digit.

    Examples
    --------
    >>> plain_number(" −４ "), plain_number("²")
    ('-4', '²')
    """
    plain = _plain_width(text).replace("−", "-").strip()
    return plain if plain.isascii() else "".join(str(unicodedata.decimal(char, char)) for char in plain)


def _unwrapped_forms(raw: str) -> Iterable[str]:
    """The text, and what remains if marks, closing punctuation and lead-ins are removed from outside to inside."""
    text, before = raw.strip(), None
    while text and text != before:
        yield text
        before = text
        if text[-1:] and text[-1] in _CLOSING:
            text = text[:-1].rstrip()
        elif len(text) > 1 and text[0] + text[-1] in _PAIRS:
            text = text[1:-1].strip()
        elif enclosed := _ENCLOSED.fullmatch(text):
            text = (enclosed[1] or enclosed[2] or "").strip()
        elif lead_in := _LEAD_IN.match(text):
            text = text[lead_in.end() :].strip()


@lru_cache(maxsize=4096)
def _composed(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).replace("−", "-").casefold().split())


@lru_cache(maxsize=4096)
def _compatible(text: str) -> str:
    return " ".join(_plain_width(text).replace("−", "-").casefold().split())


def _plain_width(text: str) -> str:
    """The compatible form (NFKC), but with raised, lowered and circled signs as they are, which mean something else."""
    if text.isascii():
        return text
    parts = (char if _is_special(char) else unicodedata.normalize("NFKC", char) for char in text)
    return unicodedata.normalize("NFC", "".join(parts))


def _is_special(char: str) -> bool:
    return unicodedata.decomposition(char).startswith(("<super>", "<sub>", "<fraction>", "<circle>", "<square>"))
