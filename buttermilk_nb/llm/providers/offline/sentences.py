"""The sentences of a text, as far as punctuation tells them apart."""

from __future__ import annotations

import re

_END = re.compile(r"(?<=[.!?\u2026\u3002\uff01\uff1f])\s+|(?<=[\u3002\uff01\uff1f])|\n+")
_LONGEST = 1_000  # characters


def sentence_at(text: str, start: int, end: int) -> str:
    """The sentence around a passage, as it stands in the text; at most 1,000 characters.

    Parameters
    ----------
    text
        The text.
    start, end
        The passage.

    Examples
    --------
    >>> sentence_at("It rained. They are scum. Nobody came.", 20, 24)
    'They are scum.'
    """
    first = max((match.end() for match in _END.finditer(text, max(0, start - _LONGEST), start)), default=None)
    if first is None:
        first = max(0, start - _LONGEST)
    closing = _END.search(text, end, end + _LONGEST)
    last = closing.start() if closing else min(len(text), end + _LONGEST)
    return text[first:last].strip()


def first_sentence(text: str) -> str:
    """The first sentence of a text, as it stands there; at most 1,000 characters.

    Examples
    --------
    >>> first_sentence(" It rained. Nobody came.")
    'It rained.'
    """
    return _END.split(text.strip()[:_LONGEST], maxsplit=1)[0]
