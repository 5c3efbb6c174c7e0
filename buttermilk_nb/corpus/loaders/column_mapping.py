"""The mapping from the columns of a source to the fields of records.

It is the same for every format. Columns without a role become metadata. Truth, reasons and codes are removed from the
metadata, including nested values, so that a prompt that shows metadata cannot show the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

from pydantic import BaseModel, ConfigDict

from ...errors import SetupError, nearest
from ..code_translation import CodeTranslation, code_text
from ..record import DEFAULT_CRITERION
from .dotted_names import has_field
from .record_columns import mapping_columns, mapping_from_columns
from .source import Source, raise_problems

Columns = str | Mapping[str, str]


class MappingOptions(TypedDict):
    """The keywords of every loader. `buttermilk_nb.load` explains them."""

    content: NotRequired[str | None]
    record_id: NotRequired[str | None]
    truth: NotRequired[Columns | None]
    truth_values: NotRequired[Mapping[Any, Any] | None]
    reasons: NotRequired[Columns | None]
    coders: NotRequired[Mapping[str, Columns] | None]
    cluster: NotRequired[str | None]
    metadata: NotRequired[Iterable[str] | None]
    images: NotRequired[str | None]
    images_from: NotRequired[str | Path | None]
    local_only: NotRequired[bool | str | None]


class ColumnMapping(BaseModel):
    """The mapping, checked against the columns of the source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: str | None = None
    record_id: str | None = None
    truth: dict[str, str] = {}
    truth_values: dict[str, str | None] = {}
    reasons: dict[str, str] = {}
    coders: dict[str, dict[str, str]] = {}
    cluster: str | None = None
    metadata: tuple[str, ...] | None = None
    images: str | None = None
    images_from: Path | None = None
    local_only: bool | str = False
    nested: tuple[str, ...] = ()

    @cached_property
    def code_translation(self) -> CodeTranslation:
        """The meanings of the codes, `truth_values`."""
        return CodeTranslation(self.truth_values)

    @cached_property
    def used_columns(self) -> list[str]:
        """Every column with a role of its own. These columns are not metadata."""
        names = (self.content, self.record_id, self.images, self.local_only)
        return [*(name for name in names if isinstance(name, str)), *self.answer_columns]

    @cached_property
    def answer_columns(self) -> list[str]:
        """The columns with answers and reasons, which no prompt may show."""
        coder_columns = [column for columns in self.coders.values() for column in columns.values()]
        return [*self.truth.values(), *self.reasons.values(), *coder_columns, *self.nested]


def check_mapping(options: MappingOptions, source: Source) -> ColumnMapping:
    """Check the keywords of a loader against its source.

    Raises
    ------
    SetupError
        A keyword is unknown, a column does not exist, or no column contains the text.
    """
    _check_forms(options, source.columns)
    options = cast(MappingOptions, mapping_from_columns(source, dict(options)))
    content = options.get("content") or source.default_content
    columns = source.columns
    if source.rows and content not in columns and all(row.problem for row in source.rows):
        raise_problems([f"{source.unit} {row.line}: {row.problem}." for row in source.rows])
    if not content and not options.get("images"):
        raise SetupError(f"say which column contains the text, content=...; the columns are {_column_list(columns)}.")
    meanings = options.get("truth_values") or {}
    mapping = ColumnMapping(
        content=content,
        record_id=options.get("record_id") or source.default_id,
        truth=_by_criterion(options.get("truth")),
        truth_values={code_text(code): None if answer is None else str(answer) for code, answer in meanings.items()},
        reasons=_by_criterion(options.get("reasons")),
        coders={coder: _by_criterion(column) for coder, column in (options.get("coders") or {}).items()},
        cluster=options.get("cluster"),
        metadata=_as_names(options.get("metadata")),
        images=options.get("images") or None,
        images_from=_existing_folder(options.get("images_from")),
        local_only=options.get("local_only") or False,
        nested=tuple(mapping_columns(source)),
    )
    if revealed := [name for name in mapping.metadata or () if name in mapping.answer_columns]:
        raise SetupError(
            f"`{revealed[0]}` contains codes or reasons, so it cannot also be metadata: a judge could read it."
        )
    if source.rows:
        names = [*mapping.used_columns, *([mapping.cluster] if mapping.cluster else []), *(mapping.metadata or ())]
        missing = [name for name in dict.fromkeys(names) if not any(has_field(row.fields, name) for row in source.rows)]
        if missing:
            raise SetupError(*(f"there is no column `{name}`; {nearest(name, columns)}" for name in missing))
    return mapping


def _check_forms(options: MappingOptions, columns: list[str]) -> None:
    unknown = [key for key in options if key not in MappingOptions.__annotations__]
    if unknown:
        suggestion = nearest(unknown[0], MappingOptions.__annotations__)
        raise SetupError(f"loading has no option `{unknown[0]}`; {suggestion}")
    for key, form in (("truth_values", "from words in the data to answers"), ("coders", "from coder to column")):
        if not isinstance(options.get(key) or {}, Mapping):
            raise SetupError(f"{key}=... must be a mapping {form}, not {type(options[key]).__name__}.")  # type: ignore[literal-required]  # both are options
    local_only = options.get("local_only") or False
    if not isinstance(options.get("images"), str | None):
        raise SetupError("images=... must be the name of the column with the paths of image files.")
    if not isinstance(local_only, str | bool) or options.get("local_only") == "":
        raise SetupError("local_only=... must be True, or the name of a column that says `yes` or `no`.")
    if options.get("local_only") is None and "local_only" in columns:
        raise SetupError(
            'there is a column `local_only`: write local_only="local_only" to use it, or local_only=False to ignore it.'
        )


def _existing_folder(path: str | Path | None) -> Path | None:
    if path is None:
        return None
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise SetupError(f"images_from={str(path)!r}: there is no such folder (looked from {Path.cwd()}).")
    return folder


def _by_criterion(columns: Columns | None) -> dict[str, str]:
    if columns is None:
        return {}
    if not isinstance(columns, str | Mapping):
        raise SetupError(f"{columns!r:.60}: name one column, or write a mapping from criterion to column.")
    return {DEFAULT_CRITERION: columns} if isinstance(columns, str) else {str(k): str(v) for k, v in columns.items()}


def _as_names(names: Iterable[str] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    return (names,) if isinstance(names, str) else tuple(names)


def _column_list(columns: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in columns[:15]) or "none"
