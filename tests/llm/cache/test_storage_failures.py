"""A full disk, a folder that may not be written, damaged files, and other programs at work in the same folder."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from buttermilk_nb.errors import StoreError
from buttermilk_nb.llm.cache.safe_disk import transaction

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs limits and users as POSIX has them")

FULL = """
import asyncio, resource, sys
from pathlib import Path
from buttermilk_nb.llm.cache import AnswerCache
from buttermilk_nb.llm.cache.safe_disk import transaction
from buttermilk_nb.errors import StoreError

cache = AnswerCache(Path(sys.argv[1]))
cache.open()
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

async def fill():
    for n in range(1000):
        await cache.put(f"k{n}", "x" * int(sys.argv[2]))

for work in (lambda: asyncio.run(fill()), lambda: cache.rebuild([("z", "y" * 400_000)])):
    try:
        work()
    except StoreError as error:
        print(error)
print(all(cache.get(f"k{n}") for n in range(len(cache))), len(cache) < 1000)
"""


@posix
@pytest.mark.parametrize("length", [5_000, 400_000], ids=["in the database", "in a file"])
def test_a_full_disk_is_one_sentence_and_what_was_written_stays(tmp_path, length):
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "cache"), str(length)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    *said, kept = done.stdout.splitlines()
    assert len(said) == 2
    assert all("could not be written to the cache" in line for line in said)
    assert "rollback" not in done.stdout
    assert kept == "True True"
    assert done.stderr == ""


READ_ONLY = """
import os, sys
from pathlib import Path
from buttermilk_nb.llm.cache import AnswerCache
from buttermilk_nb.llm.cache.safe_disk import transaction
from buttermilk_nb.errors import StoreError

cache = AnswerCache(Path(sys.argv[1]))
if os.geteuid() == 0:
    import numpy, pandas  # while this user may still read them
    os.seteuid(65534)
for work in (lambda: cache.get("k"), cache.stats, lambda: cache.rebuild([("k", "v")])):
    try:
        work()
    except StoreError as error:
        print(error)
"""


@posix
def test_a_folder_that_may_not_be_written_is_one_sentence_that_never_says_to_delete_it(make_cache):
    with tempfile.TemporaryDirectory() as name:  # tmp_path is closed to other users
        folder = Path(name)
        folder.chmod(0o755)
        cache = make_cache(folder / "cache")
        cache.rebuild([("k", "v")])
        cache.close()
        (folder / "cache").chmod(0o555)
        (folder / "cache" / "cache.db").chmod(0o444)
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(folder / "cache")],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        (folder / "cache").chmod(0o755)
    said = done.stdout.splitlines()
    assert len(said) == 3
    assert all("this user needs write permission in that folder" in line for line in said)
    assert "Delete" not in done.stdout


def test_a_file_in_the_place_of_the_folder_is_one_sentence(make_cache, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StoreError, match="cannot be read"):
        make_cache().stats()


@pytest.mark.parametrize("ask", ["stats", "find", "explain", "rebuild", "drop"])
def test_a_damaged_database_is_one_sentence_that_says_what_to_do(cache, cache_entry, ask):
    cache.rebuild([("k0", cache_entry())])
    cache.close()
    (cache.folder / "cache.db").write_bytes(b"not a database " * 500)
    work = {
        "stats": cache.stats,
        "find": cache.find,
        "explain": lambda: cache.explain({}),
        "rebuild": lambda: cache.rebuild([("k1", cache_entry())]),
        "drop": lambda: cache.delete("k0"),
    }[ask]
    with pytest.raises(StoreError, match=r"cannot be read .*Deleting it is safe"):
        work()


def test_a_database_that_breaks_in_the_middle_is_one_sentence(cache, cache_entry):
    cache.rebuild((f"k{n}", cache_entry("x" * 1_000)) for n in range(200))
    cache.close()
    path = cache.folder / "cache.db"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = os.urandom(len(data) - len(data) // 2)
    path.write_bytes(data)
    with pytest.raises(StoreError, match="cannot be read"):
        cache.find()


OTHER = """
import sys
from pathlib import Path
from buttermilk_nb.llm.cache import AnswerCache

cache = AnswerCache(Path(sys.argv[1]))
print(cache.rebuild((f"k{n}", sys.argv[2]) for n in range(3_000)))
cache.close()
"""


def test_several_programs_may_fill_one_cache_at_once(cache, cache_entry):
    cache.open()
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OTHER, str(cache.folder), cache_entry()], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    mine = cache.rebuild((f"k{n}", cache_entry()) for n in range(3_000))
    theirs = [int(process.communicate(timeout=60)[0]) for process in started]
    assert mine + sum(theirs) == len(cache) == 3_000


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not let go of open files")
def test_an_answer_is_never_written_to_a_database_that_was_deleted_and_made_anew(
    cache, make_cache, put_entries, cache_entry
):
    put_entries(k0=cache_entry())
    for path in cache.folder.iterdir():
        path.unlink()
    other = make_cache()
    other.rebuild([("k1", cache_entry())])
    put_entries(k2=cache_entry())
    assert sorted(other.find().key) == ["k1", "k2"]


def test_reading_the_whole_cache_does_not_wait_for_a_writer(cache, make_cache, cache_entry):
    cache.rebuild([("k0", cache_entry())])
    other = make_cache().open()
    with other.transact():
        other.set("k1", cache_entry())
        assert cache.stats().answers == 1
    assert cache.stats().answers == 2


def test_a_writer_waits_for_another_program_longer_than_sqlite_does(cache, cache_entry):
    disk = cache.open()
    disk._timeout = 0.05  # instead of a minute
    other = sqlite3.connect(cache.folder / "cache.db", isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    releasing = threading.Timer(0.4, lambda: other.execute("commit"))
    releasing.start()
    assert cache.rebuild([("k0", cache_entry())]) == 1
    releasing.join()
    other.close()


def test_any_other_failure_is_raised_at_once_instead_of_being_tried_for_ever(cache):
    disk = cache.open()
    disk._sql("begin")
    with pytest.raises(sqlite3.OperationalError, match="within a transaction"), transaction(disk):
        pass
    disk._sql("rollback")


def test_the_reason_of_a_failure_is_told_where_sqlite_has_rolled_back_already(cache):
    def fail(disk):
        with transaction(disk):
            disk._sql("rollback")
            raise sqlite3.OperationalError("the real reason")

    with pytest.raises(sqlite3.OperationalError, match="the real reason"):
        fail(cache.open())
