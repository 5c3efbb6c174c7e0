"""What offline models do with answers: rules, so that any flow can be tried before it is paid for.

- *Synthesis*: on each criterion the answer of the majority (on an ordered scale the median, of several labels those
  that more than half name), with the reasons of those who gave it.
- *Differences*: the answers grouped by verdict, criterion by criterion.
- *Matching*: an expert's reason is matched by each reason of an answer in which half of its longer words occur.
- *Pairs*: the text with more cues wins, a cue for a flagged answer counting against it; as many are a tie.

No rule reads a reason for what it means. Where one would have to, tutorials take answers that people have written.
"""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ....codebook.criteria import Criteria
from ....codebook.criterion import Criterion
from ....codebook.scales import Answer
from ....errors import SkippedCell
from ....schema import Score
from ...offline_input import OfflineInput
from .dictionary import compiled_cues

BASELINE = "Rule-based baseline, not a language model."
_MAX_REASONS = 5
_MIN_LETTERS = 4  # letters; shorter words stand in every sentence
_STEM_LETTERS = 5  # letters by which words are compared, so that `guard` and `guards` are the same word
_WORD = re.compile(r"\w+")


def answer_by_rule(offline_input: OfflineInput, *, strict: bool) -> dict[str, Any]:
    """The answer to a task over answers. A strict model lets a tie go to the flag, a lenient one to the other side."""
    assert offline_input.criteria is not None
    if offline_input.task == "synthesise":
        given = {
            c.name: _synthesise(c, offline_input, strict=strict)
            for c in offline_input.criteria
            if _labelled_scores(offline_input, c)
        }
        return {"criteria": given}
    if offline_input.task == "differences":
        return _find_differences(offline_input.criteria, offline_input)
    if offline_input.task == "pairwise":
        (criterion,) = offline_input.criteria
        return {"criteria": {criterion.name: _compare_texts(criterion, offline_input.texts, strict=strict)}}
    return _match_reasons(offline_input)


def _labelled_scores(offline_input: OfflineInput, criterion: Criterion) -> list[tuple[str, Score]]:
    return [
        (answer.label, score)
        for answer in offline_input.answers
        for score in answer.scores
        if score.criterion == criterion.name and score.status == "ok"
    ]


def _score_answer(score: Score) -> Any:
    return score.value if score.category is None else score.category


def _synthesise(criterion: Criterion, offline_input: OfflineInput, *, strict: bool) -> dict[str, Any]:
    given = [score for _, score in _labelled_scores(offline_input, criterion)]
    chosen = _reconcile(criterion, given, strict=strict)
    counted = Counter(str(_score_answer(score)) for score in given)
    reasons = [reason for score in given if _score_answer(score) == chosen for reason in score.reasons or ()]
    tally = ", ".join(f"{answer}: {n}" for answer, n in counted.most_common())
    share = counted[str(chosen)] / len(given)
    return {
        "reasons": list(dict.fromkeys(reasons))[:_MAX_REASONS] or ["No reason was given."],
        "conclusion": f"{BASELINE} Of {len(given)} answers: {tally}.",
        "answer": json.loads(chosen)
        if criterion.scale.offline_rule == "every cue" and str(chosen).startswith("[")
        else chosen,
        "uncertainty": "low" if share > 0.8 else "medium" if share > 0.5 else "high",
    }


def _reconcile(criterion: Criterion, scores: Sequence[Score], *, strict: bool) -> Any:
    """The answer, as scores hold it."""
    rule = criterion.scale.offline_rule
    if rule == "every cue":
        sets = [json.loads(str(score.category)) for score in scores if str(score.category).startswith("[")]
        named = Counter(label for labels in sets for label in labels)
        return json.dumps([label for label in criterion.scale.answers if named[label] > len(sets) / 2])
    values = [score.value for score in scores if score.value is not None]
    if values and rule == "mean of cues":
        middle = (statistics.median_high if strict else statistics.median_low)(values)
        return next(_score_answer(score) for score in scores if score.value == middle)
    counted = Counter(_score_answer(score) for score in scores)
    most = max(counted.values())
    tied = [answer for answer, n in counted.items() if n == most]
    flagged = [answer for answer in tied if criterion.flagged(Answer(None, answer))]
    others = [answer for answer in tied if answer not in flagged]
    return sorted((flagged or tied) if strict else (others or tied))[0]


def _find_differences(criteria: Criteria, offline_input: OfflineInput) -> dict[str, Any]:
    divergences = []
    for criterion in criteria:
        held: dict[str, list[tuple[str, Score]]] = {}
        for mark, score in _labelled_scores(offline_input, criterion):
            held.setdefault(str(_score_answer(score)), []).append((mark, score))
        if len(held) > 1:
            positions = [
                {"position": f"{verdict}: {_first_reason(group)}", "answers": [mark for mark, _ in group]}
                for verdict, group in sorted(held.items(), key=lambda item: (-len(item[1]), item[0]))
            ]
            divergences.append({"topic": f"the answer on {criterion.name}", "positions": positions})
    n = len(divergences)
    several = f" on {n} of {len(criteria)} criteria" if len(criteria) > 1 else ""
    said = f"The verdicts diverge{several}" if n else "All verdicts agree"
    return {"conclusion": f"{BASELINE} {said}; reasons were not compared.", "divergences": divergences}


def _first_reason(group: Sequence[tuple[str, Score]]) -> str:
    reasons = [reason for _, score in group for reason in score.reasons or ()]
    return reasons[0] if reasons else "no reason was given"


def _match_reasons(offline_input: OfflineInput) -> dict[str, Any]:
    (answer,) = offline_input.answers
    said = {score.criterion: list(score.reasons or ()) for score in answer.scores}
    assessments = []
    for n, (criterion, reason) in enumerate(offline_input.expert_reasons, 1):
        wanted = _stems(reason)
        by = [
            place
            for place, own in enumerate(said.get(criterion, ()), 1)
            if wanted and len(wanted & _stems(own)) * 2 >= len(wanted)
        ]
        feedback = f"{BASELINE} Half of its {len(wanted)} longer words occur in {'one' if by else 'no'} of the reasons."
        assessments.append({"reason": f"R{n}", "matched": bool(by), "matched_by": by, "feedback": feedback})
    return {"assessments": assessments}


def _compare_texts(criterion: Criterion, texts: Sequence[str], *, strict: bool) -> dict[str, Any]:
    if criterion.scale.offline_rule != "most cues" or not any(criterion.cues.values()):
        raise SkippedCell(
            f"criterion `{criterion.name}` has no cues by which texts can be compared; add lines such as "
            "`scale: yes/no` and `cues: {yes: [word, other word*]}`."
        )
    sides = {answer: -1 if criterion.flagged(criterion.parse(answer)) else 1 for answer in criterion.cues}
    if criterion.flag is None and "no" in sides:
        sides["no"] = -1
    totals = []
    for text in texts:
        hits = compiled_cues(tuple(criterion.cues.items())).find(text)
        totals.append(sum(sides[hit.answer] for hit in hits if not hit.negated and (strict or not hit.quoted)))
    a, b = totals
    return {
        "reasons": [f"Text A has {a:+d} by its cues, Text B {b:+d}."],
        "conclusion": f"{BASELINE} {'As many cues in both.' if a == b else 'The text with the higher count wins.'}",
        "answer": "tie" if a == b else "Text A" if a > b else "Text B",
        "uncertainty": "low" if abs(a - b) > 1 else "medium" if a != b else "high",
    }


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM_LETTERS] for word in _WORD.findall(text.casefold()) if len(word) >= _MIN_LETTERS)
