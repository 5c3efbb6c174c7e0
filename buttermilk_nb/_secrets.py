"""Taking keys out of text before it is stored, logged or shown.

Providers quote the key in their error messages. What is taken out is the value of every environment
variable that is named like a secret, and whatever is shaped like a key.
"""

from __future__ import annotations

import os
import re

_NAMED = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS)$", re.IGNORECASE)
_SHAPED = re.compile(r"\b(?:(?:sk|pk|gsk|xai|hf|ghp)[-_]|AIza|Bearer )[A-Za-z0-9*._-]{8,}")
_SHORTEST = 8


def redact(text: str) -> str:
    """A message with `[key]` where a key stood, or what looks like one.

    Examples
    --------
    >>> redact("Incorrect API key provided: sk-abcdef123456.")
    'Incorrect API key provided: [key]'
    """
    return _SHAPED.sub("[key]", redact_known(text))


def redact_known(text: str) -> str:
    """Evidence with `[key]` where a key of this environment stood, and otherwise to the letter."""
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST and _NAMED.search(name) and value in text:
            text = text.replace(value, "[key]")
    return text
