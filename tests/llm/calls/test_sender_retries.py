"""What is asked again, how often, after how long, and what is on record of it."""

import time

import pytest
from support.chat_server import HANG

import buttermilk_nb as bm


def calm():
    return bm.Criteria("calm", "Is it calm?", flag="no")


def flow(**fields):
    return bm.Flow("tone", [bm.Judge("judge", criteria=calm(), **fields)])


def texts(n):
    return bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"Text number {i} of many.") for i in range(n)])


def replies(server, *made):
    """These replies, one after another, and then answers."""
    queue = list(made)
    server.reply = lambda body: queue.pop(0) if queue else server.answer(body)


def test_a_passing_failure_is_asked_again_and_every_attempt_is_a_row(server, make_study):
    replies(server, server.failure(500), server.failure(503))
    make_study()
    run = flow().run(texts(1))
    calls = run.calls()
    assert calls.status.tolist() == ["error", "error", "ok"]
    assert calls.attempt.tolist() == [1, 2, 3]
    assert calls.error_code.tolist()[:2] == ["500", "503"]
    assert (run.counts, run.traces().attempts.item(), len(server.received)) == ({"ok": 1}, 3, 3)


def test_the_wait_before_an_attempt_is_stored(server, make_study):
    replies(server, server.failure(500))
    make_study(backoff_s=0.4)
    waited = flow().run(texts(1)).calls().waited_s.tolist()
    assert waited[0] < 0.2 <= waited[1] <= 0.6


def test_retries_end_where_the_settings_say(server, make_study):
    server.reply = lambda body: server.failure(500)
    make_study(retries=2)
    run = flow().run(texts(1))
    assert (run.counts, len(server.received)) == ({"error": 1}, 3)


def test_a_model_and_a_step_may_say_otherwise(server, make_study):
    server.reply = lambda body: server.failure(500)
    make_study(retries=2, toy={"retries": 1})
    flow().run(texts(1))
    assert len(server.received) == 2
    bm.Flow("tone", [bm.Step(bm.Judge("judge", criteria=calm()), retries=0)]).run(texts(1))
    assert len(server.received) == 3


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (401, "invalid_api_key", "Incorrect key."),
        (429, "insufficient_quota", "You exceeded your current quota, please check your plan."),
        (400, "context_length_exceeded", "This model's maximum context length is 8 tokens."),
        (404, "model_not_found", "There is no such model."),
    ],
)
def test_what_asking_again_cannot_mend_is_asked_once(server, make_study, status, code, message):
    server.reply = lambda body: server.failure(status, message, code=code)
    make_study()
    run = flow().run(texts(1))
    assert (run.counts, len(server.received)) == ({"error": 1}, 1)


def test_after_a_wrong_key_nothing_more_is_sent_to_that_model(server, make_study):
    server.reply = lambda body: server.failure(401, "Incorrect key.", code="invalid_api_key")
    make_study(concurrency=1)
    run = flow().run(texts(10))
    assert (run.counts, len(server.received)) == ({"error": 10}, 1)
    assert run.errors().error_message.str.startswith("not asked: ").sum() == 9


def test_a_model_that_fails_again_and_again_is_given_up(server, make_study):
    server.reply = lambda body: server.failure(500)
    make_study(concurrency=1, retries=0, give_up_after=3)
    run = flow().run(texts(10))
    assert (run.counts, len(server.received)) == ({"error": 10}, 3)
    assert "3 times in a row" in run.errors().error_message.iloc[-1]


def test_the_next_run_asks_it_again(server, make_study):
    server.reply = lambda body: server.failure(500)
    make_study(concurrency=1, retries=0, give_up_after=1)
    flow().run(texts(2))
    server.reply = server.answer
    assert flow().run(texts(2)).counts == {"ok": 2}


def test_retry_after_is_honoured(server, make_study):
    replies(server, server.failure(429, "slow down", headers={"retry-after": "1"}))
    make_study()
    began = time.monotonic()
    assert flow().run(texts(1)).counts == {"ok": 1}
    assert time.monotonic() - began >= 1


def test_a_wait_longer_than_anybody_would_wait_is_said_and_not_waited(server, make_study):
    server.reply = lambda body: server.failure(429, "slow down", headers={"retry-after": "4000"})
    make_study()
    run = flow().run(texts(1))
    assert (run.counts, len(server.received)) == ({"error": 1}, 1)
    assert "`backoff_max_s`" in run.errors().error_message.item()


def test_a_hung_connection_is_asked_again_after_the_time_limit(server, make_study):
    replies(server, HANG)
    make_study(toy={"timeout_s": 0.4})
    run = flow().run(texts(1))
    assert (run.counts, run.calls().status.tolist()) == ({"ok": 1}, ["timeout", "ok"])


def test_the_time_limit_of_a_step_comes_first(server, make_study):
    server.reply = lambda body: HANG
    make_study(toy={"timeout_s": 30.0}, retries=0)
    step = bm.Step(bm.Judge("judge", criteria=calm()), timeout_s=0.3)
    assert bm.Flow("tone", [step]).run(texts(1)).counts == {"timeout": 1}


def test_a_step_keeps_its_limits_in_yaml():
    made = bm.Flow("tone", [bm.Step(bm.Judge("judge", criteria=calm()), timeout_s=3.0, retries=1)])
    read = bm.Flow.from_yaml(made.to_yaml())
    assert (read.steps[0].timeout_s, read.steps[0].retries) == (3.0, 1)


def test_the_run_stops_at_its_time_limit_and_keeps_what_is_done(server, make_study):
    server.wait_s = 0.1
    make_study(concurrency=2, grace_s=1.0)
    with pytest.raises(bm.errors.RunStopped, match="time limit"):
        flow().run(texts(400), time_limit_s=0.8)
    run = bm.last_run()
    assert run.status == "out of time"
    assert 0 < run.counts["ok"] < 400
    assert sum(run.counts.values()) == 400


def test_the_same_request_asked_by_many_at_once_is_retried_for_all_of_them(server, make_study):
    replies(server, server.failure(500))
    server.wait_s = 0.1
    make_study()
    same = bm.Corpus([bm.Record(record_id=f"r{i}", content="The very same text.") for i in range(5)])
    run = flow().run(same)
    calls = run.calls()
    assert (run.counts, len(server.received)) == ({"ok": 5}, 2)
    assert (~calls.cached).sum() == 2
