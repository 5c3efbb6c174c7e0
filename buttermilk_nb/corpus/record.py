"""Records: the items of study.

A Record is frozen, and its hash covers what a judge may read (id, content, media type, images), not what
is known about it. Correcting a date or an expert's code therefore does not turn a record into a new one,
while changing one letter of its text or one pixel of an image does.

Ground truth, expert reasons and human codes live beside the text, and `as_read()`, the view that
prompts get, leaves them out: no template can leak the answer to the judge.

A record that is `local_only` goes to no model outside this machine. The mark belongs to the record, so that it stays
with it through samples, splits and segments.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .._internal.html import fragment, table, title
from .._internal.ids import canonical, digest
from .._internal.text import pluralise, replace_surrogates, shorten, to_jsonable
from ..errors import SetupError
from .image import Image, shown

DEFAULT_CRITERION = "*"
"""Stands for *the one criterion there is* where codes were loaded without naming it."""


_TEXTS = frozenset({"record_id", "content", "cluster", "parent_id", "uri", "mime"})
_KNOWN = frozenset({"metadata", "ground_truth", "expert_reasons", "labels"})
_LOCAL_DETAILS = {"record_id", "content", "mime", "images"}  # what is left out of them
_DETAILS = {*_LOCAL_DETAILS, "local_only"}
_HASHES = ("record_hash", "annotations_hash")


class RecordView:
    """What a prompt may read of a record: `content`, `record_id`, `metadata`, `uri`, `mime`, `images`."""

    __slots__ = ("content", "images", "metadata", "mime", "record_id", "uri")

    def __init__(self, record: Record) -> None:
        self.record_id = record.record_id
        self.content = record.content
        self.metadata = record.metadata
        self.uri = record.uri
        self.mime = record.mime
        self.images = record.images


class Record(BaseModel):
    """One item of study.

    Parameters
    ----------
    content
        The text. It may be left out where there are images.
    record_id
        Its name in the study, as text. Without one, an id is made from the content and the images.
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
    images
        The images that belong to it, each made with `Image.from_file` or `Image.from_bytes`.
    local_only
        Whether it must stay on this machine: no remote model is asked about it.

    Examples
    --------
    >>> record = Record(record_id="007", content="A quiet day.", outlet="The Bell")
    >>> record.metadata
    {'outlet': 'The Bell'}
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    record_id: str = ""
    content: str = ""
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
    images: tuple[Image, ...] = ()
    local_only: bool = False

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
                known[name] = replace_surrogates(known[name])
        for name in _KNOWN & known.keys():
            known[name] = to_jsonable(known[name])
        images: tuple[Image, ...] = ()
        if known.get("images"):
            images = known["images"] = _images(known["images"])
            known.setdefault("content", "")
        elif "content" not in known:
            raise ValueError("a record needs `content`, or `images`")
        content = known["content"]
        if isinstance(content, str) and not known.get("record_id"):
            known["record_id"] = digest("id1", content, *(image.sha256 for image in images))[:16]
        return known

    @classmethod
    def pair(
        cls, a: Record | str, b: Record | str, *, record_id: str | None = None, content: str = "", **known: Any
    ) -> Self:
        """Two texts as one record, for `Pairwise`.

        Parameters
        ----------
        a, b
            The two, as records or as texts.
        record_id
            By default the ids of both.
        content
            What both answer to, such as a question or an instruction; shown with them.
        known
            Anything else that a `Record` may have; `ground_truth={"kinder": "first"}` is the expert's choice.

        Returns
        -------
        Record
            The texts stand in its metadata as `first` and `second`, their ids as `first_id` and `second_id`. It has the
            cluster of both where that is the same, and stays on this machine where one of them must.

        Raises
        ------
        SetupError
            A record has no text, or both are the same.

        Examples
        --------
        >>> made = Record.pair("Thank you, come in.", "Get in.", content="Greet a guest.")
        >>> made.metadata["first"], made.content
        ('Thank you, come in.', 'Greet a guest.')
        """
        first, second = (Record(content=one) if isinstance(one, str) else one for one in (a, b))
        for one in (first, second):
            if not one.content.strip():
                raise SetupError(f"record `{one.record_id}` has no text that could be compared.")
        if first.record_id == second.record_id:
            raise SetupError(f"record `{first.record_id}` cannot be compared with itself.")
        texts = {"first": first.content, "second": second.content}
        ids = {"first_id": first.record_id, "second_id": second.record_id}
        shared = {"cluster": first.cluster} if first.cluster == second.cluster else {}
        own = {"local_only": first.local_only or second.local_only, **shared, **known}
        own["metadata"] = {**(own.get("metadata") or {}), **texts, **ids}
        return cls(record_id=record_id or f"{first.record_id} | {second.record_id}", content=content, **own)

    @cached_property
    def record_hash(self) -> str:
        """The hash of what a judge may read: id, content, media type and images."""
        looked_at = [part for image in self.images for part in (image.mime, image.sha256)]
        return digest("r1", self.record_id, self.content, self.mime, *looked_at)

    @cached_property
    def annotations_hash(self) -> str:
        """The hash of what is known about the record; of its images their names."""
        known = self.model_dump(mode="json", exclude=_LOCAL_DETAILS if self.local_only else _DETAILS)
        if self.images:
            known["images"] = [image.name for image in self.images]
        return digest("rd1", canonical(known))

    @property
    def media_json(self) -> str | None:
        """The hashes of its images in `texts`, as a JSON list; None where it has none."""
        return canonical([image.text_hash for image in self.images]) if self.images else None

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some fields changed, and hashes of its own."""
        copied = super().model_copy(update=update, deep=deep)
        for name in _HASHES:
            copied.__dict__.pop(name, None)
        return copied

    def __iter__(self) -> Generator[tuple[str, Any], None, None]:
        """The fields alone: a hash that has been asked for is not one, and would become metadata in `Record(**...)`."""
        yield from ((name, value) for name, value in super().__iter__() if name not in _HASHES)

    def view(self) -> RecordView:
        """The view of this record that prompts get."""
        return RecordView(self)

    def truth_for(self, criterion: str) -> Any:
        """The expert's answer on a criterion, or None."""
        return self.ground_truth.get(criterion, self.ground_truth.get(DEFAULT_CRITERION))

    def reasons_for(self, criterion: str) -> tuple[str, ...]:
        """The expert's reasons on a criterion; empty where there are none."""
        return self.expert_reasons.get(criterion, self.expert_reasons.get(DEFAULT_CRITERION, ()))

    def __repr__(self) -> str:
        images = f", {pluralise(len(self.images), 'image')}" if self.images else ""
        local = ", stays local" if self.local_only else ""
        return f"Record({self.record_id!r}, {shorten(self.content, 60)!r}{images}{local})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        rows: list[tuple[object, object]] = [("content", self.content)] if self.content or not self.images else []
        if self.images:
            rows.append((pluralise(len(self.images), "image"), shown(self.images)))
        rows += [(key, str(value)) for key, value in self.metadata.items()]
        rows += [
            (f"truth: {key}" if key != DEFAULT_CRITERION else "truth", str(value))
            for key, value in self.ground_truth.items()
        ]
        note = "stays local" if self.local_only else ""
        return fragment(title(f"Record {self.record_id}", note), table(["field", "value"], rows))


def _images(given: Any) -> tuple[Image, ...]:
    several = given if isinstance(given, list | tuple) else [given]
    for one in several:
        if not isinstance(one, Image | Mapping):
            raise ValueError(f"{str(one)[:60]!r} is not an Image; write images=[Image.from_file(...)]")
    return tuple(Image.model_validate(one) for one in several)
