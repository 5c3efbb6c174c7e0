"""One rule for every source: which column is what. What is not named becomes metadata.

Truth, reasons and codes are taken out of the metadata when they are mapped, also out of nested
values, so that a prompt that shows metadata cannot show the answer.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, NotRequired, TypedDict, cast

from pydantic import BaseModel, ConfigDict

from ..._internal.text import replace_surrogates, shorten, to_jsonable
from ...errors import SetupError, nearest
from ..record import DEFAULT_CRITERION, Record
from .dotted_names import delete, get, has
from .image_columns import image_column
from .record_columns import mapping_columns, mapping_from_columns
from .source import Source, SourceRow, raise_problems

Columns = str | Mapping[str, str]


class MappingOptions(TypedDict):
    """The keywords that every loader takes; `buttermilk_nb.load` explains them."""

    content: NotRequired[str | None]
    record_id: NotRequired[str | None]
    truth: NotRequired[Columns | None]
    truth_values: NotRequired[Mapping[Any, Any] | None]
    reasons: NotRequired[Columns | None]
    coders: NotRequired[Mapping[str, Columns] | None]
    cluster: NotRequired[str | None]
    metadata: NotRequired[Iterable[str] | None]
    images: NotRequired[str | None]
    local_only: NotRequired[bool | str | None]


class Rejected(NamedTuple):
    """A row that did not become a record."""

    line: int
    reason: str
    excerpt: str


class Mapped(BaseModel):
    """The mapping, checked against the columns that there are."""

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
    local_only: bool | str = False
    nested: tuple[str, ...] = ()

    @property
    def taken(self) -> list[str]:
        """Every column with a role of its own, which therefore is not metadata."""
        own = (self.content, self.record_id, self.images, self.local_only)
        return [*(name for name in own if isinstance(name, str)), *self.hidden]

    @property
    def hidden(self) -> list[str]:
        """The columns that hold answers, which no prompt may show."""
        coded = [column for columns in self.coders.values() for column in columns.values()]
        return [*self.truth.values(), *self.reasons.values(), *coded, *self.nested]


def mapped(options: MappingOptions, source: Source) -> Mapped:
    """Check the keywords of a loader against its source.

    Raises
    ------
    SetupError
        A keyword is unknown, a column does not exist, or no column holds the text.
    """
    _check_forms(options, source.columns)
    options = cast(MappingOptions, mapping_from_columns(source, dict(options)))
    content = options.get("content") or source.default_content
    columns = source.columns
    if not content and not options.get("images"):
        raise SetupError(f"say which column holds the text, content=...; there are {_listed(columns)}.")
    made = Mapped(
        content=content,
        record_id=options.get("record_id") or source.default_id,
        truth=_by_criterion(options.get("truth")),
        truth_values={_id(k): None if v is None else str(v) for k, v in (options.get("truth_values") or {}).items()},
        reasons=_by_criterion(options.get("reasons")),
        coders={coder: _by_criterion(given) for coder, given in (options.get("coders") or {}).items()},
        cluster=options.get("cluster"),
        metadata=_names(options.get("metadata")),
        images=options.get("images") or None,
        local_only=options.get("local_only") or False,
        nested=tuple(mapping_columns(source)),
    )
    if shown := [name for name in made.metadata or () if name in made.hidden]:
        raise SetupError(f"`{shown[0]}` holds codes or reasons, so it cannot be metadata too: a judge could read it.")
    if source.rows:
        wanted = [*made.taken, *([made.cluster] if made.cluster else []), *(made.metadata or ())]
        missing = [name for name in dict.fromkeys(wanted) if not any(has(row.fields, name) for row in source.rows)]
        if missing:
            raise SetupError(*(f"there is no column `{name}`; {nearest(name, columns)}" for name in missing))
    return made


def to_records(source: Source, mapping: Mapped) -> tuple[list[Record], list[Rejected]]:
    """Turn rows into records, and say of each row that cannot become one why not."""
    records: list[Record] = []
    rejected: list[Rejected] = []
    lines: dict[str, int] = {}
    rows, local = image_column(source, mapping.images), local_only_flags(source, mapping.local_only)
    for row, stays in zip(rows, local, strict=True):
        made = row.problem or _record(row, mapping, stays)
        if isinstance(made, Record) and made.record_id in lines:
            first = lines[made.record_id]
            made = (
                f"the id `{made.record_id}` stands in line {first} already"
                if mapping.record_id
                else f"the same {_what(made)} stands in line {first}; name a column as `record_id` to keep both"
            )
        if isinstance(made, Record):
            lines[made.record_id] = row.line
            records.append(made)
        else:
            rejected.append(Rejected(row.line, made, shorten(json.dumps(row.fields, ensure_ascii=False, default=str))))
    return records, rejected


def _check_forms(options: MappingOptions, columns: list[str]) -> None:
    unknown = [key for key in options if key not in MappingOptions.__annotations__]
    if unknown:
        known = MappingOptions.__annotations__
        raise SetupError(f"there is no option `{unknown[0]}` when loading; {nearest(unknown[0], known)}")
    for key, form in (("truth_values", "from words in the data to answers"), ("coders", "from coder to column")):
        if not isinstance(options.get(key) or {}, Mapping):
            raise SetupError(f"{key}=... is a mapping {form}, not {type(options[key]).__name__}.")  # type: ignore[literal-required]  # both are options
    local_only = options.get("local_only") or False
    if not isinstance(options.get("images"), str | None):
        raise SetupError("images=... is the name of the column with the paths of image files.")
    if not isinstance(local_only, str | bool) or options.get("local_only") == "":
        raise SetupError("local_only=... is True, or the name of a column that says `yes` or `no`.")
    if options.get("local_only") is None and "local_only" in columns:
        raise SetupError(
            'there is a column `local_only`: write local_only="local_only" to heed it, or local_only=False.'
        )


def _record(row: SourceRow, mapping: Mapped, local_only: bool) -> Record | str:
    fields = row.fields
    content = get(fields, mapping.content) if mapping.content else None
    if content is None or (isinstance(content, str) and not content.strip()):
        if not row.images:
            sought = {"text": mapping.content, "image": mapping.images}
            return ", ".join(f"no {what} in `{column}`" for what, column in sought.items() if column)
        content = ""
    if isinstance(content, dict | list | bytes):
        return f"`{mapping.content}` holds a {type(content).__name__}, not text"
    record_id = ""
    if mapping.record_id:
        record_id = _id(get(fields, mapping.record_id))
        if not record_id:
            return f"no id in `{mapping.record_id}`"
    labels = {coder: codes for coder, columns in mapping.coders.items() if (codes := _codes(fields, columns, mapping))}
    cluster = get(fields, mapping.cluster) if mapping.cluster else None
    return Record(
        record_id=record_id,
        content=str(content),
        metadata=_metadata(fields, mapping),
        ground_truth=_codes(fields, mapping.truth, mapping),
        expert_reasons={
            criterion: reasons
            for criterion, column in mapping.reasons.items()
            if (reasons := _reasons(get(fields, column)))
        },
        labels=labels,
        cluster=None if cluster in (None, "") else _id(cluster),
        **({"images": row.images} if row.images else {}),
        local_only=local_only,
    )


def _codes(fields: dict[str, Any], columns: Mapping[str, str], mapping: Mapped) -> dict[str, Any]:
    found = {}
    for criterion, column in columns.items():
        value = to_jsonable(get(fields, column))
        value = value.strip() if isinstance(value, str) else value
        several = [map_value(item, mapping) for item in value] if isinstance(value, list) else None
        value = map_value(value, mapping) if several is None else several
        if value is not None and value != "":
            found[criterion] = value
    return found


def map_value(value: Any, mapping: Mapped) -> Any:
    """A code in the words of the scale. The key `1` also finds 1.0, which is how a table with gaps holds it."""
    return mapping.truth_values.get(_id(value), value)


def _metadata(fields: dict[str, Any], mapping: Mapped) -> dict[str, Any]:
    removed = mapping.taken if mapping.metadata is None else mapping.hidden
    kept = {str(k): v for k, v in fields.items() if k not in removed}
    nested = [name for name in removed if name not in fields]
    if nested:
        kept = copy.deepcopy(kept)
        for name in nested:
            delete(kept, name)
    if mapping.metadata is not None:
        return {name: get(kept, name) for name in mapping.metadata if has(kept, name)}
    return kept


def _reasons(value: Any) -> tuple[str, ...]:
    value = to_jsonable(value)
    parts = value if isinstance(value, list) else str(value or "").replace("\n", " | ").split(" | ")
    return tuple(replace_surrogates(str(part).strip()) for part in parts if part is not None and str(part).strip())


def _by_criterion(given: Columns | None) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, str | Mapping):
        raise SetupError(f"{given!r:.60}: name one column, or write a mapping from criterion to column.")
    return {DEFAULT_CRITERION: given} if isinstance(given, str) else {str(k): str(v) for k, v in given.items()}


def _names(given: Iterable[str] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    return (given,) if isinstance(given, str) else tuple(given)


def _id(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else replace_surrogates(str(value).strip())


def _what(record: Record) -> str:
    return "text" if record.content else "image"


def _listed(columns: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in columns[:15]) or "none"


_MEANINGS = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}


def local_only_flags(source: Source, local_only: bool | str) -> list[bool]:
    """For each row whether its record is `local_only`.

    Raises
    ------
    SetupError
        The column leaves it open; the lines are listed.
    """
    if isinstance(local_only, bool):
        return [local_only] * len(source.rows)
    marks: list[bool] = []
    problems: list[str] = []
    for row in source.rows:
        value = get(row.fields, local_only)
        said = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip().lower()
        if said not in _MEANINGS and not row.problem:
            shown = "is empty" if said in ("", "none") else f"says `{str(value)[:40]}`"
            problems.append(
                f"line {row.line}: `{local_only}` {shown}; write `yes` where the record must stay, or `no`."
            )
        marks.append(_MEANINGS.get(said, True))
    raise_problems(problems)
    return marks
