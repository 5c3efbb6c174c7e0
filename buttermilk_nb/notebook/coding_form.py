"""The coding form: a text beside the criteria, coded by keys or clicks; each answer is on disk at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .._internal.ids import canonical
from .._internal.text import pluralise
from ..human_coding.session.coding_session import CodingSession
from ..human_coding.session.navigation import BREAK_AFTER
from ..schema import Label
from .form_page import TextForm, question, said, text_of, toggled

CONTENT_NOTE = (
    "This text is hidden because the corpus is marked as sensitive: it may hold violent, hateful or distressing "
    "words. Read it when you are ready; you may skip it, and stop whenever you like."
)
_COLUMNS = (
    "record_id", "criteria_set", "criterion", "coder", "category", "value", "status", "reasons", "notes", "quotes",
    "seconds", "round", "sample_id", "inclusion_p", "blind", "record_hash", "criteria_hash", "coded_at",
)  # fmt: skip


class CodingForm(TextForm):
    """The widget that `code` shows.

    Parameters
    ----------
    session
        The work of one coder.
    content_note
        What is shown in place of a hidden text.
    """

    def __init__(self, session: CodingSession, content_note: str = CONTENT_NOTE) -> None:
        self.session = session
        self._content_note = content_note
        self._rows: dict[str, tuple[str, list[Any]]] = {}
        name = session.criteria.name
        super().__init__(
            heading=f"Coding: {name}",
            file=re.sub(r"[^\w.-]+", "_", f"codes_{name}_{session.coder}") + ".csv",
            columns=list(_COLUMNS),
        )

    @property
    def place(self) -> int:
        return self.session.place

    @property
    def actions(self) -> Mapping[str, Callable[..., Any]]:
        session = self.session
        return {
            "answer": lambda criterion, value: session.answer(criterion, value),
            "toggle": lambda criterion, value: session.answer(criterion, toggled(session.held(criterion), value)),
            "reasons": lambda criterion, value: session.give_reasons(criterion, str(value).splitlines()),
            "note": lambda criterion, value: session.note(criterion, str(value)),
            "mark": lambda criterion, start, end: session.mark(criterion, int(start), int(end)),
            "unmark": lambda criterion, start, end: session.unmark(criterion, int(start), int(end)),
            "show": session.show_text,
            "rest": session.dismiss_break,
            "skip": session.skip,
            "undo": session.undo,
            "next": session.next,
            "back": session.back,
        }

    def asked(self) -> list[dict[str, Any]]:
        return [question(criterion) for criterion in self.session.criteria]

    def drawn(self) -> dict[str, Any]:
        session = self.session
        progress = session.progress
        total = len(session.items)
        return {
            **text_of(session.current, hidden=session.hidden),
            "place": session.place,
            "content_note": self._content_note,
            "line": _line(session),
            "total": total,
            "done": total - progress.left,
            "status": _status(session),
            "break_due": session.break_due,
            "first": session.place == 0,
            "last": session.place == total - 1,
            "can_undo": session.can_undo,
            "can_skip": True,
            "held": {criterion.name: said(criterion, session.held(criterion.name)) for criterion in session.criteria},
            "models": [
                {
                    "criterion": a.criterion,
                    "said": a.said,
                    "who": a.who,
                    "reasons": a.reasons,
                    "conclusion": a.conclusion,
                }
                for a in session.model_answers()
            ],
        }

    def kept(self) -> dict[str, list[Any]]:
        labels = self.session.labels()
        for label in labels:
            if label.label_id not in self._rows:
                self._rows[label.label_id] = canonical([label.record_id, label.criterion]), _row(label)
        return dict(self._rows[label.label_id] for label in labels)

    @property
    def saved(self) -> str:
        session = self.session
        kind = "blind" if session.blind else "with models' answers after one's own"
        asked = pluralise(len(session.criteria), "question")
        return f"Coding form: {pluralise(len(session.items), 'record')}, {session.criteria.name} ({asked}), {kind}"


def code_form(session: CodingSession, content_note: str | None = None) -> CodingForm:
    """The form for a session."""
    return CodingForm(session, content_note or CONTENT_NOTE)


def _line(session: CodingSession) -> str:
    progress = session.progress
    parts = [
        f"text {session.place + 1:,} of {len(session.items):,}",
        f"{progress.coded:,} coded",
        *([f"{progress.skipped:,} skipped"] if progress.skipped else []),
        f"{progress.left:,} left",
    ]
    pace = progress.seconds_per_record
    if pace:
        parts.append(f"{max(1, pace):.0f} s a text" if pace < 120 else f"{pace / 60:.0f} min a text")
    return " · ".join(parts)


def _status(session: CodingSession) -> str:
    if session.finished:
        n = len(session.items)
        done = "The one text is" if n == 1 else f"All {n:,} texts are"
        return f"{done} done. Thank you. Every code is kept; you may still go back and change one."
    if session.break_due:
        return f"{BREAK_AFTER} of these texts in a row: a good place for a break. Everything is kept."
    return ""


def _row(label: Label) -> list[Any]:
    """A label as a row to download: what is a list stays JSON."""
    plain = label.model_dump(mode="json")
    plain["reasons"] = canonical(label.reasons) if label.reasons else None
    return [plain[name] for name in _COLUMNS]
