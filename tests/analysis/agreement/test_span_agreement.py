"""Whether coders mark the same words."""

import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.human_coding.labels import keep_labels, make_label

COLUMNS = ["record_id", "criterion", "coder", "start", "end", "length"]


def frame(*rows, **more):
    return pd.DataFrame(rows, columns=COLUMNS).assign(**more)


def value(marks, **options):
    return bm.span_agreement(marks, n_boot=20, **options).set_index("comparison").value


def test_the_same_passages_are_full_agreement_and_half_of_them_is_what_the_formula_says():
    same = frame(("r", "calm", "ana", 0, 20, 100), ("r", "calm", "ben", 0, 20, 100))
    half = frame(("r", "calm", "ana", 0, 20, 100), ("r", "calm", "ben", 10, 30, 100))
    assert value(same)["ana ~ ben"] == 1
    assert value(half)["ana ~ ben"] == pytest.approx(0.39, abs=0.005)


def test_marking_nothing_is_an_answer_and_not_coding_is_none():
    marks = frame(
        ("r", "calm", "ana", 0, 20, 100),
        ("r", "calm", "ben", None, None, 100),
        ("s", "calm", "ana", 0, 20, 100),
    )
    found = bm.span_agreement(marks, n_boot=20).iloc[0]
    assert (found.n_units, found.n_excluded, found.n_spans) == (1, 1, 1)
    assert found.value < 0.05


def test_passages_that_overlap_are_one_and_those_that_touch_cover_the_same():
    parts = frame(
        ("r", "calm", "ana", 0, 12, 100),
        ("r", "calm", "ana", 8, 20, 100),
        ("r", "calm", "ben", 0, 20, 100),
    )
    assert value(parts)["ana ~ ben"] == 1


def test_categories_count_only_where_they_are_asked_for():
    rows = (("r", "calm", "ana", 0, 20, 100), ("r", "calm", "ben", 0, 20, 100))
    marks = frame(*rows, category=["claim", "proof"])
    assert value(marks)["ana ~ ben"] == 1
    assert value(marks, categories=True)["ana ~ ben"] < 1


def test_all_coders_and_each_pair_by_criterion():
    rows = [("r", name, who, 0, 10 + 5 * n, 60) for name in ("a", "b") for n, who in enumerate(("x", "y", "z"))]
    found = bm.span_agreement(frame(*rows), n_boot=20)
    assert found.comparison.tolist() == ["all coders", "x ~ y", "x ~ z", "y ~ z"] * 2
    assert found.criterion.tolist() == ["a"] * 4 + ["b"] * 4
    assert bm.span_agreement(frame(*rows), coders=["x", "z"], n_boot=5).comparison.unique().tolist() == ["x ~ z"]


def test_where_nobody_marks_anything_it_is_undefined_and_says_why():
    nothing = frame(("r", "calm", "ana", None, None, 100), ("r", "calm", "ben", None, None, 100))
    found = bm.span_agreement(nothing, n_boot=20).iloc[0]
    assert pd.isna(found.value)
    assert found.note == "Nobody marked anything."


def test_intervals_draw_whole_clusters():
    rows = [(f"r{n}", "calm", who, 0, 10 + (n % 7) * (who == "ben"), 60) for n in range(40) for who in ("ana", "ben")]
    alone = bm.span_agreement(frame(*rows), n_boot=200).iloc[0]
    clustered = frame(*rows).assign(cluster=lambda marks: "c" + (marks.record_id.str[1:].astype(int) % 7).astype(str))
    together = bm.span_agreement(clustered, n_boot=200).iloc[0]
    assert together.value == alone.value
    assert together.high - together.low > alone.high - alone.low


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda marks: marks.drop(columns="length"), "no column `length`"),
        (lambda marks: marks.iloc[:0], "nobody has marked anything"),
        (lambda marks: marks.assign(end=500), "passage 0-500 of coder `ana` in record `r` is outside its text"),
        (lambda marks: marks.assign(start=20), "passage 20-20 of coder `ana` in record `r` is empty"),
        (lambda marks: marks.assign(start=None), "has only one of `start` and `end`"),
        (lambda marks: marks.assign(length=None), "passage 0-20 of coder `ana` in record `r` has no length"),
        (lambda marks: marks.assign(start="first"), "of coder `ana` in record `r`: `first` in `start` is no number"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(change, why):
    marks = frame(("r", "calm", "ana", 0, 20, 100), ("r", "calm", "ben", 0, 20, 100))
    with pytest.raises(bm.SetupError, match=why):
        bm.span_agreement(change(marks))


def test_a_passage_in_two_categories_is_named():
    marks = frame(("r", "calm", "ana", 0, 20, 100), ("r", "calm", "ana", 10, 30, 100), ("r", "calm", "ben", 0, 20, 100))
    with pytest.raises(bm.SetupError, match="coder `ana` marked 10-30 in record `r` as `threat` and as something else"):
        bm.span_agreement(marks.assign(category=["insult", "threat", "insult"]), categories=True)


@pytest.mark.parametrize("statistic", ["agreement", "span_agreement"])
@pytest.mark.parametrize(("option", "why"), [({"n_boot": -1}, "n_boot=-1"), ({"confidence": 95}, "confidence=95")])
def test_an_impossible_interval_is_a_sentence(statistic, option, why):
    marks = frame(("r", "calm", "ana", 0, 20, 100), ("r", "calm", "ben", 0, 20, 100)).assign(category="x")
    with pytest.raises(bm.SetupError, match=why):
        getattr(bm, statistic)(marks, **option)


def test_without_resamples_there_is_a_value_and_no_interval():
    marks = frame(("r", "calm", "ana", 0, 20, 100), ("r", "calm", "ben", 0, 20, 100))
    row = bm.span_agreement(marks, n_boot=0).iloc[0]
    assert (row.value, row.n_undefined) == (1, 0)
    assert row[["low", "high"]].isna().all()


def test_an_unknown_coder_is_named():
    marks = frame(("r", "calm", "ana", 0, 20, 100), ("r", "calm", "ben", 0, 20, 100))
    with pytest.raises(bm.SetupError, match="there is no coder `bem`"):
        bm.span_agreement(marks, coders=["ana", "bem"])


def test_the_passages_that_people_marked_come_from_their_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project = bm.init("marks", path=tmp_path / "marks")
    calm = bm.Criteria("calm", "Is it calm?")
    record = bm.Record(record_id="r", content="The door slammed, and nobody spoke.", cluster="c")
    passages = {"ana": [{"start": 4, "end": 16, "text": "door slammed"}], "ben": []}
    for coder, quotes in passages.items():
        label = make_label(calm["calm"], calm, record, coder=coder, answer="no", source="form", quotes=quotes)
        keep_labels(project, [label], records=[record], documents=[calm])
    found = bm.highlights()
    assert found[["coder", "text", "length", "cluster"]].values.tolist()[0] == ["ana", "door slammed", 35, "c"]
    assert found.start.isna().tolist() == [False, True]
    assert bm.span_agreement(found, n_boot=10).n_units.item() == 1
