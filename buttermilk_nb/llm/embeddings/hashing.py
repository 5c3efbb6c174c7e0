"""`offline/hashing`: vectors without a language model, by counting hashed words and parts of words.

Each word, and each run of three to five letters in it, has a place and a sign that its hash decides (the hashing
trick: Weinberger et al. 2009, https://doi.org/10.1145/1553374.1553516; runs of letters as in fastText: Bojanowski et
al. 2017, https://doi.org/10.1162/tacl_a_00051). Texts are near each other where they share words and spellings, not
where they mean the same: a baseline, for finding near-copies, and for trying a study before it is paid for.

The same text has the same vector on every platform and Python: BLAKE2 instead of `hash()`, square roots and exactly
rounded sums instead of logarithms and dot products. (Letters that Unicode got after version 14 aside.)
"""

from __future__ import annotations

import asyncio
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from ...errors import SetupError, SkippedCell
from ..completion import Completion
from ..model import Model, Request
from ..offline_input import OfflineInput
from ..providers.model_options import parse_options
from .vectors import TextBatch

_RULES = "1"  # raise it when a rule changes: old vectors must not be served for new rules
_WORD = re.compile(r"\w+")
_NGRAM_LENGTHS = (3, 4, 5)
_UNSPACED_NGRAM_LENGTHS = (1, 2)  # Chinese and Japanese set no spaces, and a character says as much as a syllable
_UNSPACED = "\u2e80"  # from here on: Han, kana, Hangul
_MIN_DIMS, _MAX_DIMS = 8, 16_384
_CACHED_WORDS = 100_000
_MAX_CACHED_LETTERS = 64


class HashingModel(Model):
    """`offline/hashing?dims=256`.

    Parameters
    ----------
    name
        The full name.
    options
        `dims`: how many numbers a vector has.

    Examples
    --------
    >>> Hashing("offline/hashing", {})
    <model offline/hashing: counts hashed words; not a language model>
    """

    description = "counts hashed words; not a language model"
    remote = False
    in_process = True
    deterministic = True

    def __init__(self, name: str, options: dict[str, str]) -> None:
        super().__init__(name)
        given = parse_options(name, options, {"dims": 256.0})["dims"]
        if not given.is_integer() or not _MIN_DIMS <= given <= _MAX_DIMS:
            raise SetupError(f"model `{name}`: dims is a whole number from {_MIN_DIMS} to {_MAX_DIMS:,}.")
        self.dims = int(given)

    def split_params(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        return {}, dict(params)

    def price(self) -> tuple[float, float]:
        return 0.0, 0.0

    def key_parts(self, offline_input: OfflineInput | None) -> dict[str, str]:  # noqa: ARG002  # it reads the text alone
        return {"rules": _RULES}

    async def complete(self, request: Request) -> Completion:
        if not isinstance(request, TextBatch):
            raise SkippedCell(f"`{self.name}` makes vectors and answers no questions; project.embed(...) asks it.")
        found = await asyncio.to_thread(lambda: [hash_vector(text, self.dims) for text in request.texts])
        return request.completion(
            found, model_served=self.name, fingerprint=f"rules {_RULES}", tokens_in=0, cost_usd=0.0, latency_s=0.0
        )


def hash_vector(text: str, dims: int) -> list[float]:
    """The vector of a text, of length 1.

    Parameters
    ----------
    text
        Any text that is not empty.
    dims
        How many numbers.

    Examples
    --------
    >>> near = sum(a * b for a, b in zip(hashed("A calm sea.", 64), hashed("The sea is calm!", 64), strict=True))
    >>> far = sum(a * b for a, b in zip(hashed("A calm sea.", 64), hashed("Seventeen goats", 64), strict=True))
    >>> near > far
    True
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    words = Counter(_WORD.findall(plain)) or Counter("".join(plain.split()))
    summed = _sum_features(words, dims)
    length = math.sqrt(math.fsum(x * x for x in summed))
    if not length:  # a short text whose signs cancel each other out
        summed = _sum_features(words, dims, signed=False)
        length = math.sqrt(math.fsum(x * x for x in summed))
    return [x / length for x in summed]


def _sum_features(words: Counter[str], dims: int, *, signed: bool = True) -> list[float]:
    summed = [0.0] * dims
    for word, n in words.items():
        weight = math.sqrt(n)
        for place, value in (
            _cached_features(word, dims) if len(word) <= _MAX_CACHED_LETTERS else _word_features(word, dims)
        ):
            summed[place] += weight * (value if signed else abs(value))
    return summed


@lru_cache(maxsize=_CACHED_WORDS)
def _cached_features(word: str, dims: int) -> tuple[tuple[int, float], ...]:
    return tuple(_word_features(word, dims))


def _word_features(word: str, dims: int) -> Iterable[tuple[int, float]]:
    """DataFolder and value of a word, and of the runs in it, which together weigh as much as the word."""
    unspaced = any(c >= _UNSPACED for c in word)
    framed = word if unspaced else f"<{word}>"
    runs = [
        framed[i : i + n] for n in (_UNSPACED_NGRAM_LENGTHS if unspaced else _NGRAM_LENGTHS) for i in range(len(framed) - n + 1)
    ]  # fmt: skip
    if not unspaced:
        yield _hash_feature(f"w{word}", dims, 1.0)
    weight = 1.0 / math.sqrt(len(runs)) if runs else 0.0
    for run in runs:
        yield _hash_feature(f"r{run}", dims, weight)


def _hash_feature(feature: str, dims: int, weight: float) -> tuple[int, float]:
    number = int.from_bytes(blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
    return (number >> 1) % dims, weight if number & 1 else -weight
