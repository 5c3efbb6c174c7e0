"""`Categories`: a scale of named categories without order."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from pydantic import model_validator

from .base import Level, NamedScale, check_names


class Categories(NamedScale):
    """One of several named categories, without order.

    Examples
    --------
    >>> from buttermilk_nb.codebook.scales import make_scale
    >>> make_scale("hope | fear | neither").parse("Fear")
    Answer(value=None, category='fear', note=None)
    """

    kind: Literal["categories"] = "categories"
    level: ClassVar[Level] = "nominal"
    categories: tuple[str, ...]

    @model_validator(mode="after")
    def _check_answers(self) -> Categories:
        check_names(self.categories, "categories")
        return self

    @classmethod
    def from_shorthand(cls, text: str) -> Categories | None:
        if re.match(r"\s*labels\s*:", text):
            return None
        if re.match(r"\s*labels\s[^|]*\|", text):
            raise ValueError("write `labels:` with its colon")
        body = re.sub(r"^\s*categories\s*:", "", text)
        names = [part.strip() for part in body.split("|")]
        return cls(categories=tuple(names)) if len(names) > 1 and all(names) else None

    @property
    def shorthand(self) -> str:
        return " | ".join(self.categories)

    @property
    def answers(self) -> tuple[str, ...]:
        return self.categories

    def instruction(self) -> str:
        return "Answer with exactly one of: " + ", ".join(f'"{c}"' for c in self.categories) + "."
