"""Fixtures: caches in a temporary folder, filled with entries as the client writes them."""

from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3

import pytest

from buttermilk_nb._internal.ids import digest
from buttermilk_nb.llm.cache import AnswerCache
from buttermilk_nb.llm.completion import CacheEntry, Completion

WHEN = dt.datetime(2026, 11, 1, 12)  # noqa: DTZ001  # in UTC and without a zone, as entries are


@pytest.fixture
def make_cache(tmp_path):
    """Open the cache in a folder; all are closed at the end."""
    opened = []

    def make(folder="cache"):
        cache = AnswerCache(tmp_path / folder)
        opened.append(cache)
        return cache

    yield make
    for cache in opened:
        cache.close()


@pytest.fixture
def cache(make_cache):
    """An empty cache."""
    return make_cache()


@pytest.fixture
def cache_key():
    """The n-th key."""
    return lambda n: digest("k1", str(n))


@pytest.fixture
def cache_entry():
    """An entry on disk, as the client writes it."""

    def make(text="yes", *, model="a/one", parts=None, day=0, **completion):
        fields = {"text": text, "raw": text, "answered_at": WHEN + dt.timedelta(days=day), **completion}
        named = {"model": model, "params": "kp1-0", "message 1 (user)": "km1-0", **(parts or {})}
        return CacheEntry(parts=named, completion=Completion(**fields)).model_dump_json()

    return make


@pytest.fixture
def put_entries(cache):
    """Put entries as a run does, by key."""

    def work(**entries):
        async def all_of_them():
            await asyncio.gather(*(cache.put(key, value) for key, value in entries.items()))

        asyncio.run(all_of_them())

    return work


@pytest.fixture
def tamper(cache):
    """Close the cache and change its database by hand, as somebody who sent it might have."""

    def work(statement, values=()):
        cache.open()
        cache.close()
        con = sqlite3.connect(cache.folder / "cache.db")
        with con:
            con.execute(statement, values)
        con.close()

    return work
