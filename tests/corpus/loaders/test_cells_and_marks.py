"""Cells and quotation marks that are not what a reader of the file sees: read right, or said."""

from __future__ import annotations

import openpyxl
import pandas as pd
import pytest

import buttermilk_nb as bm


def book(folder, *rows, formats=()):
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for cell, number_format in formats:
        made.active[cell].number_format = number_format
    made.save(folder / "x.xlsx")
    return folder / "x.xlsx"


def csv_file(folder, text):
    (folder / "x.csv").write_text(text, encoding="utf-8", newline="")
    return folder / "x.csv"


def remarks(corpus):
    return "\n".join(corpus.remarks)


@pytest.mark.parametrize("number_format", ["0%", "0.00%", "0.0%"])
def test_numbers_that_a_sheet_shows_as_percentages_are_said(tmp_path, number_format):
    file = book(tmp_path, ["text", "share", "n"], ["One.", 0.85, 0.5], formats=[("B2", number_format)])
    corpus = bm.load(file)
    assert corpus[0].metadata == {"share": 0.85, "n": 0.5}
    assert "`share` has numbers that the sheet shows as percentages" in remarks(corpus)
    assert "`n`" not in remarks(corpus)


def test_percentages_among_imported_codes_are_said(offline_project, tmp_path):
    file = book(tmp_path, ["record_id", "ana"], ["r", 0.85], formats=[("B2", "0%")])
    corpus = bm.Corpus([bm.Record(record_id="r", content="A text.")])
    found = bm.import_labels(file, corpus, bm.Criteria("share", "How much?", scale="0..100"))
    assert "shows as percentages" in repr(found)


def test_a_formula_that_nobody_calculated_is_said(tmp_path):
    corpus = bm.load(book(tmp_path, ["text", "calm"], ["One.", '=IF(1>0,"yes","no")'], ["Two.", "no"]))
    assert "1 cell holds a formula that no program has calculated (first: row 2 of `calm`)" in remarks(corpus)


def test_a_plain_workbook_has_no_remark(tmp_path):
    assert bm.load(book(tmp_path, ["text", "n"], ["100% sure.", 3])).remarks == ()


def test_control_characters_are_read_as_what_they_are(tmp_path):
    corpus = bm.load(book(tmp_path, ["text"], ["One line._x000D_\nTwo lines."], ["A _x005F_x000D_ in words."]))
    assert [record.content for record in corpus] == ["One line.\r\nTwo lines.", "A _x000D_ in words."]


def test_a_text_that_fills_its_cell_is_probably_cut(tmp_path):
    corpus = bm.load(book(tmp_path, ["text"], ["x" * 32_767], ["Short."]))
    assert "the text in row 2 has 32,767 characters" in remarks(corpus)


@pytest.mark.parametrize("error", ["#NAME?", "#REF!", "#VALUE!", "#DIV/0!"])
def test_errors_of_cells_are_said(tmp_path, error):
    assert f"only `{error}`" in remarks(bm.load(csv_file(tmp_path, f"text\n{error}\nA text.\n")))


def test_marks_that_are_escaped_with_backslashes_are_read_so_and_said(tmp_path):
    corpus = bm.load(csv_file(tmp_path, 'id,text,calm\n1,"He said \\"no\\", to us.",yes\n2,"Two.",no\n'))
    assert corpus[0].content == 'He said "no", to us.'
    assert corpus[0].metadata["calm"] == "yes"
    assert 'written as \\"' in remarks(corpus)
    assert corpus.provenance["quoting"] == "with backslashes"


def test_marks_that_neither_open_nor_close_a_field_are_said_with_their_line(tmp_path):
    corpus = bm.load(csv_file(tmp_path, 'id,text,calm\n1,"One.",yes\n2,"He said "no" to us.",yes\n'))
    assert "a quotation mark in or after line 3 neither opens nor closes a field" in remarks(corpus)


@pytest.mark.parametrize(
    "text",
    ['id,text\n1,"He said ""no"" to us."\n', "id,text\n1,He said no.\n", 'id,text\n1,"a\nb"\n', 'text\n5" tall\n'],
)
def test_usual_quoting_has_no_remark_about_marks(tmp_path, text):
    assert "quotation mark" not in remarks(bm.load(csv_file(tmp_path, text)))


def test_a_blank_before_the_opening_mark_is_no_part_of_the_text(tmp_path):
    corpus = bm.load(csv_file(tmp_path, 'id, text\n1, "One, two."\n2, "Three."\n'), content="text")
    assert [record.content for record in corpus] == ["One, two.", "Three."]


@pytest.mark.parametrize("again", ["id,text\n", "\ufeffid,text\n", '\ufeff"id",text\n'])
def test_a_header_that_is_repeated_is_no_record(tmp_path, again):
    corpus = bm.load(csv_file(tmp_path, f"id,text\n1,One.\n{again}2,Two.\n"), record_id="id")
    assert [record.content for record in corpus] == ["One.", "Two."]
    assert corpus.rejected.reason.tolist() == ["the header is repeated here, as where files were joined"]


def test_a_header_that_is_repeated_in_a_sheet_is_no_record(tmp_path):
    corpus = bm.load(book(tmp_path, ["id", "text"], [1, "One."], ["id", "text"], [2, "Two."]))
    assert (len(corpus), len(corpus.rejected)) == (2, 1)


def test_letters_that_were_encoded_twice_are_said(tmp_path):
    twice = "\u00c3\u2030cole caf\u00c3\u00a9 d\u00e2\u20ac\u2122\u00c3\u00a9t\u00c3\u00a9"
    corpus = bm.load([twice, "Âge d'or à Paris."])
    assert "1 text in `content` looks as if its letters were encoded twice: `Ã‰cole` for `École`" in remarks(corpus)
    assert twice.encode("cp1252").decode("utf-8") == "École café d\u2019été"


def test_missing_values_of_pandas_in_dictionaries_are_missing():
    corpus = bm.load([{"text": "One.", "when": pd.NaT}, {"text": pd.NA}])
    assert (len(corpus), len(corpus.rejected)) == (1, 1)
    assert corpus[0].metadata["when"] is None
