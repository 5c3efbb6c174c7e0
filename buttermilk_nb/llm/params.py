"""`Params`: the sampling parameters of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from .._internal.ids import canonical


class TakesParams(Protocol):
    """What a model must have so that parameters can be split for it."""

    def split_params(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The parameters that are sent, and those that are ignored."""


class Params(NamedTuple):
    """Sampling parameters: those that are sent, those that the model ignores, and both in their stored form."""

    sent: dict[str, Any]
    dropped: dict[str, Any]
    sent_json: str
    dropped_json: str
    former_sent: dict[str, Any] | None = None
    """As earlier versions sent them, if that differs: 0.0 and 0 had two keys in the cache."""

    @classmethod
    def for_model(cls, model: TakesParams, params: Mapping[str, Any]) -> Params:
        """Split parameters by what a model accepts; done once per slot, not once per call."""
        written, dropped = model.split_params(params)
        sent = with_whole_numbers(written)
        sent_json = canonical(sent)
        return cls(sent, dropped, sent_json, canonical(dropped), written if canonical(written) != sent_json else None)


NO_PARAMS = Params({}, {}, "{}", "{}")


def with_whole_numbers(value: Any) -> Any:
    """A value in which numbers that are equal are written in one way, so that they have one key.

    Examples
    --------
    >>> with_whole_numbers({"temperature": 0.0, "top_p": 0.5, "stop": [1.0, True]})
    {'temperature': 0, 'top_p': 0.5, 'stop': [1, True]}
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: with_whole_numbers(item) for key, item in value.items()}
    return [with_whole_numbers(item) for item in value] if isinstance(value, list | tuple) else value
