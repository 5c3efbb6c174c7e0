"""Records: the items of study.

A Record is frozen, and its hash covers what a judge may read (id, content, media type), not what is
known about it. Correcting a date or an expert's code therefore does not turn a record into a new one,
while changing one letter of its text does.

Ground truth, expert reasons and human codes live beside the text, and `as_read()`, the view that
prompts get, leaves them out: no template can leak the answer to the judge.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ._html import fragment, table, title
from ._ids import canonical, digest
from ._text import as_json, clean, shorten

ONE = "*"
"""Stands for *the one criterion there is* where codes were loaded without naming it."""


_TEXTS = frozenset({"record_id", "content", "cluster", "parent_id", "uri", "mime"})
_KNOWN = frozenset({"metadata", "ground_truth", "expert_reasons", "labels"})


class Readable:
    """What a prompt may read of a record: `content`, `record_id`, `metadata`, `uri`, `mime`."""

    __slots__ = ("content", "metadata", "mime", "record_id", "uri")

    def __init__(self, record: Record) -> None:
        self.record_id = record.record_id
        self.content = record.content
        self.metadata = record.metadata
        self.uri = record.uri
        self.mime = record.mime


class Record(BaseModel):
    """One item of study.

    Parameters
    ----------
    content
        The text.
    record_id
        Its name in the study, as text. Without one, an id is made from the content.
    metadata
        Anything else that is known; unknown keyword arguments land here.
    ground_truth
        The expert's answer, per criterion.
    expert_reasons
        The expert's reasons, per criterion.
    labels
        Codes that came with the data: coder, then criterion, then answer.
    cluster
        What this record shares with others (author, outlet): they are not independent.
    parent_id, start_offset, end_offset
        Where a segment was cut from, in characters of the parent.
    uri, mime
        Where the text came from, and what kind it is.

    Examples
    --------
    >>> record = Record(record_id="007", content="A quiet day.", outlet="The Bell")
    >>> record.metadata
    {'outlet': 'The Bell'}
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    record_id: str = ""
    content: str
    metadata: dict[str, Any] = Field(default_factory=dict)
    ground_truth: dict[str, Any] = Field(default_factory=dict)
    expert_reasons: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    labels: dict[str, dict[str, Any]] = Field(default_factory=dict)
    cluster: str | None = None
    parent_id: str | None = None
    start_offset: int | None = None
    end_offset: int | None = None
    uri: str | None = None
    mime: str = "text/plain"

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = {key: value for key, value in data.items() if key in cls.model_fields}
        extra = {key: value for key, value in data.items() if key not in cls.model_fields}
        if extra:
            known["metadata"] = {**extra, **(known.get("metadata") or {})}
        if isinstance(known.get("record_id"), int):
            known["record_id"] = str(known["record_id"])
        for name in _TEXTS & known.keys():
            if isinstance(known[name], str):
                known[name] = clean(known[name])
        for name in _KNOWN & known.keys():
            known[name] = as_json(known[name])
        content = known.get("content")
        if isinstance(content, str) and not known.get("record_id"):
            known["record_id"] = digest("id1", content)[:16]
        return known

    @cached_property
    def record_hash(self) -> str:
        """The hash of what a judge may read: id, content and media type."""
        return digest("r1", self.record_id, self.content, self.mime)

    @cached_property
    def details_hash(self) -> str:
        """The hash of what is known about the record."""
        known = self.model_dump(mode="json", exclude={"record_id", "content", "mime"})
        return digest("rd1", canonical(known))

    def as_read(self) -> Readable:
        """The view of this record that prompts get."""
        return Readable(self)

    def truth_for(self, criterion: str) -> Any:
        """The expert's answer on a criterion, or None."""
        return self.ground_truth.get(criterion, self.ground_truth.get(ONE))

    def __repr__(self) -> str:
        return f"Record({self.record_id!r}, {shorten(self.content, 60)!r})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        rows: list[tuple[object, object]] = [("content", self.content)]
        rows += [(key, str(value)) for key, value in self.metadata.items()]
        rows += [(f"truth: {key}" if key != ONE else "truth", str(value)) for key, value in self.ground_truth.items()]
        return fragment(title(f"Record {self.record_id}"), table(["field", "value"], rows))
