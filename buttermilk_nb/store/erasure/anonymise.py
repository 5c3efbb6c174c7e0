"""Removes the names of erased records and coders from events, manifests and logs.

A name is recognised if it is a whole JSON string (`"r1"`) or in backticks, as in the messages of this package. So `1`
is not recognised in `10` or in a time. The content of such an event is removed, but the event itself stays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from ..._internal.ids import canonical
from ..._internal.private_files import private_files
from .erased_texts import ErasedTexts

ERASED = canonical({"forgotten": True})


def json_forms(name: str) -> list[str]:
    """The forms in which a name can appear in JSON.

    Examples
    --------
    >>> json_forms("r1")
    ['"r1"', '`r1`']
    """
    return [json.dumps(name, ensure_ascii=False), json.dumps(f"`{name}`", ensure_ascii=False)[1:-1]]


def anonymise_events(con: duckdb.DuckDBPyConnection, replacements: Mapping[str, str]) -> int:
    """Remove the content of events about these records and replace their ids; returns the number of changes."""
    n_changed = 0
    for record_id, new_id in replacements.items():
        row = con.execute(
            "update events set payload = ?, transaction_id = split_part(transaction_id, '/', 1) || '/' || ? "
            "where transaction_id is not null and substr(transaction_id, instr(transaction_id, '/') + 1) = ? "
            "and contains(transaction_id, '/')",
            [ERASED, new_id, record_id],
        ).fetchone()
        n_changed += row[0] if row else 0
        for form in json_forms(record_id):
            row = con.execute("update events set payload = ? where contains(payload, ?)", [ERASED, form]).fetchone()
            n_changed += row[0] if row else 0
    return n_changed


def clean_manifests(con: duckdb.DuckDBPyConnection, replacements: Mapping[str, str]) -> None:
    """Replace the ids of records in the manifests of runs."""
    for record_id, new_id in replacements.items():
        old_form, new_form = json_forms(record_id)[1], json_forms(new_id)[1]
        con.execute(
            "update runs set manifest = replace(manifest, ?, ?) where contains(manifest, ?)",
            [old_form, new_form, old_form],
        )


def clean_logs(folder: Path, names: Iterable[str], erased: ErasedTexts) -> int:
    """Remove the lines that name one of these records or quote its texts from the log files; returns their number."""
    record_ids = list(names)
    forms = [form for name in record_ids for form in json_forms(name)]
    return _remove_lines(folder, lambda line: _names_record(line, record_ids, forms) or erased.occurs_in(line))


def clean_coder_logs(folder: Path, coder: str) -> int:
    """Remove the lines that name a coder as a coder from the log files, and return their number."""
    return _remove_lines(folder, lambda line: coder in line and _value_names_coder(_parse_json(line), coder))


def event_names_coder(payload: str, coder: str) -> bool:
    """Whether the payload of an event names a coder as a coder.

    Examples
    --------
    >>> event_names_coder('{"coder":"kf"}', "kf"), event_names_coder('{"state":"kf"}', "kf")
    (True, False)
    """
    return _value_names_coder(_parse_json(payload), coder)


def remove_coder(value: Any, coder: str) -> Any:
    """Plain data without the coder's entry in any mapping called `coders` or `labels`.

    Examples
    --------
    >>> remove_coder({"mapping": {"coders": {"kf": {"*": "kf_column"}, "ab": {"*": "c"}}}}, "kf")
    {'mapping': {'coders': {'ab': {'*': 'c'}}}}
    """
    if isinstance(value, list):
        return [remove_coder(item, coder) for item in value]
    if not isinstance(value, dict):
        return value
    result = {key: remove_coder(item, coder) for key, item in value.items()}
    for key in ("coders", "labels"):
        if isinstance(result.get(key), dict):
            result[key] = {name: item for name, item in result[key].items() if name != coder}
    return result


def _remove_lines(folder: Path, is_removed: Callable[[str], bool]) -> int:
    removed = 0
    for path in sorted(folder.glob("*.jsonl*")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        kept_lines = [line for line in lines if not is_removed(line)]
        if len(kept_lines) < len(lines):
            new_path = path.with_name(f".{path.name}.fresh")
            with private_files(folder):
                new_path.write_text("".join(kept_lines), encoding="utf-8")
            new_path.replace(path)
            removed += len(lines) - len(kept_lines)
    return removed


def _names_record(line: str, record_ids: list[str], forms: list[str]) -> bool:
    entry = _parse_json(line)
    if not isinstance(entry, dict):
        return any(mark in line for mark in forms)
    _, slash, record_id = str(entry.get("transaction_id") or "").partition("/")
    payload = str(entry.get("payload") or "")
    return bool(slash and record_id in record_ids) or any(mark in payload or mark in line for mark in forms)


def _value_names_coder(value: Any, coder: str) -> bool:
    if isinstance(value, str):
        nested = _parse_json(value) if value[:1] in "{[" else None
        return f"coder `{coder}`" in value or (nested is not None and _value_names_coder(nested, coder))
    if isinstance(value, list):
        return any(_value_names_coder(item, coder) for item in value)
    if isinstance(value, dict):
        is_named = value.get("coder") == coder or any(coder in (value.get(key) or ()) for key in ("coders", "labels"))
        return is_named or any(_value_names_coder(item, coder) for item in value.values())
    return False


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
