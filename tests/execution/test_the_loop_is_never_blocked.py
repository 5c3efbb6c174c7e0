"""Nothing holds the background loop for 50 ms, so that progress and Ctrl-C always come through; nothing waits unseen.

asyncio itself says what held its loop, in debug mode. A machine that does other work too may interrupt any callback for
that long: so the loop's clock stands still while another process has its processor (where Linux tells), and the best
of a few tries counts; what the code itself does shows in every one of them. Beside other workers of the tests a thread
that has the interpreter may itself wait for a processor, so each of them is allowed for; `.ci/run` runs this file alone
first, at 50 ms.
"""

from __future__ import annotations

import ast
import gc
import linecache
import logging
import os
import time
from collections import Counter
from pathlib import Path

import pytest
import yaml
from chat_server import ChatServer, said

import buttermilk_nb as bm
from buttermilk_nb._internal import event_loop
from buttermilk_nb.llm.calls import sender

SLOW_S = 0.05 * int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
TRIES = 6
MB = 1_000_000
CALM = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["vermin"]})
SENTENCE = "they are vermin, said some, and others said nothing. "
FLOW = bm.Flow("tone", [bm.Judge("judge", criteria=CALM)])
WAITED = Path("/proc/thread-self/schedstat")


def own_time():
    """Seconds, without those in which this thread was ready and the processor was given to others."""
    if not WAITED.exists():
        return time.monotonic()
    before = WAITED.read_text().split()[1]
    return time.monotonic() - int(before) / 1e9


@pytest.fixture
def slow(caplog, monkeypatch):
    """What held the loop in the best of several tries: `slow(work)`, where `work` is given the number of the try."""
    # debug mode notes where each task was made, and asks the disk whether the source files have changed meanwhile:
    # at each such question another thread may take the interpreter for 5 ms
    monkeypatch.setattr(linecache, "checkcache", lambda filename=None: None)
    monkeypatch.setattr(event_loop.background_loop(), "time", own_time)
    loop = event_loop.background_loop()
    usual = loop.slow_callback_duration
    caplog.set_level(logging.WARNING, logger="asyncio")

    def measure(work):
        tries = []
        for turn in range(TRIES):
            caplog.clear()
            gc.collect()
            loop.set_debug(True)
            try:
                work(turn)
            finally:
                loop.set_debug(False)
            said = [record.getMessage() for record in caplog.records if record.name == "asyncio"]
            tries.append([line for line in said if " took " in line])
            if not tries[-1]:
                return []
        return min(tries, key=len)

    loop.slow_callback_duration = SLOW_S
    yield measure
    loop.slow_callback_duration = usual


@pytest.fixture
def server():
    made = ChatServer()
    made.start()
    yield made
    made.stop()
    sender._shared_limiters.clear()


@pytest.fixture
def remote(tmp_path, server):
    """A project whose model is that server, asked once, so that litellm is loaded and has its connections."""
    folder = tmp_path / "remote"
    folder.mkdir()
    toy = {"model": "hosted_vllm/toy", "api_base": server.base}
    settings = {"name": "remote", "sets": {"judges": ["toy"]}, "models": {"toy": toy}, "backoff_s": 0.02}
    (folder / "buttermilk.yaml").write_text(yaml.safe_dump(settings))
    project = bm.init("remote", path=folder)
    FLOW.run(texts(2, "warm"))
    return project


@pytest.fixture
def offline(make_project):
    return make_project("offline/strict")


def texts(n, name, characters=30, sentence=SENTENCE):
    """Texts of that length, all different."""
    body = sentence * (characters // len(sentence) + 1)
    return bm.Corpus([bm.Record(record_id=f"{name}-{i}", content=f"{name} {i}: {body}"[:characters]) for i in range(n)])


def test_a_loop_that_is_blocked_is_seen(slow):
    async def block():
        time.sleep(2 * SLOW_S)  # noqa: ASYNC251  # this is what must not be

    assert len(slow(lambda turn: event_loop.submit(block()).result())) == 1


def test_calls_that_fail_and_are_sent_again_never_block_it(slow, remote, server):
    asked = Counter()

    def reply(body):
        text = said(body)
        asked[text] += 1
        place = int(text.rpartition(":")[0].rpartition(" ")[2]) % 10
        if asked[text] > 1 or place > 2:
            return server.answer(body)
        return server.failure(429, headers={"retry-after": "0.1"}) if place == 0 else server.failure(500 + place)

    def work(turn):
        run = FLOW.run(texts(300, f"try {turn}"))
        assert (run.counts, run.traces().attempts.sum()) == ({"ok": 300}, 390)

    server.reply = reply
    assert slow(work) == []


def test_offline_models_never_block_it(slow, offline):
    def work(turn):
        assert FLOW.run(texts(1_000, f"try {turn}", 4_096)).counts == {"ok": 1_000}

    assert slow(work) == []


def test_a_run_that_is_answered_from_the_cache_never_blocks_it(slow, offline):
    corpus = texts(1_000, "again", 4_096)
    FLOW.run(corpus)
    sent = offline.client.sent
    assert slow(lambda turn: FLOW.run(corpus)) == []
    assert offline.client.sent == sent


MALFORMED = {
    "cut off": '{"criteria": {"calm": {"reasons": ["' + "It says so. " * (MB // 12),
    "unescaped quotes": '{"criteria": {"calm": {"reasons": ["' + '"it", it says ' * (MB // 14) + '"answer": "no"',
    "apostrophes": "{'criteria': {'calm': {'reasons': ['" + "it's so, " * (MB // 9) + "'], 'answer': 'no'}}}",
    "no commas": '{"criteria": {"calm": {"reasons": [' + '"It" "says" ' * (MB // 12) + '], "answer": "no"}}}',
    "commas too many": '{"criteria": {"calm": {"reasons": ["' + "It says\nso. " * (MB // 13) + '",], "answer": "no",}}',
    "brackets": '{"criteria": {"calm": [' + '{"reasons": [' * (MB // 13),
    "many objects": '{"reasons": "so"} ' * (MB // 18),
    "prose": "I think { that this is } not " * (MB // 29),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_megabyte_of_malformed_json_never_blocks_it(slow, remote, server, kind):
    def work(turn):
        run = FLOW.run(texts(4, f"try {turn}"))
        assert run.counts == {"invalid": 4}
        assert run.calls().response.str.len().min() > MB

    server.reply = lambda body: server.answer(body, text=MALFORMED[kind])
    assert slow(work) == []


def test_texts_of_a_megabyte_never_block_it(slow, remote):
    def work(turn):
        assert FLOW.run(texts(60, f"try {turn}", MB), concurrency=8).counts == {"ok": 60}

    assert slow(work) == []


QUOTES = "“They are vermin”, said some. "


@pytest.mark.parametrize(("sentence", "length"), [(SENTENCE, MB), (QUOTES, MB // 4)], ids=["cues", "cues in quotes"])
def test_offline_models_that_read_long_texts_full_of_cues_never_block_it(slow, offline, sentence, length):
    def work(turn):
        assert FLOW.run(texts(3, f"try {turn}", length, sentence)).counts == {"ok": 3}

    assert slow(work) == []


# --- what the source itself says --------------------------------------------------------------------------------------

PACKAGE = Path(bm.__file__).parent
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "_shipped" not in path.parts)
WAITS = {"asyncio.timeout", "asyncio.timeout_at", "timeout", "wait_for"}


def each(kind):
    """Every node of a kind in the package, with where it stands and the text of its line."""
    for path in SOURCES:
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, kind):
                yield node, f"{path.relative_to(PACKAGE)}:{node.lineno}", lines[node.lineno - 1]


def is_number(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def is_nothing(node):
    """`pass`, `...` or a text that stands alone."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def test_nothing_in_the_package_sleeps():
    sleeps = [
        where
        for node, where, _ in each(ast.Call | ast.ImportFrom)
        if (isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep")
        or (isinstance(node, ast.ImportFrom) and node.module == "time" and "sleep" in ast.unparse(node))
    ]
    assert sleeps == []


def test_no_failure_is_caught_and_passed_over():
    assert [where for node, where, _ in each(ast.ExceptHandler) if all(map(is_nothing, node.body))] == []


def test_what_is_suppressed_says_why_on_its_line():
    calls = [(node, where, line) for node, where, line in each(ast.Call) if ast.unparse(node.func).endswith("suppress")]
    assert calls, "nothing is suppressed any more: this test has nothing to look at"
    assert [where for _, where, line in calls if "#" not in line] == []


def test_every_time_limit_has_a_name():
    literal = [
        f"{where}: {ast.unparse(keyword)}"
        for node, where, _ in each(ast.Call)
        for keyword in node.keywords
        if keyword.arg in ("timeout", "timeout_s") and is_number(keyword.value)
    ]
    literal += [
        f"{where}: {ast.unparse(node)}"
        for node, where, _ in each(ast.Call)
        if ast.unparse(node.func).rpartition("asyncio.")[2] in WAITS and any(map(is_number, node.args))
    ]
    assert literal == []
