"""`Scorer`: assesses which of the expert's reasons an answer gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..._internal.arguments import check_argument_names
from ..._internal.ids import canonical, uuid7
from ...codebook.criteria import Criteria
from ...corpus.record import Record
from ...errors import InvalidAnswer, SkippedCell
from ...llm.calls.client import CallResult
from ...llm.offline_input import AnonymisedAnswer, Task
from ...llm.params import Params
from ...schema import Assessment, Status, Unit
from ..ask_model import ask_and_parse
from ..base import Cell, Context, UpstreamSlots
from ..json_schema import object_schema
from ..judge.answer_format import as_text
from ..parse_output import ParsedOutput, parse_output, parsed_unit
from ..prompt import Prompt
from ..units import Stopwatch
from .anonymised_answers import to_template
from .base import MetaAgent, MetaQuestion

if TYPE_CHECKING:
    from ...project.project import Project

_FORM = """Reply with one JSON object and nothing else, with one entry for each of the expert's reasons, in this form:
{
  "assessments": [
    {"reason": "R1", "matched": true, "matched_by": [1], "feedback": "..."}
  ]
}
"matched_by" lists the numbers of the coder's reasons that say it; it is empty where none does."""


class Scorer(MetaAgent):
    """Compares each of the expert's reasons with each answer, and assesses whether the answer gives it too.

    It compares the `expert_reasons` of a record with one answer at a time: is each reason matched, and by which reasons
    of the answer? `run.assessments()` has one row per reason and answer. `run.reason_recall()` has the share of the
    expert's reasons that each answer gives, and the number of additional reasons. An output that leaves out a reason,
    or assesses one twice, is `invalid`.

    Parameters
    ----------
    name
        The step's name.
    of
        The names of the steps that it reads: judges or a synthesiser.
    models, prompt, replicates, params, fallback, reask
        As in `Synthesiser`. The prompt may use `criteria`, `answers` (a list of one answer), `expert_reasons`,
        `answer_format` and `record`; the default prompt does not show the record.

    Raises
    ------
    SetupError
        `of` names a step that does not answer criteria, or no record has expert reasons.

    Notes
    -----
    Offline models use a rule: a reason is matched if half of its longer words occur in one reason of the answer.
    A record without expert reasons is `skipped`.

    Examples
    --------
    >>> Scorer("score", of=["judge", "synth"], models="offline/strict")
    Scorer('score', of: judge, synth, models: offline/strict)
    """

    kind: ClassVar[str] = "scorer"
    role: ClassVar[str] = "scorer"
    task: ClassVar[Task] = "match"
    required_name: ClassVar[str] = "expert_reasons"
    template_variables: ClassVar[tuple[str, ...]] = ("record", "criteria", "answers", "expert_reasons", "answer_format")
    repair_message: ClassVar[str] = (
        "Your reply could not be read: it is not the JSON object that was asked for, or it does not speak of each of "
        "the expert's reasons exactly once. Reply again, with that JSON object and nothing else."
    )

    @check_argument_names
    def __init__(
        self,
        name: str,
        *,
        of: str | Sequence[str] = (),
        models: str | Sequence[str] | None = None,
        prompt: Prompt | str | Path | None = None,
        replicates: int = 1,
        params: Mapping[str, Any] | None = None,
        fallback: str | Sequence[str] | None = None,
        reask: bool = True,
    ) -> None:
        super().__init__(
            name,
            of=of,
            models=models,
            prompt=prompt,
            replicates=replicates,
            params=params,
            fallback=fallback,
            reask=reask,
        )

    def questions(
        self, criteria: Criteria, params: Params, project: Project, upstream: UpstreamSlots
    ) -> list[MetaQuestion]:
        question = self.question(criteria, params, project)
        upstream_slots = [slot for name in self.of for slot in upstream[name]]
        return [
            question._replace(upstream_design=slot.design)
            for slot in upstream_slots
            if slot.criteria is not None and slot.criteria.criteria_hash == criteria.criteria_hash
        ]

    def answer_schema(self, criteria: Criteria) -> dict[str, Any]:  # the same for all
        properties = {
            "reason": {"type": "string"},
            "matched": {"type": "boolean"},
            "matched_by": {"type": "array", "items": {"type": "integer"}},
            "feedback": {"type": "string"},
        }
        return object_schema({"assessments": {"type": "array", "items": object_schema(properties)}})

    def answer_format(self, criteria: Criteria) -> str:  # the same for all
        return _FORM

    def extra_input(self, record: Record) -> str:
        return canonical([super().extra_input(record), record.expert_reasons])

    def expert_reasons(self, cell: Cell) -> tuple[tuple[str, str], ...]:
        criteria: Criteria = cell.slot.prepared.criteria
        answered_on = {s.criterion for answer in self.shown_answers(cell) for s in answer.scores if s.status == "ok"}
        return tuple(
            (c.name, reason) for c in criteria if c.name in answered_on for reason in cell.record.reasons_for(c.name)
        )

    def template_values(self, cell: Cell, answers: Sequence[AnonymisedAnswer]) -> dict[str, Any]:
        reasons = [
            {"id": f"R{n}", "criterion": criterion, "text": text}
            for n, (criterion, text) in enumerate(self.expert_reasons(cell), 1)
        ]
        return {"answers": [to_template(answer) for answer in answers], "expert_reasons": reasons}

    def problems(self, project: Project, records: Sequence[Record], needs: Sequence[str]) -> list[str]:
        problems = super().problems(project, records, needs)
        if not any(any(record.expert_reasons.values()) for record in records):
            problems.append(
                f"`{self.name}` compares answers with expert reasons, but no record has any; name their column with "
                "bm.load(..., reasons=...)."
            )
        return problems

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        reasons = self.expert_reasons(cell)
        if not reasons:
            raise SkippedCell("the record has no expert reasons on these criteria.")
        (answer,) = self.shown_answers(cell)
        match = await ask_and_parse(self, cell.slot.prepared, cell, trace_id, context)
        rows = _assessment_rows(cell, context, trace_id, answer, reasons, match)
        return parsed_unit(cell, context, watch, trace_id, match, assessments=rows)

    def parse(
        self,
        result: CallResult,
        question: MetaQuestion,
        cell: Cell,
        trace_id: str,
        context: Context,  # the same for all agents
    ) -> ParsedOutput:
        """For each of the expert's reasons, whether the answer gives it."""
        (answer,) = self.shown_answers(cell)
        check = partial(_parse_assessments, reasons=self.expert_reasons(cell), answer=answer)
        return parse_output(result, ("assessments",), check, cell)


def _parse_assessments(
    reply: Mapping[str, Any], reasons: Sequence[tuple[str, str]], answer: AnonymisedAnswer
) -> list[tuple[bool, list[int], str | None]]:
    """For each reason: whether it is matched, the indices of the answer's matching reasons (from 0), and feedback."""
    entries = reply.get("assessments")
    if not isinstance(entries, list):
        raise InvalidAnswer("`assessments` is not a list")
    entries_by_label: dict[str, Mapping[str, Any]] = {}
    for entry in entries:
        label = str(entry.get("reason", "")).strip().upper() if isinstance(entry, dict) else ""
        if label in entries_by_label:
            raise InvalidAnswer(f"reason {label} is assessed twice")
        entries_by_label[label] = entry
    labels = [f"R{n}" for n in range(1, len(reasons) + 1)]
    if missing := [label for label in labels if label not in entries_by_label]:
        raise InvalidAnswer(f"reason {missing[0]} is not assessed")
    if unknown := [label for label in entries_by_label if label not in labels]:
        raise InvalidAnswer(f"there is no reason `{unknown[0]:.20}`")
    n_reasons = {score.criterion: len(score.reasons or ()) for score in answer.scores}
    return [
        _parse_assessment(entries_by_label[label], label, n_reasons.get(criterion, 0))
        for label, (criterion, _) in zip(labels, reasons, strict=True)
    ]


def _parse_assessment(entry: Mapping[str, Any], label: str, n_reasons: int) -> tuple[bool, list[int], str | None]:
    matched, numbers = entry.get("matched"), entry.get("matched_by") or []
    if not isinstance(matched, bool):
        raise InvalidAnswer(f"reason {label}: `matched` must be true or false")
    if not isinstance(numbers, list) or any(type(n) is not int or not 1 <= n <= n_reasons for n in numbers):
        raise InvalidAnswer(f"reason {label}: `matched_by` names a reason that the answer does not have")
    if numbers and not matched:
        raise InvalidAnswer(f"reason {label} is not matched, but `matched_by` names reasons")
    return matched, sorted({n - 1 for n in numbers}), as_text(entry.get("feedback"))


def _assessment_rows(
    cell: Cell,
    context: Context,
    trace_id: str,
    answer: AnonymisedAnswer,
    reasons: Sequence[tuple[str, str]],
    match: ParsedOutput,
) -> list[Assessment]:
    """One row for each reason, also if the answer could not be parsed."""
    status: Status = match.status
    matches = match.value or [(None, None, None)] * len(reasons)
    indices: dict[str, int] = {}
    rows = []
    for (criterion, reason), (matched, matched_by, feedback) in zip(reasons, matches, strict=True):
        index = indices[criterion] = indices.get(criterion, -1) + 1
        rows.append(
            Assessment(
                trace_id=trace_id,
                run_id=context.run_id,
                assessed_trace_id=answer.trace_id,
                record_id=cell.record.record_id,
                criterion=criterion,
                reason_index=index,
                reason=reason,
                matched=matched,
                matched_by=matched_by,
                feedback=feedback,
                status=status,
            )
        )
    return rows
