"""Which of two texts was chosen, in an answer that says it in words.

Models are asked for JSON, and some answer in words; completions that others have recorded often are words alone. Read
is only what is said outright about one of the two names that were shown: a name that is the whole answer, or a
statement such as *Output (b) is better*. What a text is praised for is no choice. Where a conclusion is drawn
(*Therefore, ...*) it counts, whatever was weighed before. An answer contradicts itself, and is none, where the
statements that count name different texts, or where a verdict without any *because* is followed by the other one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from ..._internal.text import shorten
from ...errors import InvalidAnswer

Choice = Literal["first", "second", "tie"]

_LONGEST = 20_000  # characters; a choice stands at the end of what is longer, or at no place where it could be trusted
_THOUGHT = re.compile(r"</(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_DECORATION = str.maketrans("", "", '*_`"“”')
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\s*\n\s*")
_CONCLUDES = re.compile(
    r"(?:so|thus|hence|therefore|overall|finally|ultimately|consequently|accordingly|altogether|on balance"
    r"|in (?:conclusion|summary)|to (?:conclude|summarize|sum up)|for (?:these|this) reasons?"
    r"|(?:the |my )?(?:final )?(?:verdict|answer|winner|decision|conclusion|choice))\b"
)
_UNDECIDED = re.compile(
    r"\b(?:not|neither|nor|whether|if|unless|hardly|cannot|can't|isn't|wasn't|doesn't|would have|might|may|could"
    r"|some|one could|in one respect)\b"
)
_ADVERB = (
    r"(?:\s+(?:clearly|overall|slightly|much|far|definitely|also|generally|marginally|still|significantly|therefore"
    r"|thus|considered|deemed|the|a|an))*"
)
_GOOD = r"(?:better|best|superior|preferable|preferred|winner|stronger)"
_THING = r"(?:\s+(?:one|output|text|response|answer|option|choice|version|candidate))?"
_TIES = re.compile(
    r"\b(?:(?:both|they|the two)\b[^.;]{0,200}\b(?:equally|equal in quality)\b|equally (?:good|well|strong|bad)\b"
    r"|(?:it is|it's|this is|is|call it|as) a (?:tie|draw)\b|(?:verdict|answer|winner|decision|choice): ?(?:a )?tie\b"
    r"|neither\b[^.;]{0,200}\b(?:is|are) (?:the )?better\b|no (?:clear )?winner\b)"
    r"(?!.*\b(?:but|however|although|though)\b)"
)
_ENDED = re.compile(r"[.!?)\]]$")


class _Mention(NamedTuple):
    """How a text's name may be written: as the whole answer, and within a sentence."""

    whole: re.Pattern[str]
    chosen: re.Pattern[str]
    flat: re.Pattern[str]


@lru_cache(maxsize=64)
def _named(name: str) -> _Mention:
    """The patterns of one name: of `Output (a)` also `output a` and `(a)`; `a` alone where nothing else is said."""
    noun, _, mark = name.casefold().rpartition(" ")
    noun, mark = re.escape(noun), re.escape(mark.strip("()"))
    alone = rf"\(\s*{mark}\s*\)"
    full = rf"\b{noun}\s*(?:{alone}|\s{mark}\b)" if noun else rf"\b{mark}\b"
    here = rf"(?:{full}|(?<!\w\s){alone})"  # `(a)` behind a noun is some other thing's name
    there = rf"(?:{full}|{alone})"
    chosen = "|".join(
        (
            rf"{here},?\s+(?:is|was|seems|appears)(?:\s+to be)?{_ADVERB}\s+{_GOOD}\b",
            rf"{here}\s+(?:clearly\s+)?wins\b",
            rf"\b{_GOOD}{_THING}(?:\s+(?:overall|here))?(?:\s+is:?|\s+would be|:)\s*{there}",
            rf"\b(?:i|we)(?:\s+(?:would|will|clearly|therefore))*\s+(?:choose|prefer|pick|select|go with)\s+{there}",
            rf"\b(?:verdict|answer|winner|decision|choice|conclusion)(?:\s+is:?|:)\s*(?:{there}|{mark}[.!]?$)",
            rf"\[\[{mark}\]\]",
        )
    )
    flat = rf"{here} is (?:the )?better{_THING}"
    return _Mention(re.compile(rf"(?:{there}|\[*{mark}\]*)"), re.compile(chosen), re.compile(flat))


class _ChoiceSentence(NamedTuple):
    """One sentence that names a choice."""

    choice: Choice
    concluding: bool
    flat: bool
    """Whether it says that and nothing else, so that it cannot be one consideration among others."""


def read_choice(text: str, names: tuple[str, str] = ("Text A", "Text B"), *, ties: bool = True) -> Choice:
    """Which of two texts an answer chooses.

    Parameters
    ----------
    text
        The answer.
    names
        What the two were called where they were shown: a noun and a mark, as in `Text A` or `Output (a)`.
    ties
        Whether it was offered to call them equal.

    Returns
    -------
    `first` and `second`, in the order of `names`, or `tie`.

    Raises
    ------
    InvalidAnswer
        Nothing is said outright, or one thing and another.

    Examples
    --------
    >>> read_choice("(b) quotes nobody. Therefore, Output (b) is better.", ("Output (a)", "Output (b)"))
    'second'
    >>> read_choice("Both are equally clear.")
    'tie'
    """
    read = _THOUGHT.split(text)[-1].translate(_DECORATION).strip().casefold()
    if not read:
        raise InvalidAnswer("the answer is empty.")
    if len(read) > _LONGEST:
        read = read[-_LONGEST:]
    sentences = [part.strip() for part in _SENTENCE.split(read) if part.strip()]
    said = [found for part in sentences for found in _said(part, names)]
    concluded = {one.choice for one in said if one.concluding}
    if not concluded and _without_quotations(sentences[-1], names):
        raise InvalidAnswer(f"the answer breaks off in its conclusion: {shorten(sentences[-1], 80)}")
    found = concluded | {one.choice for one in said if one.flat or not concluded}
    if not found:
        raise InvalidAnswer(f"the answer does not say which is better: {shorten(text, 120)}")
    if len(found) > 1:
        raise InvalidAnswer(f"the answer says `{'` and `'.join(sorted(found))}`: {shorten(text, 120)}")
    (choice,) = found
    if choice == "tie" and not ties:
        raise InvalidAnswer(f"the answer calls them equal, which was not offered: {shorten(text, 120)}")
    return choice


def _said(sentence: str, names: tuple[str, str]) -> list[_ChoiceSentence]:
    """What a sentence says; one that grants equality in something and then chooses has chosen."""
    concluding = bool(_CONCLUDES.match(sentence))
    bare = sentence.rstrip(".! ")
    found: list[_ChoiceSentence] = []
    for choice, name in zip(("first", "second"), map(_named, names), strict=True):
        whole = name.whole.fullmatch(bare)
        stated = [one for one in name.chosen.finditer(sentence) if not _UNDECIDED.search(sentence[: one.start()])]
        if whole or stated:
            flat = bool(whole or name.flat.fullmatch(bare))
            found.append(_ChoiceSentence(choice, concluding, flat))  # type: ignore[arg-type]  # zipped with the words of Choice
    if not found and (bare == "tie" or _TIES.search(sentence)):
        found.append(_ChoiceSentence("tie", concluding, bare == "tie"))
    return found


def _without_quotations(sentence: str, names: tuple[str, str]) -> bool:
    """Whether the answer ends in the middle of a conclusion that has named nothing yet."""
    return bool(_CONCLUDES.match(sentence)) and not _ENDED.search(sentence) and not _said(sentence, names)


def read_ratings(first: object, second: object) -> Choice:
    """Which of two texts has the higher number, where each was rated on its own.

    Parameters
    ----------
    first, second
        The two ratings, as numbers or as texts that hold one number and nothing else.

    Raises
    ------
    InvalidAnswer
        One of them is no number.

    Examples
    --------
    >>> read_ratings("6", "1"), read_ratings(7, 7.0)
    ('first', 'tie')
    """
    a, b = (_number(value) for value in (first, second))
    return "tie" if a == b else "first" if a > b else "second"


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value:
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d+(?:\.\d+)?\.?\s*", value):
        return float(value.strip().rstrip("."))
    raise InvalidAnswer(f"the rating {str(value)[:60]!r} is not a number.")
