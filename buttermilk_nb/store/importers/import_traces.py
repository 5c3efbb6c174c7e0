"""`import_traces`: read, check all, then write all of it or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb
from pydantic import BaseModel, ConfigDict

from ..._internal.ids import canonical, digest, uuid7
from ..._internal.text import to_jsonable
from ...codebook.criteria import Criteria
from ...corpus.loaders import Source
from ...corpus.record import Record
from ...errors import SetupError, nearest
from ...events.event import StatusEvent
from ...schema import RunRow, Tombstone, now
from .. import Store
from ..erasure.delete_rows import remove_runs, rows_of_runs
from ..erasure.forget import forgotten_records
from ..write import write_batch
from ..write_batch import RunEnd, WriteBatch
from .buttermilk import read_buttermilk
from .buttermilk_rows import MARKS
from .imported_study import ImportedStudy, head
from .inspect_logs import read_inspect
from .score_tables import COUNT, read_table
from .sources import local, name_of, rows_of, shown_source
from .to_rows import Version, answer_problems, make_rows, same_design_problems, version_of

KINDS = ("buttermilk", "inspect", "scores")


class ImportedTraces(BaseModel):
    """What came in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    kind: str
    name: str
    cells: int
    scores: int
    records: int
    statuses: dict[str, int]
    """Cells by status."""
    replaced: int = 0
    """Earlier imports of the same content that were removed."""
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        kinds = ", ".join(f"{n:,} {status}" for status, n in self.statuses.items())
        lines = [
            f"Imported {self.name!r} ({self.kind}): {_count(self.cells, 'cell')} ({kinds}) with "
            f"{_count(self.scores, 'score')} of {_count(self.records, 'record')}."
        ]
        return "\n".join(lines + [f"Note: {remark}" for remark in self.remarks])

    __str__ = __repr__


def import_traces(
    target: Any,
    source: Any,
    *,
    kind: str | None = None,
    name: str | None = None,
    criteria: Criteria | None = None,
    columns: Mapping[str, str] | None = None,
    replicate: str | None = None,
    replace: bool = False,
) -> ImportedTraces:
    """Bring in judgements that were made elsewhere, as a run of this project.

    Parameters
    ----------
    target
        The project, or its Store.
    source
        A path or an address (.eval, .json, .jsonl, .csv, .xlsx, .parquet), a dataframe, a list of rows, or what
        `loaders.bigquery.read` returns.
    kind
        `buttermilk`, `inspect` or `scores`; found out from the source where it is not said.
    name
        What the run is called; by default the file's name or the task's.
    criteria
        The document that was asked, where there is one: answers are read by its scales, and flagged by its flags.
    columns
        For `scores`: which of its columns is our `record_id`, `judge`, `model`, `criterion`, `category`, `value`,
        `reasons`, ... Columns of our names, and some others, are found by themselves; the rest is kept as JSON.
    replicate
        For `scores`: `"count"` numbers rows that are otherwise the same.
    replace
        Import the same content again, in the place of what came in before.

    Raises
    ------
    SetupError
        The source cannot be used, with every problem listed; or its content is here already. Nothing was written.

    Examples
    --------
    >>> import tempfile
    >>> store = Store(Path(tempfile.mkdtemp()) / "traces.duckdb")
    >>> rows = [{"record_id": "a", "coder": "kf", "criterion": "respect", "category": "no"}]
    >>> import_traces(store, rows, name="pilot")
    Imported 'pilot' (scores): 1 cell (1 ok) with 1 score of 1 record.
    """
    store = getattr(target, "store", target)
    study = _study(source, kind, name, criteria, columns or {}, replicate)
    problems = [*study.problems, *answer_problems(study, criteria)]
    if not study.judged and not problems:
        problems.append("there is nothing in it to import.")
    if problems:
        raise SetupError(*head(problems))
    with store.writing() as con:
        earlier = _earlier(con, study)
        if earlier and not replace:
            raise SetupError(
                f"this content is here already, as the run {', '.join(f'`{run}`' for run in earlier)}; "
                "replace=True imports it in its place."
            )
        if gone := forgotten_records(con, dict.fromkeys(judged.record_id for judged in study.judged)):
            raise SetupError(
                *head(f"record `{record}` was forgotten here; take it out of the data." for record in gone)
            )
        if earlier:
            _remove(con, store, earlier)
        run_id = _land(con, study, criteria)
    return ImportedTraces(
        run_id=run_id,
        kind=study.kind,
        name=study.name,
        cells=len(study.judged),
        scores=sum(len(judged.answers) for judged in study.judged),
        records=len({judged.record_id for judged in study.judged}),
        statuses=dict(Counter(judged.status for judged in study.judged).most_common()),
        replaced=len(earlier),
        remarks=study.remarks,
    )


def _study(
    source: Any,
    kind: str | None,
    name: str | None,
    criteria: Criteria | None,
    columns: Mapping[str, str],
    replicate: str | None,
) -> ImportedStudy:
    """What the source holds, read by the reader of its kind."""
    if kind is not None and kind not in KINDS:
        raise SetupError(f"kind={kind!r} is none of {', '.join(KINDS)}; {nearest(kind, KINDS)}")
    if replicate not in (None, COUNT):
        raise SetupError(f"replicate={replicate!r}: write {COUNT!r}, or name the column: columns={{'replicate': ...}}.")
    if kind == "inspect" or (kind is None and _is_log(source)):
        study = _read_log(source)
    else:
        rows = rows_of(source)
        if kind == "buttermilk" or (kind is None and not columns and _is_buttermilk(rows)):
            study = read_buttermilk(rows, name=name or name_of(rows.description, "buttermilk"), criteria=criteria)
        else:
            study = read_table(
                rows,
                name=name or name_of(rows.description, "scores"),
                columns=columns,
                criteria=criteria,
                replicate=replicate,
            )
    shown = shown_source(source)
    about = {**study.about, **({"address": shown} if shown else {})}
    return study.model_copy(update={"name": name or study.name, "about": about})


def _is_log(source: Any) -> bool:
    """Whether it is an Inspect log: by its ending, or a JSON file that begins like one."""
    if not isinstance(source, str | Path):
        return False
    ending = Path(str(source).partition("?")[0]).suffix.lower()
    if ending != ".json":
        return ending == ".eval"
    with local(source) as path, path.open("rb") as handle:
        start = handle.read(4096).decode("utf-8", "replace")
    return start.lstrip().startswith("{") and '"eval"' in start


def _read_log(source: Any) -> ImportedStudy:
    if not isinstance(source, str | Path):
        raise SetupError("an Inspect log is a file: give its path or address.")
    with local(source) as path:
        return read_inspect(path)


def _is_buttermilk(rows: Source) -> bool:
    there = set(rows.columns)
    return any(marks <= there for marks in MARKS)


def _earlier(con: duckdb.DuckDBPyConnection, study: ImportedStudy) -> list[str]:
    found = con.execute(
        "select run_id from runs where json_extract_string(manifest, '$.imported.sha256') = ? order by run_id",
        [study.about["sha256"]],
    ).fetchall()
    return [run_id for (run_id,) in found]


def _remove(con: duckdb.DuckDBPyConnection, store: Store, run_ids: list[str]) -> None:
    at, why = now(), "imported again"
    sizes = rows_of_runs(con, run_ids)
    remove_runs(con, run_ids)
    rows = [Tombstone(kind="run", what=run, removed_at=at, reason=why, n_rows=n) for run, n in sizes.items()]
    store.append(con, rows)


def _land(con: duckdb.DuckDBPyConnection, study: ImportedStudy, criteria: Criteria | None) -> str:
    """Write everything; the run's id."""
    run_id, at = uuid7(), now()
    versions, records = _versions(con, study)
    if problems := same_design_problems(study, versions, criteria):
        raise SetupError(*head(problems))
    rows = make_rows(study, run_id, versions, criteria, at)
    distinct = dict.fromkeys(versions)
    run = RunRow(
        run_id=run_id,
        flow=study.name,
        flow_hash=digest("fi1", study.kind, study.name),
        corpus_hash=digest("co1", *(part for version in distinct for part in version)),
        status="running",
        started_at=at,
        manifest=canonical(_manifest(study)),
    )
    state = {"state": "imported", "run_id": run_id, "cells": len(rows.cells), "flow": study.name}
    event = StatusEvent(transaction_id=run_id, source="import", payload=state).as_row()
    ended = RunEnd(run_id, "imported", now())
    write_batch(
        con,
        WriteBatch(rows=[run, event, *rows.texts], cells=rows.cells, units=rows.units, records=records, finish=ended),
    )
    return run_id


def _versions(con: duckdb.DuckDBPyConnection, study: ImportedStudy) -> tuple[list[Version], list[Record]]:
    """Of each cell the version of its record: the text that came with it, else the newest here, else none."""
    bare = {judged.record_id for judged in study.judged if judged.record is None}
    here = con.execute(
        "select record_id, arg_max(record_hash, first_seen_at), arg_max(details_hash, first_seen_at) "
        "from records where list_contains(?, record_id) group by record_id",
        [sorted(bare)],
    ).fetchall()
    known = {record_id: Version(record_hash, details_hash) for record_id, record_hash, details_hash in here}
    unknown = {name: Record(record_id=name, content="") for name in sorted(bare - known.keys())}
    known |= {name: version_of(record) for name, record in unknown.items()}
    own = [version_of(record) for record in study.records]
    versions = [known[j.record_id] if j.record is None else own[j.record] for j in study.judged]
    return versions, [*study.records, *unknown.values()]


def _manifest(study: ImportedStudy) -> dict[str, Any]:
    """How the run came about: from what, when it was made, by which version."""
    return {
        "buttermilk_nb": metadata.version("buttermilk-nb"),
        "imported": {"kind": study.kind, **to_jsonable(study.about)},
        "flow": {"name": study.name, "imported": study.kind},
        "corpus": {"records": len({judged.record_id for judged in study.judged})},
        "remarks": list(study.remarks),
    }


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
