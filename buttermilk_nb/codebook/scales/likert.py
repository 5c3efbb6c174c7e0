"""`Likert`: a scale of whole points in order."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from .answer import Answer
from .base import Level, NamedScale, OfflineRule
from .flags import meets_comparison, parse_comparison
from .form_control import FormControl
from .match_answer import normalise

_WHOLE_NUMBER_WITH_ZEROS = re.compile(r"\s*-?\d+\.0+\s*")  # whole numbers in a pandas column with gaps


class Likert(NamedScale):
    """Whole points from `low` to `high`, in order; `labels` may name some or all of them.

    Examples
    --------
    >>> from buttermilk_nb.codebook.scales import make_scale
    >>> make_scale("1-5").parse(4)
    Answer(value=4.0, category='4')
    >>> Likert(low=1, high=3, labels={1: "calm", 3: "furious"}).instruction()
    'Answer with a whole number from 1 to 3 (1 = calm, 3 = furious).'
    """

    kind: Literal["likert"] = "likert"
    level: ClassVar[Level] = "ordinal"
    offline_rule: ClassVar[OfflineRule] = "mean of cues"
    low: int = 1
    high: int = 5
    labels: dict[int, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_ends(self) -> Likert:
        if self.low >= self.high or self.high - self.low > 100:
            raise ValueError(f"a scale of {self.low}-{self.high} needs its lowest point first, and at most 101 points")
        if unknown := [point for point in self.labels if not self.low <= point <= self.high]:
            raise ValueError(f"`{unknown[0]}` has a label, but is not a point of the scale {self.shorthand}")
        return self

    @classmethod
    def from_shorthand(cls, text: str) -> Likert | None:
        match = re.fullmatch(r"(?:likert\s*:?\s*)?(-?\d+)\s*(?:-|–|to)\s*(-?\d+)", text.strip(), re.IGNORECASE)
        return cls(low=int(match[1]), high=int(match[2])) if match else None

    @property
    def shorthand(self) -> str:
        return f"{self.low}-{self.high}"

    @property
    def answers(self) -> tuple[str, ...]:
        return tuple(str(point) for point in range(self.low, self.high + 1))

    @property
    def bounds(self) -> tuple[float, float]:
        return float(self.low), float(self.high)

    def nearest_answer(self, number: float) -> int:
        return min(max(math.floor(number + 0.5), self.low), self.high)

    def form_control(self) -> FormControl:
        return FormControl(captions={str(point): name for point, name in self.labels.items()}, is_ordered=True)

    def _code_parts(self, raw: str) -> Sequence[str]:
        return [raw.partition(".")[0] if _WHOLE_NUMBER_WITH_ZEROS.fullmatch(raw) else raw]

    def instruction(self) -> str:
        captions = ", ".join(f"{point} = {name}" for point, name in sorted(self.labels.items()))
        return f"Answer with a whole number from {self.low} to {self.high}{f' ({captions})' if captions else ''}."

    def answer_schema(self) -> dict[str, Any]:
        return {"type": "integer", "enum": list(range(self.low, self.high + 1))}

    def _match(self, raw: object) -> Answer | None:
        if isinstance(raw, bool):
            return None
        if isinstance(raw, float) and raw.is_integer():
            raw = int(raw)
        for point, name in self.labels.items():
            if isinstance(raw, str) and normalise(raw) == normalise(name):
                raw = point
        if isinstance(raw, str):
            if _WHOLE_NUMBER_WITH_ZEROS.fullmatch(raw):
                raw = raw.partition(".")[0]
            if len(set(re.findall(r"\d+(?:[.,]\d+)*", raw))) > 1:
                return None  # `4/10`, `4 of 7`
        return super()._match(raw)

    def _number(self, name: str) -> float:
        return float(name)

    def flag_problem(self, flag: str) -> str | None:
        if not parse_comparison(flag):
            problem = super().flag_problem(flag)
            example = f"a comparison such as `>= {self.high - 1}`, or points such as `{self.low} | {self.high}`"
            return f"flag `{flag}`: write {example}" if problem else None
        is_possible = any(meets_comparison(Answer(float(point), point), flag) for point in self.answers)
        return None if is_possible else f"no point of the scale {self.shorthand} meets the flag `{flag}`"

    def flagged(self, answer: Answer, flag: str | None) -> bool | None:
        return meets_comparison(answer, flag) if flag and parse_comparison(flag) else super().flagged(answer, flag)
