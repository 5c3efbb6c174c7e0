"""Turn a criterion into a comparison of two texts, and parse the answers to it."""

from __future__ import annotations

from typing import Any

from ...codebook.criteria import Criteria
from ...codebook.criterion import Criterion
from ...codebook.scales import Answer, Categories
from ...codebook.scales.match_answer import exact_match, match_wrapped
from ...errors import InvalidAnswer
from ...llm.calls.client import CallResult
from ..cell_texts import cell_texts
from ..judge.answer_format import answer_format, find_entry
from ..judge.parse_scores import ParsedScores, ScoreParser, UnparsedAnswer, parse_object
from .parse_choice import Choice, parse_choice

TEXT_NAMES = ("Text A", "Text B")
"""The names of the two texts in the prompt: neutral names that say nothing about them."""
_TIE = "tie"
_UNFINISHED = ("length", "content_filter")
_SWAPPED: dict[Choice, Choice] = {"first": "second", "second": "first", "tie": "tie"}


def as_comparison(document: Criteria, names: tuple[str, str], *, ties: bool) -> Criteria:
    """The document as a comparison of two texts: the same question, with the names of the texts as answers.

    Flag, cues and examples belong to the document's own scale and are left out, so that they do not change the hash.

    Parameters
    ----------
    document
        A document with one criterion.
    names
        The names of the two texts.
    ties
        Whether `tie` is also an answer.

    Examples
    --------
    >>> comparison = as_comparison(Criteria("kinder", "Which is kinder?", flag="no"), ("first", "second"), ties=True)
    >>> comparison["kinder"].scale.shorthand, comparison["kinder"].flag
    ('first | second | tie', None)
    """
    (criterion,) = document
    scale = Categories(categories=(*names, *((_TIE,) if ties else ())))
    fields = {key: getattr(criterion, key) for key in ("name", "question", "definition", "include", "exclude")}
    flag = criterion.flag if set(criterion.scale.answers) == set(scale.answers) else None
    comparison = Criterion(**fields, non_answers=criterion.non_answers, scale=scale, flag=flag)
    origin = {key: getattr(document, key) for key in ("version", "source", "author", "retrieved")}
    return Criteria(document.name, document.text, criteria=[comparison], overall=document.overall, **origin)


class PairParser(ScoreParser):
    """Parses the answers of a cell that compares two texts."""

    def parse_pair(self, shown_criteria: Criteria, result: CallResult, *, swapped: bool, ties: bool) -> ParsedScores:
        """The score in an answer: from its JSON, or from words that say explicitly which text is better.

        Parameters
        ----------
        shown_criteria
            The criteria in the question, with the shown names of the texts as answers.
        result
            The result of the call.
        swapped
            Whether the second text was shown first, so that the answer must be swapped back.
        ties
            Whether a tie was offered as an answer.
        """
        assert self.cell.slot.criteria is not None
        (criterion,), (shown_criterion,) = self.cell.slot.criteria, shown_criteria
        model = result.request.model
        entry: dict[str, Any]
        try:
            try:
                shown = cell_texts(self.cell, result, answer_format(shown_criteria))
                reply = parse_object(result, ("criteria", "answer", shown_criterion.name), shown)
                entry = find_entry(reply, shown_criterion, is_only=True)
                answer = _parse_json_answer(shown_criterion, entry.get("answer"), swapped=swapped, ties=ties)
            except UnparsedAnswer as unparsed:
                if not _is_in_words(result):
                    raise
                entry = {}
                answer = _parse_words(result, unparsed, swapped=swapped, ties=ties)
        except UnparsedAnswer as unparsed:
            return ParsedScores(result, [self.score(criterion, unparsed.status, model=model)], unparsed.reason)
        except InvalidAnswer as error:
            reason = InvalidAnswer(f"criterion `{criterion.name}`: {error}")
            return ParsedScores(result, [self.score(criterion, "invalid", model=model)], reason)
        return ParsedScores(result, [self.score(criterion, "ok", answer, entry, model=model)], None)


def _parse_json_answer(criterion: Criterion, raw: object, *, swapped: bool, ties: bool) -> Answer:
    """The answer in a JSON field: one of the names, a non-answer, or words."""
    text = str(raw or "")
    if non_answer := match_wrapped(text, lambda part: exact_match(part, criterion.non_answers)):
        return Answer(None, non_answer)
    return swap_back(parse_choice(text, TEXT_NAMES, ties=ties), swapped=swapped)


def _is_in_words(result: CallResult) -> bool:
    """Whether an answer is in words, without JSON, and complete."""
    completion = result.completion
    finished = completion is not None and completion.finish_reason not in _UNFINISHED
    return finished and completion is not None and bool(completion.text.strip()) and "{" not in completion.text


def _parse_words(result: CallResult, unparsed: UnparsedAnswer, *, swapped: bool, ties: bool) -> Answer:
    assert result.completion is not None
    try:
        return swap_back(parse_choice(result.completion.text, TEXT_NAMES, ties=ties), swapped=swapped)
    except InvalidAnswer:
        if unparsed.status == "refused":
            raise unparsed from None
        raise


def swap_back(choice: Choice, *, swapped: bool) -> Answer:
    """The answer about the texts in their own order, if they were shown swapped."""
    return Answer(None, _SWAPPED[choice] if swapped else choice)
