"""`MultiLabel`: a scale on which any number of labels may apply."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any, ClassVar, Literal

import regex
from pydantic import model_validator

from .answer import Answer
from .base import Level, OfflineRule, Scale, check_names
from .flags import flag_parts
from .form_control import FormControl
from .match_answer import exact_match

_SEPARATOR = r"\s*+[|,;，；、]\s*+"
_SEPARATOR_OR_AND = r"\s*+(?:[|,;，；、\n])\s*+(?:(?:and|und|et|y|e)\s++)?|\s++(?:and|und|et|y|e|&|\+)\s++"
_MAX_LENGTH = 2_000  # characters of a list that is read


class MultiLabel(Scale):
    """Any number of labels, or none of them. The category is a sorted JSON list; `[]` is an answer.

    Examples
    --------
    >>> from buttermilk_nb.codebook.scales import make_scale
    >>> make_scale("labels: mockery | appeal").parse(["appeal"])
    Answer(value=None, category='["appeal"]', note=None)
    """

    kind: Literal["labels"] = "labels"
    level: ClassVar[Level] = "set"
    offline_rule: ClassVar[OfflineRule] = "every cue"
    labels: tuple[str, ...]

    @model_validator(mode="after")
    def _check_answers(self) -> MultiLabel:
        check_names(self.labels, "labels")
        return self

    @classmethod
    def from_shorthand(cls, text: str) -> MultiLabel | None:
        match = re.fullmatch(r"\s*labels\s*:(.*)", text, re.DOTALL)
        names = tuple(part.strip() for part in match[1].split("|")) if match else ()
        return cls(labels=names) if names and all(names) else None

    @property
    def shorthand(self) -> str:
        return "labels: " + " | ".join(self.labels)

    @property
    def answers(self) -> tuple[str, ...]:
        return self.labels

    def form_control(self) -> FormControl:
        return FormControl("choices")

    def instruction(self) -> str:
        return "Answer with a list of all that apply, empty if none does: " + json.dumps(
            list(self.labels), ensure_ascii=False
        )

    def answer_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "enum": list(self.labels)}, "uniqueItems": True}

    def _match(self, raw: object) -> Answer | None:
        if isinstance(raw, str):
            raw = self._listed(raw, _SEPARATOR)
        if isinstance(raw, dict):
            raw = self._marked(raw)
        if not isinstance(raw, list | tuple):
            return None
        labels = {exact_match(str(item), self.labels) if isinstance(item, str | int | float) else None for item in raw}
        if None in labels:
            return None
        return Answer(None, json.dumps(sorted(str(label) for label in labels), ensure_ascii=False))

    def _match_text(self, text: str) -> Answer | None:
        listed = self._listed(text, _SEPARATOR_OR_AND)
        return self._match(listed) if isinstance(listed, list) else None

    def _listed(self, text: str, separator: str) -> Any:
        """The labels that a text lists: as JSON, or with separators. Nothing but labels may stand in it."""
        text = text.strip()
        if label := exact_match(text, self.labels):
            return [label]
        if text.startswith(("[", "{")):
            try:
                return json.loads(text)
            except ValueError:
                return None
        if text.casefold() == "none":
            return []
        if len(text) > _MAX_LENGTH:
            return None
        label = "|".join(map(regex.escape, sorted(self.labels, key=len, reverse=True)))
        listed = regex.fullmatch(
            rf"(?P<label>{label})(?:(?:{separator})(?P<label>{label}))*+",
            unicodedata.normalize("NFC", text),
            regex.IGNORECASE,
        )
        return listed.captures("label") if listed else None

    def _marked(self, answers: dict[Any, Any]) -> list[str] | None:
        """The labels in a mapping of labels to yes or no; None if it is not such a mapping."""
        yes_no = {"true": True, "yes": True, "false": False, "no": False}
        marks = {exact_match(str(key), self.labels): yes_no.get(str(mark).casefold()) for key, mark in answers.items()}
        if not marks or None in marks or None in marks.values():
            return None
        return [str(label) for label, mark in marks.items() if mark]

    def form_examples(self) -> list[tuple[str, object]]:
        first, last = self.labels[0], self.labels[-1]
        return [
            ("a list", [first, last]),
            ("an empty list", []),
            ("one label as text", first),
            ("labels with `,`, `;` or `|` between them", f"{first}, {last}"),
            ("labels with a word for `and` between them", f"{first} and {last}"),
            ("a mapping of labels to yes or no", {first: True}),
            ("`none`, if it is not a label", "none"),
            ("negated", f"no {first}"),
            ("with other words", f"mostly {first}"),
            ("a label that is not offered", ["something else"]),
        ]

    def flagged(self, answer: Answer, flag: str | None) -> bool | None:
        if flag is None or answer.category is None or answer.is_non_answer:
            return None
        return bool(set(json.loads(answer.category)) & set(flag_parts(flag)))
