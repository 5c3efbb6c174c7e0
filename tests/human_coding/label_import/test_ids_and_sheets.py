"""Codes whose ids a program has rewritten, and workbooks with a sheet for each coder."""

from __future__ import annotations

import openpyxl
import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus.match_ids import match_ids

CALM = bm.Criteria("calm", "Is it calm?")


@pytest.fixture(autouse=True)
def project(offline_project):
    return offline_project


def corpus(*ids):
    return bm.Corpus([bm.Record(record_id=name, content=f"Text {name}.") for name in ids])


def test_ids_that_all_become_known_by_one_rule_are_taken_and_it_is_said():
    codes = pd.DataFrame({"record_id": ["1.0", "2.0"], "kf": ["yes", "no"]})
    found = bm.import_labels(codes, corpus("1", "2"), CALM)
    assert (found.n_codes, len(found.rejected)) == (2, 0)
    assert "2 ids were read without `.0`: `1.0` is `1` in the corpus." in repr(found)
    assert sorted(bm.labels().record_id) == ["1", "2"]


def test_ids_of_which_one_stays_unknown_are_all_rejected():
    codes = pd.DataFrame({"record_id": ["1.0", "9.0"], "kf": ["yes", "no"]})
    found = bm.import_labels(codes, corpus("1", "2"), CALM)
    assert found.n_codes == 0
    assert found.rejected.kind.tolist() == ["unknown record"] * 2


@pytest.mark.parametrize(
    ("unknown", "known", "matches"),
    [
        ({"1", "2"}, ["001", "002"], {"1": "001", "2": "002"}),
        ({"001", "002"}, ["1", "2"], {"001": "1", "002": "2"}),
        ({"1.0"}, ["001"], {"1.0": "001"}),
        ({"A1", "B2"}, ["a1", "b2"], {"A1": "a1", "B2": "b2"}),
        ({"1"}, ["01", "001"], None),
        ({"x"}, ["1"], None),
        (set(), ["1"], None),
    ],
)
def test_a_rule_counts_only_if_it_gives_every_id_one_record(unknown, known, matches):
    found = match_ids(unknown, known)
    assert (dict(found.known_ids) if found else None) == matches


def test_each_sheet_of_a_workbook_is_a_coder(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "ana"
    for name, codes in (("ana", ["yes", "no"]), ("ben", ["TRUE", "Yes"])):
        sheet = book[name] if name in book.sheetnames else book.create_sheet(name)
        sheet.append(["record_id", "calm"])
        for record_id, code in zip(("a", "b"), codes, strict=True):
            sheet.append([record_id, code])
    book.create_sheet("remarks").append(["Please read this first."])
    book.create_sheet("empty")
    book.save(tmp_path / "codes.xlsx")
    found = bm.import_labels(tmp_path / "codes.xlsx", corpus("a", "b"), CALM)
    assert (found.coders, found.n_codes) == (("ana", "ben"), 4)
    assert "sheets read: `ana`, `ben`; not `remarks`, without a column `record_id`." in repr(found)
    assert "1 code in another spelling than the answers: `TRUE` is `yes`." in repr(found)
