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

_MAX_CHARACTERS = (
    20_000  # characters; a choice stands at the end of what is longer, or at no place where it could be trusted
)
_THINKING = re.compile(r"</(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_DECORATION = str.maketrans("", "", '*_`"“”')
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\s*\n\s*")
_CONCLUSION = re.compile(
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
_NOUN = r"(?:\s+(?:one|output|text|response|answer|option|choice|version|candidate))?"
_TIES = re.compile(
    r"\b(?:(?:both|they|the two)\b[^.;]{0,200}\b(?:equally|equal in quality)\b|equally (?:good|well|strong|bad)\b"
    r"|(?:it is|it's|this is|is|call it|as) a (?:tie|draw)\b|(?:verdict|answer|winner|decision|choice): ?(?:a )?tie\b"
    r"|neither\b[^.;]{0,200}\b(?:is|are) (?:the )?better\b|no (?:clear )?winner\b)"
    r"(?!.*\b(?:but|however|although|though)\b)"
)
_SENTENCE_END = re.compile(r"[.!?)\]]$")


class _NamePatterns(NamedTuple):
    """How a text's name may be written: as the whole answer, and within a sentence."""

    whole_answer: re.Pattern[str]
    statement: re.Pattern[str]
    bare_statement: re.Pattern[str]


@lru_cache(maxsize=64)
def _name_patterns(name: str) -> _NamePatterns:
    """The patterns of one name: of `Output (a)` also `output a` and `(a)`; `a` alone where nothing else is said."""
    noun, _, mark = name.casefold().rpartition(" ")
    noun, mark = re.escape(noun), re.escape(mark.strip("()"))
    in_brackets = rf"\(\s*{mark}\s*\)"
    full = rf"\b{noun}\s*(?:{in_brackets}|\s{mark}\b)" if noun else rf"\b{mark}\b"
    unambiguous = rf"(?:{full}|(?<!\w\s){in_brackets})"  # `(a)` behind a noun is some other thing's name
    any_form = rf"(?:{full}|{in_brackets})"
    statements = "|".join(
        (
            rf"{unambiguous},?\s+(?:is|was|seems|appears)(?:\s+to be)?{_ADVERB}\s+{_GOOD}\b",
            rf"{unambiguous}\s+(?:clearly\s+)?wins\b",
            rf"\b{_GOOD}{_NOUN}(?:\s+(?:overall|here))?(?:\s+is:?|\s+would be|:)\s*{any_form}",
            rf"\b(?:i|we)(?:\s+(?:would|will|clearly|therefore))*\s+(?:choose|prefer|pick|select|go with)\s+{any_form}",
            rf"\b(?:verdict|answer|winner|decision|choice|conclusion)(?:\s+is:?|:)\s*(?:{any_form}|{mark}[.!]?$)",
            rf"\[\[{mark}\]\]",
        )
    )
    bare_statement = rf"{unambiguous} is (?:the )?better{_NOUN}"
    return _NamePatterns(
        re.compile(rf"(?:{any_form}|\[*{mark}\]*)"), re.compile(statements), re.compile(bare_statement)
    )


class _ChoiceSentence(NamedTuple):
    """One sentence that names a choice."""

    choice: Choice
    is_conclusion: bool
    is_bare: bool
    """Whether it says that and nothing else, so that it cannot be one consideration among others."""


def parse_choice(text: str, names: tuple[str, str] = ("Text A", "Text B"), *, ties: bool = True) -> Choice:
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
    text_to_parse = _THINKING.split(text)[-1].translate(_DECORATION).strip().casefold()
    if not text_to_parse:
        raise InvalidAnswer("the answer is empty.")
    if len(text_to_parse) > _MAX_CHARACTERS:
        text_to_parse = text_to_parse[-_MAX_CHARACTERS:]
    sentences = [part.strip() for part in _SENTENCE.split(text_to_parse) if part.strip()]
    choices = [choice for sentence in sentences for choice in _choices_in(sentence, names)]
    concluded = {sentence.choice for sentence in choices if sentence.is_conclusion}
    if not concluded and _breaks_off(sentences[-1], names):
        raise InvalidAnswer(f"the answer breaks off in its conclusion: {shorten(sentences[-1], 80)}")
    candidates = concluded | {sentence.choice for sentence in choices if sentence.is_bare or not concluded}
    if not candidates:
        raise InvalidAnswer(f"the answer does not say which is better: {shorten(text, 120)}")
    if len(candidates) > 1:
        raise InvalidAnswer(f"the answer says `{'` and `'.join(sorted(candidates))}`: {shorten(text, 120)}")
    (choice,) = candidates
    if choice == "tie" and not ties:
        raise InvalidAnswer(f"the answer calls them equal, which was not offered: {shorten(text, 120)}")
    return choice


def _choices_in(sentence: str, names: tuple[str, str]) -> list[_ChoiceSentence]:
    """What a sentence says; one that grants equality in something and then chooses has chosen."""
    is_conclusion = bool(_CONCLUSION.match(sentence))
    bare = sentence.rstrip(".! ")
    choices: list[_ChoiceSentence] = []
    for choice, patterns in zip(("first", "second"), map(_name_patterns, names), strict=True):
        whole = patterns.whole_answer.fullmatch(bare)
        statements = [
            match for match in patterns.statement.finditer(sentence) if not _UNDECIDED.search(sentence[: match.start()])
        ]
        if whole or statements:
            is_bare = bool(whole or patterns.bare_statement.fullmatch(bare))
            choices.append(_ChoiceSentence(choice, is_conclusion, is_bare))  # type: ignore[arg-type]  # zipped with the words of Choice
    if not choices and (bare == "tie" or _TIES.search(sentence)):
        choices.append(_ChoiceSentence("tie", is_conclusion, bare == "tie"))
    return choices


def _breaks_off(sentence: str, names: tuple[str, str]) -> bool:
    """Whether the answer ends in the middle of a conclusion that has named nothing yet."""
    return bool(_CONCLUSION.match(sentence)) and not _SENTENCE_END.search(sentence) and not _choices_in(sentence, names)


def compare_ratings(first: object, second: object) -> Choice:
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
    a, b = (_parse_rating(value) for value in (first, second))
    return "tie" if a == b else "first" if a > b else "second"


def _parse_rating(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value:
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d+(?:\.\d+)?\.?\s*", value):
        return float(value.strip().rstrip("."))
    raise InvalidAnswer(f"the rating {str(value)[:60]!r} is not a number.")
