r"""Export cached answers to a JSONL file, and import them into another cache.

A line is `{"key": "k1-...", "value": {"parts": {...}, "completion": {...}}}`. A file from another machine may be
hostile, so each line is parsed as JSON and checked against the form of an entry. A line that does not fit is refused
and counted, with its number. Nothing in a file is executed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import diskcache
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json, to_json

from ..._internal.private_files import private_files
from ...errors import SetupError, StoreError
from .entries import CacheRow, StoredEntry, parse_entry
from .safe_disk import transaction

KEY = re.compile(r"ke?[1-9][0-9]?-[0-9a-f]{32}")
MAX_LINE_BYTES = 64 * 2**20
"""The maximum size of a line, in bytes. A longer line is skipped without loading it into memory."""
_BATCH_PAIRS = 1000
_BATCH_CHARACTERS = 8 * 2**20
_MAX_PROBLEMS = 100
_BOM = b"\xef\xbb\xbf"


class ImportCount(BaseModel):
    """The result of an import.

    Parameters
    ----------
    added
        The number of new answers.
    already_there
        The number of answers that the cache already had.
    clashes
        The number of lines with a different answer than the cache has under that key; the cache's answer stays.
    refused
        The number of lines that are not answers.
    problems
        Why lines were refused, with their numbers; the first hundred.

    Examples
    --------
    >>> ImportCount(added=2, already_there=0, clashes=1, refused=1, problems=("line 3 is not JSON",))
    2 added, 0 already there, 1 with another answer than the cache (which is kept), 1 refused
      line 3 is not JSON
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    added: int
    already_there: int
    clashes: int
    refused: int
    problems: tuple[str, ...] = ()

    def __repr__(self) -> str:
        clashes = f", {self.clashes:,} with another answer than the cache (which is kept)" if self.clashes else ""
        first = f"{self.added:,} added, {self.already_there:,} already there{clashes}, {self.refused:,} refused"
        return "\n  ".join([first, *self.problems])

    __str__ = __repr__


class MergeCount(NamedTuple):
    """The numbers of pairs that were new, the same as in the cache, or different from it."""

    added: int = 0
    same: int = 0
    clashes: int = 0


def merge(disk: diskcache.Cache, pairs: list[tuple[str, str]]) -> MergeCount:
    """Add missing pairs in one transaction. An unreadable entry counts as missing."""
    counts = [0, 0, 0]
    with transaction(disk):
        for key, value in pairs:
            cached = parse_entry(_cached_text(disk, key))
            if cached is None:
                disk.set(key, value, retry=True)
                counts[0] += 1
            else:
                new = parse_entry(value)
                counts[1 if new is not None and new.completion.answer == cached.completion.answer else 2] += 1
    return MergeCount(*counts)


def merge_all(
    write: Callable[[Callable[[diskcache.Cache], MergeCount]], MergeCount], pairs: Iterable[tuple[str, str]]
) -> MergeCount:
    """Add any number of missing pairs, in transactions of about a thousand."""
    total = MergeCount()
    for batch in _pair_batches(pairs):
        counts = write(partial(merge, pairs=batch))
        total = MergeCount(*map(sum, zip(total, counts, strict=True)))
    return total


def export(path: Path, rows: Iterable[CacheRow]) -> int:
    """Write readable entries to a file that is either complete or not written at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    n = 0
    try:
        with private_files(path.parent), temporary.open("wb") as out:
            for row in rows:
                if row.entry is not None:
                    out.write(_format_line(row))
                    n += 1
        temporary.replace(path)
    except OSError as error:
        raise SetupError(f"`{path}` cannot be written: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)
    return n


class LineReader:
    """Iterates over the pairs of a file, and counts refused lines.

    Parameters
    ----------
    path
        A file from `export`.
    longest
        The maximum size of a line, in bytes.
    """

    def __init__(self, path: Path, longest: int = MAX_LINE_BYTES) -> None:
        self._path = path
        self._longest = longest
        self.refused = 0
        self.problems: list[str] = []

    def __iter__(self) -> Iterator[tuple[str, str]]:
        try:
            for number, line in self._numbered_lines():
                try:
                    pair = _parse_line(line, self._longest)
                except ValueError as error:
                    self._refuse(f"line {number:,} {error}")
                else:
                    if pair:
                        yield pair
        except OSError as error:
            raise SetupError(f"`{self._path}` cannot be read: {error.strerror or error}.") from error

    def _numbered_lines(self) -> Iterator[tuple[int, bytes]]:
        """Numbered lines; a line that is too long is cut one byte after the limit."""
        with self._path.open("rb") as file:
            number = 0
            while line := file.readline(self._longest + 1):
                number += 1
                chunk = line
                while chunk and not chunk.endswith(b"\n"):
                    chunk = file.readline(self._longest)
                yield number, line.removeprefix(_BOM) if number == 1 else line

    def _refuse(self, problem: str) -> None:
        self.refused += 1
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(problem)


def _parse_line(line: bytes, longest: int) -> tuple[str, str] | None:
    """Key and value of a line; None for an empty line. A ValueError says what is wrong with it."""
    if len(line) > longest:
        raise ValueError(f"is longer than {longest / 2**20:g} MB")
    if not line.strip():
        return None
    try:
        data = from_json(line, allow_inf_nan=False)
    except ValueError:
        raise ValueError("is not JSON") from None
    if not isinstance(data, dict) or set(data) != {"key", "value"}:
        raise ValueError("is not a `key` and a `value`")
    key, value = data["key"], data["value"]
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise ValueError("has a key that is not one of this package's (`k1-` or `ke1-`, and 32 hexadecimal digits)")
    try:
        StoredEntry.model_validate(value)
    except ValidationError:
        raise ValueError("has a value that is not an answer with the parts of its question") from None
    return key, _canonical(value)


def _format_line(row: CacheRow) -> bytes:
    value = _canonical(from_json(row.text)).encode()
    return b'{"key":%s,"value":%s}\n' % (to_json(row.key), value)


def _canonical(value: object) -> str:
    """JSON in pydantic's form, so that an entry has the same text after export and import."""
    return to_json(value, inf_nan_mode="null").decode()


def _cached_text(disk: diskcache.Cache, key: str) -> str | None:
    try:
        text: str | None = disk.get(key, default=None)
    except StoreError:  # the value is not text, so an answer may replace it
        return None
    return text


def _pair_batches(pairs: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    batch: list[tuple[str, str]] = []
    characters = 0
    for key, value in pairs:
        batch.append((key, value))
        characters += len(value) if isinstance(value, str) else 0
        if len(batch) >= _BATCH_PAIRS or characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
