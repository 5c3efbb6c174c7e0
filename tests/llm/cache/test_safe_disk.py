"""A cache that somebody else made: whatever its files hold, nothing runs, and no file outside is read or removed."""

import base64
import contextlib
import os
import pickle
import sqlite3
import sys

import diskcache
import pytest

from buttermilk_nb.errors import StoreError

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


class Bomb:
    """Unpickled, it makes a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def bomb(tmp_path):
    return pickle.dumps(Bomb(tmp_path / "boom"))


@pytest.fixture
def exploded(tmp_path):
    return (tmp_path / "boom").exists


PLANTED = {
    "value": "update Cache set mode = 4, value = :bomb where key = 'k0'",
    "value file": "update Cache set mode = 4, value = null, filename = 'bomb.val' where key = 'k0'",
    "key": "update Cache set raw = 0, key = :bomb where key = 'k0'",
    "key and value": "update Cache set raw = 0, key = :bomb, mode = 4, value = :bomb where key = 'k0'",
    "key said to be raw": "update Cache set key = :bomb where key = 'k0'",
}


@pytest.fixture(params=PLANTED)
def planted(request, cache, put_entries, cache_entry, tamper, bomb):
    """A cache with a bomb in one row, and one good answer."""
    put_entries(k0=cache_entry("bomb"), k1=cache_entry("good"))
    (cache.folder / "bomb.val").write_bytes(bomb)
    statement = PLANTED[request.param]
    tamper(statement, {"bomb": sqlite3.Binary(bomb)} if ":bomb" in statement else ())
    return cache


# --- pickles -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("disk", [diskcache.Disk, diskcache.JSONDisk])
def test_the_bomb_goes_off_where_diskcache_is_left_as_it_is(tmp_path, bomb, exploded, disk):
    """So that the tests below can fail."""
    with diskcache.Cache(str(tmp_path / "stock"), disk=disk) as stock:
        stock["k"] = "v"
        stock._sql("update Cache set mode = 4, value = ?", (sqlite3.Binary(bomb),))
        with contextlib.suppress(TypeError):  # JSONDisk finds no JSON in what it has run
            stock["k"]
    assert exploded()


def test_getting_the_row_is_refused_or_finds_nothing(planted, exploded):
    with contextlib.suppress(StoreError):
        assert planted.get("k0") is None
    assert not exploded()
    assert "good" in planted.get("k1")


def test_asking_whether_a_key_is_there_runs_nothing(planted, exploded):
    assert "k1" in planted
    assert isinstance("k0" in planted, bool)
    assert not exploded()


@pytest.mark.parametrize("ask", ["stats", "find", "find by text", "explain", "export"])
def test_reading_the_whole_cache_passes_the_row_over_and_runs_nothing(planted, exploded, tmp_path, ask):
    if ask == "stats":
        assert (planted.stats().answers, planted.stats().damaged) == (1, 1)
    elif ask == "export":
        with pytest.warns(UserWarning, match="1 of the cache's rows"):
            assert planted.export(tmp_path / "out.jsonl") == 1
    elif ask == "explain":
        assert "in another arrangement" in planted.explain(
            {"model": "a/one", "params": "kp1-0", "message 1 (user)": "km1-0"}
        )
    else:
        found = planted.find(text="o" if ask == "find by text" else None)
        assert (found.key.tolist(), found.attrs["damaged"]) == (["k1"], 1)
    assert not exploded()


@pytest.mark.parametrize("change", ["put", "rebuild", "delete", "delete a model", "delete everything"])
def test_writing_and_deleting_run_nothing(planted, put_entries, cache_entry, exploded, change):
    if change == "put":
        put_entries(k0=cache_entry("new"))
        assert "new" in planted.get("k0")
    elif change == "rebuild":
        assert planted.rebuild([("k0", cache_entry("new")), ("k1", cache_entry("new"))]) == 1
        assert "new" in planted.get("k0")
        assert "good" in planted.get("k1")
    elif change == "delete everything":
        assert planted.delete(everything=True) == 2
    else:
        assert planted.delete(model="a/one") == 1 if change == "delete a model" else planted.delete("k1") == 1
    assert not exploded()


@pytest.mark.parametrize("walk", [iter, reversed, diskcache.Cache.iterkeys, lambda disk: iter([disk.peekitem()])])
def test_diskcaches_own_iterators_do_not_unpickle_either(cache, put_entries, cache_entry, tamper, bomb, exploded, walk):
    put_entries(k0=cache_entry())
    tamper("update Cache set raw = 0, key = ?", [sqlite3.Binary(bomb)])
    with pytest.raises(StoreError, match="not text"):
        list(walk(cache.open()))
    assert not exploded()


def test_pickles_in_a_file_to_import_are_lines_that_are_refused(
    cache, cache_entry, cache_key, bomb, exploded, tmp_path
):
    coded = base64.b64encode(bomb).decode()
    path = tmp_path / "in.jsonl"
    lines = [
        bomb,
        f'{{"key":"{cache_key(0)}","value":"{coded}"}}'.encode(),
        f'{{"key":"{cache_key(0)}","value":{{"py/reduce":[{{"py/function":"builtins.open"}},["{tmp_path}/boom","w"]]}}}}'.encode(),
        f'{{"key":{{"py/object":"builtins.open"}},"value":{cache_entry()}}}'.encode(),
    ]
    path.write_bytes(b"\n".join(lines))
    done = cache.import_(path)
    assert done.added == 0
    assert done.refused >= 4
    assert not exploded()
    path.write_bytes(bomb)
    assert cache.import_(path).added == 0
    assert not exploded()


# --- files outside -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../precious.val", "../precious.txt", "{outside}/precious.val", "cache.db"])
@pytest.mark.parametrize("change", ["put", "rebuild", "drop", "delete everything"])
def test_a_file_that_a_row_names_is_removed_only_where_it_is_the_caches_own(
    cache, put_entries, cache_entry, tamper, name, change
):
    put_entries(k0=cache_entry(), k1=cache_entry())
    precious = [cache.folder.parent / "precious.val", cache.folder.parent / "precious.txt", cache.folder / "cache.db"]
    for path in precious[:2]:
        path.write_text("not ours")
    tamper("update Cache set filename = ?, mode = 3 where key = 'k0'", [name.format(outside=cache.folder.parent)])
    if change == "put":
        put_entries(k0=cache_entry("new"))
    elif change == "rebuild":
        assert cache.rebuild([("k0", cache_entry("new"))]) == 1
    else:
        cache.delete("k0") if change == "drop" else cache.delete(everything=True)
    assert all(path.exists() for path in precious)
    assert change == "delete everything" or "yes" in cache.get("k1")


@posix
def test_a_pipe_in_the_place_of_a_value_file_is_not_opened(cache, put_entries, cache_entry, tamper):
    put_entries(k0=cache_entry())
    os.mkfifo(cache.folder / "pipe.val")
    tamper("update Cache set filename = 'pipe.val', mode = 3, value = null")
    with pytest.raises(StoreError, match="not text"):
        cache.get("k0")
    assert cache.stats().damaged == 1


@posix
def test_a_linked_folder_leads_nowhere(cache, put_entries, cache_entry, tamper, tmp_path):
    put_entries(k0=cache_entry())
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.val").write_text(cache_entry("a secret"))
    (cache.folder / "ab").symlink_to(tmp_path / "elsewhere")
    tamper("update Cache set filename = 'ab/a.val', mode = 3, value = null")
    assert cache.stats().damaged == 1
    cache.delete(everything=True)
    assert (tmp_path / "elsewhere" / "a.val").exists()


def test_a_value_file_that_is_gone_is_an_answer_that_is_not_there(cache, put_entries, cache_entry):
    put_entries(k0=cache_entry("x" * 40_000))
    next(cache.folder.rglob("*.val")).unlink()
    assert cache.get("k0") is None
    assert cache.stats().damaged == 1
    assert cache.rebuild([("k0", cache_entry("again"))]) == 1


# --- settings in the file ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["disk__directory", "disk_put", "_transact", "get", "sqlite_writable_schema", "x"])
def test_a_setting_that_this_package_never_writes_keeps_the_cache_shut(cache, tamper, name):
    tamper("insert into Settings values (?, 'nonsense')", [name])
    with pytest.raises(StoreError, match=rf"contains a setting \(`{name}`\) that this package never writes"):
        cache.get("k0")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("eviction_policy", "least-recently-stored"),
        ("cull_limit", 10),
        ("statistics", 1),
        ("sqlite_synchronous", 0),
        ("sqlite_journal_mode", "off"),
        ("disk_min_file_size", 0),
    ],
)
def test_settings_that_it_knows_are_its_own_and_not_the_files(cache, tamper, name, value):
    proper = getattr(cache.open(), name)
    tamper("update Settings set value = ? where key = ?", [value, name])
    assert getattr(cache.open(), name) == proper != value


def test_the_settings_hold_after_reopening_and_the_limit_of_size_does_not_count(cache, put_entries, cache_entry):
    put_entries(k0=cache_entry())
    cache.open().reset("size_limit", 1)
    cache.close()
    put_entries(k1=cache_entry())
    disk = cache.open()
    assert (disk.eviction_policy, disk.cull_limit, disk.size_limit) == ("none", 0, 1)
    assert len(cache) == 2
