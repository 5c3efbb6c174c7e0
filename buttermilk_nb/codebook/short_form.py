"""Short forms of criteria documents: one question, or a mapping from name to fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import SetupError
from .criterion import Criterion
from .scales import Scale, make_scale

_CRITERION_FIELDS = ("question", "definition", "include", "exclude", "examples", "non_answers", "cues")
_DEFAULT_FIELDS = ("scale", "flag")


def expand_short_form(fields: dict[str, Any]) -> dict[str, Any]:
    """Turn the short forms (one question, a mapping of questions) into the full form."""
    fields = dict(fields)
    shared_fields = {
        key: fields.pop(key) for key in (*_CRITERION_FIELDS, *_DEFAULT_FIELDS) if fields.get(key) is not None
    }
    fields = {k: v for k, v in fields.items() if k not in (*_CRITERION_FIELDS, *_DEFAULT_FIELDS)}
    for key in ("version", "retrieved"):
        if key in fields:
            fields[key] = str(fields[key])
    criteria = fields.get("criteria")
    if not criteria:
        shared_fields.setdefault("question", fields.get("text", ""))
        fields["criteria"] = [{"name": fields["name"], **shared_fields}]
        return fields
    misplaced = [key for key in _CRITERION_FIELDS if key in shared_fields]
    if misplaced:
        raise SetupError(
            f"criteria `{fields['name']}` lists its criteria, so `{misplaced[0]}` belongs to one of them, "
            "not to the whole."
        )
    if isinstance(criteria, str) or not isinstance(criteria, Iterable):
        raise SetupError(
            f"criteria `{fields['name']}`: the field `criteria` is a mapping from names to questions, not "
            f"{type(criteria).__name__}."
        )
    pairs = criteria.items() if isinstance(criteria, Mapping) else [("", item) for item in criteria]
    fields["criteria"] = [_criterion_fields(fields["name"], key, item or {}, shared_fields) for key, item in pairs]
    return fields


def _criterion_fields(document: str, key: str, item: Any, shared_fields: Mapping[str, Any]) -> Any:
    if isinstance(item, Criterion):
        return item
    if not isinstance(item, Mapping):
        raise SetupError(
            f"criteria `{document}`: the criterion `{key or item}` needs `field: value` lines, such as `question: ...`."
        )
    return {
        **({"name": key} if key else {}),
        **{k: shared_fields[k] for k in _DEFAULT_FIELDS if k in shared_fields},
        **item,
    }


def criterion_to_plain(criterion: Criterion) -> dict[str, Any]:
    """A criterion as plain data, without its name and with the short form of its scale, if there is one."""
    fields = criterion.model_dump(mode="json", exclude={"name", "scale"}, exclude_defaults=True)
    return {
        **fields,
        "scale": criterion.scale.shorthand
        if _has_full_shorthand(criterion.scale)
        else criterion.scale.model_dump(mode="json"),
    }


def _has_full_shorthand(scale: Scale) -> bool:
    """Whether the short form describes the scale completely."""
    try:
        return make_scale(scale.shorthand) == scale
    except SetupError:
        return False
