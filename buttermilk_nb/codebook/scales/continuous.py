"""`Continuous`: a scale of all numbers in a range."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from .answer import Answer
from .base import Level, OfflineRule, Scale
from .flags import meets_comparison, parse_comparison
from .form_control import FormControl
from .match_answer import plain_number

_NUMBER = r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_DECIMAL_COMMA = re.compile(r"-?(?:0,\d+|\d+,(?:\d{1,2}|\d{4,}))", re.ASCII)  # `1,000` may be one or a thousand


class Continuous(Scale):
    """Any number from `low` to `high`.

    `ratio=True` declares that zero means *nothing*, so that ratios are meaningful; otherwise only differences are.

    Examples
    --------
    >>> from buttermilk_nb.codebook.scales import make_scale
    >>> make_scale("0..1").parse("0.35")
    Answer(value=0.35, category=None, note=None)
    """

    kind: Literal["continuous"] = "continuous"
    level: ClassVar[Level] = "interval"
    offline_rule: ClassVar[OfflineRule] = "mean of cues"
    low: float = 0.0
    high: float = 1.0
    ratio: bool = False

    @model_validator(mode="after")
    def _check_ends(self) -> Continuous:
        if not self.low < self.high or math.isinf(self.high - self.low):
            raise ValueError(f"a scale of {self.shorthand} needs two finite ends, the lower one first")
        return self

    @classmethod
    def from_shorthand(cls, text: str) -> Continuous | None:
        match = re.fullmatch(rf"\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*", text)
        return cls(low=float(match[1]), high=float(match[2])) if match else None

    @property
    def shorthand(self) -> str:
        return f"{_format_number(self.low)}..{_format_number(self.high)}"

    @property
    def answers(self) -> tuple[str, ...]:
        return ()

    @property
    def bounds(self) -> tuple[float, float]:
        return self.low, self.high

    def nearest_answer(self, number: float) -> float:
        return round(min(max(number, self.low), self.high), 3)

    def form_control(self) -> FormControl:
        return FormControl("number")

    def instruction(self) -> str:
        return f"Answer with a number from {_format_number(self.low)} to {_format_number(self.high)}."

    def answer_schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.low, "maximum": self.high}

    def _match(self, raw: object) -> Answer | None:
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            return None
        note = None
        if isinstance(raw, str):
            text = plain_number(raw)
            if _DECIMAL_COMMA.fullmatch(text):
                note = f"`{text}` was read with a decimal comma"
                text = text.replace(",", ".")
            raw = float(text) if re.fullmatch(_NUMBER, text) else math.nan
            if _THOUSANDS.fullmatch(text) and self.low <= raw * 1_000 <= self.high and raw:
                return None  # `1.000` is one, or a thousand
        return Answer(float(raw), None, note) if self.low <= raw <= self.high else None

    def form_examples(self) -> list[tuple[str, object]]:
        middle = round((self.low + self.high) / 2 + (self.high - self.low) / 8, 2)
        text = _format_number(middle)
        return [
            ("the number itself", middle),
            ("as text", text),
            ("with quotation marks or Markdown", f"**{text}**"),
            ("after a lead-in", f"Score: {text}"),
            ("in a list of one", [middle]),
            ("with a decimal comma", text.replace(".", ",")),
            ("with a comma before three digits", "1,000"),
            ("a percentage", f"{text}%"),
            ("a comparison", f"< {text}"),
            ("a range", f"{_format_number(self.low)}-{text}"),
            ("a fraction", f"{text}/{_format_number(self.high)}"),
            ("outside the scale", self.high + 1),
        ]

    def flag_problem(self, flag: str) -> str | None:
        return (
            None
            if parse_comparison(flag)
            else f"flag `{flag}` is not a comparison; write for example `>= {_format_number(self.high)}`"
        )

    def flagged(self, answer: Answer, flag: str | None) -> bool | None:
        return meets_comparison(answer, flag) if flag else None


def _format_number(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)
