"""The form for contested records: the text, every vote with its reasons, and the decision with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .._internal.ids import canonical
from ..human_coding.adjudication import Adjudication, ContestedRecord, Decision
from ..human_coding.session.draft_answer import NO_ANSWER, DraftAnswer, Span
from .form_page import TextForm, question, said, text_of, toggled

_COLUMNS = ("record_id", "criteria_set", "criterion", "coder", "category", "value", "reasons", "quotes", "coded_at")


class AdjudicationForm(TextForm):
    """The widget that `adjudicate` shows.

    Parameters
    ----------
    adjudication
        The cases.
    """

    def __init__(self, adjudication: Adjudication) -> None:
        self.adjudication = adjudication
        self._drafts: dict[int, DraftAnswer] = {}
        name = adjudication.criteria.name
        super().__init__(
            heading=f"Adjudication: {name}",
            reasons_label="Why? A sentence that could become a rule",
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
            "answer": lambda criterion, value: self._say(answer=value),  # noqa: ARG005  # a case has one criterion
            "toggle": lambda criterion, value: self._say(answer=canonical(toggled(self._held, value))),  # noqa: ARG005
            "reasons": lambda criterion, value: self._say(reasons=tuple(str(value).split("\n"))),  # noqa: ARG005
            "mark": lambda criterion, start, end: self._mark(int(start), int(end)),  # noqa: ARG005
            "unmark": lambda criterion, start, end: self._say(  # noqa: ARG005
                spans=tuple(span for span in self._held.spans if (span.start, span.end) != (start, end))
            ),
            "undo": self._undo,
            "next": lambda: self.adjudication.go_to(1),
            "back": lambda: self.adjudication.go_to(-1),
        }

    @property
    def _held(self) -> DraftAnswer:
        """What is said on the current case, decided or not yet."""
        decision = self.adjudication.decision(self.adjudication.current)
        return self._drafts.get(self.place) or (DraftAnswer.of(decision.label) if decision else NO_ANSWER)

    def _say(self, **changes: Any) -> None:
        """Take over a part of a decision; with an answer and a reason it is one, and kept."""
        held = replace(self._held, **changes)
        if "answer" in changes:
            self.adjudication.criteria[self.adjudication.current.criterion].parse(held.answer)
            held = replace(held, status="coded")
        self._drafts[self.place] = held
        reason = "\n".join(held.reasons).strip()
        if held.answer is not None and reason:
            self.adjudication.decide(held.answer, reason, quotes=held.quotes or None)
            del self._drafts[self.place]

    def _mark(self, start: int, end: int) -> None:
        content = self.adjudication.current.record.content
        if 0 <= start < end <= len(content):
            self._say(spans=tuple(sorted({*self._held.spans, Span(start, end, content[start:end])})))

    def _undo(self) -> None:
        """Drop what is not decided yet; where nothing is, take the decision back."""
        if self._drafts.pop(self.place, None) is None:
            self.adjudication.withdraw()

    def asked(self) -> list[dict[str, Any]]:
        return [question(self.adjudication.criteria[self.adjudication.current.criterion])]

    def drawn(self) -> dict[str, Any]:
        adjudication, case = self.adjudication, self.adjudication.current
        criterion = adjudication.criteria[case.criterion]
        n, decided = len(adjudication.cases), len(adjudication.decisions)
        waiting = self.place in self._drafts
        held = said(criterion, self._held)
        if waiting:
            held["state"] = "not decided yet: give an answer and a reason"
        return {
            **text_of(case.record),
            "place": self.place,
            "content_note": "",
            "line": f"case {self.place + 1:,} of {n:,} · {decided:,} decided · {n - decided:,} left",
            "total": n,
            "done": decided,
            "status": "Every case is decided; you may still change a decision." if decided == n else "",
            "break_due": False,
            "first": self.place == 0,
            "last": self.place == n - 1,
            "can_undo": waiting or adjudication.decision(case) is not None,
            "can_skip": False,
            "held": {case.criterion: held},
            "models": [_vote(case, i) for i in range(len(case.votes))],
        }

    def kept(self) -> dict[str, list[Any]]:
        return {canonical([d.label.record_id, d.label.criterion]): _row(d) for d in self.adjudication.decisions}

    @property
    def saved(self) -> str:
        return repr(self.adjudication)


def adjudication_form(adjudication: Adjudication) -> AdjudicationForm:
    """The form for these cases."""
    return AdjudicationForm(adjudication)


def _vote(case: ContestedRecord, i: int) -> dict[str, Any]:
    vote = case.votes[i]
    return {
        "criterion": case.criterion, "said": vote.answer, "who": vote.coder, "reasons": list(vote.reasons),
        "conclusion": vote.remark,
    }  # fmt: skip


def _row(decision: Decision) -> list[Any]:
    plain = decision.label.model_dump(mode="json")
    plain["reasons"] = canonical(decision.label.reasons)
    return [plain[name] for name in _COLUMNS]
