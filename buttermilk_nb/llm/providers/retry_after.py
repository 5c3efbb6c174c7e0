"""Parse the wait that a provider requests: in headers, Google's RetryInfo, or a sentence."""

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
    """Seconds that the provider asks to wait before the next attempt; None if it does not say.

    The time to a reset (`x-ratelimit-reset-...`) counts only if the headers say that this limit is used up, because
    they list several limits and only one of them was exceeded.

    Parameters
    ----------
    headers
        The headers of the response.
    data
        Its body, as parsed JSON.
    message
        The error's message.

    Examples
    --------
    >>> retry_after_s({"Retry-After": "7"}, None, ""), retry_after_s({}, None, "Please try again in 1m2.5s.")
    (7.0, 62.5)
    """
    fields = {str(name).lower(): str(value) for name, value in headers.items()}
    milliseconds = _seconds(fields.get("retry-after-ms"))
    sentence = _RETRY_SENTENCE.search(message)
    waits = (
        None if milliseconds is None else milliseconds / 1000,
        _seconds(fields.get("retry-after")),
        _seconds_until(fields.get("retry-after"), fields.get("date")),
        *(parse_duration(delay) for delay in find_all(data, "retryDelay") if isinstance(delay, str)),
        *(_window_reset(fields, unit) for unit in ("requests", "tokens")),
        _total_seconds(sentence) if sentence else None,
    )
    return next((seconds for seconds in waits if seconds is not None), None)


def parse_duration(text: str) -> float | None:
    """Parse a duration such as `57.2s`, `120ms` or `1m2s` into seconds; None if the text is not a duration.

    Examples
    --------
    >>> parse_duration("57.2s"), parse_duration("6m0s"), parse_duration("120ms"), parse_duration("1700000000")
    (57.2, 360.0, 0.12, None)
    """
    match = re.fullmatch(_DURATION, text.strip())
    return _total_seconds(match) if match else None


def _total_seconds(match: re.Match[str]) -> float | None:
    hours, minutes, seconds, unit = match.groups()
    if hours is None and minutes is None and seconds is None:
        return None
    scale = 0.001 if unit and unit.lower().startswith("m") else 1
    return float(hours or 0) * 3600 + float(minutes or 0) * 60 + float(seconds or 0) * scale


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _seconds_until(text: str | None, sent: str | None) -> float | None:
    """Seconds until an HTTP date, by the server's clock if it sent its time."""
    try:
        end = parsedate_to_datetime(text or "")
        start = parsedate_to_datetime(sent) if sent else now()
        return max(0.0, (_as_utc(end) - _as_utc(start)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _as_utc(time: dt.datetime) -> dt.datetime:
    return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time


def _window_reset(headers: Mapping[str, str], unit: str) -> float | None:
    used_up = headers.get(f"x-ratelimit-remaining-{unit}", "").strip() == "0"
    return parse_duration(headers.get(f"x-ratelimit-reset-{unit}", "")) if used_up else None
