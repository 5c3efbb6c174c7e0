"""The coding form: a widget that shows a text and its questions side by side.

The coder answers by keys or clicks. Each answer is on disk at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .._internal.ids import canonical
from .._internal.text import pluralise
from ..human_coding.session.coding_session import CodingSession
from ..human_coding.session.navigation import BREAK_AFTER
from ..schema import Label
from .form_page import TextForm, draft_view, question_view, text_view, toggle_label

CONTENT_NOTE = (
    "This text is hidden because the texts are marked as sensitive. It may contain violent, hateful or distressing "
    "words. Read it when you are ready. You may skip it, and you may stop at any time."
)
_MAX_OPEN = 10
"""The number of open texts that are named at the end."""
_COLUMNS = (
    "record_id", "criteria_set", "criterion", "coder", "category", "value", "status", "reasons", "notes", "quotes",
    "seconds", "round", "sample_id", "inclusion_p", "blind", "record_hash", "criteria_hash", "coded_at",
)  # fmt: skip


class CodingForm(TextForm):
    """The widget that `bm.coding_form` shows.

    Parameters
    ----------
    session
        The coding session of one coder.
    content_note
        The note that is shown in place of a hidden text.
    """

    def __init__(self, session: CodingSession, content_note: str = CONTENT_NOTE) -> None:
        self.session = session
        self._content_note = content_note
        self._row_cache: dict[str, tuple[str, list[Any]]] = {}
        name = session.questionnaire.name
        super().__init__(
            heading=f"Coding: {name}",
            file=re.sub(r"[^\w.-]+", "_", f"codes_{name}_{session.coder}") + ".csv",
            columns=list(_COLUMNS),
        )

    @property
    def place(self) -> int:
        return self.session.navigation.place

    @property
    def actions(self) -> Mapping[str, Callable[..., Any]]:
        session = self.session
        return {
            "answer": lambda criterion, value: session.answer(criterion, value),
            "toggle": lambda criterion, value: session.answer(criterion, toggle_label(session.draft(criterion), value)),
            "reasons": lambda criterion, value: session.give_reasons(criterion, str(value).splitlines()),
            "note": lambda criterion, value: session.write_note(criterion, str(value)),
            "mark": lambda criterion, start, end: session.mark_passage(criterion, int(start), int(end)),
            "unmark": lambda criterion, start, end: session.unmark_passage(criterion, int(start), int(end)),
            "show_text": session.navigation.show_text,
            "dismiss_break": session.navigation.dismiss_break,
            "skip": session.skip,
            "undo": session.undo,
            "next": session.navigation.next,
            "back": session.navigation.back,
            "go_to": lambda to: session.navigation.go_to(int(to)),
        }

    def question_views(self) -> list[dict[str, Any]]:
        questionnaire = self.session.questionnaire
        has_several = len(questionnaire.documents) > 1
        return [
            {
                **question_view(question.criterion),
                "name": question.key,
                "document": question.document.name if has_several else "",
            }
            for question in questionnaire
        ]

    def page_view(self) -> dict[str, Any]:
        session, navigation = self.session, self.session.navigation
        progress = session.progress
        total = len(session.items)
        return {
            **text_view(navigation.current, hidden=navigation.hidden),
            "place": navigation.place,
            "content_note": self._content_note,
            "criteria_texts": [[document.name, document.text] for document in session.questionnaire.documents],
            "line": _progress_line(session),
            "total": total,
            "done": total - progress.left,
            "status": _status(session),
            "open": list(_open_places(session)),
            "break_due": navigation.break_due,
            "is_first": navigation.place == 0,
            "is_last": navigation.place == total - 1,
            "can_undo": session.can_undo,
            "can_skip": True,
            "drafts": {
                question.key: draft_view(question.criterion, session.draft(question.key))
                for question in session.questionnaire
            },
            "other_answers": [
                {
                    "criterion": answer.criterion,
                    "answer": answer.answer,
                    "coder": answer.answered_by,
                    "reasons": answer.reasons,
                    "conclusion": answer.conclusion,
                }
                for answer in session.model_answers()
            ],
        }

    def saved_rows(self) -> dict[str, list[Any]]:
        labels = self.session.labels()
        for label in labels:
            if label.label_id not in self._row_cache:
                key = canonical([label.record_id, label.criteria_set, label.criterion])
                self._row_cache[label.label_id] = key, _label_row(label)
        return dict(self._row_cache[label.label_id] for label in labels)

    @property
    def saved_text(self) -> str:
        session = self.session
        blinding = "blind" if session.blind else "with models' answers after one's own"
        questions = pluralise(len(session.questionnaire), "question")
        records = pluralise(len(session.items), "record")
        return f"Coding form: {records}, {session.questionnaire.name} ({questions}), {blinding}"


def make_coding_form(session: CodingSession, content_note: str | None = None) -> CodingForm:
    """The form for a coding session."""
    return CodingForm(session, content_note or CONTENT_NOTE)


def _progress_line(session: CodingSession) -> str:
    progress = session.progress
    parts = [
        f"text {session.navigation.place + 1:,} of {len(session.items):,}",
        f"{progress.coded:,} coded",
        *([f"{progress.skipped:,} skipped"] if progress.skipped else []),
        f"{progress.left:,} left",
    ]
    seconds = progress.seconds_per_record
    if seconds:
        parts.append(f"{max(1, seconds):.0f} s per text" if seconds < 120 else f"{seconds / 60:.0f} min per text")
    return " · ".join(parts)


def _status(session: CodingSession) -> str:
    if session.is_finished:
        n = len(session.items)
        texts = "The only text is" if n == 1 else f"All {n:,} texts are"
        return f"{texts} done. Thank you. All your answers are saved. You can still go back and change them."
    open_places = _open_places(session)
    if open_places:
        return f"This is the last text. {_count_open(session)} still without an answer to every question:"
    if session.navigation.break_due:
        return f"You have read {BREAK_AFTER} of these texts. This is a good time for a break. Everything is saved."
    return ""


def _open_places(session: CodingSession) -> tuple[int, ...]:
    """At the end of the list, the positions of the first other texts that are not complete."""
    if session.navigation.place < len(session.items) - 1:
        return ()
    return tuple(place for place in session.incomplete() if place != session.navigation.place)[:_MAX_OPEN]


def _count_open(session: CodingSession) -> str:
    n = sum(place != session.navigation.place for place in session.incomplete())
    return "1 other text is" if n == 1 else f"{n:,} other texts are"


def _label_row(label: Label) -> list[Any]:
    """A label as a row to download. Lists are written as JSON."""
    fields = label.model_dump(mode="json")
    fields["reasons"] = canonical(label.reasons) if label.reasons else None
    return [fields[name] for name in _COLUMNS]
