"""From an answer's text to its JSON: whatever a model sends, a dictionary or InvalidAnswer."""

import contextlib
import datetime as dt
import json

import pytest
from hypothesis import given, settings, strategies as st

from buttermilk_nb.errors import InvalidAnswer
from buttermilk_nb.llm.answers.parse_json import is_refusal, parse_json
from buttermilk_nb.llm.answers.shown_texts import ShownTexts
from buttermilk_nb.llm.completion import Completion


def completion(text, **fields):
    return Completion(text=text, answered_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), raw=text, **fields)


def read(text, **fields):
    return parse_json(completion(text, **fields))


@pytest.mark.parametrize(
    "text",
    [
        '{"answer": "yes"}',
        ' \n{"answer": "yes"}\n',
        '\ufeff{"answer": "yes"}',
        '\0{"answer": "yes"}\0',
        'Sure:\n```json\n{"answer": "yes"}\n```\nAnything else?',
        '```JSON5 title="answer"\n{"answer": "yes"}\n```',
        '~~~\n{"answer": "yes"}\n~~~',
        'I think {"answer": "yes"} fits.',
        '[{"answer": "yes"}]',
        "{'answer': 'yes'}",
        "{“answer”: “yes”}",
        '{"answer": "yes",}',
        '{answer: "yes"',
        '{"answer": "yes"} ```',
        '{"answer": "yes"}}',
        '{"answer": "yes"]',
        '{"answer": "yes" // quite sure\n}',
        '<think>{"answer": "no"}?</think>{"answer": "yes"}',
        '{"name": "respond", "arguments": {"answer": "yes"}}',
        '<tool_call>{"name": "respond", "arguments": "{\\"answer\\": \\"yes\\"}"}</tool_call>',
        '{"type": "function", "function": {"name": "f", "arguments": {"answer": "yes"}}}',
        '{"response": {"answer": "yes"}}',
        '"{\\"answer\\": \\"yes\\"}"',
    ],
    ids=range(23),
)
def test_the_json_in_an_answer_is_found(text):
    assert read(text) == {"answer": "yes"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"answer": "a\nb"}', {"answer": "a\nb"}),
        ('{"answer": "he said "no" twice"}', {"answer": 'he said "no" twice'}),
        ('{"answer": "a\\ud800b"}', {"answer": "a\ufffdb"}),
        ('{"a\\udfff": 1, "answer": 2}', {"a\ufffd": 1, "answer": 2}),
        ('{"answer": NaN}', {"answer": "NaN"}),
        ('{"answer": -Infinity}', {"answer": "-Infinity"}),
        ('{"answer": 1e999}', {"answer": "1e999"}),
        ("{'answer': True, 'also': None}", {"answer": True, "also": None}),
        ('{"answer": "yes", "answer": "yes"}', {"answer": "yes"}),
        ('{"answer": "<think>no</think>"}', {"answer": "<think>no</think>"}),
    ],
)
def test_odd_values_are_kept_as_text_that_can_be_stored(text, found):
    assert read(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "\ufeff\0",
        "yes",
        "[]",
        "{}",
        "[1, 2]",
        "null",
        "3",
        '"{"',
        "{",
        "{" * 100_000,
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"a":[' * 400,
        '{"a":' * 100 + "1" + "}" * 100,
        "```json\n" + "[" * 50_000 + "\n```",
        "}{",
        "{}" * 1_000,
        "<think>{}</think>" * 1_000,
    ],
    ids=range(20),
)
def test_what_holds_no_json_object_is_invalid(text):
    with pytest.raises(InvalidAnswer):
        read(text)


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS"])
def test_an_answer_that_was_cut_off_is_invalid_and_says_so(reason):
    with pytest.raises(InvalidAnswer, match="cut off at the length limit"):
        read('{"answer": "yes"}', finish_reason=reason)
    with pytest.raises(InvalidAnswer, match="before it began"):
        read("", finish_reason=reason)


def test_a_call_of_a_tool_is_said_to_be_one():
    with pytest.raises(InvalidAnswer, match="called a tool"):
        read("", finish_reason="tool_calls")


def test_an_answer_that_contradicts_itself_is_invalid():
    with pytest.raises(InvalidAnswer, match="gives `answer` twice, with different values"):
        read('{"answer": "yes", "reasons": [], "answer": "no"}')


JSON_BITS = st.text(st.sampled_from("{}[]\",:\\`ab1 \n'“”<>/"), max_size=60)


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=60) | JSON_BITS | JSON_BITS.map(lambda text: '{"answer": "' + text) | JSON_BITS.map("{}".format)
)
def test_whatever_a_model_sends_it_is_a_dictionary_or_invalid(text):
    with contextlib.suppress(InvalidAnswer):
        found = read(text)
        assert isinstance(found, dict)
        json.dumps(found, allow_nan=False).encode()
    assert is_refusal(completion(text)) in (True, False)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text(max_size=6), st.text(max_size=12) | st.integers() | st.booleans(), min_size=1, max_size=4)
)
def test_valid_json_is_read_as_it_is_also_in_a_fence(value):
    text = json.dumps(value)
    assert read(text) == value
    assert read(f"Here you are:\n```json\n{text}\n```") == value


DRAFT, FINAL = '{"criteria": {"calm": {"answer": "yes"}}}', '{"criteria": {"calm": {"answer": "no"}}}'
THINKING = [
    ("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"), ("<reasoning>", "</reasoning>"), ("<reflection>", "</reflection>"),
    ("[THINK]", "[/THINK]"), ("◁think▷", "◁/think▷"), ("<|start_of_thought|>", "<|end_of_thought|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
]  # fmt: skip


@pytest.mark.parametrize("before", ["", "Let me see. "])
@pytest.mark.parametrize(("opening", "closing"), THINKING)
def test_a_draft_in_thinking_is_never_the_verdict(opening, closing, before):
    whole = read(f"{before}{opening}Perhaps {DRAFT}?{closing}{FINAL}")
    assert whole["criteria"]["calm"]["answer"] == "no"
    for unfinished in (f"{before}{opening}Perhaps {DRAFT}", f"{before}{opening}a{closing}{opening}Perhaps {DRAFT}"):
        with pytest.raises(InvalidAnswer, match="its thinking never ended"):
            read(unfinished)


def test_a_tag_of_thinking_that_an_answer_quotes_is_no_thinking():
    assert read('{"answer": "no", "reasons": ["it begins with <think> and never ends"]}')["answer"] == "no"


def test_the_whole_verdict_counts_beside_a_bare_one_that_stands_in_the_record():
    text = f'{FINAL}\nThe text itself says {{"answer": "yes"}}.'
    shown = ShownTexts(['It says {"answer": "yes"} at its end.'])
    assert parse_json(completion(text), ("criteria", "answer"), shown)["criteria"]["calm"]["answer"] == "no"
    with pytest.raises(InvalidAnswer, match="different answers"):
        read(text)  # where it stands in no text, nothing says which one is meant
