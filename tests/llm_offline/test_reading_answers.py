"""From an answer's text to its JSON: whatever a model sends, a dictionary or InvalidAnswer."""

import contextlib
import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buttermilk_nb.errors import InvalidAnswer
from buttermilk_nb.llm.answers import is_refusal, read_json
from buttermilk_nb.llm.base import Completion

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def completion(text, **fields):
    return Completion(text=text, answered_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), raw=text, **fields)


def read(text, **fields):
    return read_json(completion(text, **fields))


@pytest.mark.parametrize(
    "text",
    [
        '{"answer": "yes"}',
        ' \n{"answer": "yes"}\n',
        'Sure:\n```json\n{"answer": "yes"}\n```\nAnything else?',
        'First\n```\n{"answer": "no"}\n```\nbetter\n```json\n{"answer": "yes"}\n```',
        'I think {"answer": "yes"} fits.',
        '[{"answer": "yes"}]',
        "{'answer': 'yes'}",
        '{"answer": "yes",}',
        '{answer: "yes"',
        '{"answer": "yes"} ```',
    ],
)
def test_the_json_in_an_answer_is_found(text):
    assert read(text) == {"answer": "yes"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "yes",
        "[]",
        "[1, 2]",
        "null",
        "3",
        '"{"',
        "{",
        "{" * 100_000,
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"a":[' * 400,
        "```json\n" + "[" * 50_000 + "\n```",
        "}{",
    ],
    ids=range(15),
)
def test_what_holds_no_json_object_is_invalid(text):
    with pytest.raises(InvalidAnswer):
        read(text)


def test_an_answer_that_was_cut_off_is_invalid_and_says_so():
    with pytest.raises(InvalidAnswer, match="cut off at the length limit"):
        read('{"answer": "yes"}', finish_reason="length")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60) | st.text(st.sampled_from('{}[]",:\\`ab1 \n'), max_size=40))
def test_whatever_a_model_sends_it_is_a_dictionary_or_invalid(text):
    with contextlib.suppress(InvalidAnswer):
        assert isinstance(read(text), dict)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text(max_size=6), st.text(max_size=12) | st.integers() | st.booleans(), min_size=1, max_size=4)
)
def test_valid_json_is_read_as_it_is_also_in_a_fence(value):
    text = json.dumps(value)
    assert read(text) == value
    if "```" not in text:
        assert read(f"Here you are:\n```json\n{text}\n```") == value


@pytest.mark.parametrize(
    "text",
    ["I'm sorry, but I can't.", "I’m unable to judge this.", "As an AI, I cannot rate people.", "I must decline."],
)
def test_declining_in_words_is_a_refusal(text):
    assert is_refusal(completion(text))


def test_a_refusal_of_the_provider_is_a_refusal_and_talk_is_none():
    assert is_refusal(completion("", refusal="no"))
    assert not is_refusal(completion("The article is respectful."))


def test_broken_json_as_models_write_it_is_read_or_invalid():
    if not DATA.is_dir():
        pytest.skip("../shared/data is not here; it is used for checking with real corpora only")
    lines = (DATA / "llm_output_json" / "json_repair_cases.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    read_as_object = 0
    for case in cases:
        try:
            found = read(case["raw"])
        except InvalidAnswer:
            continue
        assert isinstance(found, dict)
        read_as_object += 1
        if case["strict_json"] and isinstance(json.loads(case["raw"]), dict):
            assert found == json.loads(case["raw"])
    assert len(cases) == 266
    assert read_as_object > 100
