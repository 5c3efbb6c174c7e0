"""How long a provider says to wait before asking again: in headers, in Google's RetryInfo, or in a sentence."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from ...schema import now
from .response_errors import find_all

_NUMBER = r"(\d{1,9}(?:\.\d{1,12})?)"
_DURATION = (
    rf"(?:{_NUMBER}\s*h(?:ours?)?)?\s*(?:{_NUMBER}\s*m(?:in(?:utes?)?)?(?!s))?\s*"
    rf"(?:{_NUMBER}\s*(ms|milliseconds?|s|sec|seconds?)\b)?"
)
_RETRY_SENTENCE = re.compile(rf"(?:try again|retry)\s+(?:in|after)\s+(?=\d){_DURATION}", re.IGNORECASE)


def retry_after_s(headers: Mapping[str, str], data: Any, message: str) -> float | None:
    """Seconds after which the provider said to try again.

    What is left of a window (`x-ratelimit-reset-...`) counts only where the headers say that it is used up, because
    several windows are told of and only one of them was exceeded.

    Parameters
    ----------
    headers
        Of the response.
    data
        Its body, as JSON.
    message
        The error's message.

    Examples
    --------
    >>> retry_after_s({"Retry-After": "7"}, None, ""), retry_after_s({}, None, "Please try again in 1m2.5s.")
    (7.0, 62.5)
    """
    given = {str(name).lower(): str(value) for name, value in headers.items()}
    milliseconds = _seconds(given.get("retry-after-ms"))
    in_words = _RETRY_SENTENCE.search(message)
    said = (
        None if milliseconds is None else milliseconds / 1000,
        _seconds(given.get("retry-after")),
        _seconds_until(given.get("retry-after"), given.get("date")),
        *(parse_duration(delay) for delay in find_all(data, "retryDelay") if isinstance(delay, str)),
        *(_window_reset(given, unit) for unit in ("requests", "tokens")),
        _total_seconds(in_words) if in_words else None,
    )
    return next((seconds for seconds in said if seconds is not None), None)


def parse_duration(text: str) -> float | None:
    """A duration such as `57.2s`, `120ms` or `1m2s`, in seconds.

    Examples
    --------
    >>> duration("57.2s"), duration("6m0s"), duration("120ms"), duration("1700000000")
    (57.2, 360.0, 0.12, None)
    """
    found = re.fullmatch(_DURATION, text.strip())
    return _total_seconds(found) if found else None


def _total_seconds(found: re.Match[str]) -> float | None:
    hours, minutes, rest, unit = found.groups()
    if hours is None and minutes is None and rest is None:
        return None
    scale = 0.001 if unit and unit.lower().startswith("m") else 1
    return float(hours or 0) * 3600 + float(minutes or 0) * 60 + float(rest or 0) * scale


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _seconds_until(text: str | None, sent: str | None) -> float | None:
    """From an HTTP date; by the server's own clock where it told the time."""
    try:
        then = parsedate_to_datetime(text or "")
        start = parsedate_to_datetime(sent) if sent else now()
        return max(0.0, (_as_utc(then) - _as_utc(start)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _as_utc(when: dt.datetime) -> dt.datetime:
    return when.replace(tzinfo=dt.UTC) if when.tzinfo is None else when


def _window_reset(headers: Mapping[str, str], unit: str) -> float | None:
    used_up = headers.get(f"x-ratelimit-remaining-{unit}", "").strip() == "0"
    return parse_duration(headers.get(f"x-ratelimit-reset-{unit}", "")) if used_up else None
