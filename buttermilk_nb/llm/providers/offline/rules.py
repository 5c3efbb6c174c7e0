"""Rules by which offline models process answers, pairs and requests for free text.

They make it possible to try any flow for free.

- *Synthesis*: the majority's answer on each criterion (the median on an ordered scale; for several labels, those that
  more than half of the answers name), with the reasons of these answers.
- *Differences*: the answers grouped by verdict, criterion by criterion.
- *Matching*: a reason of an answer matches an expert's reason if half of the expert's longer words occur in it.
- *Free text*: the first sentence of the record, whatever the prompt asks for.
- *Rows* and *typed answers*: see `extract_rows.py` and `fill_schema.py`.
- *Pairs*: the text with more cues wins; cues for a flagged answer count against it; equal counts are a tie.

No rule understands the meaning of a reason. For tasks that need it, tutorials use answers that people have written.
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
from ....corpus.record import Record
from ....errors import SkippedCell
from ....schema import Score
from ...offline_input import OfflineInput
from .dictionary import compiled_cues
from .sentences import first_sentence

BASELINE = "Rule-based baseline, not a language model."
_MAX_REASONS = 5
_MIN_LETTERS = 4  # shorter words occur in every sentence
_STEM_LETTERS = 5  # words are compared by their first letters, so that `guard` and `guards` are equal
_WORD = re.compile(r"\w+")
_MAX_SENTENCE = 1_000


def answer_by_rule(offline_input: OfflineInput, *, strict: bool) -> dict[str, Any]:
    """Answer a task by rule. In a tie a strict model prefers the flagged answer, a lenient one the unflagged."""
    assert offline_input.criteria is not None
    if offline_input.task == "synthesise":
        answers = {
            criterion.name: _synthesise(criterion, offline_input, strict=strict)
            for criterion in offline_input.criteria
            if _labelled_scores(offline_input, criterion)
        }
        return {"criteria": answers}
    if offline_input.task == "differences":
        return _find_differences(offline_input.criteria, offline_input)
    if offline_input.task == "pairwise":
        (criterion,) = offline_input.criteria
        return {"criteria": {criterion.name: _compare_texts(criterion, offline_input.texts, strict=strict)}}
    return _match_reasons(offline_input)


def write_first_sentence(record: Record) -> str:
    """The free text of a baseline: the first sentence of a record, and that it is no more than that.

    Raises
    ------
    SkippedCell
        The record has no text.
    """
    if not record.content.strip():
        raise SkippedCell(f"record `{record.record_id}` has no text, and the baselines do not read images.")
    return (
        f"{BASELINE} The first sentence of the text: {first_sentence(' '.join(record.content[:_MAX_SENTENCE].split()))}"
    )


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
    scores = [score for _, score in _labelled_scores(offline_input, criterion)]
    answer = _reconcile(criterion, scores, strict=strict)
    counts = Counter(str(_score_answer(score)) for score in scores)
    reasons = [reason for score in scores if _score_answer(score) == answer for reason in score.reasons or ()]
    tally = ", ".join(f"{category}: {n}" for category, n in counts.most_common())
    share = counts[str(answer)] / len(scores)
    is_label_list = criterion.scale.offline_rule == "every cue" and str(answer).startswith("[")
    return {
        "reasons": list(dict.fromkeys(reasons))[:_MAX_REASONS] or ["No reason was given."],
        "conclusion": f"{BASELINE} Of {len(scores)} answers: {tally}.",
        "answer": json.loads(answer) if is_label_list else answer,
        "uncertainty": "low" if share > 0.8 else "medium" if share > 0.5 else "high",
    }


def _reconcile(criterion: Criterion, scores: Sequence[Score], *, strict: bool) -> Any:
    """The reconciled answer, in the form of a score's category or value."""
    rule = criterion.scale.offline_rule
    if rule == "every cue":
        sets = [json.loads(str(score.category)) for score in scores if str(score.category).startswith("[")]
        label_counts = Counter(label for labels in sets for label in labels)
        return json.dumps([label for label in criterion.scale.answers if label_counts[label] > len(sets) / 2])
    values = [score.value for score in scores if score.value is not None]
    if values and rule == "mean of cues":
        median = (statistics.median_high if strict else statistics.median_low)(values)
        return next(_score_answer(score) for score in scores if score.value == median)
    counts = Counter(_score_answer(score) for score in scores)
    highest = max(counts.values())
    tied = [answer for answer, n in counts.items() if n == highest]
    flagged = [answer for answer in tied if criterion.flagged(Answer(None, answer))]
    unflagged = [answer for answer in tied if answer not in flagged]
    return sorted((flagged or tied) if strict else (unflagged or tied))[0]


def _find_differences(criteria: Criteria, offline_input: OfflineInput) -> dict[str, Any]:
    divergences = []
    for criterion in criteria:
        groups: dict[str, list[tuple[str, Score]]] = {}
        for label, score in _labelled_scores(offline_input, criterion):
            groups.setdefault(str(_score_answer(score)), []).append((label, score))
        if len(groups) > 1:
            positions = [
                {"position": f"{verdict}: {_first_reason(group)}", "answers": [label for label, _ in group]}
                for verdict, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
            ]
            divergences.append({"topic": f"the answer on {criterion.name}", "positions": positions})
    n = len(divergences)
    count = f" on {n} of {len(criteria)} criteria" if len(criteria) > 1 else ""
    summary = f"The verdicts diverge{count}" if n else "All verdicts agree"
    return {"conclusion": f"{BASELINE} {summary}; reasons were not compared.", "divergences": divergences}


def _first_reason(group: Sequence[tuple[str, Score]]) -> str:
    reasons = [reason for _, score in group for reason in score.reasons or ()]
    return reasons[0] if reasons else "no reason was given"


def _match_reasons(offline_input: OfflineInput) -> dict[str, Any]:
    (answer,) = offline_input.answers
    reasons = {score.criterion: list(score.reasons or ()) for score in answer.scores}
    assessments = []
    for n, (criterion, expert_reason) in enumerate(offline_input.expert_reasons, 1):
        stems = _stems(expert_reason)
        matches = [
            i
            for i, reason in enumerate(reasons.get(criterion, ()), 1)
            if stems and len(stems & _stems(reason)) * 2 >= len(stems)
        ]
        count = "one" if matches else "no"
        feedback = f"{BASELINE} Half of its {len(stems)} longer words occur in {count} of the reasons."
        assessments.append({"reason": f"R{n}", "matched": bool(matches), "matched_by": matches, "feedback": feedback})
    return {"assessments": assessments}


def _compare_texts(criterion: Criterion, texts: Sequence[str], *, strict: bool) -> dict[str, Any]:
    if criterion.scale.offline_rule != "most cues" or not any(criterion.cues.values()):
        raise SkippedCell(
            f"criterion `{criterion.name}` has no cues for comparing texts; add lines such as "
            "`scale: yes/no` and `cues: {yes: [word, other word*]}`."
        )
    weights = {answer: -1 if criterion.flagged(criterion.parse(answer)) else 1 for answer in criterion.cues}
    if criterion.flag is None and "no" in weights:
        weights["no"] = -1
    totals = []
    for text in texts:
        hits = compiled_cues(tuple(criterion.cues.items())).find(text)
        totals.append(sum(weights[hit.answer] for hit in hits if not hit.negated and (strict or not hit.quoted)))
    a, b = totals
    return {
        "reasons": [f"Text A has {a:+d} by its cues, Text B {b:+d}."],
        "conclusion": f"{BASELINE} {'As many cues in both.' if a == b else 'The text with the higher count wins.'}",
        "answer": "tie" if a == b else "Text A" if a > b else "Text B",
        "uncertainty": "low" if abs(a - b) > 1 else "medium" if a != b else "high",
    }


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM_LETTERS] for word in _WORD.findall(text.casefold()) if len(word) >= _MIN_LETTERS)
