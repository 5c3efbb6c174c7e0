"""A person's code means the same at each door: truth, coders, an import, a coding sheet, a frame of one's own."""

from __future__ import annotations

import json
from collections import Counter

import openpyxl
import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.analysis.frames.human_codes import TRUTH, CriterionWording, human_codes
from buttermilk_nb.analysis.shared.ratings_frame import prepare_ratings
from buttermilk_nb.codebook.check_codes import code_problems
from buttermilk_nb.errors import InvalidAnswer

NAMED_LIKERT = {"kind": "likert", "low": 1, "high": 5, "labels": {1: "disagree", 5: "agree"}}
SCALES = ["yes/no", "1-5", NAMED_LIKERT, "0..1", "hope | fear | neither", "labels: mockery | appeal | threat"]
WORDS = [
    "yes", "no", " Yes ", "NO", "yes.", "Yes!", "'yes'", "**yes**", "y", "n", "ja", "true", "TRUE", "False",
    "no idea", "no opinion", "no answer", "not yes", "yes or no", "yes/no", "Answer: yes", "ｙｅｓ", "maybe", "1", "0",
    "1.0", "3", "3.0", " 4 ", "５", "6", "3/5", "4 out of 5", "2,5", "2.5", "-1", "0.5", "0,5", ".5", "50%", "1,000",
    "agree", "Disagree", "1 = disagree", "5 (agree)", "1 = agree", "hope", "HOPE", "no hope", "hope, fear",
    "neither", "mockery", "Mockery; appeal", "mockery | threat", "mockery and appeal", "no mockery", '["mockery"]',
    '["appeal", "threat"]', "[]", "none", "[mockery", "not applicable", "Cannot tell", "CANNOT TELL",
    "cannot tell.", "N/A", "nan", "-",
]  # fmt: skip


INVALID = "invalid"


@pytest.fixture
def tone(scale):
    return bm.Criteria("tone", "Is it so?", scale=scale)


@pytest.fixture
def rows():
    return [{"id": f"r{i:03}", "text": f"Text number {i}.", "code": word} for i, word in enumerate(WORDS)]


def expected(criterion, word):
    try:
        answer = criterion.parse_code(word)
    except InvalidAnswer:
        return INVALID
    return answer.category if answer.category is not None else answer.value


def codes_in_data(corpus, criteria, coder):
    """What a run makes of the codes in the data, and whether it refuses them before it begins."""
    records = pd.DataFrame(
        [(r.record_id, json.dumps(r.ground_truth), json.dumps(r.labels)) for r in corpus],
        columns=["record_id", "ground_truth", "labels"],
    )
    empty = pd.DataFrame(columns=["record_id", "coder", "criteria_set", "criteria_hash", "criterion", "category"])
    found = human_codes(records, [CriterionWording(criteria.name, criteria.criteria_hash, criteria["tone"])], empty)
    found = found[found.coder == coder].set_index("record_id")
    read = {}
    for record in corpus:
        row = found.loc[record.record_id]
        refused = code_problems([record], [criteria]) != []
        assert refused == (row.status == "invalid"), record
        read[record.record_id] = (
            INVALID
            if refused
            else row.category
            if row.category is not None and row.category == row.category
            else row.value
        )
    return read


def codes_imported(imported, coder):
    labels = bm.labels(coder=coder).set_index("record_id")
    read = dict.fromkeys(imported.rejected.record_id, INVALID)
    for record_id, row in labels.iterrows():
        assert record_id not in read
        read[record_id] = row.category if row.category is not None and row.category == row.category else row.value
    return read


def codes_in_frame(rows, criterion):
    read = {}
    for row in rows:
        frame = pd.DataFrame(
            {"record_id": [row["id"]], "criterion": "tone", "coder": "kf", "category": [row["code"]],
             "scale": str(criterion.scale)}
        )  # fmt: skip
        try:
            prepared = prepare_ratings(frame).iloc[0]
        except bm.SetupError:
            read[row["id"]] = INVALID
        else:
            read[row["id"]] = prepared.category if prepared.category is not None else prepared.value
    return read


def codes_in_sheet(corpus, criteria, rows, path):
    file = bm.coding_sheet(corpus, criteria, coder="eva", path=path / "eva.xlsx")
    book = openpyxl.load_workbook(file)
    sheet = book["codes"]
    column = next(cell.column for cell in sheet[1] if cell.value == "tone")
    lines = {cells[0].value: cells[0].row for cells in sheet.iter_rows(min_row=2)}
    for row in rows:
        sheet.cell(lines[row["id"]], column).value = row["code"]
        sheet.cell(lines[row["id"]], column).data_type = "s"
    book.save(file)
    return codes_imported(bm.import_labels(file, corpus, criteria), "eva")


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_each_code_means_the_same_at_every_door(scale, tone, rows, offline_project, tmp_path, print_figures):
    words = {row["id"]: row["code"] for row in rows}
    named = isinstance(scale, dict)
    plain = bm.load(rows, content="text", record_id="id", metadata=[])
    load = {"content": "text", "record_id": "id"}
    read = {
        "truth": codes_in_data(bm.load(rows, **load, truth={"tone": "code"}), tone, TRUTH),
        "coders": codes_in_data(bm.load(rows, **load, coders={"ana": {"tone": "code"}}), tone, "ana"),
        "import": codes_imported(
            bm.import_labels(pd.DataFrame({"record_id": list(words), "ben": list(words.values())}), plain, tone), "ben"
        ),
    }
    if not named:  # a frame names its scale in the short form, which has no names of points
        read["frame"] = codes_in_frame(rows, tone["tone"])
    if tone["tone"].scale.level != "set":  # its sheet has a column for each label
        read["sheet"] = codes_in_sheet(plain, tone, rows, tmp_path)
    right = {record_id: expected(tone["tone"], word) for record_id, word in words.items()}
    for door, found in read.items():
        wrong = {words[key]: (found[key], right[key]) for key in words if found[key] != right[key]}
        assert wrong == {}, door
    counts = Counter("refused" if answer == INVALID else "taken" for answer in right.values())
    print_figures(
        f"scale `{tone['tone'].scale}`: {len(words)} codes at {len(read)} doors ({', '.join(read)}), "
        f"{counts['taken']} taken, {counts['refused']} refused, 0 read in two ways"
    )


def test_there_are_three_hundred_values():
    assert len(set(WORDS)) * len(SCALES) >= 300
