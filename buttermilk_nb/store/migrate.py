"""Bringing the tables and views of a file up to this version.

Migrations are numbered SQL files and append-only. All that are missing run in one transaction, so that a failing
one leaves the file as it was; before that, a file with data is copied beside itself.
"""

from __future__ import annotations

import itertools
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from ..errors import StoreError
from .connection import transaction
from .snapshot import copy_to
from .views import VIEWS, VIEWS_HASH

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def migrations() -> list[Traversable]:
    """The migrations, in order."""
    folder = resources.files(__package__) / "migrations"
    return sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)


def newest() -> int:
    """The version of the tables that this package writes."""
    return _version(migrations()[-1])


def up_to_date(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether a file has this version's tables and views."""
    meta = _meta(con)
    return (meta.get("schema_version"), meta.get("views")) == (str(newest()), VIEWS_HASH)


def prepare(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make the tables and views, or bring them up to this version.

    Raises
    ------
    StoreError
        The file is newer than this package, or a migration failed and left it as it was.
    """
    meta = _meta(con)
    version, here = int(meta.get("schema_version", 0)), newest()
    if version > here:
        raise StoreError(
            f"`{path.name}` was written by a newer buttermilk_nb (tables version {version}, here {here}); "
            "upgrade with `pip install -U buttermilk-nb`."
        )
    if version == here and meta.get("views") == VIEWS_HASH:
        return
    kept = _keep_a_copy(con, path, here) if 0 < version < here and _has_rows(con) else None
    with transaction(con, path.name):
        _migrate(con, version)
    if kept:
        print(  # noqa: T201  # the user is told once what happened to the file
            f"The tables in {path.name} were brought up to version {here}. The file as it was is kept as {kept.name}; "
            "delete it when you no longer need it."
        )


def _migrate(con: duckdb.DuckDBPyConnection, version: int) -> None:
    for migration in migrations():
        if _version(migration) > version:
            con.execute(migration.read_text(encoding="utf-8"))
    for name, query in VIEWS.items():
        con.execute(f"create or replace view {name} as {query}")  # our own words only
    con.execute("delete from meta where key in ('schema_version', 'views')")
    con.execute("insert into meta values ('schema_version', ?), ('views', ?)", [str(newest()), VIEWS_HASH])


def _version(migration: Traversable) -> int:
    return int(migration.name[:4])


def _meta(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    try:
        return dict(con.execute("select key, value from meta").fetchall())
    except duckdb.CatalogException:
        return {}


def _has_rows(con: duckdb.DuckDBPyConnection) -> bool:
    found = con.execute("select coalesce(sum(estimated_size), 0) from duckdb_tables() where table_name <> 'meta'")
    return found.fetchall() != [(0,)]


def _keep_a_copy(con: duckdb.DuckDBPyConnection, path: Path, version: int) -> Path:
    """Copy the file beside itself; an earlier copy is never written over."""
    for number in itertools.count(1):
        kept = path.with_name(f"{path.name}.before-v{version}{f'-{number}' if number > 1 else ''}")
        if not kept.exists():
            break
    copy_to(con, kept)
    return kept
