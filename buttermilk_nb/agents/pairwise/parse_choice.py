"""Parse an answer in words that chooses one of two texts.

Models are asked for JSON, but some answer in words, and imported completions are often only words. Only explicit
statements about one of the two shown names count: a name as the whole answer, or a statement such as *Output (b) is
better*. Praise for a text is not a choice. If there is a conclusion (*Therefore, ...*), it counts, and the
considerations before it do not. An answer contradicts itself, and is invalid, if the statements that count name
different texts, or if a bare verdict (without reasons) is followed by the opposite verdict.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from ..._internal.text import shorten
from ...errors import InvalidAnswer

Choice = Literal["first", "second", "tie"]

_MAX_CHARACTERS = 20_000  # of a longer answer only the end is parsed: a choice in the middle could not be trusted
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
    """The patterns of a text's name: as the whole answer, in a statement, and in a bare statement."""

    whole_answer: re.Pattern[str]
    statement: re.Pattern[str]
    bare_statement: re.Pattern[str]


@lru_cache(maxsize=64)
def _name_patterns(name: str) -> _NamePatterns:
    """The patterns of one name: for `Output (a)` also `output a` and `(a)`, and `a` if it is the whole answer."""
    noun, _, mark = name.casefold().rpartition(" ")
    noun, mark = re.escape(noun), re.escape(mark.strip("()"))
    in_brackets = rf"\(\s*{mark}\s*\)"
    full = rf"\b{noun}\s*(?:{in_brackets}|\s{mark}\b)" if noun else rf"\b{mark}\b"
    unambiguous = rf"(?:{full}|(?<!\w\s){in_brackets})"  # `(a)` after another noun is the name of something else
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
    """One sentence that states a choice."""

    choice: Choice
    is_conclusion: bool
    is_bare: bool
    """Whether the sentence states only the choice, so that it cannot be one consideration among others."""


def parse_choice(text: str, names: tuple[str, str] = ("Text A", "Text B"), *, ties: bool = True) -> Choice:
    """The text that an answer in words chooses.

    Parameters
    ----------
    text
        The answer.
    names
        The shown names of the two texts: a noun and a letter or number, as in `Text A` or `Output (a)`.
    ties
        Whether a tie was offered as an answer.

    Returns
    -------
    str
        `first` or `second`, in the order of `names`, or `tie`.

    Raises
    ------
    InvalidAnswer
        The answer does not state a choice, contradicts itself, or states a tie that was not offered.

    Examples
    --------
    >>> parse_choice("(b) quotes nobody. Therefore, Output (b) is better.", ("Output (a)", "Output (b)"))
    'second'
    >>> parse_choice("Both are equally clear.")
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
        raise InvalidAnswer(f"the answer ends in the middle of its conclusion: {shorten(sentences[-1], 80)}")
    candidates = concluded | {sentence.choice for sentence in choices if sentence.is_bare or not concluded}
    if not candidates:
        raise InvalidAnswer(f"the answer does not say which is better: {shorten(text, 120)}")
    if len(candidates) > 1:
        raise InvalidAnswer(f"the answer states both `{'` and `'.join(sorted(candidates))}`: {shorten(text, 120)}")
    (choice,) = candidates
    if choice == "tie" and not ties:
        raise InvalidAnswer(f"the answer is a tie, which was not offered: {shorten(text, 120)}")
    return choice


def _choices_in(sentence: str, names: tuple[str, str]) -> list[_ChoiceSentence]:
    """The choices that a sentence states. A tie only counts if the sentence states no choice."""
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
    """Whether the answer ends in the middle of a conclusion, before it states a choice."""
    return bool(_CONCLUSION.match(sentence)) and not _SENTENCE_END.search(sentence) and not _choices_in(sentence, names)


def compare_ratings(first: object, second: object) -> Choice:
    """The text with the higher rating, if each text was rated separately.

    Parameters
    ----------
    first, second
        The two ratings, as numbers or as texts that contain one number and nothing else.

    Returns
    -------
    str
        `first`, `second` or `tie`.

    Raises
    ------
    InvalidAnswer
        One of them is not a number.

    Examples
    --------
    >>> compare_ratings("6", "1"), compare_ratings(7, 7.0)
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
