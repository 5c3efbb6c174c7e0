"""Events, manifests and lines of the log that name somebody who is to be forgotten.

A name counts as named where it stands as a JSON text of its own (`"r1"`) or in backticks, which is how this
package's sentences name things; so `1` is not found in `10`, nor in a time. What an event said is then taken out
of it, the event stays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from ..._internal.ids import canonical

ERASED = canonical({"forgotten": True})


def json_forms(name: str) -> list[str]:
    """How a name stands in JSON that names it.

    Examples
    --------
    >>> json_forms("r1")
    ['"r1"', '`r1`']
    """
    return [json.dumps(name, ensure_ascii=False), json.dumps(f"`{name}`", ensure_ascii=False)[1:-1]]


def anonymise_events(con: duckdb.DuckDBPyConnection, new: Mapping[str, str]) -> int:
    """Take records out of the events: what was said of them, and their ids. `new` maps old ids to others."""
    touched = 0
    for old, token in new.items():
        found = con.execute(
            "update events set payload = ?, transaction_id = split_part(transaction_id, '/', 1) || '/' || ? "
            "where transaction_id is not null and substr(transaction_id, instr(transaction_id, '/') + 1) = ? "
            "and contains(transaction_id, '/')",
            [ERASED, token, old],
        ).fetchone()
        touched += found[0] if found else 0
        for spelling in json_forms(old):
            found = con.execute(
                "update events set payload = ? where contains(payload, ?)", [ERASED, spelling]
            ).fetchone()
            touched += found[0] if found else 0
    return touched


def clean_manifests(con: duckdb.DuckDBPyConnection, new: Mapping[str, str]) -> None:
    """Put other names in the place of records in what runs say about themselves."""
    for old, token in new.items():
        found, other = json_forms(old)[1], json_forms(token)[1]
        con.execute(
            "update runs set manifest = replace(manifest, ?, ?) where contains(manifest, ?)", [found, other, found]
        )


def clean_logs(folder: Path, names: Iterable[str]) -> int:
    """Take the lines that name one of these records out of the log files; how many."""
    wanted = list(names)
    marks = [spelling for name in wanted for spelling in json_forms(name)]
    return _without(folder, lambda line: _names_record(line, wanted, marks))


def clean_logs_of_coder(folder: Path, coder: str) -> int:
    """Take the lines that name a coder as such out of the log files; how many."""
    return _without(folder, lambda line: coder in line and _says_coder(_loaded(line), coder))


def event_names_coder(payload: str, coder: str) -> bool:
    """Whether what an event says names a coder as such.

    Examples
    --------
    >>> event_names_coder('{"coder":"kf"}', "kf"), event_names_coder('{"state":"kf"}', "kf")
    (True, False)
    """
    return _says_coder(_loaded(payload), coder)


def without_coder(value: Any, coder: str) -> Any:
    """Plain data without a coder's part of any mapping called `coders` or `labels`.

    Examples
    --------
    >>> without_coder({"mapping": {"coders": {"kf": {"*": "kf_column"}, "ab": {"*": "c"}}}}, "kf")
    {'mapping': {'coders': {'ab': {'*': 'c'}}}}
    """
    if isinstance(value, list):
        return [without_coder(item, coder) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: without_coder(item, coder) for key, item in value.items()}
    for key in ("coders", "labels"):
        if isinstance(kept.get(key), dict):
            kept[key] = {name: item for name, item in kept[key].items() if name != coder}
    return kept


def _without(folder: Path, gone: Callable[[str], bool]) -> int:
    removed = 0
    for path in sorted(folder.glob("*.jsonl*")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        kept = [line for line in lines if not gone(line)]
        if len(kept) < len(lines):
            fresh = path.with_name(f".{path.name}.fresh")
            fresh.write_text("".join(kept), encoding="utf-8")
            fresh.replace(path)
            removed += len(lines) - len(kept)
    return removed


def _names_record(line: str, names: list[str], marks: list[str]) -> bool:
    read = _loaded(line)
    if not isinstance(read, dict):
        return any(mark in line for mark in marks)
    _, slash, of = str(read.get("transaction_id") or "").partition("/")
    payload = str(read.get("payload") or "")
    return bool(slash and of in names) or any(mark in payload or mark in line for mark in marks)


def _says_coder(value: Any, coder: str) -> bool:
    if isinstance(value, str):
        inside = _loaded(value) if value[:1] in "{[" else None
        return f"coder `{coder}`" in value or (inside is not None and _says_coder(inside, coder))
    if isinstance(value, list):
        return any(_says_coder(item, coder) for item in value)
    if isinstance(value, dict):
        named = value.get("coder") == coder or any(coder in (value.get(key) or ()) for key in ("coders", "labels"))
        return named or any(_says_coder(item, coder) for item in value.values())
    return False


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
