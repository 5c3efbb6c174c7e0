"""`MultiLabel`: a scale on which any number of labels may apply."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from .answer import Answer
from .base import Level, OfflineRule, Scale, check_names
from .flags import flag_parts
from .form_control import FormControl
from .match_answer import exact_match, find_answer, normalise


class MultiLabel(Scale):
    """Any number of labels, or none of them. The category is a sorted JSON list; `[]` is an answer.

    Examples
    --------
    >>> from buttermilk_nb.codebook.scales import make_scale
    >>> make_scale("labels: mockery | appeal").parse(["appeal"])
    Answer(value=None, category='["appeal"]')
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

    def _code_parts(self, raw: str) -> Sequence[str]:
        if exact_match(raw, (*self.answers, "none")):
            return [raw] if exact_match(raw, self.answers) else []
        try:
            parts = json.loads(raw) if raw.startswith("[") else re.split(r"[|,;]", raw)
        except ValueError:
            return [raw]
        return [str(part) for part in parts]

    def instruction(self) -> str:
        return "Answer with a list of all that apply, empty if none does: " + json.dumps(
            list(self.labels), ensure_ascii=False
        )

    def answer_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "enum": list(self.labels)}, "uniqueItems": True}

    def _match(self, raw: object) -> Answer | None:
        if isinstance(raw, str):
            text = raw.strip()
            if label := exact_match(text, self.labels):
                raw = [label]
            elif text.startswith("["):
                try:
                    raw = json.loads(text)
                except ValueError:
                    return None
            else:
                none_words = ("", "none", "[]")
                raw = [] if normalise(text) in none_words else re.split(r"[|,;]", text)
        if not isinstance(raw, list | tuple) or not all(isinstance(item, str | int | float) for item in raw):
            return None
        labels = {find_answer(str(item), self.labels) for item in raw}
        if None in labels:
            return None
        return Answer(None, json.dumps(sorted(str(f) for f in labels), ensure_ascii=False))

    def flagged(self, answer: Answer, flag: str | None) -> bool | None:
        if flag is None or answer.category is None or answer.is_non_answer:
            return None
        return bool(set(json.loads(answer.category)) & set(flag_parts(flag)))
