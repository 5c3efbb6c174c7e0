"""Counting votes: one for each instrument, and what comes of them by a rule."""

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
    """What one instrument said on one criterion, in all its replicates."""

    voter: str
    """The model; where several steps are read, step and model."""
    weight_key: str
    """The name that a weight is given to."""
    vote: Any
    """What most of its replicates said; on a scale of numbers, their mean. None: a tie, or nothing was said."""


class VoteCount(NamedTuple):
    """The votes on one criterion, and what came of them."""

    criterion: Criterion
    answer: Answer | None
    votes: dict[str, Any]
    abstained: list[str]
    dissent: float | None
    """The share of the votes that are not the answer; 1 where none won."""


def given(cell: Cell, of: Sequence[str], criterion: Criterion) -> list[Vote]:
    """The instruments that a cell reads, each with its vote."""
    said: dict[str, list[Score]] = {}
    weighed: dict[str, str] = {}
    for name in of:
        for unit in cell.inputs.get(name, ()):
            score = next(score for score in unit.scores if score.criterion == criterion.name)
            voter = f"{name} · {score.model}" if len(of) > 1 else score.model
            said.setdefault(voter, []).append(score)
            weighed[voter] = score.model if unit.trace.model else name  # of a panel, its rule is no name
    return [Vote(voter, weighed[voter], _vote(criterion, scores)) for voter, scores in said.items()]


def count(criterion: Criterion, votes: Sequence[Vote], rule: Rule, weights: Mapping[str, float]) -> VoteCount:
    """What comes of the votes; without weights each counts the same."""
    cast = {one.voter: one.vote for one in votes if one.vote is not None}
    weight = {one.voter: weights[one.weight_key] if weights else 1.0 for one in votes if one.vote is not None}
    answer = _decide(criterion, cast, weight, rule)
    total = sum(weight.values())
    against = sum(weight[voter] for voter, vote in cast.items() if answer is None or vote != shown(answer))
    without = sorted(one.voter for one in votes if one.vote is None)
    nobody = 1.0 if votes and not cast else None  # each has contradicted itself: as contested as can be
    return VoteCount(criterion, answer, cast, without, against / total if total else nobody)


def shown(answer: Answer) -> Any:
    """An answer as a vote: in words, or as a number where the scale has no words."""
    return answer.value if answer.category is None else answer.category


def _decide(criterion: Criterion, votes: Mapping[str, Any], weights: Mapping[str, float], rule: Rule) -> Answer | None:
    if not votes:
        return None
    if (none_of_these := _non_answer(votes, weights)) is not None:
        return none_of_these
    if criterion.scale.level == "set":
        return _labels(criterion, votes, weights)
    if rule in ("median", "mean"):
        return _central(criterion, votes, rule)
    counted: Counter[str] = Counter()
    for voter, vote in votes.items():
        counted[vote] += weights[voter]  # type: ignore[assignment]  # weights need not be whole
    most = max(counted.values())
    winners = [vote for vote, n in counted.items() if math.isclose(n, most)]  # weights need not be whole
    return criterion.parse(winners[0]) if most and len(winners) == 1 else None


def _vote(criterion: Criterion, scores: Sequence[Score]) -> Any:
    """One instrument's vote: what most of its replicates said; None where that is a tie or it said nothing."""
    said = [shown(Answer(score.value, score.category)) for score in scores if score.status == "ok"]
    if not said:
        return None
    if criterion.scale.level in ("interval", "ratio") and all(isinstance(value, float) for value in said):
        return statistics.fmean(said)
    ranked = Counter(said).most_common()
    return None if len(ranked) > 1 and ranked[0][1] == ranked[1][1] else ranked[0][0]


def _non_answer(votes: Mapping[str, Any], weights: Mapping[str, float]) -> Answer | None:
    """The non-answer that more than half of the votes give; None where there is none."""
    total = sum(weights.values())
    counted: Counter[str] = Counter()
    for voter, vote in votes.items():
        if vote in NON_ANSWERS:
            counted[vote] += weights[voter]  # type: ignore[assignment]  # weights need not be whole
    most, n = max(counted.items(), key=lambda item: item[1], default=("", 0))
    return Answer(None, most) if n * 2 > total and not math.isclose(n * 2, total) else None


def _labels(criterion: Criterion, votes: Mapping[str, str], weights: Mapping[str, float]) -> Answer | None:
    named: Counter[str] = Counter()
    total = 0.0
    for voter, vote in votes.items():
        labels = json.loads(vote) if vote.startswith("[") else None
        if labels is None:  # a non-answer names no label
            continue
        total += weights[voter]
        for label in labels:
            named[label] += weights[voter]  # type: ignore[assignment]  # weights need not be whole
    if not total:
        return None
    doubled = {label: named[label] * 2 for label in criterion.scale.answers}
    return criterion.parse([label for label, n in doubled.items() if n > total and not math.isclose(n, total)])


def _central(criterion: Criterion, votes: Mapping[str, Any], rule: Rule) -> Answer | None:
    read = [criterion.parse(vote).value for vote in votes.values()]
    values = [value for value in read if value is not None]
    if not values:
        return None
    if rule == "median":
        middle = statistics.median_low(values), statistics.median_high(values)
        if criterion.scale.level == "ordinal" and middle[0] != middle[1]:
            return None  # between two answers there is none
        return criterion.parse(statistics.fmean(middle))
    return criterion.parse(statistics.fmean(values))
