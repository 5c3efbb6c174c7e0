"""`OutputForm`: the declared form of an answer: a pydantic model, a dataclass, a typed dictionary or a JSON schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from ..._internal.ids import canonical
from ..._internal.text import shorten
from ...errors import InvalidAnswer, SetupError
from .provider_schema import provider_schema

_EXAMPLE = "class Person(pydantic.BaseModel): name: str"


class OutputForm:
    """The declared form of an answer.

    Parameters
    ----------
    declared
        A pydantic model, a dataclass, a typed dictionary, or a JSON schema of an object.

    Raises
    ------
    SetupError
        It has no JSON schema, or its values are no objects with named fields.

    Notes
    -----
    An answer must fit exactly: "5" is no number, and "yes" is no truth value. Dates, decimal numbers and names of
    enumerations are read from texts, because JSON has no other form for them.

    Examples
    --------
    >>> from pydantic import BaseModel
    >>> class Person(BaseModel):
    ...     name: str
    ...     age: int | None = None
    >>> form = OutputForm(Person)
    >>> form.parse({"name": "Ana", "age": 41}), form.rebuild({"name": "Ana", "age": 41})
    ({'name': 'Ana', 'age': 41}, Person(name='Ana', age=41))
    """

    def __init__(self, declared: Any) -> None:
        self._adapter: TypeAdapter[Any] | None = None
        if isinstance(declared, Mapping):
            self.name = str(declared.get("title") or "output")
            self.schema: dict[str, Any] = _as_json(declared)
            _check_schema(self.schema)
        else:
            self.name = getattr(declared, "__name__", repr(declared))
            self._adapter, self.schema = _adapt(declared)
        _check_is_object(self.schema, self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OutputForm) and self.schema_text == other.schema_text

    def __hash__(self) -> int:
        return hash(self.schema_text)

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(self.fields)})"

    @property
    def is_class(self) -> bool:
        """Whether it was declared as a class, so that answers can become objects of it."""
        return self._adapter is not None

    @cached_property
    def schema_text(self) -> str:
        """The schema as a text. The order of its fields is kept, because it is the order in which a model thinks."""
        return json.dumps(self.schema, ensure_ascii=False)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The names of the top-level fields, as they are in the answer."""
        return tuple(self.schema["properties"])

    @cached_property
    def sent_schema(self) -> dict[str, Any] | None:
        """The schema as providers take it; None if they do not take one of this kind."""
        return provider_schema(self.schema)

    @cached_property
    def instruction(self) -> str:
        """The instruction on the form of the answer; its wording is part of the cache key and must not change."""
        schema = json.dumps(_without_titles(self.schema), ensure_ascii=False)
        return f"Reply with one JSON object and nothing else. It must fit this JSON schema:\n{schema}"

    def parse(self, reply: Mapping[str, Any]) -> dict[str, Any]:
        """The answer as plain data.

        Parameters
        ----------
        reply
            The JSON object in a model's answer.

        Raises
        ------
        InvalidAnswer
            It does not fit.
        """
        if self._adapter is None:
            _check_against(self.schema, reply)
            return dict(reply)
        try:
            value = self._adapter.validate_json(canonical(reply), strict=True)
            stored = self._adapter.dump_json(value, by_alias=True, round_trip=True)
        except ValidationError as error:
            raise InvalidAnswer(_sentence(error)) from None
        except Exception as error:  # a class has checks of its own
            raise InvalidAnswer(
                f"`{self.name}` could not take the answer ({type(error).__name__}: {error})."
            ) from error
        plain: dict[str, Any] = json.loads(stored)
        return plain

    def rebuild(self, stored: Any) -> Any:
        """The object that a stored answer is; the stored data itself if no class was declared."""
        if self._adapter is None:
            return stored
        return self._adapter.validate_json(canonical(stored))


def _as_json(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema in the values that JSON has, in its own order; raises TypeError or ValueError if it has others."""
    return _with_plain_root(json.loads(json.dumps(schema, allow_nan=False)))


def _with_plain_root(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its fields at the top; that of a class that contains itself begins with a reference to it."""
    reference, definitions = schema.get("$ref"), schema.get("$defs")
    if isinstance(reference, str) and isinstance(definitions, dict):
        definition = definitions.get(reference.removeprefix("#/$defs/"))
        return {**definition, "$defs": definitions} if isinstance(definition, dict) else schema
    return schema


def _adapt(declared: Any) -> tuple[TypeAdapter[Any], dict[str, Any]]:
    if isinstance(declared, str):  # pydantic would run it as code
        raise SetupError(f"output: {declared!r} is a text. Name the class itself, without quotation marks: {_EXAMPLE}.")
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(declared)
        return adapter, _as_json(adapter.json_schema(by_alias=True))
    except (PydanticUserError, TypeError, ValueError, NameError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise SetupError(
            f"output: {declared!r} has no JSON schema, so no model can be asked for it ({reason}). Declare the fields "
            f"in a class: {_EXAMPLE}."
        ) from error


def _check_is_object(schema: Mapping[str, Any], name: str) -> None:
    if schema.get("type") != "object" or not schema.get("properties"):
        raise SetupError(
            f"output: `{name}` has no named fields, and an answer is one object with fields. Put it into a class with "
            f"a field for it: {_EXAMPLE}."
        )


def _check_schema(schema: dict[str, Any]) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise SetupError(f"output: this is no JSON schema: {shorten(error.message, 200)}.") from None
    for reference in _references(schema):
        if not reference.startswith("#"):
            raise SetupError(
                f"output: the schema points to `{shorten(reference, 80)}`, and nothing is read from elsewhere. Put "
                "that part under `$defs`, and point to `#/$defs/name`."
            )


def _references(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        own = [schema["$ref"]] if isinstance(schema.get("$ref"), str) else []
        return own + [reference for value in schema.values() for reference in _references(value)]
    return [reference for item in schema for reference in _references(item)] if isinstance(schema, list) else []


def _check_against(schema: dict[str, Any], reply: Mapping[str, Any]) -> None:
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.exceptions import best_match
    from referencing import Registry

    validator = Draft202012Validator(schema, registry=Registry(), format_checker=FormatChecker(["date", "time"]))
    error = best_match(validator.iter_errors(dict(reply)))
    if error is not None:
        path = ".".join(map(str, error.absolute_path))
        raise InvalidAnswer(f"{f'`{path}`: ' if path else ''}{shorten(error.message, 200)}.")


def _sentence(error: ValidationError) -> str:
    """The first thing that does not fit, with its place, and how many more there are."""
    first, n_more = error.errors(include_url=False, include_context=False)[0], error.error_count() - 1
    path = ".".join(map(str, first["loc"]))
    more = f" ({n_more} more)" if n_more else ""
    given = "" if first["type"] == "missing" else f", not {shorten(json.dumps(first['input'], default=str), 60)}"
    return f"{f'`{path}`: ' if path else ''}{first['msg'][:1].lower()}{first['msg'][1:]}{given}{more}."


def _without_titles(schema: Any) -> Any:
    """A schema without the titles that pydantic makes of names: they tell a model nothing new."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _without_titles(part) for name, part in value.items()}
        if key in ("properties", "$defs") and isinstance(value, dict)
        else _without_titles(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }
