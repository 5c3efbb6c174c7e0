"""Codes that do not fit the scale are found before anything is asked, with the line that mends them."""

import ast
import re

import pytest

from buttermilk_nb.codebook.check_codes import code_problems
from buttermilk_nb.codebook.criteria import Criteria
from buttermilk_nb.corpus.load import load
from buttermilk_nb.corpus.record import Record

YES_NO = Criteria("respect", "Is it?", flag="no")


def coded(*codes, **fields):
    return [Record(record_id=str(i), content="x", ground_truth={"*": code}, **fields) for i, code in enumerate(codes)]


def test_codes_outside_the_scale_are_one_sentence_with_counts():
    problems = code_problems(coded("hateful", "hateful", "neutral", "yes"), [YES_NO])
    assert len(problems) == 1
    assert "truth: criterion `respect` allows yes | no, but the data has `hateful` (2), `neutral` (1)." in problems[0]


def test_the_proposed_line_can_be_pasted_and_mends_it():
    rows = [{"t": str(i), "g": code} for i, code in enumerate(["it's hate", "fine", 'so "so"'])]
    problem = code_problems(load(rows, content="t", truth="g"), [YES_NO])[0]
    proposed = dict.fromkeys(ast.literal_eval(re.search(r"truth_values=(\{.*\})", problem)[1]), "no")
    assert code_problems(load(rows, content="t", truth="g", truth_values=proposed), [YES_NO]) == []


@pytest.mark.parametrize(
    ("scale", "codes"),
    [
        ("yes/no", ["yes", "No", True, False, "cannot tell", "not applicable"]),
        ("1-5", [4, 4.0, "4", "4.0"]),
        ("0..1", [0.5, "0.5", 1]),
        ("labels: a | b", [["a"], [], '["b"]', "a, b"]),
    ],
)
def test_codes_that_a_score_would_be_compared_with_fit(scale, codes):
    assert code_problems(coded(*codes), [Criteria("c", "?", scale=scale)]) == []


def test_each_coder_has_a_sentence_of_their_own():
    records = [Record(content="x", labels={"kf": {"*": "n"}, "as": {"*": "no"}}, ground_truth={"*": "j"})]
    assert [problem.split(":")[0] for problem in code_problems(records, [YES_NO])] == ["truth", "coder `kf`"]


def test_a_truth_without_a_criterion_asks_which_one_where_there_are_several():
    problems = code_problems(coded("yes"), [YES_NO, Criteria("tone", "?", scale="1-5")])
    assert problems == [
        'truth does not name a criterion, and there are 2: write {"respect": "column", "tone": "column"} when loading.'
    ]


def test_the_sentence_is_about_the_document_that_the_code_does_not_fit():
    records = [Record(content="x", ground_truth={"c": "yes"})]
    problems = code_problems(records, [Criteria("c", "?"), Criteria("c", "?", scale="1-5")])
    assert "allows 1 | 2 | 3 | 4 | 5" in problems[0]


def test_codes_for_a_criterion_that_is_not_asked_do_not_matter():
    assert code_problems([Record(content="x", ground_truth={"other": "?"})], [YES_NO]) == []
