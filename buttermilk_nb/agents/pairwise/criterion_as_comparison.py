"""How a criterion becomes a comparison of two texts, and how an answer to it is read and turned back."""

from __future__ import annotations

from typing import Any

from ...codebook.criteria import Criteria
from ...codebook.criterion import Criterion
from ...codebook.scales import Answer, Categories
from ...codebook.scales.match_answer import exact_match
from ...errors import InvalidAnswer
from ...llm.calls.client import CallResult
from ..judge.answer_format import find_entry
from ..judge.parse_scores import ParsedScores, ScoreParser, UnparsedAnswer, parse_object
from .parse_choice import Choice, read_choice

SHOWN = ("Text A", "Text B")
"""What the two texts are called where they are shown: names that say nothing about them."""
_TIE = "tie"
_UNFINISHED = ("length", "content_filter")
_TURNED: dict[Choice, Choice] = {"first": "second", "second": "first", "tie": "tie"}


def as_comparison(given: Criteria, names: tuple[str, str], *, ties: bool) -> Criteria:
    """The document that asks of two texts what the given one asks, with their names as answers.

    What belongs to another scale (flag, cues, examples) is left out, so that it changes neither document nor hash.

    Examples
    --------
    >>> asked = as_comparison(Criteria("kinder", "Which is kinder?", flag="no"), ("first", "second"), ties=True)
    >>> asked["kinder"].scale.shorthand, asked["kinder"].flag
    ('first | second | tie', None)
    """
    (criterion,) = given
    scale = Categories(categories=(*names, *((_TIE,) if ties else ())))
    kept = {key: getattr(criterion, key) for key in ("name", "question", "definition", "include", "exclude")}
    flag = criterion.flag if set(criterion.scale.answers) == set(scale.answers) else None
    asked = Criterion(**kept, non_answers=criterion.non_answers, scale=scale, flag=flag)
    origin = {key: getattr(given, key) for key in ("version", "source", "author", "retrieved")}
    return Criteria(given.name, given.text, criteria=[asked], overall=given.overall, **origin)


class PairParser(ScoreParser):
    """Reads the answers of one cell in which two texts were compared."""

    def read_pair(self, shown: Criteria, given: CallResult, *, swapped: bool, ties: bool) -> ParsedScores:
        """The score in what was answered: in JSON, else in words that say outright which text is better.

        Parameters
        ----------
        shown
            What was asked, with the names under which the texts were shown as answers.
        given
            What came of asking.
        swapped
            Whether the second text was shown first, so that the answer is turned back.
        ties
            Whether it was offered to call them equal.
        """
        assert self.cell.slot.criteria is not None
        (kept,), (asked,) = self.cell.slot.criteria, shown
        served = given.request.model
        entry: dict[str, Any]
        try:
            try:
                entry = find_entry(parse_object(given, ("criteria", "answer", asked.name)), asked, alone=True)
                answer = _answer(asked, entry.get("answer"), swapped=swapped, ties=ties)
            except UnparsedAnswer as unread:
                if not _in_words(given):
                    raise
                entry = {}
                answer = _by_words(given, unread, swapped=swapped, ties=ties)
        except UnparsedAnswer as unread:
            return ParsedScores(given, [self.score(kept, unread.status, served=served)], unread.reason)
        except InvalidAnswer as error:
            why = InvalidAnswer(f"criterion `{kept.name}`: {error}")
            return ParsedScores(given, [self.score(kept, "invalid", served=served)], why)
        return ParsedScores(given, [self.score(kept, "ok", answer, entry, served=served)], None)


def _answer(asked: Criterion, raw: object, *, swapped: bool, ties: bool) -> Answer:
    """An answer in its place in the JSON: a name that was offered, a non-answer, or words."""
    said = str(raw or "")
    if non_answer := exact_match(said, asked.non_answers):
        return Answer(None, non_answer)
    return swap_back(read_choice(said, SHOWN, ties=ties), swapped=swapped)


def _in_words(given: CallResult) -> bool:
    """Whether an answer without JSON is one in words, and came to its end."""
    completion = given.completion
    finished = completion is not None and completion.finish_reason not in _UNFINISHED
    return finished and completion is not None and bool(completion.text.strip()) and "{" not in completion.text


def _by_words(given: CallResult, unread: UnparsedAnswer, *, swapped: bool, ties: bool) -> Answer:
    assert given.completion is not None
    try:
        return swap_back(read_choice(given.completion.text, SHOWN, ties=ties), swapped=swapped)
    except InvalidAnswer:
        if unread.status == "refused":
            raise unread from None
        raise


def swap_back(choice: Choice, *, swapped: bool) -> Answer:
    """The answer about the texts in their own order, if they were shown swapped."""
    return Answer(None, _TURNED[choice] if swapped else choice)
