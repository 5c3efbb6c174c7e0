"""Check the arguments of public functions: a value of a wrong kind is one sentence, not an error deep inside."""

from __future__ import annotations

import functools
import inspect
import numbers
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, ParamSpec, TypeVar, get_origin

from ..errors import SetupError, nearest
from .text import pluralise

P = ParamSpec("P")
T = TypeVar("T")


def require_text(value: object, what: str) -> str:
    """A text, or a sentence that names what should be one.

    Examples
    --------
    >>> try:
    ...     require_text(3, "the name of a project")
    ... except SetupError as error:
    ...     print(error)
    the name of a project must be a text, not int.
    """
    if not isinstance(value, str):
        raise SetupError(f"{what} must be a text, not {type(value).__name__}.")
    return value


def require_table(value: Any, user: str, source: str, columns: Sequence[str] = ()) -> Any:
    """A dataframe with these columns, or a sentence that says where such a frame comes from."""
    if not hasattr(value, "columns"):
        raise SetupError(f"{user} needs the dataframe that {source} returns, not {type(value).__name__}.")
    if missing := [name for name in columns if name not in value.columns]:
        raise SetupError(f"{user} needs the dataframe that {source} returns; this one has no column `{missing[0]}`.")
    return value


_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class _Kind(NamedTuple):
    """A kind of value in an annotation: its words in a message, and whether a value is of it."""

    words: str
    fits: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def as_tuple(value: Any) -> Any:
    """A text as the only item, a list as a tuple; anything else as it is, for a check to refuse."""
    return (value,) if isinstance(value, str) else tuple(value) if _is_list(value) else () if value is None else value


def _is_list(value: Any) -> bool:
    """Whether a value can be a list; a text is one of letters, and each function says itself what to write instead."""
    return isinstance(value, Iterable) and not isinstance(value, bytes)


_KINDS = {
    "None": _Kind("None", lambda value: value is None),
    "str": _Kind("a text", lambda value: isinstance(value, str)),
    "Path": _Kind("a path", lambda value: isinstance(value, os.PathLike)),
    "bool": _Kind("True or False", lambda value: isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")),
    "int": _Kind("a whole number", _is_whole),
    "float": _Kind("a number", _is_number),
    "Sequence": _Kind("a list", _is_list),
    "Iterable": _Kind("a list", _is_list),
    "list": _Kind("a list", _is_list),
    "Mapping": _Kind("a dictionary", lambda value: isinstance(value, Mapping)),
    "dict": _Kind("a dictionary", lambda value: isinstance(value, Mapping)),
}


def check_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """Check the arguments of a public function whose annotations are plain: texts, numbers, lists, dictionaries.

    A value of another kind is a sentence that names the argument. Numbers of NumPy become numbers of Python.

    Examples
    --------
    >>> @check_arguments
    ... def repeat(word: str, n: int | None = None) -> str:
    ...     return word * (n or 1)
    >>> repeat("na", 2)
    'nana'
    >>> try:
    ...     repeat("na", "two")
    ... except SetupError as error:
    ...     print(error)
    `n` of `repeat` must be a whole number or None, not str.
    """

    @functools.cache
    def read_signature() -> tuple[inspect.Signature, dict[str, tuple[_Kind, ...]]]:  # at the first call, not at import
        signature = inspect.signature(function)
        kinds = {
            name: found
            for name, parameter in signature.parameters.items()
            if parameter.kind not in _VARIADIC and (found := _kinds_of(parameter.annotation, function.__globals__))
        }
        return signature, kinds

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        signature, kinds = read_signature()
        bound = _bind(function.__name__, signature, args, kwargs)
        for name, value in bound.arguments.items():
            allowed = kinds.get(name)
            if allowed is None:
                continue
            if not any(kind.fits(value) for kind in allowed):
                words = " or ".join(dict.fromkeys(kind.words for kind in allowed))
                raise SetupError(f"`{name}` of `{function.__name__}` must be {words}, not {type(value).__name__}.")
            if isinstance(value, numbers.Number) and not isinstance(value, int | float | complex):
                bound.arguments[name] = int(value) if isinstance(value, numbers.Integral) else float(value)  # type: ignore[arg-type]  # a number of NumPy
        return function(*bound.args, **bound.kwargs)

    return checked


def check_argument_names(function: Callable[P, T]) -> Callable[P, T]:
    """Check the names of the arguments of a class or function that checks the values itself.

    Examples
    --------
    >>> class Cup:
    ...     @check_argument_names
    ...     def __init__(self, size: int) -> None:
    ...         self.size = size
    >>> try:
    ...     Cup(sise=2)
    ... except SetupError as error:
    ...     print(error)
    `Cup` has no argument `sise`; did you mean `size`?
    """
    read_signature = functools.cache(functools.partial(inspect.signature, function))

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        name = type(args[0]).__name__ if function.__name__ == "__init__" else function.__name__
        _bind(name, read_signature(), args, kwargs)
        return function(*args, **kwargs)

    return checked


def _bind(
    name: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> inspect.BoundArguments:
    """The arguments by their names; a sentence if one is unknown, missing or too many."""
    try:
        return signature.bind(*args, **kwargs)
    except TypeError:
        parameters = [parameter for parameter in signature.parameters.values() if parameter.name != "self"]
        names = [parameter.name for parameter in parameters if parameter.kind not in _VARIADIC]
        if unknown := [each for each in kwargs if each not in names]:
            problem = f"`{name}` has no argument `{unknown[0]}`; {nearest(unknown[0], names)}"
        elif len(args) - ("self" in signature.parameters) > (n := sum(p.kind in _BY_POSITION for p in parameters)):
            example = next((each for each in names[n:]), names[-1] if names else "")
            problem = f"`{name}` takes {pluralise(n, 'argument')} without a name; name the others: `{example}=...`."
        else:
            given = {*kwargs, *names[: len(args) - ("self" in signature.parameters)]}
            required = [p.name for p in parameters if p.default is p.empty and p.kind not in _VARIADIC]
            missing = [each for each in required if each not in given]
            problem = (
                f"`{name}` needs the argument `{missing[0]}`." if missing else f"`{name}` was given `{names[0]}` twice."
            )
        raise SetupError(problem) from None


def _kinds_of(annotation: object, names_in_module: Mapping[str, Any]) -> tuple[_Kind, ...]:
    """The kinds that an annotation allows; empty if one of them is not plain, so that nothing is checked.

    A name that stands for a list of words, such as `CacheMode`, is a text.
    """
    if not isinstance(annotation, str):
        return ()
    names = [part.strip().partition("[")[0] for part in re.split(r"\|(?![^\[]*\])", annotation)]
    found = [_KINDS.get("str" if get_origin(names_in_module.get(name)) is Literal else name) for name in names]
    return tuple(kind for kind in found if kind) if all(found) else ()
