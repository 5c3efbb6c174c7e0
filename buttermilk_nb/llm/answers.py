"""From an answer's text to the JSON in it, without ever raising anything but InvalidAnswer.

Whole text first, then the last fenced block, then the outermost braces, then json-repair. A refusal in
words is recognised only where there is no JSON answer, so that an answer that *quotes* a refusal is
not taken for one.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .._text import shorten
from ..errors import InvalidAnswer
from .base import Completion

_FENCE = re.compile(r"```(?:json|JSON)?\s*\n?(.*?)```", re.DOTALL)
_MOST_BRACKETS = 1_000  # what has more is no answer, and repairing it would take minutes
_REFUSAL = re.compile(
    r"\b(?:I(?:'|’)?m sorry|I apologi[sz]e|I(?: a|(?:'|’))m (?:not able|unable)|I can(?:no|(?:'|’))t|I won(?:'|’)t|"
    r"I (?:must|have to) (?:decline|refuse)|as an AI\b[^.]*\b(?:can(?:no|(?:'|’))t|unable))",
    re.IGNORECASE,
)


def read_json(completion: Completion) -> dict[str, Any]:
    r"""The JSON object in an answer.

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
    text = completion.text.strip()
    if not text:
        raise InvalidAnswer("the model sent an empty answer.")
    if completion.finish_reason == "length":
        raise InvalidAnswer("the answer was cut off at the length limit; raise max_tokens in the judge's params.")
    for candidate in _candidates(text):
        try:
            found = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    if "{" in text and text.count("{") + text.count("[") <= _MOST_BRACKETS:
        found = _repaired(text[text.index("{") :])
        if isinstance(found, dict) and found:
            return found
    raise InvalidAnswer(f"the answer holds no JSON object: {shorten(text, 120)}")


def is_refusal(completion: Completion) -> bool:
    """Does the model decline in words? Ask only where there is no answer.

    Examples
    --------
    >>> import datetime as dt
    >>> is_refusal(Completion(text="I'm sorry, but I can't.", answered_at=dt.datetime(2026, 1, 1), raw=""))
    True
    """
    return bool(completion.refusal) or _REFUSAL.search(completion.text[:400]) is not None


def _candidates(text: str) -> list[str]:
    fenced = _FENCE.findall(text)
    start, end = text.find("{"), text.rfind("}")
    return [text, *reversed(fenced), text[start : end + 1] if 0 <= start < end else ""]


def _repaired(text: str) -> Any:
    from json_repair import repair_json  # only broken answers need it

    try:
        return repair_json(text, return_objects=True)
    except (ValueError, RecursionError):
        return None
