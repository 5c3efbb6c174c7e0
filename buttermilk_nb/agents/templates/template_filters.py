"""The filters that a prompt template may use.

Filters that make a long text from a short one are replaced by some that check the size first. Those that are not listed
do not exist: `random` would make no prompt twice, `center` and `batch` make anything as long as they are told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Literal

from jinja2 import Environment, TemplateRuntimeError, Undefined, pass_environment, pass_eval_context
from jinja2.filters import FILTERS as ALL_FILTERS, make_attrgetter
from jinja2.nodes import EvalContext

from .template_limits import check_items, check_length, text_length

_MAX_WIDTH, _MAX_JSON_INDENT, _MAX_PRECISION = 100, 8, 30
_LONGEST_CODE = 12  # characters for one, such as %F0%9F%8E%AD
_JINJA_FILTERS = frozenset(
    {"abs", "capitalize", "count", "d", "default", "e", "escape", "first", "float", "int", "items", "last", "length",
     "lower", "map", "reject", "rejectattr", "safe", "select", "selectattr", "title", "trim", "truncate",
     "upper", "wordcount"}
)  # fmt: skip
"""The filters of Jinja that make nothing much longer than what they get."""
_LIST_FILTERS = frozenset({"dictsort", "groupby", "list", "max", "min", "reverse", "sort", "unique"})


def _text(value: Any) -> str:
    check_length(text_length(value))
    return str(value)


def _replace(s: Any, old: str, new: str, count: int | None = None) -> str:
    text, old, new = _text(s), str(old), str(new)
    found = text.count(old)
    n = found if count is None or count < 0 else min(count, found)
    check_length(len(text) + n * len(new))
    return text.replace(old, new, n)


def _join_parts(separator: str, parts: Iterable[Any]) -> str:
    texts, n = [], 0
    for part in parts:
        texts.append(_text(part))
        n += len(texts[-1]) + len(separator)
        check_length(n)
    return separator.join(texts)


@pass_environment
def _join(environment: Environment, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    get = make_attrgetter(environment, attribute) if attribute is not None else None
    return _join_parts(str(d), map(get, value) if get else value)


@pass_environment
def _sum(
    environment: Environment, iterable: Iterable[Any], attribute: str | int | None = None, start: float = 0
) -> Any:
    get = make_attrgetter(environment, attribute) if attribute is not None else None
    numbers = [start, *(map(get, iterable) if get else iterable)]
    if not all(isinstance(number, int | float) for number in numbers):
        raise TemplateRuntimeError("`sum` adds numbers only; `join` joins texts")
    return sum(numbers)


def _indent(s: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    if (len(width) if isinstance(width, str) else width) > _MAX_WIDTH:
        raise TemplateRuntimeError(f"`indent` adds at most {_MAX_WIDTH} characters to a line")
    text = _text(s)
    check_length(len(text) + _MAX_WIDTH * text.count("\n"))
    return str(ALL_FILTERS["indent"](text, width, first, blank))


@pass_eval_context
def _to_json(context: EvalContext, value: Any, indent: int | None = None) -> Any:
    if indent is not None and indent > _MAX_JSON_INDENT:
        raise TemplateRuntimeError(f"`tojson` indents by at most {_MAX_JSON_INDENT}")
    check_length(text_length(value))
    return ALL_FILTERS["tojson"](context, value, indent)


def _round(value: float, precision: int = 0, method: Literal["common", "ceil", "floor"] = "common") -> Any:
    if not -_MAX_PRECISION <= precision <= _MAX_PRECISION:
        raise TemplateRuntimeError(f"`round` rounds to at most {_MAX_PRECISION} digits")
    return ALL_FILTERS["round"](value, precision, method)


def _urlencode(value: Any) -> str:
    check_length(_LONGEST_CODE * text_length(value))
    return str(ALL_FILTERS["urlencode"](value))


def make_dict(**values: Any) -> dict[str, Any]:
    """The mapping that `dict(a=1)` makes in a template."""
    checked: dict[str, Any] = check_items(values)
    return checked


def _on_checked_list(name: str) -> Callable[..., Any]:
    """A filter of Jinja that reads its whole input, after a check of its size."""
    jinja_filter = ALL_FILTERS[name]
    position = 1 if hasattr(jinja_filter, "jinja_pass_arg") else 0

    @wraps(jinja_filter)  # also copies what Jinja passes first
    def with_check(*arguments: Any, **options: Any) -> Any:
        before, value, after = arguments[:position], arguments[position], arguments[position + 1 :]
        if not isinstance(value, str | dict | Undefined):
            value = check_items(list(value))
        return jinja_filter(*before, value, *after, **options)

    return with_check


TEXT_FUNCTIONS: dict[str, Callable[..., str]] = {"replace": _replace, "join": _join_parts}
"""Methods of texts whose result may be much longer than the text."""
FILTERS: dict[str, Callable[..., Any]] = {
    **{name: ALL_FILTERS[name] for name in _JINJA_FILTERS},
    **{name: _on_checked_list(name) for name in _LIST_FILTERS},
    "indent": _indent, "join": _join, "replace": _replace, "round": _round, "string": _text, "sum": _sum,
    "tojson": _to_json, "urlencode": _urlencode,
}  # fmt: skip
