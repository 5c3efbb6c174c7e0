"""The widget base of the coding form and the adjudication form.

The page sends one message for each action of the person, in order, and Python replies with the whole view. A message
names the position of the text that the page showed, so that an answer never reaches a text that was not on display.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from .._internal.html import fragment, title
from ..codebook.criterion import Criterion
from ..corpus.display import recording_place
from ..corpus.record import Record
from ..errors import ButtermilkError
from ..human_coding.session.draft_answer import DraftAnswer
from .live_widget import stable_bundle

_STATIC = Path(__file__).parent / "static"
_DIGITS = "1234567890"
_STATES = {"skipped": "skipped", "not_applicable": "not applicable", "cannot_tell": "cannot tell"}


class TextForm(anywidget.AnyWidget):  # type: ignore[misc]  # anywidget is followed without types
    """The page with a text and its questions. Subclasses define what happens to the answers."""

    _esm = _STATIC / "coding.js"
    _css = _STATIC / "coding.css"

    heading = traitlets.Unicode().tag(sync=True)
    reasons_label = traitlets.Unicode("Reasons, one per line").tag(sync=True)
    with_notes = traitlets.Bool(True).tag(sync=True)
    download = traitlets.Unicode("Download my codes").tag(sync=True)
    file = traitlets.Unicode("codes.csv").tag(sync=True)
    columns = traitlets.List(traitlets.Unicode()).tag(sync=True)
    questions = traitlets.List(traitlets.Dict()).tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    codes: traitlets.List[Any] = traitlets.List().tag(sync=True)
    """The rows that changed last. A page that opens gets all rows."""

    def __init__(self, **traits: Any) -> None:
        self._message = ""
        self._n_handled = 0
        self._saved_rows = self.saved_rows()  # before the page opens, because it gets all rows
        super().__init__(questions=self.question_views(), view=self._view(), **traits)
        self.on_msg(self._handle_message)

    @property
    @abstractmethod
    def place(self) -> int:
        """The position of the text on display, counted from 0."""

    @property
    @abstractmethod
    def actions(self) -> Mapping[str, Callable[..., Any]]:
        """The actions that the page may send, by name. Each is called with the other fields of the message."""

    @abstractmethod
    def question_views(self) -> list[dict[str, Any]]:
        """The questions on the current text."""

    @abstractmethod
    def page_view(self) -> dict[str, Any]:
        """The current text, the answers on it, and the state of the buttons."""

    @abstractmethod
    def saved_rows(self) -> dict[str, list[Any]]:
        """The answers on disk, by key. Each is a row to download, in the order of `columns`."""

    @property
    @abstractmethod
    def saved_text(self) -> str:
        """The text that is saved in the notebook in place of the widget."""

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """The state that a page gets. A page that opens gets every row to download."""
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if key is None:
            state["codes"] = list(self._saved_rows.items())
        return state

    def _handle_message(self, _: Any, content: dict[str, Any], __: Any) -> None:
        self._n_handled = int(content.get("n", 0))
        self._message = ""
        action = self.actions.get(str(content.get("action")))
        if action is not None and content.get("place") == self.place:
            arguments = {name: value for name, value in content.items() if name not in ("action", "n", "place")}
            try:
                action(**arguments)
            except ButtermilkError as error:
                self._message = str(error)
        self._update_page()

    def _update_page(self) -> None:
        rows, earlier_rows = self.saved_rows(), self._saved_rows
        changes: list[list[Any]] = [[key, row] for key, row in rows.items() if earlier_rows.get(key) != row]
        changes += [[key, None] for key in earlier_rows if key not in rows]
        self._saved_rows = rows
        with self.hold_sync():
            if changes:
                self.codes = changes
            if (questions := self.question_views()) != self.questions:
                self.questions = questions
            self.view = self._view()

    def _view(self) -> dict[str, Any]:
        return {"n_handled": self._n_handled, "message": self._message, **self.page_view()}

    def __repr__(self) -> str:
        return self.saved_text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return stable_bundle(super(), self.saved_text, fragment(title(self.saved_text)))


def question_view(criterion: Criterion) -> dict[str, Any]:
    """A criterion in the form in which the page shows it."""
    control, number = criterion.scale.form_control(), None
    if control.kind == "number" and criterion.scale.bounds:
        low, high = criterion.scale.bounds
        number = {"low": low, "high": high, "step": (high - low) / 100}
    return {
        "name": criterion.name,
        "question": criterion.question,
        "definition": criterion.definition,
        "include": list(criterion.include),
        "exclude": list(criterion.exclude),
        "examples": [[answer, example] for answer, examples in criterion.examples.items() for example in examples],
        "options": options(criterion),
        "number": number,
        "level": control.is_ordered,
    }


def options(criterion: Criterion) -> list[dict[str, Any]]:
    """The answers as buttons, each with its key.

    An answer that is a digit has that digit as its key, so that the key 4 means 4. Other answers get the digits in
    order.

    Examples
    --------
    >>> [(option["answer"], option["key"]) for option in options(Criterion(name="a", question="?", scale="0-2"))]
    [('0', '0'), ('1', '1'), ('2', '2')]
    """
    answers, control = criterion.scale.answers, criterion.scale.form_control()
    has_numbers = control.kind == "number" or any(name.lstrip("-").isdigit() for name in answers)
    # where a number is typed, a digit is its start
    free_keys = iter("" if control.kind == "number" else [key for key in _DIGITS if key not in answers])
    buttons = [
        {
            "answer": name,
            "label": f"{name} {control.captions[name]}" if name in control.captions else name,
            "key": (name if name in _DIGITS else "") if has_numbers else next(free_keys, ""),
            "toggle": control.kind == "choices",
        }
        for name in answers
    ]
    extra_answers = [("[]", "none of these")] if control.kind == "choices" else []
    extra_answers += [(name, name) for name in criterion.non_answers]
    return buttons + [
        {"answer": name, "label": label, "key": next(free_keys, ""), "toggle": False} for name, label in extra_answers
    ]


def draft_view(criterion: Criterion, draft: DraftAnswer) -> dict[str, Any]:
    """An answer on a criterion in the form in which the page shows it."""
    selected: list[str] = []
    number = ""
    if draft.is_saved and draft.status != "skipped":
        answer = criterion.parse_code(draft.answer)  # an imported code may be one that has no button
        if answer.category is None:
            number = f"{answer.value:.12g}"
        elif criterion.scale.form_control().kind == "choices" and not answer.is_non_answer:
            selected = json.loads(answer.category) or ["[]"]
        else:
            selected = [answer.category]
    lacks_answer = not draft.is_saved and (draft.reasons or draft.notes or draft.spans)
    return {
        "selected": selected,
        "number": number,
        "is_saved": draft.is_saved,
        "state": "will be saved with your answer" if lacks_answer else _STATES.get(draft.status or "", ""),
        "reasons": "\n".join(draft.reasons),
        "notes": draft.notes,
        "spans": [span._asdict() for span in draft.spans],
    }


def text_view(record: Record, *, hidden: bool = False) -> dict[str, Any]:
    """The text and the images of a record for the page. If the text is hidden, the page gets only the id."""
    return {
        "record_id": " · ".join(filter(None, (record.record_id, recording_place(record)))),
        "content": "" if hidden else record.content,
        "images": [] if hidden else [image.data_url() for image in record.images],
        "hidden": hidden,
    }


def toggle_label(draft: DraftAnswer, label: str) -> list[str]:
    """The labels of an answer after one label is added or removed."""
    try:
        labels = set(json.loads(draft.answer)) if draft.is_saved and isinstance(draft.answer, str) else set()
    except ValueError:
        labels = set()  # it was a non-answer
    return sorted(labels ^ {label})
