"""`AnswerCache`: statistics, search, deletion, export and import of cached answers.

Each method reads the files through its own connection and writes in the writer's thread, so all may be called during a
run. Answers are deleted only if you name them: there is no wildcard and no eviction.
"""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import diskcache

from ...errors import SetupError
from . import contents, explain_miss, export_import
from .contents import CacheStats, EntryFilter
from .entries import CacheRow
from .export_import import ImportCount
from .safe_disk import overwrite_deleted, transaction
from .storage import CacheFiles

if TYPE_CHECKING:
    import pandas as pd

_SEARCHED_AT_ONCE = 500


class AnswerCache(CacheFiles):
    """Answers by cache key, in one folder.

    Parameters
    ----------
    folder
        The folder; created with mode 0700 on first use.

    Examples
    --------
    >>> import tempfile
    >>> cache = AnswerCache(Path(tempfile.mkdtemp()) / "cache")
    >>> value = '{"parts":{"model":"a/b"},"completion":{"text":"no","answered_at":"2026-01-02T03:04:05","raw":"{}"}}'
    >>> cache.rebuild([("k1-00000000000000000000000000000000", value)])
    1
    >>> cache.find(model="a/b").answer.item()
    'no'
    >>> cache.delete(model="a/b"), len(cache)
    (1, 0)
    >>> cache.close()
    """

    def stats(self) -> CacheStats:
        """The number of answers, with times and cost for each model, and the size on disk."""
        self.open()
        return contents.summarise(self._read_rows(), contents.bytes_on_disk(self.folder))

    def find(
        self,
        text: str | None = None,
        *,
        model: str | None = None,
        record_hash: str | None = None,
        keys: str | Iterable[str] | pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """The entries that meet all conditions; without any condition, all entries.

        Parameters
        ----------
        text
            A text in the answer or anywhere in the response as received; case is ignored.
        model
            The model's full name.
        record_hash
            The hash of a record.
        keys
            Cache keys, such as the column `cache_key` of `calls`. Use them to find the answers to one person's text,
            because the cache contains only hashes of the questions.

        Returns
        -------
        pandas.DataFrame
            `key, model, answered_at` (UTC), `finish_reason, answer` (its beginning), the oldest first. The number of
            unreadable rows is in `.attrs["damaged"]`.
        """
        entry_filter = EntryFilter(text, model, record_hash, None if keys is None else contents.as_keys(keys))
        return contents.to_dataframe(self._read_rows(), entry_filter)

    def delete(
        self,
        keys: str | Iterable[str] | pd.DataFrame | None = None,
        *,
        model: str | None = None,
        everything: bool = False,
    ) -> int:
        """Delete answers by key, of one model, or everything. Their texts are overwritten on disk.

        Parameters
        ----------
        keys
            Cache keys, or the frame that `find` returned.
        model
            The model's full name.
        everything
            Delete all rows, also unreadable ones.

        Returns
        -------
        int
            The number of deleted answers.

        Raises
        ------
        SetupError
            The call does not have exactly one of the three arguments.
        """
        if [keys is not None, model is not None, everything].count(True) != 1:
            raise SetupError(
                "`cache.delete` takes keys, or `model=`, or `everything=True`: one of the three. Nothing was deleted."
            )
        if everything:
            n_deleted = self._run_in_writer(_delete_all)
        else:
            model_keys = (key for key, _ in contents.select(self._read_rows(), EntryFilter(model=model)))
            selected_keys = contents.as_keys(model_keys if keys is None else keys)
            n_deleted = self._run_in_writer(lambda disk: _delete_keys(disk, selected_keys))
        with self._translate_errors():
            contents.truncate_log(self._file)
        return n_deleted

    def delete_quoting(self, find: Callable[[Sequence[str]], list[int]]) -> int:
        """Delete the answers that a function finds, and compact the file, so that no deleted text stays in it.

        Parameters
        ----------
        find
            Returns the positions of the texts to delete, among those that it gets.

        Returns
        -------
        int
            The number of deleted answers.
        """
        keys: list[str] = []
        for rows in _batches(self._read_rows()):
            keys += [rows[position].key for position in find([row.text for row in rows])]
        n_deleted = self.delete(keys) if keys else 0
        with self._translate_errors():
            contents.compact(self._file)
        return n_deleted

    def export(self, path: str | Path) -> int:
        """Write all answers to a JSONL file, for a colleague or another machine.

        The answers go to a temporary file first, so that the file is either complete or not written at all. Unreadable
        rows are left out, with a warning.

        Parameters
        ----------
        path
            The file; an existing file is replaced.

        Returns
        -------
        int
            The number of answers.

        Raises
        ------
        SetupError
            The file cannot be written.
        """
        target = Path(path).expanduser()
        rows = contents.UnreadableCounter(self._read_rows())
        n_written = export_import.export(target, rows)
        if rows.damaged:
            warnings.warn(
                f"{rows.damaged:,} of the cache's rows cannot be read and were left out of {target.name}.",
                stacklevel=2,
            )
        return n_written

    def import_(self, path: str | Path, *, longest_line: int = export_import.MAX_LINE_BYTES) -> ImportCount:
        """Add the answers of a file that `export` wrote, on this machine or another.

        If the cache already has an answer, that answer stays, even if the file has a different one. A line that is not
        an answer is refused. Nothing in the file is ever executed.

        Parameters
        ----------
        path
            The file.
        longest_line
            The maximum size of one answer, in bytes; a longer line is refused without reading it.

        Returns
        -------
        ImportCount
            The numbers of added, existing, conflicting and refused answers, and the problems.

        Raises
        ------
        SetupError
            The file cannot be read.
        """
        source = Path(path).expanduser()
        if not os.path.isfile(source):  # noqa: PTH113  # `Path.is_file` raises if a name is too long
            raise SetupError(f"{str(source)!r} cannot be read: there is no such file.")
        lines = export_import.LineReader(source, longest_line)
        counts = export_import.merge_all(self._run_in_writer, lines)
        return ImportCount(
            added=counts.added,
            already_there=counts.same,
            clashes=counts.clashes,
            refused=lines.refused,
            problems=tuple(lines.problems),
        )

    def explain(self, parts: Mapping[str, str]) -> str:
        """Explain why a question is not in the cache: how it differs from the most similar cached question.

        Parameters
        ----------
        parts
            The named hashes of the question's parts, as in an entry.

        Returns
        -------
        str
            A sentence. The most similar entry is the entry of the same model with the most equal parts, among the
            newest 20,000.
        """
        return explain_miss.explain_miss(parts, self._read_rows(newest=explain_miss.MAX_ROWS))

    def rebuild(self, rows: Iterable[tuple[str, str]]) -> int:
        """Add missing entries from pairs of key and entry, such as those in the stored calls; the number added."""
        return export_import.merge_all(self._run_in_writer, rows).added

    def _read_rows(self, newest: int | None = None) -> Iterator[CacheRow]:
        with self._translate_errors():
            yield from contents.read_entries(self._file, self.open().disk, newest)


def _delete_keys(disk: diskcache.Cache, keys: Iterable[str]) -> int:
    overwrite_deleted(disk)
    with transaction(disk):
        return sum(disk.delete(key, retry=True) for key in keys)


def _delete_all(disk: diskcache.Cache) -> int:
    overwrite_deleted(disk)
    with transaction(disk):
        n_deleted: int = disk.clear(retry=True)
    return n_deleted


def _batches(rows: Iterable[CacheRow]) -> Iterator[list[CacheRow]]:
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, _SEARCHED_AT_ONCE)):
        yield batch
