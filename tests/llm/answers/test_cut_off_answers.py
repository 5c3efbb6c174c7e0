"""An answer that ends too early is never completed by guessing."""

import datetime as dt
import json

import pytest
from hypothesis import given, settings, strategies as st

from buttermilk_nb.errors import InvalidAnswer
from buttermilk_nb.llm.answers.parse_json import parse_json
from buttermilk_nb.llm.completion import Completion


def read(text, **fields):
    return parse_json(Completion(text=text, answered_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), raw=text, **fields))


@pytest.mark.parametrize("reason", [None, "stop"])
@pytest.mark.parametrize(
    "text",
    [
        '{"answer": "no',
        '{"answer": "no \n',
        '{"answer": "no\\',
        '{"answer": "',
        '{"answer":',
        '{"answer"',
        '{"answer": "yes",',
        '{"answer": "yes", "uncertainty"',
        '{"answer": 4',
        '{"answer": no',
        '{"answer": tru',
        "{'answer': 'no",
        "{“answer”: “no",
        '```json\n{"answer": "no',
        'Draft: {"answer": "yes"}\nFinal: {"reasons": ["it',
        '{"criteria": {"calm": {"answer": "the set {a}',
        '{"reasons": ["he said "never" to it"], "answer": "no',
        '<think>\nIs it {"answer": "yes"}?',
        '[{"answer": "no',
    ],
)
def test_an_answer_that_ends_in_a_value_was_cut_off_whatever_the_provider_says(text, reason):
    with pytest.raises(InvalidAnswer, match="was cut off"):
        read(text, finish_reason=reason)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"answer": "no"', {"answer": "no"}),
        ('{"criteria": {"calm": {"answer": "no"', {"criteria": {"calm": {"answer": "no"}}}),
        ('{"reasons": ["a", "b"], "answer": "no"\n```', {"reasons": ["a", "b"], "answer": "no"}),
        ('{"answer": "no", "reasons": ["a"', {"answer": "no", "reasons": ["a"]}),
        ('{"answer": "no}', {"answer": "no"}),
        ('{"answer": no\n```', {"answer": "no"}),
    ],
)
def test_where_only_closing_marks_are_missing_they_are_added(text, found):
    assert read(text) == found


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="}`"), max_size=12)
ENTRY = st.fixed_dictionaries(
    {
        "reasons": st.lists(WORDS, max_size=2),
        "answer": st.sampled_from(["no", "not applicable", "no opinion", "12", "1"]) | st.integers(0, 200),
        "uncertainty": st.sampled_from(["low", "lower"]),
    }
)
WRITTEN = st.sampled_from(
    [
        json.dumps,
        lambda value: json.dumps(value, indent=2, ensure_ascii=False),
        lambda value: "Here it is:\n```json\n" + json.dumps(value),
        lambda value: "<think>{\"answer\": \"yes\"}</think>\n" + json.dumps(value),
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(ENTRY, WRITTEN)
def test_no_beginning_of_an_answer_is_read_as_another_answer(entry, written):
    text = written({"criteria": {"calm": entry}})
    for end in range(len(text)):
        try:
            found = read(text[:end])
        except InvalidAnswer:
            continue
        got = found.get("criteria", {}).get("calm", {})
        assert got.get("answer", entry["answer"]) == entry["answer"], text[:end]
        assert got.get("uncertainty", entry["uncertainty"]) == entry["uncertainty"], text[:end]
