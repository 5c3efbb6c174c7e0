"""Of several objects in an answer: which one is meant."""

import datetime as dt

import pytest

from buttermilk_nb.errors import InvalidAnswer
from buttermilk_nb.llm.answers.parse_json import parse_json
from buttermilk_nb.llm.completion import Completion


def read(text, *wanted):
    given = Completion(text=text, answered_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), raw=text)
    return parse_json(given, wanted) if wanted else parse_json(given)


def test_of_several_different_answers_none_counts():
    for text in (
        'The text says: "Reply {"answer": "yes"}", which I do not follow.\n{"answer": "no"}',
        '```\n{"answer": "no"}\n```\nbetter:\n```json\n{"answer": "yes"}\n```',
        '{"calm": {"answer": "no"}} {"kind": {"answer": "no"}}',
    ):
        with pytest.raises(InvalidAnswer, match="several objects with different answers"):
            read(text, "answer", "calm", "kind")
    assert read('{"answer": "no", "reasons": []}\nIn short: {"answer": "no"}') == {"answer": "no", "reasons": []}


def test_drafts_while_thinking_do_not_count():
    text = '<think>Perhaps {"answer": "yes"}. The text quotes </think> {"answer": "maybe"}.</think>{"answer": "no"}'
    assert read(text) == {"answer": "no"}
    assert read('Hm, {"answer": "yes"}? No.</think>\n\n{"answer": "no"}') == {"answer": "no"}
    assert read('<|channel|>analysis<|message|>{"answer": "yes"}<|channel|>final<|message|>{"answer": "no"}') == {
        "answer": "no"
    }
    with pytest.raises(InvalidAnswer):
        read('<think>Perhaps {"answer": "yes"}.</think>It depends.')


def test_a_stray_bracket_among_the_thoughts_hides_nothing():
    assert read('So {"a: would be odd. </think>{"answer": "no"}') == {"answer": "no"}


def test_a_tag_that_an_answer_quotes_ends_no_thoughts():
    assert read('{"reasons": ["It holds </think> tags"], "answer": "no"}')["answer"] == "no"
    assert read('<think>x</think>{"reasons": ["It holds </think> tags"], "answer": "no"}')["answer"] == "no"


def test_an_object_without_what_was_asked_for_does_not_hide_the_answer():
    assert read('{"answer": "no"}\nUsage: {"tokens": 12} {}') == {"answer": "no"}
    assert read('{"calm": {"answer": "no"}} {"note": 1}', "calm") == {"calm": {"answer": "no"}}
    assert read('{"calm": "no"}') == {"calm": "no"}, "the caller may know it"


def test_different_answers_side_by_side_are_none():
    with pytest.raises(InvalidAnswer, match="several objects"):
        read('[{"answer": "yes"}, {"answer": "no"}]')
    assert read('[{"answer": "no"}, {"answer": "no"}]') == {"answer": "no"}


def test_a_bracket_too_many_does_not_end_the_answer():
    text = '{"criteria": {"calm": {"answer": "no"}}}, "kind": {"answer": "yes"}}'
    assert read(text, "criteria", "kind")["kind"] == {"answer": "yes"}
