"""Answers of which nothing says for certain what they mean: none of them is read."""

from __future__ import annotations

import datetime as dt

import pytest

from buttermilk_nb.errors import InvalidAnswer
from buttermilk_nb.llm.answers.parse_json import parse_json
from buttermilk_nb.llm.completion import Completion

KEYS = ("criteria", "answer", "q", "r")


def read(text):
    return parse_json(Completion(text=text, answered_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), raw=text), KEYS)


@pytest.mark.parametrize(
    "value",
    ["\N{MINUS SIGN}2", "\N{EN DASH}2", "<2", "> 3", ">= 3", "\N{LESS-THAN OR EQUAL TO}2", "~4", "3 or 4", "4 to 5",
     "85%",
     "1 000", "-1 or 1", "2 (maybe)", "+/-3", "3?"],
)  # fmt: skip
@pytest.mark.parametrize(
    "form", ['{{"answer": {}}}', '{{"criteria": {{"q": {{"answer": {}, "reasons": []}}}}}}', "{{answer: {}}}"]
)
def test_no_sign_and_no_word_of_a_bare_value_is_dropped(form, value):
    with pytest.raises(InvalidAnswer):
        read(form.format(value))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("{'answer': 'yes',}", "yes"), ("{answer: yes}", "yes"), ('{"answer": 3,}', 3), ('{"answer": -2.5,}', -2.5),
        ('{"answer": 3 // because\n}', 3), ('{"answer": True,}', True), ('{"answer": 4-5,}', "4-5"),
        ('{"answer": "yes", "reasons": ["note: 3 or 4"],}', "yes"), ('{"answer": null, }', None),
        ("{'answer': 'no', 'reasons': ['it says \"so\": <2']}", "no"),
    ],
)  # fmt: skip
def test_what_a_repair_does_not_change_is_read(text, answer):
    assert read(text)["answer"] == answer


@pytest.mark.parametrize(
    "text",
    [
        "{'answer': 'yes', 'reasons': [], 'answer': 'no'}",
        '{"answer": "yes", "answer": "no",}',
        "{'criteria': {'q': {'answer': 'yes'}, 'q': {'answer': 'no'}}}",
        '{"criteria": {"q": {"answer": "yes"}}, "answer": "no"}',
        '{"criteria": {"q": {"answer": "yes"}}, "q": {"answer": "no"}}',
        '{"criteria": {"q": {"answer": "yes", "revised": {"answer": "no"}}}}',
        '{"criteria": {"q": {"answer": "yes", "final_answer": "no"}}}',
        '{"criteria": {"q": {"answer": "yes"}, "r": {"answer": "no"}}, "answer": "no"}',
        '{"answer": "yes", "Corrected answer": "no"}',
    ],
)
def test_two_answers_in_one_object_are_none(text):
    with pytest.raises(InvalidAnswer):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"criteria": {"q": {"answer": "yes"}}, "answer": "yes"}',
        '{"criteria": {"q": {"answer": "yes"}}, "q": {"answer": "yes"}}',
        '{"criteria": {"q": {"answer": "yes", "final_answer": "yes"}}}',
        '{"criteria": {"q": {"answer": "yes", "answer_confidence": "high"}}}',
    ],
)
def test_the_same_answer_twice_is_one(text):
    assert read(text)["criteria"]["q"]["answer"] == "yes"


@pytest.mark.parametrize(
    "tail",
    [
        "However, after re-evaluating the text I realized I made a mistake.", 'The correct answer is "no".', '["no"]',
        "Correction: no.", "On second thought, it is not.", "Scratch that.", "Let me correct this.",
        "The answer should be no.", "I was wrong.",
    ],
)  # fmt: skip
def test_an_answer_that_is_taken_back_is_none(tail):
    with pytest.raises(InvalidAnswer, match="continues after its end"):
        read(f'{{"answer": "yes"}}\n{tail}')


@pytest.mark.parametrize("tail", ["I hope this helps!", "Let me know if you need more.", "```", "(See reason [1].)"])
def test_other_words_after_an_answer_do_not_matter(tail):
    assert read(f'{{"answer": "yes"}}\n{tail}') == {"answer": "yes"}


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("<|START_THINKING|>", "<|END_THINKING|>"), ("<|channel>thought\n", "<channel|>"),
        ("Here is my thought process:", "Here is my response:"), ("analysisWe need JSON:", "assistantfinal"),
        ("<|channel|>analysis<|message|>", "<|channel|>final <|constrain|>json<|message|>"),
        ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
    ],
)  # fmt: skip
def test_a_draft_in_the_thinking_of_any_model_is_no_answer(begin, end):
    draft, answer = '{"answer": "no"}', '{"answer": "yes"}'
    assert read(f"{begin} Perhaps {draft}. {end}{answer}") == {"answer": "yes"}
    with pytest.raises(InvalidAnswer, match="thinking never ended"):
        read(f"{begin} Perhaps {draft}. But wait")
