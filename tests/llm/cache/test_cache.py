"""The cache: what is kept, when it is read, and what a hostile file cannot do."""

import asyncio
import pickle
import re
import sqlite3
import stat
import sys

import pytest
from support.study import TEXTS, corpus, desk, flow, judge, respect

import buttermilk_nb as bm
from buttermilk_nb.config.settings import Settings
from buttermilk_nb.errors import StoreError
from buttermilk_nb.llm.cache import AnswerCache
from buttermilk_nb.llm.calls.client import Client
from buttermilk_nb.llm.calls.run_scope import RunScope
from buttermilk_nb.llm.message import Message
from buttermilk_nb.llm.model import Request
from buttermilk_nb.llm.offline_input import OfflineInput
from buttermilk_nb.llm.registry import make_model

# --- modes -------------------------------------------------------------------------------------------


def test_the_second_run_asks_no_model(project):
    first = flow(judge(desk(), replicates=2)).run(corpus())
    sent = project.client.sent
    again = flow(judge(desk(), replicates=2)).run(corpus())
    assert (sent, project.client.sent) == (6, 6)
    assert again.calls().cached.all()
    assert again.scores().equals(first.scores())


def test_the_answers_outlive_the_program(make_project):
    first = make_project()
    flow().run(corpus())
    first.cache.close()
    second = make_project()
    flow().run(corpus())
    assert (first.client.sent, second.client.sent) == (3, 0)


def test_refresh_asks_again_and_keeps_the_new_answers(project):
    flow().run(corpus())
    refreshed = flow().run(corpus(), cache="refresh").models()
    assert project.client.sent == 6
    assert flow().run(corpus()).models().last_answered_at.tolist() == refreshed.last_answered_at.tolist()
    assert project.client.sent == 6


def test_off_neither_reads_nor_writes(project):
    flow().run(corpus(), cache="off")
    flow().run(corpus(), cache="off")
    assert (project.client.sent, len(project.cache)) == (6, 0)


def test_only_serves_what_is_there(project):
    flow().run(corpus())
    assert flow().run(corpus(), cache="only").counts == {"ok": 3}
    assert project.client.sent == 3


def test_only_raises_at_a_miss_and_names_record_and_model(project):
    flow().run(corpus(2))
    with pytest.raises(bm.CacheMiss, match=r"`double/answer` is not in the cache for record `r2`.*cache=\"use\""):
        flow().run(corpus(3), cache="only")
    assert project.client.sent == 2


def test_a_miss_leaves_a_failed_run_with_its_finished_rows(project):
    flow().run(corpus(2))
    with pytest.raises(bm.CacheMiss):
        flow().run(corpus(3), cache="only", concurrency=1)
    assert (bm.last_run().status, bm.last_run().counts) == ("failed", {"ok": 2, "pending": 1})


def test_only_sends_nothing_even_where_a_retry_is_asked_for(make_project):
    project = make_project("double/nonsense")
    flow().run(corpus())
    assert flow().run(corpus(), cache="only", retry=["invalid"]).counts == {"invalid": 3}
    assert project.client.sent == 3


def test_the_projects_mode_holds_unless_a_run_says_otherwise(make_project):
    project = make_project(cache="off")
    flow().run(corpus())
    assert len(project.cache) == 0
    flow().run(corpus(), cache="use")
    assert len(project.cache) == 3


def test_a_misspelt_mode_is_a_setup_error_with_the_nearest(project):
    with pytest.raises(bm.SetupError, match="did you mean `refresh`"):
        flow().run(corpus(), cache="refersh")


# --- what is kept ------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", ["ratelimit", "overloaded", "unavailable", "filter"])
def test_errors_are_never_cached(make_project, behaviour):
    project = make_project(f"double/{behaviour}", settings="retries: 0")
    flow().run(corpus(2))
    assert len(project.cache) == 0
    flow().run(corpus(2))
    assert project.client.sent == 4


def test_timeouts_are_never_cached(make_project):
    project = make_project("double/timeout", settings="timeout_s: 0.02\nretries: 0")
    flow().run(corpus(2))
    assert len(project.cache) == 0
    flow().run(corpus(2))
    assert project.client.sent == 4


@pytest.mark.parametrize(
    ("behaviour", "status"), [("refuse", "refused"), ("broken", "invalid"), ("nonsense", "invalid")]
)
def test_refusals_and_invalid_answers_are_cached_with_their_raw_text(make_project, behaviour, status):
    project = make_project(f"double/{behaviour}")
    first = flow().run(corpus(2)).errors()
    again = flow().run(corpus(2)).errors()
    assert project.client.sent == 2
    assert again.status.tolist() == [status, status]
    assert again.raw_text.str.len().gt(0).all()
    assert again.raw_text.tolist() == first.raw_text.tolist()


def test_a_retry_asks_again_for_those_statuses_only(make_project):
    project = make_project("double/nonsense?share=0.4")
    records = corpus(12)
    counts = flow().run(records).counts
    assert 0 < counts["invalid"] < 12
    flow().run(records, retry=["refused"])
    assert project.client.sent == 12
    flow().run(records, retry=["invalid", "refused"])
    assert project.client.sent == 12 + counts["invalid"]


def test_a_retried_question_is_asked_alone_where_questions_are_asked_separately(make_project):
    project = make_project("double/nonsense?share=0.5")
    run = flow(judge(desk(), ask="separately")).run(corpus(6))
    invalid = int(run.scores().status.eq("invalid").sum())
    assert 0 < invalid < 12
    flow(judge(desk(), ask="separately")).run(corpus(6), retry="invalid")
    assert project.client.sent == 12 + invalid


def test_an_unknown_status_to_retry_is_a_setup_error_with_the_nearest(project):
    with pytest.raises(bm.SetupError, match="'invald' is not a status; did you mean `invalid`"):
        flow().run(corpus(), retry=["invald"])


def test_the_entry_on_disk_names_the_parts_of_its_key(project):
    flow().run(corpus(1))
    key = bm.sql("select cache_key from calls").cache_key.item()
    entry = project.cache.get(key)
    assert '"model":"double/answer"' in entry
    assert re.search(r'"message \d \(user\)":"km1-', entry)
    assert TEXTS[0] not in entry.partition('"completion"')[0]


def test_a_cached_answer_costs_nothing_now_and_is_counted_as_saved(project):
    flow().run(corpus(1))
    again = flow().run(corpus(1))
    assert (again.cost_usd, again.calls().saved_usd.item(), again.calls().cost_usd.item()) == (0.0, 0.0, 0.0)


def test_an_entry_that_cannot_be_read_counts_as_none(project):
    flow().run(corpus(1))
    key = bm.sql("select cache_key from calls").cache_key.item()
    asyncio.run(project.cache.put(key, '{"tag": "e1", "cut'))
    assert flow().run(corpus(1)).counts == {"ok": 1}
    assert project.client.sent == 2


# --- single flight -----------------------------------------------------------------------------------


def question(model="double/slow?seconds=0.5"):
    record = bm.Record(record_id="r", content=TEXTS[0])
    return Request(make_model(model), [Message("user", TEXTS[0])], offline_input=OfflineInput(record, respect()))


def ask(client, n=1, **options):
    return [client.ask(question(**options), trace_id=f"t{i}", scope=RunScope("run")) for i in range(n)]


@pytest.fixture
def client(tmp_path):
    cache = AnswerCache(tmp_path / "cache")
    yield Client(cache, Settings(name="test", timeout_s=5, retries=0))
    cache.close()


async def until_sent(client):
    while not client.sent:  # noqa: ASYNC110  # the double tells nobody
        await asyncio.sleep(0.001)


async def gathered(*work):
    return await asyncio.gather(*work, return_exceptions=True)


def test_the_same_question_asked_by_many_at_once_is_one_call(client):
    found = asyncio.run(gathered(*ask(client, 5)))
    assert client.sent == 1
    assert sorted(asked.call.cached for asked in found) == [False, True, True, True, True]
    assert len({asked.call.response_hash for asked in found}) == 1


def test_many_who_ask_at_once_share_a_failure(client):
    found = asyncio.run(gathered(*ask(client, 3, model="double/ratelimit")))
    assert [type(asked.error).__name__ for asked in found] == ["RateLimitError"] * 3
    assert client.sent == 1


def test_two_runs_of_the_same_cells_at_once_pay_once(make_project):
    project = make_project("double/slow?seconds=0.3")

    async def both():
        return await asyncio.gather(flow().run_async(corpus()), flow().run_async(corpus()))

    first, second = asyncio.run(both())
    assert first.counts == second.counts == {"ok": 3}
    assert project.client.sent == 3


def test_stopping_the_one_who_asked_first_leaves_the_others_their_answer(client):
    async def work():
        first, second = (asyncio.create_task(one) for one in ask(client, 2))
        await until_sent(client)
        first.cancel()
        return await gathered(first, second)

    stopped, answered = asyncio.run(work())
    assert isinstance(stopped, asyncio.CancelledError)
    assert (answered.call.cached, client.sent) == (False, 1)


def test_stopping_all_who_ask_ends_the_call(client):
    async def work():
        waiting = [asyncio.create_task(one) for one in ask(client, 2)]
        await until_sent(client)
        for task in waiting:
            task.cancel()
        await gathered(*waiting)
        return (await gathered(*ask(client, 1)))[0]

    answered = asyncio.run(work())
    assert (answered.call.status, client.sent) == ("ok", 2)


# --- hostile and damaged files -----------------------------------------------------------------------


class Bomb:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.fixture
def filled(project):
    """The database of a closed cache that holds one answer, and the answer's key."""
    flow().run(corpus(1))
    key = bm.sql("select cache_key from calls").cache_key.item()
    project.cache.close()
    return project.folder / "cache" / "cache.db", key


def tampered(path, statement, values=()):
    con = sqlite3.connect(path)
    with con:
        con.execute(statement, values)
    con.close()


def test_a_planted_pickle_is_refused_and_never_run(project, filled, tmp_path):
    path, key = filled
    bomb = pickle.dumps(Bomb(tmp_path / "boom"))
    tampered(path, "update Cache set mode = 4, value = ? where key = ?", [sqlite3.Binary(bomb), key])
    with pytest.raises(StoreError, match=r"not text.*this package did not write it"):
        flow().run(corpus(1))
    assert not (tmp_path / "boom").exists()


def test_a_planted_pickle_in_a_value_file_is_refused_and_never_run(project, filled, tmp_path):
    path, key = filled
    (path.parent / "bomb.val").write_bytes(pickle.dumps(Bomb(tmp_path / "boom")))
    tampered(path, "update Cache set mode = 4, filename = 'bomb.val', value = null where key = ?", [key])
    with pytest.raises(StoreError, match="not text"):
        flow().run(corpus(1))
    assert not (tmp_path / "boom").exists()


def test_a_planted_pickle_as_key_is_refused_and_never_run(project, filled, tmp_path):
    path, _ = filled
    bomb = pickle.dumps(Bomb(tmp_path / "boom"))
    tampered(path, "update Cache set key = ?, raw = 0", [sqlite3.Binary(bomb)])
    with pytest.raises(StoreError, match="not text"):
        list(project.cache.open())
    assert flow().run(corpus(1)).counts == {"ok": 1}
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("mode", [1, 2, 3, 4])
def test_a_row_of_any_other_kind_is_refused(project, filled, mode):
    path, key = filled
    tampered(path, "update Cache set mode = ?, value = 7 where key = ?", [mode, key])
    with pytest.raises(StoreError):
        flow().run(corpus(1))


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/hostname", ""])
def test_a_value_file_outside_the_folder_is_refused(project, filled, name):
    path, key = filled
    (project.folder / "secret.txt").write_text("a secret")
    tampered(path, "update Cache set mode = 3, filename = ?, value = null where key = ?", [name, key])
    with pytest.raises(StoreError, match="not text"):
        flow().run(corpus(1))


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_a_link_out_of_the_folder_is_refused(project, filled):
    path, key = filled
    (project.folder / "secret.txt").write_text("a secret")
    (path.parent / "linked.val").symlink_to(project.folder / "secret.txt")
    tampered(path, "update Cache set mode = 3, filename = 'linked.val', value = null where key = ?", [key])
    with pytest.raises(StoreError, match="not text"):
        flow().run(corpus(1))


def test_a_value_file_that_is_not_utf_8_is_a_store_error(project, filled):
    path, key = filled
    (path.parent / "odd.val").write_bytes(b"\xff\xfe\xfa")
    tampered(path, "update Cache set mode = 3, filename = 'odd.val', value = null where key = ?", [key])
    with pytest.raises(StoreError, match="cannot be read"):
        flow().run(corpus(1))


def test_a_damaged_database_is_one_sentence_that_says_what_to_do(project, filled):
    path, _ = filled
    path.write_bytes(b"not a database " * 500)
    with pytest.raises(StoreError, match=r"cannot be read .*Deleting it is safe"):
        flow().run(corpus(1))


def test_the_folder_may_be_deleted_while_the_project_is_open(project):
    flow().run(corpus(1))
    for part in sorted((project.folder / "cache").iterdir()):
        part.unlink()
    (project.folder / "cache").rmdir()
    flow().run(corpus(1))
    assert (project.client.sent, len(project.cache)) == (2, 1)


def test_nothing_is_evicted(project):
    disk = project.cache.open()
    assert (disk.eviction_policy, disk.cull_limit) == ("none", 0)


def test_a_long_answer_is_kept_in_a_file_and_read_back(project):
    text = "ü" * 100_000
    asyncio.run(project.cache.put("k", text))
    project.cache.close()
    assert project.cache.get("k") == text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_the_owner_may_enter_the_folder(project, tmp_path):
    flow().run(corpus(1))
    fresh = AnswerCache(tmp_path / "fresh")
    assert len(fresh) == 0
    fresh.close()
    for folder in (project.folder / "cache", tmp_path / "fresh"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_answer_is_on_disk_when_put_returns_also_where_the_caller_was_stopped(project):
    async def work():
        task = asyncio.create_task(project.cache.put("k", "v"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await project.cache.put("other", "v")

    asyncio.run(work())
    assert project.cache.get("k") == "v"


@pytest.mark.parametrize("value", [b"bytes", 7, None])
def test_only_text_goes_in(project, value):
    with pytest.raises(StoreError, match="could not be written"):
        asyncio.run(asyncio.wait_for(project.cache.put("k", value), 5))


def test_a_text_that_no_file_can_hold_fails_instead_of_waiting_for_ever(project):
    with pytest.raises(StoreError, match="could not be written"):
        asyncio.run(asyncio.wait_for(project.cache.put("k", "\ud800"), 5))
