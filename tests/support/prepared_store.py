"""A database with its tables, made once in each test process by the package itself and copied for each new project.

To make the tables takes a tenth of a second, and most tests make a project. The tests of the Store and of the whole
system make their own, and so do processes that a test starts.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from buttermilk_nb.store import connection
from buttermilk_nb.store.store import Store

from .paths import TESTS

STORE_FILE = "traces.duckdb"
_OWN = (TESTS / "system", TESTS / "project" / "test_private_files.py")


@pytest.fixture(scope="session")
def prepared_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a database with empty tables."""
    path = tmp_path_factory.mktemp("prepared") / STORE_FILE
    with Store(path).writing():
        pass
    return path


@pytest.fixture
def tables_are_copied(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, prepared_store: Path) -> None:
    """Copy the tables into the file of a new project."""
    if request.path.parent == TESTS / "store" or not {request.path, *request.path.parents}.isdisjoint(_OWN):
        return
    create = connection._create_file

    def copy(path: Path) -> None:
        if path.name == STORE_FILE and not path.exists():
            shutil.copyfile(prepared_store, path)
        create(path)

    monkeypatch.setattr(connection, "_create_file", copy)
