"""`offline/hashing`: vectors without a language model, from hashed words and character n-grams.

The hash of each word, and of each n-gram of three to five letters in it, decides its position and sign (the hashing
trick: Weinberger et al. 2009, https://doi.org/10.1145/1553374.1553516; n-grams as in fastText: Bojanowski et al. 2017,
https://doi.org/10.1162/tacl_a_00051). Texts with the same words and spellings are near each other, even if their
meanings differ. This is a baseline, useful for finding near-duplicates and for trying a study for free.

The same text has the same vector on every platform and in every version of Python: it uses BLAKE2 instead of `hash()`,
and square roots and exactly rounded sums instead of logarithms and dot products. (Letters added to Unicode after
version 14 are an exception.)
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

_RULES = "1"  # raise it when a rule changes, so that cached vectors of old rules are not used
_WORD = re.compile(r"\w+")
_NGRAM_LENGTHS = (3, 4, 5)
_UNSPACED_NGRAM_LENGTHS = (1, 2)  # Chinese and Japanese have no spaces, and a character is like a syllable
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
        The options in the name, as texts: `dims`, the length of a vector, by default 256.

    Examples
    --------
    >>> HashingModel("offline/hashing", {})
    <model offline/hashing: counts hashed words; not a language model>
    """

    description = "counts hashed words; not a language model"
    remote = False
    in_process = True
    deterministic = True

    def __init__(self, name: str, options: dict[str, str]) -> None:
        super().__init__(name)
        dims = parse_options(name, options, {"dims": 256.0})["dims"]
        if not dims.is_integer() or not _MIN_DIMS <= dims <= _MAX_DIMS:
            raise SetupError(f"model `{name}`: dims must be a whole number from {_MIN_DIMS} to {_MAX_DIMS:,}.")
        self.dims = int(dims)

    def split_params(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        return {}, dict(params)

    def price(self) -> tuple[float, float]:
        return 0.0, 0.0

    def key_parts(self, offline_input: OfflineInput | None) -> dict[str, str]:  # noqa: ARG002  # it reads only the text
        return {"rules": _RULES}

    async def complete(self, request: Request) -> Completion:
        if not isinstance(request, TextBatch):
            raise SkippedCell(f"`{self.name}` makes vectors and answers no questions; use project.embed(...).")
        vectors = await asyncio.to_thread(lambda: [hash_vector(text, self.dims) for text in request.texts])
        return request.completion(
            vectors, model_served=self.name, fingerprint=f"rules {_RULES}", tokens_in=0, cost_usd=0.0, latency_s=0.0
        )


def hash_vector(text: str, dims: int) -> list[float]:
    """The vector of a text, normalised to length 1.

    Parameters
    ----------
    text
        Any text that is not empty.
    dims
        The number of dimensions.

    Returns
    -------
    list of float
        The vector, with `dims` numbers.

    Examples
    --------
    >>> sea, calm, goats = (hash_vector(t, 64) for t in ("A calm sea.", "The sea is calm!", "Seventeen goats"))
    >>> similarity = lambda a, b: sum(x * y for x, y in zip(a, b, strict=True))
    >>> similarity(sea, calm) > similarity(sea, goats)
    True
    """
    plain_text = unicodedata.normalize("NFKC", text).casefold()
    words = Counter(_WORD.findall(plain_text)) or Counter("".join(plain_text.split()))
    total = _sum_features(words, dims)
    length = math.sqrt(math.fsum(x * x for x in total))
    if not length:  # the signs in a short text cancel each other out
        total = _sum_features(words, dims, signed=False)
        length = math.sqrt(math.fsum(x * x for x in total))
    return [x / length for x in total]


def _sum_features(words: Counter[str], dims: int, *, signed: bool = True) -> list[float]:
    total = [0.0] * dims
    for word, n in words.items():
        weight = math.sqrt(n)
        is_cached = len(word) <= _MAX_CACHED_LETTERS
        for position, value in _cached_features(word, dims) if is_cached else _word_features(word, dims):
            total[position] += weight * (value if signed else abs(value))
    return total


@lru_cache(maxsize=_CACHED_WORDS)
def _cached_features(word: str, dims: int) -> tuple[tuple[int, float], ...]:
    return tuple(_word_features(word, dims))


def _word_features(word: str, dims: int) -> Iterable[tuple[int, float]]:
    """Position and value of a word, and of its n-grams, which together have the same weight as the word."""
    unspaced = any(c >= _UNSPACED for c in word)
    marked = word if unspaced else f"<{word}>"  # marks the beginning and the end of the word
    lengths = _UNSPACED_NGRAM_LENGTHS if unspaced else _NGRAM_LENGTHS
    ngrams = [marked[i : i + n] for n in lengths for i in range(len(marked) - n + 1)]
    if not unspaced:
        yield _hash_feature(f"w{word}", dims, 1.0)
    weight = 1.0 / math.sqrt(len(ngrams)) if ngrams else 0.0
    for ngram in ngrams:
        yield _hash_feature(f"r{ngram}", dims, weight)


def _hash_feature(feature: str, dims: int, weight: float) -> tuple[int, float]:
    number = int.from_bytes(blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
    return (number >> 1) % dims, weight if number & 1 else -weight
