"""`TemplateView`: what a prompt template may read of a document, as plain values.

A template gets no object of the package, because every method of an object could be called. It gets the fields that
are listed here: texts, numbers, lists and mappings. The cues of a criterion are not among them, because they are never
sent anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._internal.text import to_jsonable
from ...codebook.criteria import Criteria
from ...codebook.criterion import Criterion
from ...codebook.scales import Scale


class TemplateView:
    """Named plain values that a template may read.

    Parameters
    ----------
    kind
        What it shows, for messages.
    fields
        The values by name.
    parts
        The views that a loop over it goes through; by default none.
    text
        Its text in a template that names it without a field; by default it has none.

    Examples
    --------
    >>> from buttermilk_nb import Criteria
    >>> criteria_view(Criteria("calm", "Is it calm?")).fields["name"]
    'calm'
    """

    __slots__ = ("fields", "kind", "parts", "text")

    def __init__(
        self, kind: str, fields: Mapping[str, Any], parts: tuple[TemplateView, ...] = (), text: str = ""
    ) -> None:
        self.kind = kind
        self.fields = fields
        self.parts = parts
        self.text = text

    def __iter__(self) -> Iterator[TemplateView]:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, position: int) -> TemplateView:
        return self.parts[position]

    def __repr__(self) -> str:
        return self.text or f"the {self.kind}"


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of a template, with a view in the place of each criteria document."""
    return {name: criteria_view(value) if isinstance(value, Criteria) else value for name, value in values.items()}


def criteria_view(criteria: Criteria) -> TemplateView:
    """What templates may read of a document: its fields without the path, and its criteria."""
    parts = tuple(map(_criterion_view, criteria.criteria))
    names = ("name", "text", "overall", "version", "source", "author", "retrieved")
    fields = {name: getattr(criteria, name) for name in names}
    return TemplateView("criteria", {**fields, "criteria": parts}, parts, str(criteria))


def _criterion_view(criterion: Criterion) -> TemplateView:
    fields = criterion.model_dump(exclude={"scale", "cues"})
    return TemplateView("criterion", {**fields, "sentence": criterion.sentence, "scale": _scale_view(criterion.scale)})


def _scale_view(scale: Scale) -> TemplateView:
    fields = to_jsonable(scale.model_dump())
    return TemplateView(
        "scale", {**fields, "shorthand": scale.shorthand, "answers": scale.answers, "instruction": scale.instruction()}
    )
