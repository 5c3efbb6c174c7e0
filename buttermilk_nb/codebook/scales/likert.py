"""`Likert`: a scale of whole points in order."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from .answer import Answer
from .base import Level, NamedScale, OfflineRule
from .flags import meets_comparison, parse_comparison
from .form_control import FormControl
from .match_answer import exact_match, plain_number

_WHOLE_NUMBER = re.compile(r"(-?\d+)(?:\.0+)?")  # with zeros in a pandas column that has gaps
_WITH_TOP = re.compile(r"(-?\d+) ?(?:/|out of|of) ?(\d+)", re.IGNORECASE)
_WITH_CAPTION = re.compile(r"(-?\d+) ?(?:[=:]|-|\() ?(.+?)\)?|(.+?) ?(?:[=:]|-|\() ?(-?\d+)\)?", re.DOTALL)


class Likert(NamedScale):
    """Whole points from `low` to `high`, in order; `labels` may name some or all of them.

    Examples
    --------
    >>> from buttermilk_nb.codebook.scales import make_scale
    >>> make_scale("1-5").parse(4)
    Answer(value=4.0, category='4', note=None)
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

    def instruction(self) -> str:
        captions = ", ".join(f"{point} = {name}" for point, name in sorted(self.labels.items()))
        return f"Answer with a whole number from {self.low} to {self.high}{f' ({captions})' if captions else ''}."

    def answer_schema(self) -> dict[str, Any]:
        return {"type": "integer", "enum": list(range(self.low, self.high + 1))}

    def _match(self, raw: object) -> Answer | None:
        if isinstance(raw, bool):
            return None
        if isinstance(raw, str):
            text = plain_number(raw)
            if number := _WHOLE_NUMBER.fullmatch(text):
                raw = number[1]
            elif (point := self._captioned_point(text)) is not None:
                raw = point
        return super()._match(raw)

    def _captioned_point(self, text: str) -> int | None:
        """The point that a text names by its caption, or by its number and its caption (`4 = angry`)."""
        captions = list(self.labels.values())
        numbers = [point for point, caption in self.labels.items() if caption == exact_match(text, captions)]
        if numbers:
            return numbers[0]
        both = _WITH_CAPTION.fullmatch(text) if captions else None
        if both is None:
            return None
        point = int(both[1] or both[4])
        caption = self.labels.get(point)
        return point if caption is not None and exact_match(both[2] or both[3], [caption]) else None

    def _match_text(self, text: str) -> Answer | None:
        """The point in `4/5` or `4 out of 5`, if 5 is the highest point."""
        with_top = _WITH_TOP.fullmatch(plain_number(text))
        has_top = with_top is not None and self.low >= 0 and int(with_top[2]) == self.high
        return self._match(with_top[1]) if with_top and has_top else None

    def form_examples(self) -> list[tuple[str, object]]:
        point, above = self.high - 1, self.high + 1
        captioned = next(iter(sorted(self.labels.items())), None)
        with_top: list[tuple[str, object]] = [
            ("out of the highest point", f"{point}/{self.high}"),
            ("the same in words", f"{point} out of {self.high}"),
            ("out of another number", f"{point}/{above}"),
        ]
        with_caption: list[tuple[str, object]] = (
            [
                ("the name of a point", captioned[1]),
                ("a point with its name", f"{captioned[0]} = {captioned[1]}"),
            ]
            if captioned
            else []
        )
        return [
            *super().form_examples(),
            ("a JSON number", point),
            *(with_top if self.low >= 0 else []),
            *with_caption,
            ("a range", f"{self.low}-{point}"),
            ("between two points", f"{point}.5"),
        ]

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
