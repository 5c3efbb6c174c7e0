"""The longest time for which the background loop is held: `uv run python tests/system/benchmarks/blocked_loop.py`.

Each line is work that once held it. The best of three tries counts, because other load on the machine counts too; the
floor is a loop that does nothing but sleep, in the same minute. `--small` tries the command out with short texts.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

import buttermilk_nb as bm
from buttermilk_nb._internal import event_loop

sys.path.insert(0, str(Path(__file__).parents[2]))
from support.chat_server import ChatServer

SMALL = "--small" in sys.argv
MB = 10_000 if SMALL else 1_000_000
CALM = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["vermin"]})
SENTENCE = "they are vermin, said some, and others said nothing. "
MALFORMED = {
    "cut off": '{"criteria": {"calm": {"reasons": ["' + "It says so. " * (MB // 12),
    "apostrophes": "{'criteria': {'calm': {'reasons': ['" + "it's so, " * (MB // 9) + "'], 'answer': 'no'}}}",
    "brackets": '{"criteria": {"calm": [' + '{"reasons": [' * (MB // 13),
    "prose": "I think { that this is } not " * (MB // 29),
}


async def largest_gap(stop: threading.Event) -> float:
    """The largest delay of a loop that is woken each millisecond."""
    largest, last = 0.0, time.perf_counter()
    while not stop.is_set():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        largest, last = max(largest, now - last - 0.001), now
    return largest


def longest_hold(work: Callable[[], object]) -> float:
    """Milliseconds, the best of three tries."""
    tries = []
    for _ in range(1 if SMALL else 3):
        stop = threading.Event()
        gap = asyncio.run_coroutine_threadsafe(largest_gap(stop), event_loop.background_loop())
        work()
        stop.set()
        tries.append(gap.result() * 1000)
    return min(tries)


def texts(n: int, characters: int, start: int = 0) -> bm.Corpus:
    body = SENTENCE * (characters // len(SENTENCE) + 1)
    return bm.Corpus(
        [bm.Record(record_id=f"r{i}", content=f"{i}: {body}"[:characters]) for i in range(start, start + n)]
    )


def works(server: ChatServer) -> Iterator[tuple[str, Callable[[], object]]]:
    """Each kind of work, with its name."""
    start = iter(range(0, 10**9, 10_000))
    remote, offline = (
        bm.Flow(name, [bm.Judge("judge", criteria=CALM, models=name)]) for name in ("toy", "offline/strict")
    )
    yield "nothing but sleep", lambda: time.sleep(1)
    for kind, text in MALFORMED.items():
        server.reply = lambda body, text=text: server.answer(body, text=text)
        yield f"answers of 1 MB, {kind}, a key with signs known", lambda: remote.run(texts(4, 30, next(start)))
    server.reply = server.answer
    yield "60 texts of 1 MB to a server", lambda: remote.run(texts(60, MB, next(start)), concurrency=8)
    yield "3 texts of 1 MB full of cues, offline", lambda: offline.run(texts(3, MB, next(start)))
    corpus = texts(20 if SMALL else 1_000, 4_096, next(start))
    offline.run(corpus)
    yield f"{len(corpus):,} cached answers", lambda: offline.run(corpus)


def main() -> None:
    os.environ["PLANTED_API_KEY"] = "a+planted/key=with.signs"
    with tempfile.TemporaryDirectory() as folder, ChatServer() as server:
        os.chdir(folder)
        toy = {"model": "hosted_vllm/toy", "api_base": server.base}
        settings = {"name": "loop", "sets": {"judges": ["toy"]}, "models": {"toy": toy}}
        Path("loop").mkdir()
        Path("loop/buttermilk.yaml").write_text(yaml.safe_dump(settings))
        bm.init("loop", path="loop")
        for name, work in works(server):
            print(f"{name:<60} {longest_hold(work):6.0f} ms   goal <= 50 ms", flush=True)


if __name__ == "__main__":
    main()
