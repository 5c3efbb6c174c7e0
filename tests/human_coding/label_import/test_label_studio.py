"""Annotations in Label Studio's exports, and other tables with one row per coder and record."""

from __future__ import annotations

import json
import zipfile

import pandas as pd
import pytest

import buttermilk_nb as bm

TONE = bm.Criteria(
    "tone",
    "Read the text.",
    criteria={
        "calm": {"question": "Is it calm?"},
        "devices": {"question": "Which devices?", "scale": "labels: mockery | appeal | threat"},
        "heat": {"question": "How heated?", "scale": "1-5"},
    },
)


@pytest.fixture(autouse=True)
def project(offline_project):
    return offline_project


def result(name, kind, **value):
    return {"from_name": name, "to_name": "text", "type": kind, "value": value}


def annotation(who, *results, **fields):
    return {"id": 9, "completed_by": who, "was_cancelled": False, "result": list(results), **fields}


TASKS = [
    {
        "id": 1,
        "data": {"text": "One."},
        "annotations": [
            annotation(3, result("calm", "choices", choices=["Yes"]), result("heat", "rating", rating=2)),
            annotation(
                {"id": 4, "email": "ben@example.org"},
                result("calm", "choices", choices=["No"]),
                result("devices", "choices", choices=["threat", "appeal"]),
                result("devices", "labels", start=0, end=2, text="On", labels=["threat"]),
            ),
        ],
        "predictions": [{"result": [result("calm", "choices", choices=["No"])]}],
    },
    {
        "id": 2,
        "data": {"text": "Two."},
        "annotations": [
            annotation(3, result("calm", "choices", choices=["No"]), result("heat", "number", number=5)),
            annotation({"id": 4, "email": "ben@example.org"}, was_cancelled=True),
        ],
    },
]
CODES = {
    ("1", "3", "calm"): "yes", ("1", "3", "heat"): "2", ("1", "ben@example.org", "calm"): "no",
    ("1", "ben@example.org", "devices"): '["appeal", "threat"]', ("2", "3", "calm"): "no", ("2", "3", "heat"): "5",
}  # fmt: skip


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "export.json").write_text(json.dumps(TASKS), encoding="utf-8")
    return bm.load(tmp_path / "export.json", content="data.text", record_id="id")


def stored():
    labels = bm.labels()
    labels = labels[labels.category.notna()]
    return dict(zip(zip(labels.record_id, labels.coder, labels.criterion, strict=True), labels.category, strict=True))


def test_each_annotation_is_one_coders_answers(corpus, tmp_path):
    found = bm.import_labels(tmp_path / "export.json", corpus, TONE)
    assert len(found.rejected) == 0
    assert stored() == CODES
    assert bm.highlights().text.dropna().tolist() == ["On"]


@pytest.mark.parametrize("ending", ["json", "csv"])
def test_the_short_exports_mean_the_same(corpus, tmp_path, ending):
    rows = [
        {"id": 1, "text": "One.", "annotation_id": 7, "annotator": 3, "calm": "Yes", "heat": 2},
        {
            "id": 1, "text": "One.", "annotation_id": 8, "annotator": "ben@example.org", "calm": "No",
            "devices": {"choices": ["threat", "appeal"]},
        },
        {"id": 2, "text": "Two.", "annotation_id": 9, "annotator": 3, "calm": "No", "heat": 5},
    ]  # fmt: skip
    file = tmp_path / f"short.{ending}"
    if ending == "json":
        file.write_text(json.dumps(rows), encoding="utf-8")
    else:
        cells = [{name: json.dumps(v) if isinstance(v, dict) else v for name, v in row.items()} for row in rows]
        pd.DataFrame(cells).astype(object).to_csv(file, index=False)
    found = bm.import_labels(file, corpus, TONE)
    assert len(found.rejected) == 0
    assert stored() == CODES


def test_a_damaged_annotation_is_rejected_and_the_others_count(corpus, tmp_path):
    tasks = [{**TASKS[0], "annotations": [*TASKS[0]["annotations"], "none"]}, TASKS[1]]
    (tmp_path / "damaged.json").write_text(json.dumps(tasks), encoding="utf-8")
    found = bm.import_labels(tmp_path / "damaged.json", corpus, TONE)
    assert found.rejected.problem.tolist() == ["an annotation is not an object but str"]
    assert stored() == CODES


FORMS = pd.DataFrame(
    {"record_id": ["1", "1", "2"], "who": ["ana", "ben", "ana"], "Q1": ["yes", "no", "x"], "why": ["So.", None, None]}
)


def test_a_table_with_a_row_for_each_filled_form_is_taken(corpus):
    forms = FORMS.rename(columns={"who": "coder", "Q1": "calm", "why": "notes"})
    found = bm.import_labels(forms, corpus, TONE)
    assert stored() == {("1", "ana", "calm"): "yes", ("1", "ben", "calm"): "no"}
    assert found.rejected.coder.tolist() == ["ana"]
    assert bm.labels().set_index(["record_id", "coder"]).notes[("1", "ana")] == "So."


def test_the_columns_of_forms_can_be_named(corpus):
    bm.import_labels(FORMS[:2], corpus, TONE, columns={"coder": "who", "calm": "Q1", "notes": "why"})
    assert stored() == {("1", "ana", "calm"): "yes", ("1", "ben", "calm"): "no"}


def test_the_columns_of_one_coders_forms_can_be_named(corpus):
    bm.import_labels(FORMS[:1], corpus, TONE, coder="ana", columns={"calm": "Q1"})
    assert stored() == {("1", "ana", "calm"): "yes"}


def test_forms_without_a_column_of_coders_are_one_sentence(corpus):
    with pytest.raises(bm.SetupError, match="no column `coder`"):
        bm.import_labels(FORMS.rename(columns={"Q1": "calm"}), corpus, TONE, layout="form")


def test_a_form_without_a_coder_is_rejected(corpus):
    forms = FORMS.rename(columns={"who": "coder", "Q1": "calm"}).assign(coder=["ana", None, " "])
    found = bm.import_labels(forms, corpus, TONE)
    assert found.rejected.problem.tolist() == ["the coder is not named"] * 2
    assert stored() == {("1", "ana", "calm"): "yes"}


@pytest.mark.parametrize(
    ("ending", "column"), [("jsonl", "label"), ("csv", "label"), ("csv", "calm"), ("jsonl", "category")]
)
def test_each_file_of_a_zip_is_a_coder(corpus, tmp_path, ending, column):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for coder, codes in (("ana", ["yes", "no"]), ("ben", ["no", "no"])):
            rows = pd.DataFrame({"record_id": ["1", "2"], "text": ["One.", "Two."], column: codes})
            text = rows.to_csv(index=False) if ending == "csv" else rows.to_json(orient="records", lines=True)
            archive.writestr(f"{coder}.{ending}", text)
    found = bm.import_labels(tmp_path / "all.zip", corpus, bm.Criteria("calm", "Is it calm?"))
    assert (len(found.rejected), len(found.clashes)) == (0, 0)
    assert stored() == {
        ("1", "ana", "calm"): "yes", ("2", "ana", "calm"): "no", ("1", "ben", "calm"): "no", ("2", "ben", "calm"): "no"
    }  # fmt: skip


def test_what_a_coder_rejected_or_ignored_in_prodigy_is_no_code(corpus, tmp_path):
    rows = [
        {"record_id": "1", "_input_hash": 5, "calm": "yes", "answer": "accept"},
        {"record_id": "2", "_input_hash": 6, "calm": "yes", "answer": "reject"},
    ]
    (tmp_path / "prodigy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = bm.import_labels(tmp_path / "prodigy.jsonl", corpus, TONE, coder="ana")
    assert stored() == {("1", "ana", "calm"): "yes"}
    assert found.rejected.problem.tolist() == ["its `answer` in Prodigy is `reject`, so it has no code"]


def test_a_file_that_is_no_json_is_one_sentence(corpus, tmp_path):
    (tmp_path / "x.jsonl").write_text("nope\n", encoding="utf-8")
    with pytest.raises(bm.SetupError, match="`x.jsonl`, line 1: this is not valid JSON"):
        bm.import_labels(tmp_path / "x.jsonl", corpus, TONE, coder="ana")
