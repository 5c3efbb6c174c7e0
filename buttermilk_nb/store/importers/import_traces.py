"""`import_traces` reads and checks a source, then writes all of it or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
from pydantic import BaseModel, ConfigDict

from ..._internal.hooks import get_hook
from ..._internal.ids import canonical, digest, uuid7
from ..._internal.package_versions import package_version
from ..._internal.text import pluralise, to_jsonable
from ...codebook.criteria import Criteria
from ...corpus.loaders import Source
from ...corpus.record import Record
from ...errors import SetupError, nearest
from ...events.event import StatusEvent
from ...schema import RunRow, Tombstone, now
from .. import Store
from ..erasure.delete_rows import remove_runs, rows_of_runs
from ..tombstones import forgotten_records
from ..write import write_batch
from ..write_batch import RunEnd, WriteBatch
from .buttermilk import read_buttermilk
from .buttermilk_rows import SIGNATURES
from .design_ids import RecordVersion, record_version
from .imported_study import ImportedStudy, first_problems
from .inspect_logs import read_inspect
from .score_tables import COUNT, read_table
from .sources import display_source, local_file, read_rows, study_name
from .to_rows import answer_problems, duplicate_design_problems, make_rows

KINDS = ("buttermilk", "inspect", "scores")


class ImportedTraces(BaseModel):
    """The result of an import: the new run, and how many traces, scores and records it has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    kind: str
    name: str
    cells: int
    scores: int
    records: int
    statuses: dict[str, int]
    """Number of traces by status."""
    replaced: int = 0
    """Earlier imports of the same content that were removed."""
    remarks: tuple[str, ...] = ()

    @property
    def run(self) -> Any:
        """The run with these traces, as `bm.run` gives it, in the open project."""
        find_run = get_hook("find_run")
        assert find_run is not None, "the package registers it"
        return find_run(self.run_id)

    def __repr__(self) -> str:
        kinds = ", ".join(f"{n:,} {status}" for status, n in self.statuses.items())
        lines = [
            f"Imported {self.name!r} ({self.kind}): {pluralise(self.cells, 'trace')} ({kinds}) with "
            f"{pluralise(self.scores, 'score')} of {pluralise(self.records, 'record')}."
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
    """Import judgements from another program as a run of this project.

    Parameters
    ----------
    target
        The project, or its Store.
    source
        A path or an address (.eval, .json, .jsonl, .csv, .xlsx, .parquet), a dataframe, a list of rows, or the
        result of `loaders.bigquery.read`.
    kind
        `buttermilk`, `inspect` or `scores`. By default it is detected from the source.
    name
        The name of the run; by default the name of the file or of the task.
    criteria
        The criteria document, if there is one. Its scales read the answers, and its flags flag them.
    columns
        For `scores`: which of its columns is our `record_id`, `judge`, `model`, `criterion`, `category`, `value`,
        `reasons`, ... Columns with these names, and with some similar names, are recognised. All other columns are
        kept as JSON.
    replicate
        For `scores`: `"count"` numbers rows that are otherwise the same.
    replace
        Import the same content again, and remove the earlier import of it.

    Returns
    -------
    ImportedTraces
        The id of the new run, with counts and remarks.

    Raises
    ------
    SetupError
        The source cannot be used (every problem is listed), or its content was imported before. Nothing was written.

    Examples
    --------
    >>> import tempfile
    >>> store = Store(Path(tempfile.mkdtemp()) / "traces.duckdb")
    >>> rows = [{"record_id": "a", "coder": "kf", "criterion": "respect", "category": "no"}]
    >>> import_traces(store, rows, name="pilot")
    Imported 'pilot' (scores): 1 trace (1 ok) with 1 score of 1 record.
    """
    store = getattr(target, "store", target)
    study = _read_source(source, kind, name, criteria, columns or {}, replicate)
    problems = [*study.problems, *answer_problems(study, criteria)]
    if not study.traces and not problems:
        problems.append("it contains nothing to import.")
    if problems:
        raise SetupError(*first_problems(problems))
    with store.writing() as con:
        earlier = _earlier_imports(con, study)
        if earlier and not replace:
            raise SetupError(
                f"this content was imported before, as run {', '.join(f'`{run}`' for run in earlier)}; "
                "replace=True removes that run and imports it again."
            )
        if erased := forgotten_records(con, dict.fromkeys(trace.record_id for trace in study.traces)):
            raise SetupError(
                *first_problems(f"record `{record}` was forgotten here; take it out of the data." for record in erased)
            )
        if earlier:
            _remove_earlier(con, store, earlier)
        run_id = _write_study(con, study, criteria)
    return ImportedTraces(
        run_id=run_id,
        kind=study.kind,
        name=study.name,
        cells=len(study.traces),
        scores=sum(len(trace.answers) for trace in study.traces),
        records=len({trace.record_id for trace in study.traces}),
        statuses=dict(Counter(trace.status for trace in study.traces).most_common()),
        replaced=len(earlier),
        remarks=study.remarks,
    )


def _read_source(
    source: Any,
    kind: str | None,
    name: str | None,
    criteria: Criteria | None,
    columns: Mapping[str, str],
    replicate: str | None,
) -> ImportedStudy:
    """Read the source with the reader of its kind."""
    if kind is not None and kind not in KINDS:
        raise SetupError(f"kind={kind!r} must be one of {', '.join(KINDS)}; {nearest(kind, KINDS)}")
    if replicate not in (None, COUNT):
        raise SetupError(f"replicate={replicate!r}: write {COUNT!r}, or name the column: columns={{'replicate': ...}}.")
    if kind == "inspect" or (kind is None and _is_inspect_log(source)):
        study = _read_inspect_log(source)
    else:
        rows = read_rows(source)
        if kind == "buttermilk" or (kind is None and not columns and _is_buttermilk(rows)):
            study = read_buttermilk(rows, name=name or study_name(rows.description, "buttermilk"), criteria=criteria)
        else:
            study = read_table(
                rows,
                name=name or study_name(rows.description, "scores"),
                columns=columns,
                criteria=criteria,
                replicate=replicate,
            )
    address = display_source(source)
    description = {**study.description, **({"address": address} if address else {})}
    return study.model_copy(update={"name": name or study.name, "description": description})


def _is_inspect_log(source: Any) -> bool:
    """Whether it is an Inspect log: it ends in `.eval`, or it is a JSON file that begins like one."""
    if not isinstance(source, str | Path):
        return False
    ending = Path(str(source).partition("?")[0]).suffix.lower()
    if ending != ".json":
        return ending == ".eval"
    with local_file(source) as path, path.open("rb") as handle:
        start = handle.read(4096).decode("utf-8", "replace")
    return start.lstrip().startswith("{") and '"eval"' in start


def _read_inspect_log(source: Any) -> ImportedStudy:
    if not isinstance(source, str | Path):
        raise SetupError("an Inspect log is a file: give its path or address.")
    with local_file(source) as path:
        return read_inspect(path)


def _is_buttermilk(rows: Source) -> bool:
    columns = set(rows.columns)
    return any(signature <= columns for signature in SIGNATURES)


def _earlier_imports(con: duckdb.DuckDBPyConnection, study: ImportedStudy) -> list[str]:
    rows = con.execute(
        "select run_id from runs where json_extract_string(manifest, '$.imported.sha256') = ? order by run_id",
        [study.description["sha256"]],
    ).fetchall()
    return [run_id for (run_id,) in rows]


def _remove_earlier(con: duckdb.DuckDBPyConnection, store: Store, run_ids: list[str]) -> None:
    removed_at, reason = now(), "imported again"
    sizes = rows_of_runs(con, run_ids)
    remove_runs(con, run_ids)
    rows = [Tombstone(kind="run", what=run, removed_at=removed_at, reason=reason, n_rows=n) for run, n in sizes.items()]
    store.append(con, rows)


def _write_study(con: duckdb.DuckDBPyConnection, study: ImportedStudy, criteria: Criteria | None) -> str:
    """Write all rows of a study and return the id of the run."""
    run_id, imported_at = uuid7(), now()
    versions, records = _versions(con, study)
    if problems := duplicate_design_problems(study, versions, criteria):
        raise SetupError(*first_problems(problems))
    rows = make_rows(study, run_id, versions, criteria, imported_at)
    distinct_versions = dict.fromkeys(versions)
    run = RunRow(
        run_id=run_id,
        flow=study.name,
        flow_hash=digest("fi1", study.kind, study.name),
        corpus_hash=digest("co1", *(part for version in distinct_versions for part in version)),
        status="running",
        started_at=imported_at,
        manifest=canonical(_manifest(study)),
    )
    payload = {"state": "imported", "run_id": run_id, "cells": len(rows.cells), "flow": study.name}
    event = StatusEvent(transaction_id=run_id, source="import", payload=payload).as_row()
    run_end = RunEnd(run_id, "imported", now())
    write_batch(
        con,
        WriteBatch(rows=[run, event, *rows.texts], cells=rows.cells, units=rows.units, records=records, finish=run_end),
    )
    return run_id


def _versions(con: duckdb.DuckDBPyConnection, study: ImportedStudy) -> tuple[list[RecordVersion], list[Record]]:
    """For each trace the version of its record: from its own text, else the newest in the Store, else an empty one."""
    ids_without_text = {trace.record_id for trace in study.traces if trace.record_index is None}
    rows = con.execute(
        "select record_id, arg_max(record_hash, first_seen_at), arg_max(details_hash, first_seen_at) "
        "from records where list_contains(?, record_id) group by record_id",
        [sorted(ids_without_text)],
    ).fetchall()
    versions_by_id = {
        record_id: RecordVersion(record_hash, details_hash) for record_id, record_hash, details_hash in rows
    }
    empty_records = {
        name: Record(record_id=name, content="") for name in sorted(ids_without_text - versions_by_id.keys())
    }
    versions_by_id |= {name: record_version(record) for name, record in empty_records.items()}
    own_versions = [record_version(record) for record in study.records]
    versions = [
        versions_by_id[trace.record_id] if trace.record_index is None else own_versions[trace.record_index]
        for trace in study.traces
    ]
    return versions, [*study.records, *empty_records.values()]


def _manifest(study: ImportedStudy) -> dict[str, Any]:
    """The manifest of the run: its source and the version of this package."""
    return {
        "buttermilk_nb": package_version("buttermilk-nb"),
        "imported": {"kind": study.kind, **to_jsonable(study.description)},
        "flow": {"name": study.name, "imported": study.kind},
        "corpus": {"records": len({trace.record_id for trace in study.traces})},
        "remarks": list(study.remarks),
    }
