"""Which cells `retry` asks again, and a re-run of answers that were asked for twice."""

import json

import pytest
from support.chat_server import ANSWER, messages_text

import buttermilk_nb as bm

SAME = ["record_id", "criterion", "category", "status", "conclusion", "reasons", "uncertainty", "model", "design_id"]


def flow(**fields):
    return bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"), **fields)])


def texts(n=1):
    return bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"Text {i}.") for i in range(n)])


def is_second(body):
    """Whether a request objects to an earlier answer."""
    return len(body["messages"]) > 2 and body["messages"][-2]["role"] == "assistant"


def first_nonsense(server, second=None):
    """Nonsense first, and then what `second` makes, or an answer."""

    def reply(body):
        if is_second(body):
            return second(body) if second else server.answer(body)
        return server.answer(body, text="I think it is rather calm.")

    server.reply = reply


def places(server, since):
    """Which texts were asked about since."""
    return sorted({n for body in server.received[since:] for n in range(9) if f"Text {n}." in messages_text(body)})


def test_a_cell_whose_second_answer_was_good_is_not_invalid(server, make_study):
    first_nonsense(server)
    make_study()
    assert flow().run(texts()).counts == {"ok": 1}
    run = flow().run(texts(), retry=["invalid"])
    assert (run.counts, len(server.received)) == ({"ok": 1}, 2)
    assert run.calls().cached.tolist() == [True, True]


@pytest.mark.parametrize(("retry", "again"), [(["invalid"], [1]), (["ok"], [0, 2]), (["ok", "invalid"], [0, 1, 2])])
def test_only_cells_of_the_named_statuses_are_asked_again(server, make_study, retry, again):
    server.reply = lambda body: server.answer(body, text="Hm." if "Text 1." in messages_text(body) else None)
    make_study()
    first = flow(reask=False).run(texts(3))
    assert first.counts == {"ok": 2, "invalid": 1}
    run = flow(reask=False).run(texts(3), retry=retry)
    assert places(server, 3) == again
    assert len(server.received) == 3 + len(again)
    assert run.counts == first.counts
    assert run.calls().cached.sum() == 3 - len(again)


def test_an_ok_cell_is_asked_again_where_that_is_named_and_its_new_answer_is_kept(server, make_study):
    make_study()
    flow().run(texts())
    server.reply = lambda body: server.answer(
        body, text=json.dumps({"criteria": {"calm": {**ANSWER, "answer": "yes"}}})
    )
    assert flow().run(texts(), retry="ok").scores().category.item() == "yes"
    assert flow().run(texts()).scores().category.item() == "yes"
    assert len(server.received) == 2


def test_a_cell_that_was_just_answered_is_not_asked_again_whatever_retry_says(server, make_study):
    make_study()
    assert flow().run(texts(), retry=["ok", "invalid"]).counts == {"ok": 1}
    assert len(server.received) == 1


def test_a_retried_cell_whose_new_answer_is_nonsense_too_is_objected_to_anew(server, make_study):
    words = iter(["Hm.", "Well.", "Hm, no.", None])
    server.reply = lambda body: server.answer(body, text=next(words))
    make_study()
    assert flow().run(texts()).counts == {"invalid": 1}
    run = flow().run(texts(), retry=["invalid"])
    assert run.counts == {"ok": 1}
    assert [is_second(body) for body in server.received] == [False, True, False, True]
    assert "Hm, no." in messages_text(server.received[3])


@pytest.mark.parametrize("status", [500, 400])
def test_a_replay_repeats_a_second_try_that_had_failed(server, make_study, status):
    first_nonsense(server, lambda _: server.failure(status))
    make_study(retries=0)
    first = flow().run(texts(2), concurrency=1)
    asked = len(server.received)
    assert first.counts == {"invalid": 2}
    replayed = flow().run(texts(2), cache="only")
    assert replayed.scores()[SAME].equals(first.scores()[SAME])
    assert replayed.errors().raw_text.tolist() == first.errors().raw_text.tolist()
    assert replayed.calls().cached.all()
    assert len(server.received) == asked


def test_a_second_try_that_had_failed_is_tried_when_the_cell_is_run_again(server, make_study):
    first_nonsense(server, lambda _: server.failure(500))
    make_study(retries=0)
    assert flow().run(texts()).counts == {"invalid": 1}
    first_nonsense(server)
    assert flow().run(texts()).counts == {"ok": 1}
    assert [is_second(body) for body in server.received] == [False, True, True]
