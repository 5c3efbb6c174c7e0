"""From an answer's text to the JSON in it, without ever raising anything but InvalidAnswer.

Of several objects the last one counts that has what was asked for: who thinks aloud, drafts, or quotes an answer that
a record tried to plant, gives their own at the end. An answer that was cut off is never completed by guessing, also
where the provider does not say that it was; where nothing but closing brackets is missing, they are added. One that
gives a name twice with different values contradicts itself and is invalid.
"""

from __future__ import annotations

import math
import re
from bisect import bisect
from collections.abc import Collection
from typing import Any

from ..._internal.text import replace_surrogates, shorten
from ...errors import InvalidAnswer
from ..completion import Completion
from .find_json import MAX_DEPTH, JsonCandidate, find_objects, loads
from .refusals import is_refusal_text

JUDGE_KEYS = ("criteria", "answer")
"""The names of which a judge's answer has at least one."""

_LENGTH_REASONS = frozenset({"length", "max_tokens", "MAX_TOKENS", "model_length"})
_RAISE_MAX_TOKENS = "Raise `max_tokens` in the judge's params."
_MAX_REPAIRED = 8_000  # characters: what is longer and broken would take longer than 50 ms
_MAX_BRACKETS = 1_000  # what has more is no answer
_WRAPPERS = ("arguments", "parameters", "input", "function", "tool_calls", "response", "output", "result", "json")
_REFUSAL_HEAD = 4_000  # characters in which a refusal in JSON is looked for
_REFUSAL_KEYS = frozenset({"error", "refusal", "message", "response", "reason", "detail"})
_INVISIBLE = str.maketrans("", "", "\ufeff\0")
_THINKING_START = re.compile(r"\s*(?:<(?:think|thinking|thought|reasoning)>|\[THINK\]|◁think▷)", re.IGNORECASE)
_THINKING_END = re.compile(
    r"</(?:think|thinking|thought|reasoning)>|\[/THINK\]|◁/think▷|<\|channel\|>final<\|message\|>", re.IGNORECASE
)


def parse_json(completion: Completion, expected_keys: Collection[str] = JUDGE_KEYS) -> dict[str, Any]:
    r"""The JSON object in an answer.

    Parameters
    ----------
    completion
        The answer.
    wanted
        Names of which it should have one at its top; without any of them the last object counts.

    Raises
    ------
    InvalidAnswer
        There is none, or the answer was cut off before its end.

    Examples
    --------
    >>> import datetime as dt
    >>> text = "Sure:\n```json\n{\"answer\": \"yes\"}\n```"
    >>> read_json(Completion(text=text, answered_at=dt.datetime(2026, 1, 1), raw=text))
    {'answer': 'yes'}
    """
    text = completion.text.translate(_INVISIBLE).strip()
    if completion.finish_reason in _LENGTH_REASONS:
        began = "" if text else " before it began (thinking counts too)"
        raise InvalidAnswer(f"the answer was cut off at the length limit{began}. {_RAISE_MAX_TOKENS}")
    if not text:
        called = completion.finish_reason in ("tool_calls", "function_call")
        raise InvalidAnswer("the model called a tool instead." if called else "the model sent an empty answer.")
    text = _unquote(text)
    pieces = after_thinking(text)
    found = pick_object(text, pieces, expected_keys)
    if found is None:
        raise InvalidAnswer(f"the answer holds no JSON object: {shorten(text, 120)}")
    if _is_json_refusal(found):
        raise InvalidAnswer(f"the model declined: {shorten(str(next(iter(found.values()))), 120)}")
    return {replace_surrogates(name): _storable(value, MAX_DEPTH) for name, value in found.items()}


def is_refusal(completion: Completion) -> bool:
    """Does the model decline? PlannedRequest only where there is no answer.

    Examples
    --------
    >>> import datetime as dt
    >>> is_refusal(Completion(text="I'm sorry, but I can't.", answered_at=dt.datetime(2026, 1, 1), raw=""))
    True
    """
    if completion.refusal or completion.finish_reason == "refusal":
        return True
    text = completion.text.translate(_INVISIBLE).strip()
    closing = _THINKING_END.search(text) if _THINKING_START.match(text) else None
    text = text[closing.end() :] if closing else text
    return any(_is_json_refusal(piece.value) for piece in find_objects(text[:_REFUSAL_HEAD])) or is_refusal_text(text)


def _is_json_refusal(found: Any) -> bool:
    """Whether it is a refusal that was put into JSON."""
    if not isinstance(found, dict) or not 0 < len(found) <= 2 or not set(found) <= _REFUSAL_KEYS:
        return False
    return any(isinstance(value, str) and is_refusal_text(value) for value in found.values())


def _unquote(text: str) -> str:
    """The text in a JSON string that is the whole answer."""
    if not text.startswith('"'):
        return text
    try:
        inside = loads(text)
    except ValueError:
        return text
    return inside if isinstance(inside, str) and "{" in inside else text


def after_thinking(text: str) -> list[JsonCandidate]:
    """The objects that stand behind what the model thought aloud."""
    thoughts = [(found.start(), found.end()) for found in _THINKING_END.finditer(text)]
    start = 0
    if _THINKING_START.match(text):
        if not thoughts:
            raise InvalidAnswer(f"the answer was cut off: its thinking never ended. {_RAISE_MAX_TOKENS}")
        start = thoughts[0][1]
    candidates = find_objects(text, start)
    if not thoughts or not candidates:
        return candidates
    at, end = thoughts[-1]
    if any(piece.start < at < piece.end and piece.value is None for piece in candidates):
        candidates = (
            find_objects(text, end) or candidates
        )  # a bracket among the thoughts, more likely than a quoted tag
    starts = [piece.start for piece in candidates]
    for at, end in reversed(thoughts):
        before = bisect(starts, at)
        if before == 0 or candidates[before - 1].end <= at:  # not one that an answer quotes
            return [piece for piece in candidates if piece.start >= end]
    return candidates


def pick_object(text: str, candidates: list[JsonCandidate], expected_keys: Collection[str]) -> dict[str, Any] | None:
    """The last object that has what is wanted, else the last."""
    if candidates and candidates[-1].state == "cut":
        end = shorten(text[-60:], 60)
        raise InvalidAnswer(
            f"the answer was cut off: it ends in the middle of its JSON, at `{end}`. {_RAISE_MAX_TOKENS}"
        )
    last: dict[str, Any] | None = None
    left = _MAX_REPAIRED
    for place in range(len(candidates) - 1, -1, -1):
        piece = candidates[place]
        if piece.contradiction:
            raise InvalidAnswer(f"the answer gives `{shorten(piece.contradiction, 40)}` twice, with different values.")
        value = piece.value
        if value is None and piece.state != "tangled" and piece.end - piece.start <= left:
            left -= piece.end - piece.start
            value = _repair(text[piece.start : piece.end])
        found = _unwrap(value, expected_keys)
        if found and any(name in found for name in expected_keys):
            return reject_lists(text, candidates[: place + 1], found, expected_keys)
        last = last or found or None
    return last


def reject_lists(
    text: str, candidates: list[JsonCandidate], answer: dict[str, Any], expected_keys: Collection[str]
) -> dict[str, Any]:
    """The answer, if it does not stand in a list beside a different one."""
    if len(candidates) > 1 and text[candidates[-2].end : candidates[-1].start].strip() == ",":
        other = _unwrap(candidates[-2].value, expected_keys)
        if other and other != answer and any(name in other for name in expected_keys):
            raise InvalidAnswer("the answer lists several objects where one was asked for.")
    return answer


def _unwrap(value: Any, expected_keys: Collection[str], depth: int = 4) -> dict[str, Any]:
    """The answer in the form of a tool's arguments or in a wrapper of the model's own; else the object itself."""
    if not isinstance(value, dict) or any(name in value for name in expected_keys) or not depth:
        return value if isinstance(value, dict) else {}
    for name in _WRAPPERS:
        inside = value.get(name)
        inside = inside[0] if isinstance(inside, list) and len(inside) == 1 else inside
        if isinstance(inside, str) and inside.lstrip().startswith("{"):
            try:
                inside = loads(inside)
            except ValueError:
                continue
        found = _unwrap(inside, expected_keys, depth - 1)
        if any(name in found for name in expected_keys):
            return found
    return value


def _repair(text: str) -> Any:
    if text.count("{") + text.count("[") > _MAX_BRACKETS:
        return None
    from json_repair import repair_json  # only broken answers need it

    try:
        found = repair_json(text, return_objects=True)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _storable(value: Any, levels: int) -> Any:
    """A value that can be stored: no lone surrogates, no numbers that are none, not nested without end."""
    kind = type(value)  # JSON has no others, and every part of every answer comes by here
    if kind is str:
        return replace_surrogates(value)
    if kind is float:
        return value if math.isfinite(value) else str(value)
    if kind is not dict and kind is not list:
        return value
    if not levels:
        raise InvalidAnswer("the answer is nested too deep to be one.")
    if kind is list:
        return [_storable(item, levels - 1) for item in value]
    return {replace_surrogates(name): _storable(item, levels - 1) for name, item in value.items()}
