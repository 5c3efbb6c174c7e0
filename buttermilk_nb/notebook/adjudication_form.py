"""The adjudication form: a widget to decide records on which coders disagree.

It shows the text, every vote with its reasons, and the decision with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .._internal.ids import canonical
from ..human_coding.adjudication import Adjudication, Decision
from ..human_coding.session.draft_answer import NO_ANSWER, DraftAnswer, Span
from .form_page import TextForm, draft_view, question_view, text_view, toggle_label

_COLUMNS = ("record_id", "criteria_set", "criterion", "coder", "category", "value", "reasons", "quotes", "coded_at")


class AdjudicationForm(TextForm):
    """The widget that `adjudicate` shows.

    Parameters
    ----------
    adjudication
        The contested records.
    """

    def __init__(self, adjudication: Adjudication) -> None:
        self.adjudication = adjudication
        self._drafts: dict[int, DraftAnswer] = {}
        name = adjudication.criteria.name
        super().__init__(
            heading=f"Adjudication: {name}",
            reasons_label="Why? Write a sentence that could become a rule",
            with_notes=False,
            download="Download my decisions",
            file=re.sub(r"[^\w.-]+", "_", f"decisions_{name}_{adjudication.by}") + ".csv",
            columns=list(_COLUMNS),
        )

    @property
    def place(self) -> int:
        return self.adjudication.place

    @property
    def actions(self) -> Mapping[str, Callable[..., Any]]:
        return {
            # a case has one criterion, so the functions ignore its name
            "answer": lambda criterion, value: self._change(answer=value),  # noqa: ARG005
            "toggle": lambda criterion, value: self._change(  # noqa: ARG005
                answer=canonical(toggle_label(self._draft, value))
            ),
            "reasons": lambda criterion, value: self._change(reasons=tuple(str(value).split("\n"))),  # noqa: ARG005
            "mark": lambda criterion, start, end: self._mark_passage(int(start), int(end)),  # noqa: ARG005
            "unmark": lambda criterion, start, end: self._change(  # noqa: ARG005
                spans=tuple(span for span in self._draft.spans if (span.start, span.end) != (start, end))
            ),
            "undo": self._undo,
            "next": lambda: self.adjudication.move(1),
            "back": lambda: self.adjudication.move(-1),
        }

    @property
    def _draft(self) -> DraftAnswer:
        """The answer on the current case, decided or not yet."""
        decision = self.adjudication.decision(self.adjudication.current)
        return self._drafts.get(self.place) or (DraftAnswer.from_label(decision.label) if decision else NO_ANSWER)

    def _change(self, **changes: Any) -> None:
        """Change a part of the decision. It is saved once it has an answer and a reason."""
        draft = replace(self._draft, **changes)
        if "answer" in changes:
            self.adjudication.criteria[self.adjudication.current.criterion].parse_code(draft.answer)
            draft = replace(draft, status="coded")
        self._drafts[self.place] = draft
        reason = "\n".join(draft.reasons).strip()
        if draft.answer is not None and reason:
            self.adjudication.decide(draft.answer, reason, quotes=draft.quotes or None)
            del self._drafts[self.place]

    def _mark_passage(self, start: int, end: int) -> None:
        content = self.adjudication.current.record.content
        if 0 <= start < end <= len(content):
            self._change(spans=tuple(sorted({*self._draft.spans, Span(start, end, content[start:end])})))

    def _undo(self) -> None:
        """Drop a draft that is not decided yet. If there is none, withdraw the decision."""
        if self._drafts.pop(self.place, None) is None:
            self.adjudication.withdraw()

    def question_views(self) -> list[dict[str, Any]]:
        return [question_view(self.adjudication.criteria[self.adjudication.current.criterion])]

    def page_view(self) -> dict[str, Any]:
        adjudication, case = self.adjudication, self.adjudication.current
        criterion = adjudication.criteria[case.criterion]
        n, n_decided = len(adjudication.cases), len(adjudication.decisions)
        is_undecided = self.place in self._drafts
        draft = draft_view(criterion, self._draft)
        if is_undecided:
            draft["state"] = "not decided yet: choose an answer and write a reason"
        return {
            **text_view(case.record),
            "place": self.place,
            "content_note": "",
            "line": f"case {self.place + 1:,} of {n:,} · {n_decided:,} decided · {n - n_decided:,} left",
            "total": n,
            "done": n_decided,
            "status": "Every case is decided. You can still change your decisions." if n_decided == n else "",
            "break_due": False,
            "is_first": self.place == 0,
            "is_last": self.place == n - 1,
            "can_undo": is_undecided or adjudication.decision(case) is not None,
            "can_skip": False,
            "drafts": {case.criterion: draft},
            "other_answers": [
                {
                    "criterion": case.criterion,
                    "answer": vote.answer,
                    "coder": vote.coder,
                    "reasons": list(vote.reasons),
                    "conclusion": vote.remark,
                }
                for vote in case.votes
            ],
        }

    def saved_rows(self) -> dict[str, list[Any]]:
        return {
            canonical([decision.label.record_id, decision.label.criterion]): _decision_row(decision)
            for decision in self.adjudication.decisions
        }

    @property
    def saved_text(self) -> str:
        return repr(self.adjudication)


def make_adjudication_form(adjudication: Adjudication) -> AdjudicationForm:
    """The form for these contested records."""
    return AdjudicationForm(adjudication)


def _decision_row(decision: Decision) -> list[Any]:
    fields = decision.label.model_dump(mode="json")
    fields["reasons"] = canonical(decision.label.reasons)
    return [fields[name] for name in _COLUMNS]
