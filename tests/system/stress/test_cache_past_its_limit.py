"""Nothing is evicted, however much is written. The full form writes 1.1 GiB, past diskcache's own limit of 1 GiB."""

import asyncio
import os
import random

import diskcache
import pytest

from buttermilk_nb.llm.cache import AnswerCache

pytestmark = pytest.mark.stress

FULL = os.environ.get("BUTTERMILK_NB_STRESS") == "full"
MB = 2**20
LIMIT, WRITTEN = (1024 * MB, 1126 * MB) if FULL else (8 * MB, 24 * MB)
LENGTHS = (4_000, 30_000, 300_000)  # in the database, and in files of their own


def values(total):
    """Texts of these lengths, by key, until there is enough."""
    chance = random.Random(7)
    n = size = 0
    while size < total:
        length = LENGTHS[n % len(LENGTHS)]
        yield f"k{n}", chance.choice("abcdefgh") * length
        n, size = n + 1, size + length


def test_an_answer_is_still_there_when_three_times_the_limit_was_written(tmp_path):
    cache = AnswerCache(tmp_path / "cache")
    cache.open().reset("size_limit", LIMIT)
    cache.close()

    async def write():
        waiting = []
        for key, value in values(WRITTEN):
            waiting.append(cache.put(key, value))
            if len(waiting) == 64:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)

    asyncio.run(write())
    assert cache.open().volume() > cache.open().size_limit == LIMIT
    cache.close()
    asyncio.run(cache.put("one more", "after reopening"))
    lost = [key for key, value in values(WRITTEN) if cache.get(key) != value]
    assert lost == []
    assert len(cache) == sum(1 for _ in values(WRITTEN)) + 1
    cache.close()


def test_diskcache_left_as_it_is_would_have_lost_some(tmp_path):
    """So that the test above can fail."""
    with diskcache.Cache(str(tmp_path / "stock"), size_limit=8 * MB) as stock:
        for key, value in values(24 * MB):
            stock[key] = value
        assert len(stock) < sum(1 for _ in values(24 * MB))
