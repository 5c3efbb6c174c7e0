"""`Record`: one item of study, with its text, images, metadata and codes.

A Record is frozen. Its hash covers what a judge may read (id, content, media type, images), not its annotations. So a
corrected date or expert's code does not make a new record, but a changed letter of the text or pixel of an image does.

Ground truth, expert reasons and human codes are fields of a record, but `view()`, the view that prompts get, leaves
them out. So no template can reveal the answer to the judge.

A record that is `local_only` is never sent to a model outside this machine. The mark is a field of the record, so that
samples, splits and segments keep it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from .._internal.frozen_model import FrozenModel
from .._internal.html import fragment, table, title
from .._internal.ids import canonical, digest
from .._internal.text import pluralise, replace_surrogates, shorten, to_jsonable
from .._internal.validation_errors import validation_error
from ..errors import SetupError
from .image import Image, thumbnails_html

DEFAULT_CRITERION = "*"
"""The key of codes that were loaded without the name of a criterion. It means the only criterion of a study."""

PAIR_FIELDS = frozenset({"first", "second"})
"""The metadata with the two texts of a pair."""

_TEXT_FIELDS = frozenset({"record_id", "content", "cluster", "parent_id", "uri", "mime"})
_ANNOTATION_FIELDS = frozenset({"metadata", "ground_truth", "expert_reasons", "labels"})
_HASHED_IN_RECORD = {"record_id", "content", "mime", "images"}
_NOT_ANNOTATIONS = {*_HASHED_IN_RECORD, "local_only"}


def visible_id(record_id: str) -> str:
    """An id as people see it: Unicode can store one letter with an accent in two ways."""
    return record_id if record_id.isascii() else unicodedata.normalize("NFC", record_id)


class RecordView:
    """The fields that a prompt may read: `content`, `record_id`, `metadata`, `uri`, `mime`, `images`."""

    __slots__ = ("content", "images", "metadata", "mime", "record_id", "uri")

    def __init__(self, record: Record) -> None:
        self.record_id = record.record_id
        self.content = record.content
        self.metadata = record.metadata
        self.uri = record.uri
        self.mime = record.mime
        self.images = record.images


class Record(FrozenModel):
    """One item of study.

    Parameters
    ----------
    content
        The text. It may be left out if there are images.
    record_id
        The record's name in the study, as text. Without one, an id is made from the content and the images.
    metadata
        Other facts about the record. Unknown keyword arguments are added to them.
    ground_truth
        The expert's answer, per criterion.
    expert_reasons
        The expert's reasons, per criterion.
    labels
        Codes from the data: coder, then criterion, then answer.
    cluster
        The author, outlet or other group of the record. Records of one cluster are not independent.
    parent_id, start_offset, end_offset
        For a segment: the id of its parent, and its start and end there, in characters from 0, the end excluded.
    uri, mime
        The address of the text, and its media type.
    images
        The images that belong to it, each made with `Image.from_file` or `Image.from_bytes`.
    local_only
        Whether the record must stay on this machine. It is then never sent to a remote model.

    Examples
    --------
    >>> record = Record(record_id="007", content="A quiet day.", outlet="The Bell")
    >>> record.metadata
    {'outlet': 'The Bell'}
    """

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

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            label = f"record `{shorten(str(fields['record_id']), 40)}`" if fields.get("record_id") else "the record"
            raise validation_error(label, error, Record.model_fields) from None

    @model_validator(mode="before")
    @classmethod
    def _collect_fields(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        names = cls.model_fields
        fields = {key: value for key, value in data.items() if key in names}
        metadata = {key: value for key, value in data.items() if key not in names}
        if metadata:
            fields["metadata"] = {**metadata, **(fields.get("metadata") or {})}
        if isinstance(fields.get("record_id"), int):
            fields["record_id"] = str(fields["record_id"])
        for name in _TEXT_FIELDS & fields.keys():
            if isinstance(fields[name], str):
                fields[name] = replace_surrogates(fields[name])
        for name in _ANNOTATION_FIELDS & fields.keys():
            fields[name] = to_jsonable(fields[name])
        images: tuple[Image, ...] = ()
        if fields.get("images"):
            images = fields["images"] = _as_images(fields["images"])
            fields.setdefault("content", "")
        elif "content" not in fields:
            raise ValueError("a record needs `content`, or `images`")
        content = fields["content"]
        if isinstance(content, str) and not fields.get("record_id"):
            fields["record_id"] = digest("id1", content, *(image.sha256 for image in images))[:16]
        return fields

    @classmethod
    def pair(
        cls, a: Record | str, b: Record | str, *, record_id: str | None = None, content: str = "", **fields: Any
    ) -> Self:
        """Two texts as one record, for `Pairwise`.

        Parameters
        ----------
        a, b
            The two texts, or records with texts.
        record_id
            The id of the pair; by default the two ids, joined by ` | `.
        content
            The question or instruction that both texts answer. It is shown with them.
        **fields
            Other fields of the `Record`. For example, `ground_truth={"kinder": "first"}` is the expert's choice.

        Returns
        -------
        Record
            Its metadata contain the texts as `first` and `second`, and their ids as `first_id` and `second_id`. It has
            the cluster of the two records if they share one, and is `local_only` if one of them is.

        Raises
        ------
        SetupError
            A record has no text, or both are the same.

        Examples
        --------
        >>> pair = Record.pair("Thank you, come in.", "Get in.", content="Greet a guest.")
        >>> pair.metadata["first"], pair.content
        ('Thank you, come in.', 'Greet a guest.')
        """
        first, second = (Record(content=text) if isinstance(text, str) else text for text in (a, b))
        for record in (first, second):
            if not record.content.strip():
                raise SetupError(f"record `{record.record_id}` has no text to compare.")
        if first.record_id == second.record_id:
            raise SetupError(f"record `{first.record_id}` cannot be compared with itself.")
        texts = {"first": first.content, "second": second.content}
        ids = {"first_id": first.record_id, "second_id": second.record_id}
        shared = {"cluster": first.cluster} if first.cluster == second.cluster else {}
        fields = {"local_only": first.local_only or second.local_only, **shared, **fields}
        fields["metadata"] = {**(fields.get("metadata") or {}), **texts, **ids}
        return cls(record_id=record_id or f"{first.record_id} | {second.record_id}", content=content, **fields)

    @cached_property
    def record_hash(self) -> str:
        """The hash of what a judge may read: id, content, media type and images."""
        image_parts = [part for image in self.images for part in (image.mime, image.sha256)]
        return digest("r1", self.record_id, self.content, self.mime, *image_parts)

    @cached_property
    def annotations_hash(self) -> str:
        """The hash of the annotations (metadata, truth, codes, cluster and others) and of the images' names."""
        annotations = self.model_dump(mode="json", exclude=_HASHED_IN_RECORD if self.local_only else _NOT_ANNOTATIONS)
        if self.images:
            annotations["images"] = [image.name for image in self.images]
        return digest("rd1", canonical(annotations))

    @property
    def media_json(self) -> str | None:
        """The hashes of the images in the table `texts`, as a JSON list; None if there are no images."""
        return canonical([image.text_hash for image in self.images]) if self.images else None

    def view(self) -> RecordView:
        """The view of this record that prompts get."""
        return RecordView(self)

    def truth_for(self, criterion: str) -> Any:
        """The expert's answer on a criterion, or None."""
        return self.ground_truth.get(criterion, self.ground_truth.get(DEFAULT_CRITERION))

    def reasons_for(self, criterion: str) -> tuple[str, ...]:
        """The expert's reasons on a criterion; empty if there are none."""
        return self.expert_reasons.get(criterion, self.expert_reasons.get(DEFAULT_CRITERION, ()))

    def __repr__(self) -> str:
        images = f", {pluralise(len(self.images), 'image')}" if self.images else ""
        local = ", stays local" if self.local_only else ""
        return f"Record({self.record_id!r}, {shorten(self.content, 60)!r}{images}{local})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        rows: list[tuple[object, object]] = [("content", self.content)] if self.content or not self.images else []
        if self.images:
            rows.append((pluralise(len(self.images), "image"), thumbnails_html(self.images)))
        rows += [(key, str(value)) for key, value in self.metadata.items()]
        rows += [
            (f"truth: {key}" if key != DEFAULT_CRITERION else "truth", str(value))
            for key, value in self.ground_truth.items()
        ]
        note = "stays local" if self.local_only else ""
        return fragment(title(f"Record {self.record_id}", note), table(["field", "value"], rows))


def _as_images(value: Any) -> tuple[Image, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    for item in items:
        if not isinstance(item, Image | Mapping):
            raise ValueError(f"{str(item)[:60]!r} is not an Image; write images=[Image.from_file(...)]")
    return tuple(Image.model_validate(item) for item in items)
