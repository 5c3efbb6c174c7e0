"""Which of two texts was chosen, in words: what is said outright counts, and nothing else."""

import pytest

import buttermilk_nb as bm
from buttermilk_nb.agents.pairwise.parse_choice import compare_ratings, parse_choice

OUTPUTS = ("Output (a)", "Output (b)")


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("Output (a)", "first"),
        ("output (B).", "second"),
        ("(b)", "second"),
        ("**Output (a)**", "first"),
        ("B", "second"),
        ("[[A]]", "first"),
        ("Output (b) is better.", "second"),
        ("Output (a) is clearly the better output for this task.", "first"),
        ("The better output is Output (b).", "second"),
        ("Winner: Output (a)", "first"),
        ("My verdict is: (b)", "second"),
        ("I would choose Output (a), as it greets the guest.", "first"),
        ("Output (a) greets. Output (b) shouts.\n\nTherefore, Output (a) is better.", "first"),
        ("Output (a) is better at spelling. Overall, Output (b) is better because it greets.", "second"),
        ("<think>Output (a) is better.</think>Output (b) is better.", "second"),
        ("They are equally polite, but Output (b) is better as it is short.", "second"),
        ("Therefore, Output (b) is better than Output (a).", "second"),
        ("So Output (a) is better. It greets. Overall, Output (a) has the kinder tone of", "first"),
    ],
)
def test_what_is_said_outright_is_read(text, choice):
    assert parse_choice(text, OUTPUTS) == choice


@pytest.mark.parametrize(
    "text",
    ["tie", "Both outputs are equally good.", "Verdict: tie", "It is a tie.", "Neither output is better."],
)
def test_equality_is_read_where_it_was_offered_and_no_answer_where_it_was_not(text):
    assert parse_choice(text, OUTPUTS) == "tie"
    with pytest.raises(bm.errors.InvalidAnswer, match="a tie, which was not offered"):
        parse_choice(text, OUTPUTS, ties=False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("Output (a) is more concise. Output (b) has more detail.", "does not say which is better"),
        ("Output (a) is not better.", "does not say"),
        ("It is hard to say whether Output (a) is better.", "does not say"),
        ("I'm sorry, but I can't compare these texts.", "does not say"),
        ("A greeting is better than a shout.", "does not say"),
        ("Output (c) is better.", "does not say"),
        ("Output (ab) is better.", "does not say"),
        ("Output (a) is better. Output (b) is better.", "`first` and `second`"),
        ("Output (b) is better. It greets. Therefore, Output (a) is better.", "`first` and `second`"),
        ("Therefore, Output (a) is better.\nTherefore, Output (b) is better.", "`first` and `second`"),
        ("Output (a) is better. Both are equally good.", "`first` and `tie`"),
        ("Output (a) greets better than many. Therefore, Output (", "ends in the middle"),
        ("1", "does not say"),
    ],
)
def test_what_is_not_said_or_said_both_ways_is_no_answer(text, why):
    with pytest.raises(bm.errors.InvalidAnswer, match=why):
        parse_choice(text, OUTPUTS)


def test_the_names_that_were_shown_are_the_ones_that_are_read():
    assert parse_choice("Text A is better.") == "first"
    assert parse_choice("2", ("Response 1", "Response 2")) == "second"
    with pytest.raises(bm.errors.InvalidAnswer):
        parse_choice("Output (a) is better.")


def test_an_article_is_not_the_name_of_a_text():
    with pytest.raises(bm.errors.InvalidAnswer):
        parse_choice("The better text is a greeting.")
    with pytest.raises(bm.errors.InvalidAnswer):
        parse_choice("A text is better when it greets.")


def test_a_long_answer_is_read_in_its_end():
    assert parse_choice("Output (a) greets. " * 5_000 + "Therefore, Output (b) is better.", OUTPUTS) == "second"


@pytest.mark.parametrize(("two", "choice"), [(("6", "1"), "first"), ((7, "7.0"), "tie"), (("-2.", 3.5), "second")])
def test_ratings_are_compared_as_numbers(two, choice):
    assert compare_ratings(*two) == choice


@pytest.mark.parametrize("rating", ["", "7 or 8", "8/10", None, True, float("nan"), "high"])
def test_a_rating_that_is_no_number_is_no_answer(rating):
    with pytest.raises(bm.errors.InvalidAnswer, match="is not a number"):
        compare_ratings(rating, 3)
