"""`YesNo`: the scale with the answers yes and no."""

from __future__ import annotations

from typing import ClassVar, Literal

from .answer import Answer
from .base import Level, NamedScale
from .match_answer import normalise


class YesNo(NamedScale):
    """The answers yes and no. The value is 1 for yes and 0 for no.

    Examples
    --------
    >>> YesNo().parse(False)
    Answer(value=0.0, category='no', note=None)
    """

    kind: Literal["yes/no"] = "yes/no"
    level: ClassVar[Level] = "nominal"

    @classmethod
    def from_shorthand(cls, text: str) -> YesNo | None:
        return cls() if normalise(text) in ("yes/no", "yes no", "bool", "boolean") else None

    @property
    def shorthand(self) -> str:
        return "yes/no"

    @property
    def answers(self) -> tuple[str, ...]:
        return ("yes", "no")

    def instruction(self) -> str:
        return 'Answer "yes" or "no".'

    def _match(self, raw: object) -> Answer | None:
        word = str(raw).strip().casefold()
        if isinstance(raw, bool) or (isinstance(raw, str) and word in ("true", "false")):
            raw = "yes" if word == "true" else "no"
        return super()._match(raw)

    def form_examples(self) -> list[tuple[str, object]]:
        booleans: list[tuple[str, object]] = [("true or false, also in quotation marks", True), ("as text", "False")]
        return [*super().form_examples(), *booleans, ("1 or 0", 1)]

    def _number(self, name: str) -> float:
        return float(name == "yes")
