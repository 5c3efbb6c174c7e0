"""Identifiers: tagged hashes for content, and UUIDv7 for events in time.

A hash begins with the tag of its recipe (`d1-...`), so that a changed recipe can never be mistaken for a changed study.
Hashes have 128 bits of SHA-256: enough for any study, short enough to read in a table.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from typing import Any

_random = random.Random()  # noqa: S311  # ids must differ, but need not be secret; the system's source takes ten times as long
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def canonical(value: Any) -> str:
    """JSON that has the same text for the same content: sorted keys, no spaces, no NaN.

    Examples
    --------
    >>> canonical({"b": 1, "a": "é"})
    '{"a":"é","b":1}'
    """
    return _ENCODER.encode(value)


def digest(tag: str, *parts: str) -> str:
    """A hash of texts with the tag of its recipe; parts are length-prefixed, so that ("ab","c") is not ("a","bc").

    Examples
    --------
    >>> digest("t1", "ab", "c") == digest("t1", "a", "bc")
    False
    >>> digest("t1", "ab")
    't1-8b1446e7119bf78462d0a892e4a5ce1d'
    """
    pieces = [tag.encode()]
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        pieces.append(b"%d:" % len(data))
        pieces.append(data)
    return f"{tag}-{hashlib.sha256(b''.join(pieces)).hexdigest()[:32]}"


def uuid7() -> str:
    """A UUID version 7, which sorts by its time of creation (RFC 9562).

    Examples
    --------
    >>> first, second = uuid7(), uuid7()
    >>> len(first), first[14]
    (36, '7')
    """
    time_ns = time.time_ns()
    ms, below_ms = divmod(time_ns, 1_000_000)
    sub_ms = below_ms * 4096 // 1_000_000  # 12 bits of the time within the millisecond, so that ids of one process sort
    random_bits = _random.getrandbits(62)
    text = f"{(ms & ((1 << 48) - 1)) << 80 | 0x7 << 76 | sub_ms << 64 | 0b10 << 62 | random_bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
