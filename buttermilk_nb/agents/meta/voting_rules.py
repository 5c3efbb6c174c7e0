"""Voting rules: the vote of each instrument, and the answer that follows from the votes."""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ...codebook.criterion import Criterion
from ...codebook.scales import NON_ANSWERS, Answer
from ...schema import Score
from ..base import Cell

Rule = Literal["majority", "median", "mean", "weighted"]


class Vote(NamedTuple):
    """The vote of one instrument on one criterion, from all its replicates."""

    voter: str
    """The model; step and model, if several steps vote."""
    weight_key: str
    """The name under which `weights` has its weight."""
    vote: Any
    """The answer of most replicates, or their mean on a scale of numbers. None: a tie, or no answer."""


class VoteCount(NamedTuple):
    """The votes on one criterion, and the answer that follows from them."""

    criterion: Criterion
    answer: Answer | None
    votes: dict[str, Any]
    abstained: list[str]
    dissent: float | None
    """The share of the votes that differ from the answer; 1 if no answer won."""


def votes_of_cell(cell: Cell, steps: Sequence[str], criterion: Criterion) -> list[Vote]:
    """The votes of the instruments that a cell reads."""
    scores: dict[str, list[Score]] = {}
    weight_keys: dict[str, str] = {}
    for name in steps:
        for unit in cell.inputs.get(name, ()):
            score = next(score for score in unit.scores if score.criterion == criterion.name)
            voter = f"{name} · {score.model}" if len(steps) > 1 else score.model
            scores.setdefault(voter, []).append(score)
            weight_keys[voter] = score.model if unit.trace.model else name  # a panel has a rule instead of a model
    return [
        Vote(voter, weight_keys[voter], _replicate_vote(criterion, voter_scores))
        for voter, voter_scores in scores.items()
    ]


def count_votes(criterion: Criterion, votes: Sequence[Vote], rule: Rule, weights: Mapping[str, float]) -> VoteCount:
    """Count the votes by a rule; without weights, every vote counts the same."""
    cast_votes = {vote.voter: vote.vote for vote in votes if vote.vote is not None}
    weight_by_voter = {
        vote.voter: weights[vote.weight_key] if weights else 1.0 for vote in votes if vote.vote is not None
    }
    answer = _decide(criterion, cast_votes, weight_by_voter, rule)
    total = sum(weight_by_voter.values())
    against = sum(
        weight_by_voter[voter] for voter, vote in cast_votes.items() if answer is None or vote != as_vote(answer)
    )
    abstained = sorted(vote.voter for vote in votes if vote.vote is None)
    dissent_without_votes = (
        1.0 if votes and not cast_votes else None
    )  # each has contradicted itself: as contested as can be
    return VoteCount(criterion, answer, cast_votes, abstained, against / total if total else dissent_without_votes)


def as_vote(answer: Answer) -> Any:
    """An answer as a vote: its category, or its number on a scale without categories."""
    return answer.value if answer.category is None else answer.category


def _decide(criterion: Criterion, votes: Mapping[str, Any], weights: Mapping[str, float], rule: Rule) -> Answer | None:
    if not votes:
        return None
    if (non_answer := _majority_non_answer(votes, weights)) is not None:
        return non_answer
    if criterion.scale.level == "set":
        return _majority_labels(criterion, votes, weights)
    if rule in ("median", "mean"):
        return _central_answer(criterion, votes, rule)
    totals: Counter[str] = Counter()
    for voter, vote in votes.items():
        totals[vote] += weights[voter]  # type: ignore[assignment]  # weights need not be whole
    highest = max(totals.values())
    winners = [vote for vote, n in totals.items() if math.isclose(n, highest)]  # weights need not be whole
    return criterion.parse(winners[0]) if highest and len(winners) == 1 else None


def _replicate_vote(criterion: Criterion, scores: Sequence[Score]) -> Any:
    """The vote of one instrument: the answer of most replicates; None if they are tied or gave no answer."""
    values = [as_vote(Answer(score.value, score.category)) for score in scores if score.status == "ok"]
    if not values:
        return None
    if criterion.scale.level in ("interval", "ratio") and all(isinstance(value, float) for value in values):
        return statistics.fmean(values)
    ranked = Counter(values).most_common()
    return None if len(ranked) > 1 and ranked[0][1] == ranked[1][1] else ranked[0][0]


def _majority_non_answer(votes: Mapping[str, Any], weights: Mapping[str, float]) -> Answer | None:
    """The non-answer that more than half of the votes give, or None."""
    total = sum(weights.values())
    totals: Counter[str] = Counter()
    for voter, vote in votes.items():
        if vote in NON_ANSWERS:
            totals[vote] += weights[voter]  # type: ignore[assignment]  # weights need not be whole
    name, n = max(totals.items(), key=lambda item: item[1], default=("", 0))
    return Answer(None, name) if n * 2 > total and not math.isclose(n * 2, total) else None


def _majority_labels(criterion: Criterion, votes: Mapping[str, str], weights: Mapping[str, float]) -> Answer | None:
    totals: Counter[str] = Counter()
    total = 0.0
    for voter, vote in votes.items():
        labels = json.loads(vote) if vote.startswith("[") else None
        if labels is None:  # a non-answer names no label
            continue
        total += weights[voter]
        for label in labels:
            totals[label] += weights[voter]  # type: ignore[assignment]  # weights need not be whole
    if not total:
        return None
    doubled = {label: totals[label] * 2 for label in criterion.scale.answers}
    return criterion.parse([label for label, n in doubled.items() if n > total and not math.isclose(n, total)])


def _central_answer(criterion: Criterion, votes: Mapping[str, Any], rule: Rule) -> Answer | None:
    numbers = [criterion.parse(vote).value for vote in votes.values()]
    values = [value for value in numbers if value is not None]
    if not values:
        return None
    if rule == "median":
        middle = statistics.median_low(values), statistics.median_high(values)
        if criterion.scale.level == "ordinal" and middle[0] != middle[1]:
            return None  # there is no answer between two points
        return criterion.parse(statistics.fmean(middle))
    return criterion.parse(statistics.fmean(values))
