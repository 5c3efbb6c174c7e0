"""Creates the tables and views of a file, and updates them to this version.

Migrations are numbered SQL files, and existing ones are never changed. All missing migrations run in one transaction,
so that the file stays as it was if one fails. Before that, a file with data is copied to the same folder.
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
    """The migration files, in order."""
    folder = resources.files(__package__) / "migrations"
    return sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)


def newest_version() -> int:
    """The version of the tables that this package writes."""
    return _migration_number(migrations()[-1])


def is_up_to_date(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether a file has this version's tables and views."""
    meta = _read_meta(con)
    return (meta.get("schema_version"), meta.get("views")) == (str(newest_version()), VIEWS_HASH)


def prepare_tables(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Create the tables and views, or update them to this version.

    Parameters
    ----------
    con
        A connection that may write.
    path
        Its file.

    Raises
    ------
    StoreError
        The file is newer than this package, or a migration failed and the file is as it was.
    """
    meta = _read_meta(con)
    version, newest = int(meta.get("schema_version", 0)), newest_version()
    if version > newest:
        raise StoreError(
            f"`{path.name}` was written by a newer buttermilk_nb (its tables have version {version}, yours {newest}); "
            "upgrade with `pip install -U buttermilk-nb`."
        )
    if version == newest and meta.get("views") == VIEWS_HASH:
        return
    backup = _back_up(con, path, newest) if 0 < version < newest and _has_rows(con) else None
    with transaction(con, path.name):
        _migrate(con, version)
    if backup:
        print(  # noqa: T201  # the user should know what happened to the file
            f"The tables in {path.name} were updated to version {newest}. A copy of the old file is {backup.name}; "
            "delete it when you no longer need it."
        )


def _migrate(con: duckdb.DuckDBPyConnection, version: int) -> None:
    for migration in migrations():
        if _migration_number(migration) > version:
            con.execute(migration.read_text(encoding="utf-8"))
    for name, query in VIEWS.items():
        con.execute(f"create or replace view {name} as {query}")  # our own words only
    con.execute("delete from meta where key in ('schema_version', 'views')")
    con.execute("insert into meta values ('schema_version', ?), ('views', ?)", [str(newest_version()), VIEWS_HASH])


def _migration_number(migration: Traversable) -> int:
    return int(migration.name[:4])


def _read_meta(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    try:
        return dict(con.execute("select key, value from meta").fetchall())
    except duckdb.CatalogException:
        return {}


def _has_rows(con: duckdb.DuckDBPyConnection) -> bool:
    result = con.execute("select coalesce(sum(estimated_size), 0) from duckdb_tables() where table_name <> 'meta'")
    return result.fetchall() != [(0,)]


def _back_up(con: duckdb.DuckDBPyConnection, path: Path, version: int) -> Path:
    """Copy the file to the same folder, without overwriting an earlier copy."""
    for number in itertools.count(1):
        backup = path.with_name(f"{path.name}.before-v{version}{f'-{number}' if number > 1 else ''}")
        if not backup.exists():
            break
    copy_to(con, backup)
    return backup
