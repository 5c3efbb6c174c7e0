"""People's codes as they come: in frames, in files, and with the data. Each is one answer or is refused."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import buttermilk_nb as bm

CALM = bm.Criteria("calm", "Is it calm?")
TONE = bm.Criteria(
    "tone",
    "How much do you agree?",
    scale={"kind": "likert", "low": 1, "high": 5, "labels": {1: "disagree", 5: "agree"}},
)
TEXTS = bm.Corpus([bm.Record(record_id=f"r{n}", content=f"Text {n}.") for n in range(3)])
WORDS = ["no idea", "no opinion", "no answer"]


def frame(*codes, **columns):
    """A coder for each list of codes, one code for each record."""
    rows = [(str(record), "q", "ab"[coder], code) for coder, own in enumerate(codes) for record, code in enumerate(own)]
    return pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"]).assign(**columns)


def stored(coder):
    labels = bm.labels(coder=coder)
    return dict(zip(labels.record_id, labels.category, strict=True))


def test_blanks_at_the_ends_of_a_code_leave_the_agreement_perfect():
    row = bm.agreement(frame(["yes ", "no", "yes", "no"], ["yes", "no", "yes", "no"]), n_boot=0).iloc[0]
    assert (row.coefficient, row.value, row.n_units) == ("Percent agreement", 1.0, 4)


def test_numbers_without_a_scale_have_nominal_coefficients_alone():
    codes = ["1", "2", "10", "9", "5", "10", "2", "1"]
    table = bm.agreement(frame(codes, codes), n_boot=0)
    assert table.coefficient.tolist()[:4] == [
        "Percent agreement",
        "Krippendorff's alpha",
        "Gwet's AC1",
        "Cohen's kappa",
    ]
    note = "The codes are numbers, and no scale is declared, so they count as names without order"
    assert table.note.str.contains(note, regex=False).all()
    weighted = bm.agreement(frame(codes, codes, scale="1-10"), n_boot=0).coefficient
    assert "Cohen's kappa, quadratic weights" in weighted.tolist()


@pytest.mark.parametrize(
    "statistic", [bm.agreement, lambda ratings, **options: bm.metrics(ratings, truth="a", **options)]
)
def test_a_word_that_begins_with_no_is_refused_on_a_yes_no_scale_with_the_list_of_answers(statistic):
    for word in WORDS:
        with pytest.raises(
            bm.SetupError, match=f"the answer `{word}` .* is not on its scale `yes/no`; there are `yes`, `no`"
        ):
            statistic(frame(["yes", word], ["yes", "no"], scale="yes/no"), n_boot=0)


@pytest.mark.parametrize("role", ["truth", "coders"])
def test_codes_with_the_data_that_begin_with_no_are_refused_with_the_list_of_values(offline_project, role):
    rows = [{"id": str(n), "text": f"Text {n}.", "code": code} for n, code in enumerate(["yes", *WORDS])]
    roles = {"truth": {"calm": "code"}} if role == "truth" else {"coders": {"ana": {"calm": "code"}}}
    corpus = bm.load(rows, content="text", record_id="id", **roles)
    who = "truth" if role == "truth" else "coder `ana`"
    values = r"`no idea` \(1\), `no opinion` \(1\), `no answer` \(1\)"
    with pytest.raises(bm.SetupError, match=f"{who}: criterion `calm` allows yes | no, but the data has {values}"):
        bm.Flow("tone", [bm.Judge("judge", criteria=CALM)]).run(corpus)


def test_an_answer_in_a_list_of_one_is_that_answer_at_every_door(offline_project, tmp_path):
    bm.import_labels(pd.DataFrame({"record_id": ["r0", "r1"], "ana": [["yes"], ["no"]]}), TEXTS, CALM)
    bm.import_labels(pd.DataFrame({"record_id": ["r0", "r1"], "ben": ['["yes"]', '["no"]']}), TEXTS, CALM)
    file = tmp_path / "codes.json"
    file.write_text(json.dumps([{"record_id": "r0", "cy": ["yes"]}, {"record_id": "r1", "cy": ["no"]}]))
    bm.import_labels(file, TEXTS, CALM)
    for coder in ("ana", "ben", "cy"):
        assert stored(coder) == {"r0": "yes", "r1": "no"}
    rows = [{"id": "r0", "text": "Text 0.", "code": ["yes"]}, {"id": "r1", "text": "Text 1.", "code": ["no"]}]
    corpus = bm.load(rows, content="text", record_id="id", truth={"calm": "code"})
    run = bm.Flow("tone", [bm.Judge("judge", criteria=CALM)]).run(corpus)
    truth = run.ratings().query("coder == 'truth'").set_index("record_id").category
    assert truth.to_dict() == {"r0": "yes", "r1": "no"}


def test_two_answers_in_a_list_are_listed_as_wrong(offline_project):
    result = bm.import_labels(pd.DataFrame({"record_id": ["r0"], "ana": [["yes", "no"]]}), TEXTS, CALM)
    assert (result.n_codes, result.rejected.kind.tolist()) == (0, ["not on the scale"])


def test_names_of_points_are_taken_by_load_and_by_import(offline_project):
    bm.import_labels(pd.DataFrame({"record_id": ["r0", "r1"], "ana": ["agree", "Disagree"]}), TEXTS, TONE)
    assert stored("ana") == {"r0": "5", "r1": "1"}
    rows = [{"id": "r0", "text": "Text 0.", "code": "agree"}, {"id": "r1", "text": "Text 1.", "code": "Disagree"}]
    corpus = bm.load(rows, content="text", record_id="id", truth={"tone": "code"})
    run = bm.Flow("tone", [bm.Judge("judge", criteria=TONE)]).run(corpus)
    truth = run.ratings().query("coder == 'truth'").set_index("record_id").category
    assert truth.to_dict() == {"r0": "5", "r1": "1"}


@pytest.mark.parametrize("form", ["frame", "csv"])
def test_a_meaning_of_1_is_that_of_1_0_where_a_column_has_gaps(offline_project, tmp_path, form):
    table = pd.DataFrame({"record_id": ["r0", "r1", "r2"], "ana": [1, None, 0]})
    source = table
    if form == "csv":
        source = tmp_path / "codes.csv"
        table.to_csv(source, index=False)
        assert "1.0" in source.read_text()
    result = bm.import_labels(source, TEXTS, CALM, values={"1": "yes", "0": "no"})
    assert (result.n_codes, result.n_empty, len(result.rejected)) == (2, 1, 0)
    assert stored("ana") == {"r0": "yes", "r2": "no"}


def test_words_of_a_spreadsheet_for_yes_and_no_are_taken_and_said(offline_project):
    result = bm.import_labels(pd.DataFrame({"record_id": ["r0", "r1"], "ana": ["TRUE", "FALSE"]}), TEXTS, CALM)
    assert stored("ana") == {"r0": "yes", "r1": "no"}
    assert "`TRUE` is `yes`, `FALSE` is `no`" in repr(result)
