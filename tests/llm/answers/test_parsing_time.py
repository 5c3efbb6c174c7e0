"""Reading takes time in proportion to an answer's length, whatever stands in it."""

import contextlib
import datetime as dt
import random
import time

import pytest

from buttermilk_nb.errors import InvalidAnswer
from buttermilk_nb.llm.answers.parse_json import is_refusal, parse_json
from buttermilk_nb.llm.completion import Completion

REPEATED = {
    "prose": ("", "word ", ""), "valid texts": ('{"answer": [', '"some reason",', '""]}'),
    "valid numbers": ('{"answer": [', "1,", "1]}"), "valid objects": ('{"answer": [', "{},", "1]}"),
    "braces": ("", "{", ""), "nested": ("", '{"a":', ""), "objects": ("", '{"a":1} ', ""),
    "broken": ("", '{"a":1,} ', ""),
    "unescaped": ('{"a": "', 'x" ', '"}'), "commas": ('{"a": "', 'x", ', '"}'), "names": ("", '{"a', ""),
    "colons": ("{", "a:", "}"), "escapes": ('{"a": "', '\\"', ""), "single": ('{"a": ', "'x' y ", "}"),
    "spaces": ('{"a"', " ", ""), "bare": ("{", "a", ""), "brackets and spaces": ("", "{" + " " * 100, ""),
    "fences": ("", "```json\n", ""), "thoughts": ("<think>", '{"a":1}</think>', ""), "ends": ("", "</think>", ""),
    "broken thoughts": ("<think>", '{"a":1,</think>', ""), "openings": ('{"a": "', "<think>", '"}'),
    "openings and objects": ('{"a":1}', '<x:think>{"a":1} ', ""), "smart": ("{“a”: “", "x” ", "”}"),
    "surrogates": ('{"a":"', "\\ud800", '"}'), "goes on": ('{"a":1}', ', "b":1}', ""), "text": ('"', '\\"{', '"'),
    "twice": ("", '{"a":1,"a":2} ', ""), "digits": ('{"answer":', "9", "}"), "wrappers": ("", '{"arguments":', ""),
    "sorry": ("", "I'm sorry, I can't ", ""),
}  # fmt: skip


def seconds(text):
    given = Completion(text=text, answered_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), raw="")
    taken = []
    for _ in range(3):
        started = time.process_time()
        with contextlib.suppress(InvalidAnswer):
            parse_json(given)
        is_refusal(given)
        taken.append(time.process_time() - started)
    return min(taken)


def assert_in_proportion(answer):
    """Time that grows with the square would be a hundred times as long; the processor's time, of the best of three."""
    short, long = (max(seconds(answer(length)), 0.001) for length in (50_000, 500_000))
    assert long < 40 * short


@pytest.mark.parametrize("kind", list(REPEATED))
def test_ten_times_as_long_an_answer_takes_some_ten_times_as_long(kind):
    begins, again, ends = REPEATED[kind]
    assert_in_proportion(lambda length: begins + again * (length // len(again)) + ends)


@pytest.mark.parametrize("seed", range(8))
def test_so_do_answers_without_any_order(seed):
    draw = random.Random(seed)
    marks = "\"':,{}[]\\ab1 \n`/#“”"
    weights = [draw.random() + 0.05 for _ in marks]
    assert_in_proportion(lambda length: '{"answer":' + "".join(draw.choices(marks, weights, k=length)))
