"""What a researcher asks of the whole cache: what is in it, find, drop, export, import, rebuild.

Each reads the files through a connection of its own and writes in the writer's thread, so all may be called while
a run goes on. Nothing is dropped unless it is named: there is no wildcard and no eviction.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
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


class AnswerCache(CacheFiles):
    """Answers by key, in one folder.

    Parameters
    ----------
    folder
        Made with mode 0700 on first use.

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
        """How many answers there are, of which models, when they were given, what they cost, and their size on disk."""
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
        """The entries that fit everything that is given; all of them where nothing is.

        Parameters
        ----------
        text
            A text in the answer (or anywhere in the response as received); small and capital letters are alike.
        model
            The model's full name.
        record_hash
            The hash of a record that the entry's parts name.
        keys
            Cache keys, such as the column `cache_key` of `calls`: this is how the answers to one person's text are
            found, since of the question only hashes are kept here.

        Returns
        -------
        pandas.DataFrame
            `key, model, answered_at` (UTC), `finish_reason, answer` (its beginning), the oldest first. How many rows
            could not be read is in `.attrs["damaged"]`.
        """
        wanted = EntryFilter(text, model, record_hash, None if keys is None else contents.as_keys(keys))
        return contents.to_dataframe(self._read_rows(), wanted)

    def delete(
        self,
        keys: str | Iterable[str] | pd.DataFrame | None = None,
        *,
        model: str | None = None,
        everything: bool = False,
    ) -> int:
        """Forget answers: by key, all of a model, or everything. What they said is overwritten on disk.

        Parameters
        ----------
        keys
            Cache keys, or the frame that `find` returned.
        model
            The model's full name.
        everything
            Also what cannot be read.

        Returns
        -------
        int
            How many there were.

        Raises
        ------
        SetupError
            Not exactly one of the three is given.
        """
        if [keys is not None, model is not None, everything].count(True) != 1:
            raise SetupError(
                "`cache.delete` takes keys, or `model=`, or `everything=True`: one of the three. Nothing was dropped."
            )
        if everything:
            dropped = self._run_in_writer(_delete_all)
        else:
            of_model = (key for key, _ in contents.select(self._read_rows(), EntryFilter(model=model)))
            chosen = contents.as_keys(of_model if keys is None else keys)
            dropped = self._run_in_writer(lambda disk: _delete_keys(disk, chosen))
        with self._translate_errors():
            contents.truncate_log(self._file)
        return dropped

    def export(self, path: str | Path) -> int:
        """Write all answers to a JSONL file, for a colleague or another machine; how many.

        The file is written beside its place first, so that it is there whole or not at all. Rows that cannot be read
        are left out, with a warning.

        Raises
        ------
        SetupError
            The file cannot be written.
        """
        target = Path(path).expanduser()
        counted = contents.UnreadableCounter(self._read_rows())
        written = export_import.export(target, counted)
        if counted.damaged:
            warnings.warn(
                f"{counted.damaged:,} of the cache's rows cannot be read and were left out of {target.name}.",
                stacklevel=2,
            )
        return written

    def import_(self, path: str | Path, *, longest_line: int = export_import.MAX_LINE_BYTES) -> ImportCount:
        """Take in the answers of a file that `export` wrote, here or elsewhere.

        An answer that the cache holds already is kept, also where the file says something else. A line that is not an
        answer is refused; nothing in the file is ever run.

        Parameters
        ----------
        path
            The file.
        longest_line
            Bytes that one answer may take; a longer line is refused unread.

        Raises
        ------
        SetupError
            The file cannot be read.
        """
        source = Path(path).expanduser()
        if not source.is_file():
            raise SetupError(f"`{source}` cannot be read: there is no such file.")
        lines = export_import.LineReader(source, longest_line)
        done = export_import.merge_all(self._run_in_writer, lines)
        return ImportCount(
            added=done.added,
            already_there=done.same,
            clashes=done.clashes,
            refused=lines.refused,
            problems=tuple(lines.problems),
        )

    def explain(self, parts: Mapping[str, str]) -> str:
        """For a question that is not in the cache: how it differs from the nearest one that is.

        Parameters
        ----------
        parts
            The named hashes of the question's parts, as an entry keeps them.

        Returns
        -------
        str
            A sentence. The nearest is the entry of the same model with the most equal parts, among the newest 20,000.
        """
        return explain_miss.explain_miss(parts, self._read_rows(newest=explain_miss.MAX_ROWS))

    def rebuild(self, rows: Iterable[tuple[str, str]]) -> int:
        """Put pairs of key and entry that are not there, such as the stored calls remember; how many were put."""
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
        dropped: int = disk.clear(retry=True)
    return dropped
