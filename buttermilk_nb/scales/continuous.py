"""Any number in a range."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from .base import Answer, Level, Scale, compare, comparison


class Continuous(Scale):
    """Any number from `low` to `high`.

    `ratio=True` says that zero means *none of it*; otherwise only differences mean something.

    Examples
    --------
    >>> from buttermilk_nb.scales import make_scale
    >>> make_scale("0..1").parse("0.35")
    Answer(value=0.35, category=None)
    """

    kind: Literal["continuous"] = "continuous"
    level: ClassVar[Level] = "interval"
    low: float = 0.0
    high: float = 1.0
    ratio: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Continuous:
        if not self.low < self.high:
            raise ValueError(f"a scale of {self.low:g}..{self.high:g} needs its low end first")
        return self

    @classmethod
    def from_short(cls, text: str) -> Continuous | None:
        found = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*\.\.\s*(-?\d+(?:\.\d+)?)\s*", text)
        return cls(low=float(found[1]), high=float(found[2])) if found else None

    @property
    def short(self) -> str:
        return f"{self.low:g}..{self.high:g}"

    @property
    def offered(self) -> tuple[str, ...]:
        return ()

    def sentence(self) -> str:
        return f"Answer with a number from {self.low:g} to {self.high:g}."

    def answer_schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.low, "maximum": self.high}

    def read(self, raw: object) -> Answer | None:
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            return None
        numbers = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])", str(raw))
        if len(set(numbers)) != 1 or not self.low <= float(numbers[0]) <= self.high:
            return None
        return Answer(float(numbers[0]), None)

    def flag_problem(self, flag: str) -> str | None:
        return None if comparison(flag) else f"flag `{flag}` is not a comparison; write for example `>= {self.high:g}`"

    def flagged(self, answer: Answer, flag: str | None) -> bool | None:
        return compare(answer, flag) if flag else None
