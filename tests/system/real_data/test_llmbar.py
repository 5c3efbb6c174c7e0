"""Recorded judgements of pairs, read by our parser: the published counts, and every difference from what was recorded.

LLMBar (Zeng et al. 2024) holds what models answered about 100 pairs in both orders, as raw texts, beside the winner
that its own parser made of each. Its counts follow from those winners; ours follow from the texts. Where the two
differ, the reason stands in a table here.
"""

from __future__ import annotations

import json

import pandas as pd
import pytest
from support.paths import SHARED

import buttermilk_nb as bm
from buttermilk_nb.agents.pairwise.parse_choice import compare_ratings, parse_choice

DATA = SHARED / "llmbar_natural" / "Natural" / "evaluators"
NAMES = ("Output (a)", "Output (b)")
ORDERS = {"given": "swap = False", "swapped": "swap = True"}
IN_WORDS = [
    "ChatGPT-0301/CoT", "ChatGPT-0301/Vanilla", "ChatGPT/CoT", "ChatGPT/Vanilla", "Falcon/CoT", "Falcon/Vanilla",
    "GPT-4/CoT", "GPT-4/Vanilla", "LLaMA2/CoT", "LLaMA2/Vanilla", "PaLM2/CoT", "PaLM2/Vanilla",
]  # fmt: skip
AS_NUMBERS = ["ChatGPT/Rating", "GPT-4/Rating"]

LINE = "its verdict is (b); recorded is (a), with which its last paragraph begins"
MIND = "it says (b), and then concludes (a)"
TWICE = "it concludes (a), and then (b)"
DETAIL = "it grants (a) more detail, and concludes (b) twice; recorded is what it grants"
DIFFERENCES = {
    ("Falcon/CoT", 7, "given"): ("first", None, TWICE),
    ("Falcon/CoT", 74, "given"): ("first", "second", DETAIL),
    ("PaLM2/CoT", 0, "swapped"): ("second", "first", LINE),
    ("PaLM2/CoT", 2, "swapped"): ("second", "first", LINE),
    ("PaLM2/CoT", 6, "swapped"): ("second", "first", LINE),
    ("PaLM2/CoT", 7, "given"): ("first", "second", LINE),
    ("PaLM2/CoT", 11, "given"): ("first", "second", LINE),
    ("PaLM2/CoT", 13, "given"): ("first", "second", LINE),
    ("PaLM2/CoT", 18, "given"): ("first", "second", LINE),
    ("PaLM2/CoT", 32, "given"): ("first", "second", LINE),
    ("PaLM2/CoT", 34, "swapped"): ("second", "first", LINE),
    ("PaLM2/CoT", 35, "swapped"): ("first", None, MIND),
    ("PaLM2/CoT", 40, "given"): ("first", "second", LINE),
    ("PaLM2/CoT", 50, "given"): ("first", "second", LINE),
    ("PaLM2/CoT", 57, "given"): ("first", "second", LINE),
    ("PaLM2/CoT", 64, "swapped"): ("second", "first", LINE),
    ("PaLM2/CoT", 68, "given"): ("first", "second", LINE),
    ("PaLM2/CoT", 71, "given"): ("first", "second", LINE),
    ("PaLM2/CoT", 74, "given"): ("first", "second", LINE),
    ("PaLM2/CoT", 79, "swapped"): ("second", "first", LINE),
    ("PaLM2/CoT", 85, "swapped"): ("second", "first", LINE),
    ("PaLM2/CoT", 86, "given"): ("first", "second", LINE),
    ("PaLM2/CoT", 95, "given"): ("first", "second", LINE),
    ("PaLM2/CoT", 95, "swapped"): ("second", "first", LINE),
}
"""Evaluator, item (from 0), order: the recorded winner, ours, and why; winners in terms of the texts, not of places."""

NO_ANSWER = {
    ("ChatGPT/CoT", 17, "given"),  # "both ... are equally good", which was not offered
    ("PaLM2/CoT", 54, "given"), ("PaLM2/CoT", 54, "swapped"),  # empty, as are the next
    ("PaLM2/Vanilla", 54, "given"), ("PaLM2/Vanilla", 54, "swapped"),
    ("PaLM2/Vanilla", 57, "given"), ("PaLM2/Vanilla", 57, "swapped"),
}  # fmt: skip
"""Where nothing was recorded either."""

OURS = {"Falcon/CoT": (50, 65, 15, 15), "PaLM2/CoT": (76, 84, 71, 82)}
"""Where they differ from the published ones: right as given, right as swapped, right in both, the same in both."""


def items(evaluator):
    path = DATA / evaluator / "result.json"
    if not path.exists():
        pytest.skip("../shared/data/llmbar_natural is not here; it is used for checking with recorded answers only")
    return json.loads(path.read_text(encoding="utf-8"))


def published(evaluator):
    """Of 100 pairs: right as given, right as swapped, right in both, the same in both."""
    found = json.loads((DATA / evaluator / "statistics.json").read_text(encoding="utf-8"))
    return tuple(
        int(found[name].split(" / ")[0]) for name in ("correct_False", "correct_True", "correct_both", "equal")
    )


def winner(item, order):
    """What was recorded, which is in terms of the texts in both orders."""
    return {"1": "first", "2": "second", None: None}[item["results"][0][ORDERS[order]]["winner"]]


def text(item, order):
    return item["results"][0][ORDERS[order]]["completion"][0]


def ours(item, order):
    """What our parser reads, turned back where the texts had changed places; None for no answer."""
    try:
        chosen = parse_choice(text(item, order), NAMES, ties=False)
    except bm.errors.InvalidAnswer:
        return None
    return chosen if order == "given" else {"first": "second", "second": "first"}[chosen]


def counts(found, read):
    """As they were published: where neither order has an answer, the two are the same."""
    right = [{order: read(item, order) == ("first", "second")[item["label"] - 1] for order in ORDERS} for item in found]
    return (
        sum(one["given"] for one in right),
        sum(one["swapped"] for one in right),
        sum(all(one.values()) for one in right),
        sum(read(item, "given") == read(item, "swapped") for item in found),
    )


def test_all_recorded_evaluators_are_here():
    items("GPT-4/Vanilla")
    assert sorted(path.parent.relative_to(DATA).as_posix() for path in DATA.rglob("statistics.json")) == sorted(
        [*IN_WORDS, *AS_NUMBERS]
    )


@pytest.mark.parametrize("evaluator", [*IN_WORDS, *AS_NUMBERS])
def test_the_published_counts_follow_from_the_recorded_winners(evaluator):
    assert counts(items(evaluator), winner) == published(evaluator)


@pytest.mark.parametrize("evaluator", IN_WORDS)
def test_the_published_counts_follow_from_the_texts_but_for_the_differences_that_are_listed(evaluator):
    found = items(evaluator)
    assert counts(found, ours) == OURS.get(evaluator, published(evaluator))

    def mended(item, order):
        key = (evaluator, found.index(item), order)
        return DIFFERENCES[key][0] if key in DIFFERENCES else ours(item, order)

    assert counts(found, mended) == published(evaluator)


@pytest.mark.parametrize("evaluator", IN_WORDS)
def test_our_readings_differ_from_the_recorded_winners_in_the_listed_places_alone(evaluator):
    differing = {
        (evaluator, place, order): (winner(item, order), ours(item, order))
        for place, item in enumerate(items(evaluator))
        for order in ORDERS
        if winner(item, order) != ours(item, order)
    }
    assert differing == {key: said[:2] for key, said in DIFFERENCES.items() if key[0] == evaluator}


def test_what_is_said_of_each_difference_is_so():
    for (evaluator, place, order), (_, _, why) in DIFFERENCES.items():
        said = text(items(evaluator)[place], order)
        a, b = ("Output (a) is better" in said, "Output (b) is better" in said)
        ends = said.rstrip(".").rpartition("Therefore, ")[2]
        if why == LINE:
            assert (a, b) == (False, True)
            assert said.strip().split("\n")[-1].startswith("Output (a)")
        elif why == MIND:
            assert said.startswith("Output (b) is better.")
            assert ends == "Output (a) is better"
        elif why == TWICE:
            assert said.count("Therefore, Output (a) is better.") == said.count("Therefore, Output (b) is better.") == 1
        else:
            assert why == DETAIL
            assert "In terms of the level of detail, Output (a) is better." in said
            assert said.count("Therefore, Output (b) is better.") == 2
            assert "Therefore, Output (a)" not in said


def test_what_holds_no_answer_is_none_as_it_was_recorded():
    found = {
        (evaluator, place, order)
        for evaluator in IN_WORDS
        for place, item in enumerate(items(evaluator))
        for order in ORDERS
        if ours(item, order) is None and winner(item, order) is None
    }
    assert found == NO_ANSWER


@pytest.mark.parametrize(("evaluator", "equal"), [("ChatGPT/Rating", 47), ("GPT-4/Rating", 10)])
def test_equal_ratings_are_ties_where_a_winner_was_recorded_that_changes_with_the_order(evaluator, equal):
    """Each text was rated on its own, so there is no order; a tie was recorded as the text shown second in either."""
    ties = 0
    for item in items(evaluator):
        result = item["results"][0]
        read = compare_ratings(result["score_1"][0], result["score_2"][0])
        recorded = (winner(item, "given"), winner(item, "swapped"))
        ties += read == "tie"
        assert recorded == (("second", "first") if read == "tie" else (read, read))
    assert ties == equal
    assert published(evaluator)[3] == 100 - equal


def ratings(evaluator):
    rows = [
        {"record_id": f"{place:03}", "criterion": "better", "coder": f"{evaluator} ({order} order)", "order": order,
         "category": ours(item, order), "status": "ok" if ours(item, order) else "invalid"}
        for place, item in enumerate(items(evaluator)) for order in ORDERS
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize("evaluator", IN_WORDS)
def test_the_flip_rate_is_what_the_published_counts_say(evaluator):
    row = bm.order_bias(ratings(evaluator)).iloc[0]
    without = [key[1] for key in NO_ANSWER if key[0] == evaluator]
    without += [key[1] for key, said in DIFFERENCES.items() if key[0] == evaluator and said[1] is None]
    assert (row.n, row.n_excluded) == (100 - len(set(without)), len(set(without)))
    none_in_both = len(without) - len(set(without))  # published as the same answer, which they are not
    assert row.n - row.n_flipped == OURS.get(evaluator, published(evaluator))[3] - none_in_both


def test_a_weak_model_favours_a_place_and_a_strong_one_does_not():
    shown_first = {name: bm.order_bias(ratings(name)).chose_first_shown.item() for name in ("GPT-4/CoT", "Falcon/CoT")}
    assert shown_first["GPT-4/CoT"] == pytest.approx(0.5, abs=0.05)
    assert abs(shown_first["Falcon/CoT"] - 0.5) > 0.3
