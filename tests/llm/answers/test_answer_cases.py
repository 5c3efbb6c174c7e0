"""Answers as models write them: a server on loopback sends each, and a judge of its scale reads it."""

from __future__ import annotations

import json

import pytest

import buttermilk_nb as bm

TEXTS = bm.Corpus([bm.Record(record_id="r0", content="A quiet room.")])
INVALID = "invalid"
DEVICES = "labels: mockery | appeal | threat"
CASES = [
    ("yes/no", "True", "yes"),
    ("yes/no", "false", "no"),
    ("yes/no", ["yes"], "yes"),
    ("yes/no", "ｙｅｓ", "yes"),
    ("yes/no", "yes or no", INVALID),
    ("1-5", "3/5", 3),
    ("1-5", "4 out of 5", 4),
    ("1-5", "４", 4),
    ("1-5", "3/4", INVALID),
    ("1-5", "4-5", INVALID),
    ("1-5", "2,5", INVALID),
    ("0..1", "0,5", 0.5),
    ("0..1", "50%", INVALID),
    ("0..1", "1,000", INVALID),
    (DEVICES, "mockery and appeal", ["appeal", "mockery"]),
    (DEVICES, {"mockery": True, "appeal": False}, ["mockery"]),
    (DEVICES, "no mockery, but appeal", INVALID),
]


def verdict(answer):
    """The text of a model's answer to the criterion `q`."""
    return json.dumps({"q": {"reasons": ["because"], "conclusion": "c", "answer": answer, "uncertainty": "low"}})


def judge_message(server, scale, **message):
    """A run of one judge, to whom the server sends this message whatever it is asked."""

    def reply(body):
        answer = server.answer(body, "")
        answer["choices"][0]["message"] = {"role": "assistant", **message}
        return answer

    server.reply = reply
    criteria = bm.Criteria("q", "Is it so?", scale=scale)
    return bm.Flow("http", [bm.Judge("judge", criteria=criteria, reask=False)]).run(TEXTS)


def stored_answer(run, scale):
    """The one answer of a run: a word, a number or a list of labels; its status if it has none."""
    score = run.scores().iloc[0]
    if score.status != "ok":
        assert score[["category", "value"]].isna().all()
        return score.status
    if scale == DEVICES:
        return json.loads(score.category)
    return score.category if scale == "yes/no" else score.value


@pytest.mark.parametrize(("scale", "answer", "right"), CASES, ids=str)
def test_an_answer_is_read_as_its_scale_means_it(server, toy_project, scale, answer, right):
    run = judge_message(server, scale, content=verdict(answer))
    assert stored_answer(run, scale) == right
    assert len(server.received) == 1
    notes = {"0,5": "`0,5` was read with a decimal comma"}
    assert run.scores().answer_note.item() == (notes.get(answer) if isinstance(answer, str) else None)


def test_an_answer_in_a_part_of_the_content_is_read(server, toy_project):
    parts = [{"type": "thinking", "thinking": "..."}, {"type": "text", "text": verdict("yes")}]
    run = judge_message(server, "yes/no", content=parts)
    assert stored_answer(run, "yes/no") == "yes"
    assert len(server.received) == 1


def test_an_answer_in_the_arguments_of_a_tool_call_is_read(server, toy_project):
    call = {"id": "c1", "type": "function", "function": {"name": "answer", "arguments": verdict("yes")}}
    run = judge_message(server, "yes/no", content=None, tool_calls=[call])
    assert stored_answer(run, "yes/no") == "yes"


def test_an_answer_in_the_reasoning_alone_is_none_and_the_row_says_where_it_is(server, toy_project):
    run = judge_message(server, "yes/no", content="", reasoning_content=verdict("yes"))
    assert stored_answer(run, "yes/no") == INVALID
    message = run.errors().error_message.item()
    assert f"{len(verdict('yes')):,} characters of reasoning and an empty answer" in message
