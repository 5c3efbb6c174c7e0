"""Unitised alpha: where spans begin and end, and what they are called."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from buttermilk_nb.analysis.coefficients import Spans, UnitisedAlpha
from buttermilk_nb.errors import SetupError

quick = settings(max_examples=60, deadline=None)
NOMINAL, BINARY = UnitisedAlpha(), UnitisedAlpha(binary=True)

BOOK = [  # Krippendorff (2019), figure 12.11, as the R package quallmer has copied it: first and last of 60
    [(1, 7, "1"), (8, 13, "2"), (31, 32, "5"), (33, 37, "6"), (38, 44, "6"), (45, 60, "7")],
    [(1, 7, "1"), (8, 13, "3"), (14, 21, "5"), (33, 44, "6")],
    [(1, 7, "1"), (8, 13, "4"), (14, 21, "5"), (33, 37, "6"), (38, 41, "6"), (42, 44, "6")],
]


def test_the_example_of_the_book_is_reproduced():
    spans = Spans.from_records([(60, [[(first - 1, last, name) for first, last, name in coder] for coder in BOOK])])
    assert NOMINAL.estimate(spans)[0] == pytest.approx(0.510, abs=5e-4)
    assert BINARY.estimate(spans)[0] == pytest.approx(0.413, abs=1e-3)


def test_a_case_worked_out_by_hand():
    spans = Spans.from_records([(100, [[(0, 20, "claim")], [(10, 30, "claim")]])])
    # 160 of gaps, 40 of claims; 40 of 200 disagree; a span does not pair with itself: 160 + 2 x 20^2
    worked_out = 1 - Fraction(40) / (200 * Fraction(200**2 - 160**2 - 40**2, 200**2 - 960))
    assert NOMINAL.estimate(spans)[0] == pytest.approx(float(worked_out))
    assert BINARY.estimate(spans)[0] == pytest.approx(float(worked_out))


def test_another_category_on_the_same_place_matters_to_the_nominal_form_alone():
    spans = Spans.from_records([(50, [[(0, 20, "a")], [(0, 20, "b")]]), (50, [[(10, 30, "a")], [(10, 30, "a")]])])
    assert BINARY.estimate(spans)[0] == 1
    assert NOMINAL.estimate(spans)[0] < 1
    assert NOMINAL.estimate(spans.of_category("a"))[0] < 1


def test_who_marked_nothing_disagrees_and_who_did_not_read_is_missing():
    silent = Spans.from_records([(50, [[(0, 20, "a")], [(0, 20, "a")], []])])
    absent = Spans.from_records([(50, [[(0, 20, "a")], [(0, 20, "a")], None])])
    assert NOMINAL.estimate(absent)[0] == 1
    assert NOMINAL.estimate(silent)[0] < 1
    two = Spans.from_records([(50, [[(0, 20, "a")], [(0, 20, "a")]]), (30, [[(3, 5, "a")], None])])
    assert NOMINAL.estimate(two)[0] == 1
    assert NOMINAL.sample_counts(two) == (1, 2, 1)


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([(50, [[(0, 20, "a")]])], "Agreement needs two coders, and there are fewer."),
        ([(50, [[(0, 20, "a")], None])], "No record was read by two coders."),
        ([(50, [[], []])], "Nobody marked anything."),
        ([(50, [[(0, 50, "a")], [(0, 50, "a")]])],
         "Every coder marked the whole of every record with the same category; no agreement beyond chance can show."),
    ],
)  # fmt: skip
def test_where_it_is_undefined_a_sentence_says_why(records, said):
    spans = Spans.from_records(records)
    for one in (NOMINAL, BINARY):
        assert np.isnan(one.estimate(spans)[0])
        assert one.undefined_reason(spans) == said


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([(50, [[(40, 60, "a")], []])], "the span 40-60 of coder 1 in record 1 is outside the record"),
        ([(50, [[], [(40, 40, "a")]])], "the span 40-40 of coder 2 in record 1 is empty"),
        ([(50, [[(10, 20, "b"), (0, 12, "a")], []])], "the span 0-12 of coder 1 in record 1 overlaps the next"),
        ([(50, [[], []]), (50, [[]])], "an entry for each coder"),
    ],
)
def test_spans_that_cannot_be_are_a_setup_error(records, said):
    with pytest.raises(SetupError, match=said):
        Spans.from_records(records)


def test_a_category_that_was_not_declared_is_a_setup_error():
    with pytest.raises(SetupError, match="there is no category `calim`; did you mean `claim`"):
        Spans.from_records([(50, [[(0, 5, "calim")], []])], ["claim"])
    with pytest.raises(SetupError, match="there is no category `b`"):
        Spans.from_records([(50, [[(0, 5, "a")], []])]).of_category("b")


def test_a_span_of_a_coder_who_did_not_read_is_a_setup_error():
    one = np.zeros(1, np.intp)
    with pytest.raises(SetupError, match="did not read the record"):
        Spans(np.array([9.0]), np.array([[False, True]]), one, one, np.zeros(1), np.ones(1), one, ("a",))


@st.composite
def records(draw):
    """Up to four records of 12 points, three coders, spans of two categories."""
    made = []
    for _ in range(draw(st.integers(1, 4))):
        coders = []
        for _ in range(3):
            cuts = sorted(draw(st.sets(st.integers(0, 12), max_size=6)))
            marked = [(a, b, draw(st.sampled_from("ab"))) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
            coders.append(draw(st.sampled_from([marked, marked, marked, None])))
        made.append((12, coders))
    return made


def plain(records, binary):
    """The definition, point by point and pair by pair."""
    agreed, totals, selves = 0.0, {}, 0.0
    for length, coders in records:
        read = [marked for marked in coders if marked is not None]
        if len(read) < 2:
            continue
        points = [["gap"] * length for _ in read]
        for said, marked in zip(points, read, strict=True):
            for start, end, name in marked:
                said[start:end] = ["span" if binary else name] * (end - start)
                selves += (end - start) ** 2
            selves += said.count("gap")
            for name in said:
                totals[name] = totals.get(name, 0) + 1
        for i, one in enumerate(points):
            for j, other in enumerate(points):
                if i != j:
                    agreed += sum(a == b for a, b in zip(one, other, strict=True)) / (len(read) - 1)
    if len(totals) < 2:
        return np.nan
    n = sum(totals.values())
    return 1 - (n - agreed) / (n * (n**2 - sum(t**2 for t in totals.values())) / (n**2 - selves))


@quick
@given(records=records(), binary=st.booleans())
def test_it_is_what_its_definition_says(records, binary):
    spans = Spans.from_records(records, ["a", "b"])
    one = UnitisedAlpha(binary=binary)
    np.testing.assert_allclose(one.estimate(spans)[0], plain(records, binary), atol=1e-12)
    assert np.isnan(one.estimate(spans)[0]) == (one.undefined_reason(spans) is not None)


@quick
@given(records=records(), data=st.data())
def test_a_weight_counts_a_record_as_often_as_if_it_stood_there_so_often(records, data):
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(records), max_size=len(records)))
    repeated = [record for record, n in zip(records, weights, strict=True) for _ in range(n)]
    expected = NOMINAL.estimate(Spans.from_records(repeated, ["a", "b"]))[0] if repeated else np.nan
    found = NOMINAL.estimate(Spans.from_records(records, ["a", "b"]), np.array([weights, [1] * len(records)]))
    np.testing.assert_allclose(found[0], expected, atol=1e-12)
    np.testing.assert_allclose(found[1], NOMINAL.estimate(Spans.from_records(records, ["a", "b"]))[0], atol=1e-12)
