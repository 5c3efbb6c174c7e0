"""`forget` erases a record with everything about it, or a coder's codes.

The rule: the *texts* are removed, the *numbers* stay.

- Removed: all versions of the record, with its truth and people's codes, the segments cut from it and the pairs with
  it; their requests and responses; its images; outputs, reasons, conclusions and error messages; redacted texts; its
  cached answers; log lines that name it. Then everything about *other* records is searched for its texts (see
  `erased_texts`), and what quotes them is removed. A text that another record shares stays, and is counted.
- Kept: one row for every cell, trace, call and score, with its status, answer, time and cost, so that every count and
  share of an earlier run can still be checked. The id of the record and all hashes of its text (record, design,
  request, response, cache key, corpus) are replaced by random ones, because a short text can be guessed from its hash.
  Equal hashes get equal replacements, so that rows that belong together still do.
- Written again: the digest of each changed run, and a second link for it in the chain, so that later changes are
  detected as before. The earlier links stay; no text can be recovered from them. A row in `tombstones` names each
  changed run, and `verify` then does not count it as damaged.

Cached answers are deleted first, because their keys are in the Store; then the rows, in one transaction; then the file
is rewritten, so that the bytes are gone too. No other process can write meanwhile. Earlier copies (exports, copies from
a migration, notebooks with their outputs) cannot be reached from here, so they are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import duckdb
from pydantic import BaseModel, ConfigDict

from ..._internal.text import pluralise, shorten
from ...errors import SetupError
from ..connection import transaction
from ..exporters.export import exported_places
from ..store import Store
from ..tombstones import write_tombstone
from .anonymise import clean_coder_logs, clean_logs
from .compact import rewrite_file
from .erase_coder import erase_coder
from .erase_quotations import collect_erased_texts, erase_quotations
from .erase_record import erase_record, find_record
from .erased_texts import ErasedTexts
from .remaining_copies import remaining_copies


class Cache(Protocol):
    """The part of the cache that `forget` uses."""

    def delete(self, keys: Any = None) -> int:
        """Delete the answers with these keys."""

    def delete_quoting(self, find: Callable[[Sequence[str]], list[int]]) -> int:
        """Delete the answers that a function finds, and everything that was deleted before from the disk."""


class Forgotten(BaseModel):
    """The result of `forget`: how much was removed, and what the researcher still has to do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    n_rows: int
    n_runs: int
    n_texts: int = 0
    n_cached: int = 0
    n_log_lines: int = 0
    n_quotations: int = 0
    """Texts about other records that quoted it: answers, error messages, events."""
    shared_texts: int = 0
    sent_to: tuple[str, ...] = ()
    """Providers that the text was sent to."""
    open_batches: tuple[str, ...] = ()
    """Providers' batches that contain the text and have not ended."""
    named_by: tuple[str, ...] = ()
    """Other records whose own data (metadata, cluster) name the record."""
    remaining: tuple[str, ...] = ()
    """Files and folders that may still contain it."""

    def __repr__(self) -> str:
        subject = "A record was" if self.kind == "record" else "A coder's codes were"
        lines = [
            f"{subject} forgotten: {pluralise(self.n_rows, 'row')} in {pluralise(self.n_runs, 'run')}, "
            f"{self.n_texts:,} requests and answers, "
            f"{pluralise(self.n_cached, 'cached answer')}, {pluralise(self.n_log_lines, 'line')} of the log. "
            "The file was rewritten."
        ]
        if self.n_quotations:
            lines.append(f"{pluralise(self.n_quotations, 'text')} about other records quoted it, and were removed too.")
        if self.shared_texts:
            lines.append(f"{self.shared_texts:,} requests or answers stay, because another record has the same text.")
        if self.sent_to:
            lines.append(f"It was sent to {', '.join(self.sent_to)}: ask them to delete it.")
        if self.open_batches:
            lines.append(f"It is in a batch that has not ended: {', '.join(self.open_batches)}. Cancel that there.")
        if self.named_by:
            verb = "names" if len(self.named_by) == 1 else "name"
            lines.append(
                f"{pluralise(len(self.named_by), 'other record')} {verb} it in metadata or cluster, which stay: "
                f"{shorten(', '.join(self.named_by), 60)}. If its id names a person, forget these records too."
            )
        if self.remaining:
            lines += ["Delete these or make them again, because they may still contain it:"]
            lines += [f"  {path}" for path in self.remaining]
        lines.append("The files it was loaded from, and notebooks with it in their outputs, may also contain it.")
        if self.kind == "record":
            lines.append("Paraphrases of it, and single common words, cannot be found in texts about other records.")
        return "\n".join(lines)

    __str__ = __repr__


def forget(
    store: Store,
    cache: Cache | None,
    *,
    record_id: str | None = None,
    coder: str | None = None,
    reason: str = "",
    folder: Path | None = None,
) -> Forgotten:
    """Erase a record with everything about it, or a coder's codes. This cannot be undone.

    Parameters
    ----------
    store
        The Store.
    cache
        The cached answers; None if there is no cache.
    record_id
        The record to erase, with its segments. Give either this or `coder`.
    coder
        The coder whose codes to erase.
    reason
        The reason, for the table `tombstones`. Do not name the person in it.
    folder
        The project's folder, with `logs/` and `exports/`; by default the folder of the Store.

    Returns
    -------
    Forgotten
        How much was removed, and the copies that only the researcher can remove.

    Raises
    ------
    SetupError
        The record or coder does not exist, or not exactly one of the two is given.
    StoreError
        The file could not be written; answers that were deleted from the cache stay deleted.
    """
    if (record_id is None) == (coder is None):
        raise SetupError("forget takes either one record (record_id=...) or one coder (coder=...).")
    project_folder = folder or store.path.parent
    with store.exclusive() as con:  # held until it is written anew
        with transaction(con, store.path.name):
            if record_id is not None:
                result, erased = _forget_record(con, cache, record_id, reason, project_folder / "logs")
            else:
                erased = None
                result = _forget_coder(con, str(coder), reason, project_folder / "logs")
        exported = exported_places(con)
        rewrite_file(con, store.path)
        remaining = [*exported, *remaining_copies(store.path, project_folder, erased)]
    return result.model_copy(update={"remaining": tuple(dict.fromkeys(remaining))})


def _forget_record(
    con: duckdb.DuckDBPyConnection, cache: Cache | None, record_id: str, reason: str, logs: Path
) -> tuple[Forgotten, ErasedTexts | None]:
    record = find_record(con, record_id)
    if not record.new_ids:  # forgotten before; only the file has to be rewritten
        return Forgotten(kind="record", n_rows=0, n_runs=0), None
    erased = collect_erased_texts(con)
    n_cached = cache.delete(record.cache_keys) if cache is not None and record.cache_keys else 0
    n_cached += cache.delete_quoting(erased.find) if cache is not None else 0
    n_lines = clean_logs(logs, record.new_ids, erased)
    n_rows, n_texts, shared = erase_record(con, record)
    quotations = erase_quotations(con, erased)
    run_ids = sorted({*record.run_ids, *quotations.run_ids})
    write_tombstone(con, "record", record_id, reason, n_rows, run_ids)
    forgotten = Forgotten(
        kind="record",
        n_rows=n_rows,
        n_runs=len(run_ids),
        n_texts=n_texts,
        n_cached=n_cached,
        n_log_lines=n_lines,
        n_quotations=quotations.n_texts,
        shared_texts=shared,
        sent_to=record.sent_to,
        open_batches=record.open_batches,
        named_by=record.named_by,
    )
    return forgotten, erased


def _forget_coder(con: duckdb.DuckDBPyConnection, coder: str, reason: str, logs: Path) -> Forgotten:
    n_rows, runs = erase_coder(con, coder)
    n_lines = clean_coder_logs(logs, coder)
    write_tombstone(con, "coder", coder, reason, n_rows, runs)
    return Forgotten(kind="coder", n_rows=n_rows, n_runs=len(runs), n_log_lines=n_lines)
