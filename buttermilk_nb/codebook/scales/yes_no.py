"""Yes or no."""

from __future__ import annotations

from typing import ClassVar, Literal

from .base import Answer, Level, NamedScale, normal


class YesNo(NamedScale):
    """Yes or no. The number is 1 for yes and 0 for no.

    Examples
    --------
    >>> YesNo().parse(False)
    Answer(value=0.0, category='no')
    """

    kind: Literal["yes/no"] = "yes/no"
    level: ClassVar[Level] = "nominal"

    @classmethod
    def from_short(cls, text: str) -> YesNo | None:
        return cls() if normal(text) in ("yes/no", "yes no", "bool", "boolean") else None

    @property
    def short(self) -> str:
        return "yes/no"

    @property
    def offered(self) -> tuple[str, ...]:
        return ("yes", "no")

    def sentence(self) -> str:
        return 'Answer "yes" or "no".'

    def read(self, raw: object) -> Answer | None:
        return super().read({True: "yes", False: "no"}[raw] if isinstance(raw, bool) else raw)

    def _number(self, name: str) -> float:
        return float(name == "yes")
