"""Parse the JSON object in a model's answer; the only error is InvalidAnswer.

What the model thinks aloud is ignored, and so is an answer that stands in a text that it was shown. If its reply then
gives different answers, or gives a key twice with different values, it is invalid, because nothing says which one is
meant. A truncated answer is never completed by guessing, even if the provider does not report the truncation; only
missing closing brackets are added.
"""

from __future__ import annotations

import math
import re
from bisect import bisect, bisect_left
from collections.abc import Collection
from typing import Any

from ..._internal.text import replace_surrogates, shorten
from ...errors import InvalidAnswer
from ..completion import Completion
from .choose_object import RAISE_MAX_TOKENS, choose_object
from .find_json import MAX_DEPTH, JsonCandidate, find_objects, loads
from .refusals import is_refusal_text
from .shown_texts import ShownTexts

JUDGE_KEYS = ("criteria", "answer")
"""A judge's answer has at least one of these keys."""

_LENGTH_REASONS = frozenset({"length", "max_tokens", "MAX_TOKENS", "model_length"})
_REFUSAL_HEAD = 4_000  # characters that are searched for a refusal in JSON
_REFUSAL_KEYS = frozenset({"error", "refusal", "message", "response", "reason", "detail"})
_TAG = r"(?:\w{1,20}:)?(?:think|thinking|thoughts?|reasoning|reflection|analysis|scratchpad)"
_THINKING = re.compile(
    rf"<{_TAG}>|\[THINK\]|◁think▷|<\|(?:begin|start)_of_(?:thought|thinking|reasoning)\|>|"
    r"<\|channel\|>(?:analysis|commentary)\b|<\|START_THINKING\|>|<\|channel>thought\b|"
    r"\AHere is my thought process:|\Aanalysis(?=[A-Z])",  # the last, where a server has dropped the marks
    re.IGNORECASE,
)
_BRACKET_MARK = re.compile(r"\[/?think\]", re.IGNORECASE)
_PLAIN_BEGINNINGS = ("here is my thought process:", "analysis")
_LONGEST_BEGINNING = 40
_THINKING_END = re.compile(
    rf"</{_TAG}>|\[/THINK\]|◁/think▷|<\|end_of_(?:thought|thinking|reasoning)\|>|"
    r"<\|channel\|>final(?:\s*<\|constrain\|>\s*\w+)?\s*<\|message\|>|<\|END_THINKING\|>|<channel\|>|"
    r"\bHere is my response:|assistantfinal(?=\W|[A-Z])",
    re.IGNORECASE,
)


def parse_json(
    completion: Completion, expected_keys: Collection[str] = JUDGE_KEYS, shown: ShownTexts | None = None
) -> dict[str, Any]:
    r"""Parse the JSON object in an answer.

    Parameters
    ----------
    completion
        The answer.
    expected_keys
        The object should have one of these keys at its top level; if no object has one, the first object counts.
    shown
        The texts of others that the model was shown. An answer that stands in one of them is not the model's own.

    Returns
    -------
    dict
        The object; texts in it contain no lone surrogates.

    Raises
    ------
    InvalidAnswer
        The answer contains no JSON object, was cut off before its end, contradicts itself, or only repeats an answer
        that stands in a shown text.

    Examples
    --------
    >>> import datetime as dt
    >>> text = "Sure:\n```json\n{\"answer\": \"yes\"}\n```"
    >>> parse_json(Completion(text=text, answered_at=dt.datetime(2026, 1, 1), raw=text))
    {'answer': 'yes'}
    """
    text = _without_invisible(completion.text).strip()
    if completion.finish_reason in _LENGTH_REASONS:
        position = "" if text else " before it began (thinking counts too)"
        raise InvalidAnswer(f"the answer was cut off at the length limit{position}. {RAISE_MAX_TOKENS}")
    if not text:
        if completion.n_reasoning:
            raise InvalidAnswer(
                f"the model sent {completion.n_reasoning:,} characters of reasoning and an empty answer. "
                f"{RAISE_MAX_TOKENS}"
            )
        is_tool_call = completion.finish_reason in ("tool_calls", "function_call")
        raise InvalidAnswer("the model called a tool instead." if is_tool_call else "the model sent an empty answer.")
    text = _unquote(text)
    candidates = after_thinking(text)
    answer = choose_object(text, candidates, expected_keys, shown or ShownTexts())
    if answer is None:
        what = "no JSON object whose answer is certain" if candidates else "no JSON object"
        raise InvalidAnswer(f"the answer contains {what}: {shorten(text, 120)}")
    if _is_json_refusal(answer):
        raise InvalidAnswer(f"the model declined: {shorten(str(next(iter(answer.values()))), 120)}")
    return {replace_surrogates(key): _storable(value, MAX_DEPTH) for key, value in answer.items()}


def is_refusal(completion: Completion) -> bool:
    """Whether the model declines. Call this only if `parse_json` finds no answer.

    Examples
    --------
    >>> import datetime as dt
    >>> is_refusal(Completion(text="I'm sorry, but I can't.", answered_at=dt.datetime(2026, 1, 1), raw=""))
    True
    """
    if completion.refusal or completion.finish_reason == "refusal":
        return True
    text = _without_invisible(completion.text).strip()
    closing = _THINKING_END.search(text) if _THINKING.match(text) else None
    text = text[closing.end() :] if closing else text
    candidates = find_objects(text[:_REFUSAL_HEAD])
    return any(_is_json_refusal(candidate.value) for candidate in candidates) or is_refusal_text(text)


def _is_json_refusal(value: Any) -> bool:
    """Whether a JSON value is a refusal, such as `{"error": "I cannot help with that."}`."""
    if not isinstance(value, dict) or not 0 < len(value) <= 2 or not set(value) <= _REFUSAL_KEYS:
        return False
    return any(isinstance(item, str) and is_refusal_text(item) for item in value.values())


def _unquote(text: str) -> str:
    """The text itself if the whole answer is a JSON string with an object in it."""
    if not text.startswith('"'):
        return text
    try:
        inside = loads(text)
    except ValueError:
        return text
    return inside if isinstance(inside, str) and "{" in inside else text


def _without_invisible(text: str) -> str:
    """The text without byte-order marks and NULs."""
    return text.replace("\ufeff", "").replace("\0", "")


def _may_think(text: str) -> bool:
    """Whether a text can have marks of thinking: a search for single signs, which is faster than that for all marks."""
    if "<" in text or "◁" in text:
        return True
    head = text[:_LONGEST_BEGINNING].casefold()
    return head.startswith(_PLAIN_BEGINNINGS) or _BRACKET_MARK.search(text) is not None


def after_thinking(text: str) -> list[JsonCandidate]:
    """The objects that follow the model's thinking.

    Raises
    ------
    InvalidAnswer
        The thinking begins before an object, and never ends. What is in it may be a draft.
    """
    if not _may_think(text):
        return find_objects(text, 0)
    beginnings = [match.start() for match in _THINKING.finditer(text)]
    thoughts = [match.span() for match in _THINKING_END.finditer(text)]
    start = thoughts[0][1] if thoughts and beginnings[:1] == [0] else 0
    candidates = find_objects(text, start)
    starts = [candidate.start for candidate in candidates]
    last_end = thoughts[-1][1] if thoughts else -1
    for beginning in beginnings[bisect_left(beginnings, last_end) :]:
        n_before = bisect(starts, beginning)
        is_quoted = n_before > 0 and candidates[n_before - 1].end > beginning
        if not is_quoted and (n_before < len(candidates) or not candidates):
            raise InvalidAnswer(f"the answer was cut off: its thinking never ended. {RAISE_MAX_TOKENS}")
    if not thoughts or not candidates:
        return candidates
    tag, end = thoughts[-1]
    if any(candidate.start < tag < candidate.end and candidate.value is None for candidate in candidates):
        candidates = find_objects(text, end) or candidates  # a bracket in the thinking; a quoted tag is less likely
    starts = [candidate.start for candidate in candidates]
    for tag, end in reversed(thoughts):
        n_before = bisect(starts, tag)
        if n_before == 0 or candidates[n_before - 1].end <= tag:  # the tag is not inside an answer
            return [candidate for candidate in candidates if candidate.start >= end]
    return candidates


def _storable(value: Any, levels: int) -> Any:
    """A value that can be stored: without lone surrogates, NaN, infinity, or endless nesting."""
    kind = type(value)  # faster than isinstance, and JSON has no subclasses
    if kind is str:
        return replace_surrogates(value)
    if kind is float:
        return value if math.isfinite(value) else str(value)
    if kind is not dict and kind is not list:
        return value
    if not levels:
        raise InvalidAnswer("the answer is nested too deep.")
    if kind is list:
        return [_storable(item, levels - 1) for item in value]
    return {replace_surrogates(key): _storable(item, levels - 1) for key, item in value.items()}
