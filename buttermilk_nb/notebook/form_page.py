"""The page on which a person reads a text and answers: what the coding form and adjudication share.

The page sends what was done, one message an action, in the order in which it was done; Python answers with the
whole view. A message names the place that the page showed, so that nothing is ever said of a text that was not seen.
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
from ..codebook.scales import NON_ANSWERS, Continuous, Likert, MultiLabel
from ..corpus.record import Record
from ..errors import ButtermilkError
from ..human_coding.session.draft_answer import DraftAnswer
from .live_widget import stable_bundle

_STATIC = Path(__file__).parent / "static"
_DIGITS = "1234567890"
_STATES = {"skipped": "skipped", "not_applicable": "not applicable", "cannot_tell": "cannot tell"}


class TextForm(anywidget.AnyWidget):  # type: ignore[misc]  # anywidget is followed without types
    """The widget without what is done with the answers."""

    _esm = _STATIC / "coding.js"
    _css = _STATIC / "coding.css"

    heading = traitlets.Unicode().tag(sync=True)
    reasons_label = traitlets.Unicode("Reasons, one a line").tag(sync=True)
    with_notes = traitlets.Bool(True).tag(sync=True)
    download = traitlets.Unicode("Download my codes").tag(sync=True)
    file = traitlets.Unicode("codes.csv").tag(sync=True)
    columns = traitlets.List(traitlets.Unicode()).tag(sync=True)
    questions = traitlets.List(traitlets.Dict()).tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    codes: traitlets.List[Any] = traitlets.List().tag(sync=True)
    """The rows that changed last; a page that opens gets them all."""

    def __init__(self, **traits: Any) -> None:
        self._message = ""
        self._heard = 0
        self._kept = self.kept()  # before the page is opened, which takes all of it
        super().__init__(questions=self.asked(), view=self._view(), **traits)
        self.on_msg(self._hear)

    @property
    @abstractmethod
    def place(self) -> int:
        """Which text is shown."""

    @property
    @abstractmethod
    def actions(self) -> Mapping[str, Callable[..., Any]]:
        """What the page may ask for; each is called with what the message holds."""

    @abstractmethod
    def asked(self) -> list[dict[str, Any]]:
        """The questions on the text that is shown."""

    @abstractmethod
    def drawn(self) -> dict[str, Any]:
        """The view as it is now."""

    @abstractmethod
    def kept(self) -> dict[str, list[Any]]:
        """What stands on disk: the rows to download, in the order of `columns`, by a key."""

    @property
    @abstractmethod
    def saved(self) -> str:
        """What is saved in the notebook."""

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """What a page gets; one that opens gets every row to download."""
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        if key is None:
            state["codes"] = list(self._kept.items())
        return state

    def _hear(self, _: Any, content: dict[str, Any], __: Any) -> None:
        self._heard = int(content.get("n", 0))
        self._message = ""
        action = self.actions.get(str(content.get("do")))
        if action is not None and content.get("place") == self.place:
            given = {name: value for name, value in content.items() if name not in ("do", "n", "place")}
            try:
                action(**given)
            except ButtermilkError as error:
                self._message = str(error)
        self._draw()

    def _draw(self) -> None:
        kept = self.kept()
        changed: list[list[Any]] = [[key, row] for key, row in kept.items() if self._kept.get(key) != row]
        changed += [[key, None] for key in self._kept if key not in kept]
        self._kept = kept
        with self.hold_sync():
            if changed:
                self.codes = changed
            if (asked := self.asked()) != self.questions:
                self.questions = asked
            self.view = self._view()

    def _view(self) -> dict[str, Any]:
        return {"heard": self._heard, "message": self._message, **self.drawn()}

    def __repr__(self) -> str:
        return self.saved

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return stable_bundle(super(), self.saved, fragment(title(self.saved)))


def question(criterion: Criterion) -> dict[str, Any]:
    """A criterion as the page shows it."""
    scale = criterion.scale
    number = None
    if isinstance(scale, Continuous):
        number = {"low": scale.low, "high": scale.high, "step": (scale.high - scale.low) / 100}
    return {
        "name": criterion.name,
        "question": criterion.question,
        "definition": criterion.definition,
        "include": list(criterion.include),
        "exclude": list(criterion.exclude),
        "examples": [[answer, example] for answer, several in criterion.examples.items() for example in several],
        "options": options(criterion),
        "number": number,
        "level": isinstance(scale, Likert),
    }


def options(criterion: Criterion) -> list[dict[str, Any]]:
    """The answers as buttons, each with its key.

    An answer that is a digit has that digit as its key, so that 4 means 4; other answers get the digits in order.

    Examples
    --------
    >>> [(option["answer"], option["key"]) for option in options(Criterion(name="a", question="?", scale="0-2"))]
    [('0', '0'), ('1', '1'), ('2', '2')]
    """
    scale = criterion.scale
    several = isinstance(scale, MultiLabel)
    words = {str(point): name for point, name in scale.labels.items()} if isinstance(scale, Likert) else {}
    by_name = isinstance(scale, Continuous) or any(name.lstrip("-").isdigit() for name in scale.answers)
    # digits on a continuous scale begin a number
    free = iter("" if isinstance(scale, Continuous) else [key for key in _DIGITS if key not in scale.answers])
    made = [
        {
            "answer": name,
            "label": f"{name} {words[name]}" if name in words else name,
            "key": (name if name in _DIGITS else "") if by_name else next(free, ""),
            "toggle": several,
        }
        for name in scale.answers
    ]
    more = [*([("[]", "none of these")] if several else []), *((name, name) for name in criterion.non_answers)]
    return made + [{"answer": name, "label": label, "key": next(free, ""), "toggle": False} for name, label in more]


def said(criterion: Criterion, held: DraftAnswer) -> dict[str, Any]:
    """What was said on a criterion, as the page shows it."""
    chosen: list[str] = []
    number = ""
    if held.is_saved and held.status != "skipped":
        answer = criterion.scale.parse(held.answer, NON_ANSWERS)  # an imported code may be one that is not offered
        if answer.category is None:
            number = f"{answer.value:.12g}"
        elif isinstance(criterion.scale, MultiLabel) and not answer.is_non_answer:
            chosen = json.loads(answer.category) or ["[]"]
        else:
            chosen = [answer.category]
    waiting = not held.is_saved and (held.reasons or held.notes or held.spans)
    return {
        "chosen": chosen,
        "number": number,
        "kept": held.is_saved,
        "state": "kept with your answer" if waiting else _STATES.get(held.status or "", ""),
        "reasons": "\n".join(held.reasons),
        "notes": held.notes,
        "spans": [span._asdict() for span in held.spans],
    }


def text_of(record: Record, *, hidden: bool = False) -> dict[str, Any]:
    """What the page may know of a record; of a hidden one nothing but its id."""
    return {
        "record_id": record.record_id,
        "content": "" if hidden else record.content,
        "images": [] if hidden else [image.data_url() for image in record.images],
        "hidden": hidden,
    }


def toggled(held: DraftAnswer, label: str) -> list[str]:
    """The labels that are chosen when one more is pressed."""
    try:
        chosen = set(json.loads(held.answer)) if held.is_saved and isinstance(held.answer, str) else set()
    except ValueError:
        chosen = set()  # it was a non-answer
    return sorted(chosen ^ {label})
