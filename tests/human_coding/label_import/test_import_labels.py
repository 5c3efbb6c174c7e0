"""Codes from spreadsheets: every layout, all that can be wrong with one, and nothing written before it is said."""

import zipfile

import openpyxl
import pandas as pd
import pytest
from support.study import corpus, desk, respect

import buttermilk_nb as bm
from buttermilk_nb.human_coding.label_import import import_labels
from buttermilk_nb.human_coding.labels import keep_labels, labels, make_label
from buttermilk_nb.human_coding.spreadsheets import coding_sheet

RECORDS = corpus(4)
RESPECT = respect()
MARKS = bm.Criteria(
    "marks",
    "?",
    criteria={
        "which": {"question": "?", "scale": "labels: mockery | appeal", "non_answers": ["cannot tell"]},
        "share": {"question": "?", "scale": "0..1"},
        "heat": {"question": "?", "scale": "1-5"},
    },
)


@pytest.fixture(autouse=True)
def _project(project):
    return project


def codes(*columns):
    """What is kept: coder, record, criterion, code."""
    found = labels().sort_values(["coder", "record_id", "criterion"])
    found["code"] = found.category.where(found.category.notna(), found.value)
    rows = found[["coder", "record_id", "criterion", "code", *columns]].astype(object)
    return [tuple(row) for row in rows.where(rows.notna(), None).to_numpy()]


def wide(**columns):
    return pd.DataFrame({"record_id": ["r0", "r1", "r2"], **columns})


def long(*rows, **columns):
    return pd.DataFrame(rows, columns=["record_id", "coder", "criterion", "category"]).assign(**columns)


def fill(path, cells):
    """Write into the first sheet of a workbook: {(record id, heading): value}."""
    book = openpyxl.load_workbook(path)
    sheet = book["codes"]
    columns = {cell.value: cell.column for cell in sheet[1]}
    lines = {row[0].value: row[0].row for row in sheet.iter_rows(min_row=2)}
    for (record_id, heading), value in cells.items():
        sheet.cell(lines[record_id], columns[heading]).value = value
    book.save(path)
    return path


def sheet_of(coder, criteria=RESPECT, cells=(), **options):
    path = coding_sheet(options.pop("records", RECORDS), criteria, coder=coder, **options)
    return fill(path, dict(cells))


# --- layouts -----------------------------------------------------------------------------------------


def test_a_wide_table_has_a_column_for_each_coder():
    found = import_labels(wide(kf=["no", "Yes", None], ab=["no", "", "cannot tell"]), RECORDS, RESPECT)
    assert codes("status", "source") == [
        ("ab", "r0", "respect", "no", "coded", "import"),
        ("ab", "r2", "respect", "cannot tell", "cannot_tell", "import"),
        ("kf", "r0", "respect", "no", "coded", "import"),
        ("kf", "r1", "respect", "yes", "coded", "import"),
    ]
    assert (found.coders, found.n_codes, found.n_records, found.n_empty) == (("ab", "kf"), 4, 3, 2)
    assert repr(found) == ("Imported:\n  4 codes of 2 coders (ab, kf) on respect, 3 records; 2 places without a code")


def test_the_columns_of_a_wide_table_can_be_named():
    table = wide(title=["a", "b", "c"], code_kf=["no", "yes", "yes"], code_ab=["yes", "yes", "yes"])
    import_labels(table, RECORDS, RESPECT, columns={"kf": "code_kf"})
    assert {row[0] for row in codes()} == {"kf"}
    import_labels(table, RECORDS, RESPECT, columns=["code_ab"])
    assert {row[0] for row in codes()} == {"kf", "code_ab"}


def test_a_wide_table_may_hold_several_criteria_of_several_coders():
    table = wide(kf_r=["no", "yes", "yes"], kf_h=[5, 1, None], ab_r=["yes", "no", None])
    plan = {"kf": {"respect": "kf_r", "heat": "kf_h"}, "ab": {"respect": "ab_r"}}
    import_labels(table, RECORDS, desk(), columns=plan)
    assert codes() == [
        ("ab", "r0", "respect", "yes"), ("ab", "r1", "respect", "no"),
        ("kf", "r0", "heat", "5"), ("kf", "r0", "respect", "no"),
        ("kf", "r1", "heat", "1"), ("kf", "r1", "respect", "yes"), ("kf", "r2", "respect", "yes"),
    ]  # fmt: skip


def test_a_table_of_one_coder_has_a_column_for_each_criterion():
    import_labels(wide(respect=["no", "yes", None], heat=[5, None, 1.0]), RECORDS, desk(), coder="kf")
    assert codes() == [
        ("kf", "r0", "heat", "5"), ("kf", "r0", "respect", "no"), ("kf", "r1", "respect", "yes"),
        ("kf", "r2", "heat", "1"),
    ]  # fmt: skip


def test_a_column_called_value_does_not_make_a_table_long():
    import_labels(wide(respect=["no", None, None], value=["much", "little", "much"]), RECORDS, desk(), coder="kf")
    assert codes() == [("kf", "r0", "respect", "no")]
    import_labels(pd.DataFrame({"record_id": ["r0"], "value": [0.5], "criterion": "share"}), RECORDS, MARKS, coder="ab")
    assert codes()[0] == ("ab", "r0", "share", 0.5)


def test_a_long_table_has_a_row_for_each_code():
    table = long(("r0", "kf", "respect", "no"), ("r0", "kf", "heat", 4), ("r1", "ab", "respect", "yes"), notes="a note")
    import_labels(table, RECORDS, desk())
    assert codes("notes") == [
        ("ab", "r1", "respect", "yes", "a note"), ("kf", "r0", "heat", "4", "a note"),
        ("kf", "r0", "respect", "no", "a note"),
    ]  # fmt: skip


def test_the_columns_of_a_long_table_may_be_called_otherwise():
    table = pd.DataFrame({"nr": ["r0"], "annotator": ["kf"], "code": ["1"]})
    roles = {"coder": "annotator", "category": "code"}
    import_labels(table, RECORDS, RESPECT, record_id="nr", columns=roles, values={1: "yes", "0": "no"})
    assert codes() == [("kf", "r0", "respect", "yes")]


def test_exported_labels_can_be_imported_again(project, tmp_path):
    import_labels(long(("r0", "kf", "heat", 4), ("r1", "kf", "share", 0.25), ("r2", "kf", "which", "appeal")), RECORDS,
                  MARKS)  # fmt: skip
    before = codes("status")
    labels().to_csv("labels.csv", index=False)
    bm.init("other", path=tmp_path / "other")
    import_labels("labels.csv", RECORDS, MARKS)
    assert codes("status") == before
    assert len(before) == 3


def test_labels_of_another_wording_are_not_taken_for_this_one(tmp_path):
    import_labels(wide(kf=["no", "yes", "yes"]), RECORDS, RESPECT)
    exported = labels()
    found = import_labels(exported, RECORDS, respect("Is it kind?"))
    assert (found.n_codes, len(found.rejected)) == (0, 3)
    assert set(found.rejected.problem) == {"this is a code under another wording of the criteria"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_csv_files_come_in_many_forms(tmp_path, encoding, sign):
    lines = ["record_id", "kàf"], ["r0", "no"], ["r1", "yes"]
    (tmp_path / "codes.csv").write_bytes("\r\n".join(sign.join(line) for line in lines).encode(encoding))
    import_labels("codes.csv", RECORDS, RESPECT)
    assert codes() == [("kàf", "r0", "respect", "no"), ("kàf", "r1", "respect", "yes")]


def test_ids_are_found_where_a_spreadsheet_has_made_numbers_of_them():
    records = bm.Corpus([bm.Record(record_id="7", content="One."), bm.Record(record_id="007", content="Two.")])
    import_labels(pd.DataFrame({"record_id": [7.0], "kf": ["no"]}), records, RESPECT)
    import_labels(pd.DataFrame({"record_id": ["007"], "kf": ["yes"]}), records, RESPECT)
    assert codes() == [("kf", "007", "respect", "yes"), ("kf", "7", "respect", "no")]


# --- our own sheets ----------------------------------------------------------------------------------


def test_a_sheet_that_was_filled_in_comes_back():
    cells = {("r0", "respect"): "no", ("r1", "respect"): "cannot tell", ("r0", "heat"): 4, ("r0", "notes"): "a note"}
    found = import_labels(sheet_of("kf", desk(), cells), RECORDS, desk())
    assert codes("blind", "notes") == [
        ("kf", "r0", "heat", "4", True, None),
        ("kf", "r0", "respect", "no", True, "a note"),
        ("kf", "r1", "respect", "cannot tell", True, None),
    ]
    assert found.n_empty == 5


def test_labels_of_several_kinds_come_back():
    cells = {
        ("r0", "which: mockery"): "yes",
        ("r1", "which: mockery"): "no",
        ("r2", "which: appeal"): "cannot tell",
        ("r3", "which: appeal"): "yes",
        ("r3", "which: mockery"): "Yes",
        ("r0", "share"): 0.25,
        ("r1", "share"): 1,
    }
    import_labels(sheet_of("kf", MARKS, cells), RECORDS, MARKS)
    assert codes() == [
        ("kf", "r0", "share", 0.25), ("kf", "r0", "which", '["mockery"]'),
        ("kf", "r1", "share", 1.0), ("kf", "r1", "which", "[]"),
        ("kf", "r2", "which", "cannot tell"), ("kf", "r3", "which", '["appeal", "mockery"]'),
    ]  # fmt: skip


@pytest.mark.parametrize(("mockery", "appeal"), [("yes", "cannot tell"), ("perhaps", None), ("not applicable", "x")])
def test_what_several_columns_say_together_must_make_sense(mockery, appeal):
    cells = {("r0", "which: mockery"): mockery, ("r0", "which: appeal"): appeal}
    found = import_labels(sheet_of("kf", MARKS, cells), RECORDS, MARKS)
    assert found.rejected.kind.tolist() == ["not on the scale"]
    assert f"'mockery': '{mockery}'" in found.rejected.problem.item()
    assert codes() == []


def test_the_sample_of_a_sheet_comes_back_with_it():
    drawn = pd.DataFrame({"record_id": ["r0", "r2"], "sample_id": "s1", "inclusion_p": [0.5, 0.25]})
    path = sheet_of("kf", RESPECT, {("r0", "respect"): "no", ("r2", "respect"): "no"}, sample=drawn)
    import_labels(path, RECORDS, RESPECT)
    assert codes("sample_id", "inclusion_p") == [
        ("kf", "r0", "respect", "no", "s1", 0.5),
        ("kf", "r2", "respect", "no", "s1", 0.25),
    ]


def test_a_sheet_of_another_wording_is_refused():
    path = sheet_of("kf", RESPECT, {("r0", "respect"): "no"})
    with pytest.raises(bm.SetupError, match="was made for criteria `respect` in another wording"):
        import_labels(path, RECORDS, respect("Is it kind?"))


def test_a_sheet_of_another_coder_is_refused():
    path = sheet_of("kf", RESPECT, {("r0", "respect"): "no"})
    with pytest.raises(bm.SetupError, match="the sheet of coder `kf`, not of `ab`"):
        import_labels(path, RECORDS, RESPECT, coder="ab")


def test_a_code_on_a_text_that_has_changed_since_is_left_out():
    path = sheet_of("kf", RESPECT, {("r0", "respect"): "no", ("r1", "respect"): "no"})
    changed = bm.Corpus([RECORDS["r0"].model_copy(update={"content": "Other."}), *RECORDS[1:]])
    found = import_labels(path, changed, RESPECT)
    assert found.rejected[["record_id", "kind"]].values.tolist() == [["r0", "another version"]]
    assert [row[1] for row in codes()] == ["r1"]


def test_a_sheet_saved_as_csv_can_still_be_read():
    path = sheet_of("kf", MARKS, {("r0", "which: mockery"): "yes", ("r1", "heat"): 3, ("r1", "notes"): "a note"})
    rows = [[cell.value for cell in row] for row in openpyxl.load_workbook(path)["codes"].iter_rows()]
    pd.DataFrame(rows[1:], columns=rows[0]).to_csv("kf.csv", index=False)
    import_labels("kf.csv", RECORDS, MARKS, coder="kf")
    assert codes("notes") == [("kf", "r0", "which", '["mockery"]', None), ("kf", "r1", "heat", "3", "a note")]
    with pytest.raises(bm.SetupError, match='does not name the coder; write coder="kf"'):
        import_labels("kf.csv", RECORDS, MARKS, layout="sheet")


def test_a_note_without_a_code_is_kept_and_counts_as_skipped():
    path = sheet_of("kf", desk(), {("r0", "notes"): "in Polish"})
    for _ in range(2):
        found = import_labels(path, RECORDS, desk())
        assert (found.n_codes, found.n_empty) == (0, 8)
        assert codes("status", "notes") == [("kf", "r0", "respect", None, "skipped", "in Polish")]
    assert len(labels(history=True)) == 1
    import_labels(fill(path, {("r0", "respect"): "no"}), RECORDS, desk())
    assert codes("status") == [("kf", "r0", "respect", "no", "coded")]


def test_a_note_without_a_code_takes_no_code_back():
    import_labels(sheet_of("kf", RESPECT, {("r0", "respect"): "no"}), RECORDS, RESPECT)
    path = sheet_of("kf", RESPECT, {("r0", "notes"): "in Polish"}, path="later.xlsx")
    found = import_labels(path, RECORDS, RESPECT, on_clash="replace")
    assert len(found.clashes) == 0
    assert codes("status") == [("kf", "r0", "respect", "no", "coded")]


def test_a_zip_of_sheets_of_several_coders_is_read_as_one():
    paths = [sheet_of(coder, RESPECT, {("r0", "respect"): code}) for coder, code in (("kf", "no"), ("ab", "yes"))]
    with zipfile.ZipFile("class.zip", "w") as archive:
        archive.write(paths[0], "../../kf.xlsx")
        archive.write(paths[1], "class/ab.xlsx")
        archive.writestr("class/cd.csv", "record_id,cd\nr0,no\n")
        archive.writestr("__MACOSX/class/._ab.xlsx", b"x")
        archive.writestr("__MACOSX/mac.csv", "record_id,mac\nr0,no\n")
        archive.writestr("class/~$ab.xlsx", b"x")
        archive.writestr("read me.md", "Hello.")
    found = import_labels("class.zip", RECORDS, RESPECT)
    assert found.coders == ("ab", "cd", "kf")
    assert import_labels([*paths, wide(ef=["no", None, None])], RECORDS, RESPECT).coders == ("ab", "ef", "kf")


def test_a_zip_that_claims_to_hold_more_than_any_table_is_not_unpacked(monkeypatch):
    monkeypatch.setattr("buttermilk_nb.corpus.loaders.zip_files.MAX_BYTES", 10)
    with zipfile.ZipFile("x.zip", "w") as archive:
        archive.writestr("kf.csv", "record_id,kf\nr0,no\n")
    with pytest.raises(bm.SetupError, match="would unpack to more than 2 GiB"):
        import_labels("x.zip", RECORDS, RESPECT)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"PK no zip", "cannot be read as a zip"), (None, "contains no table")],
)
def test_a_zip_that_is_none_or_holds_nothing_is_said_to_be_so(tmp_path, content, message):
    if content:
        (tmp_path / "x.zip").write_bytes(content)
    else:
        zipfile.ZipFile("x.zip", "w").close()
    with pytest.raises(bm.SetupError, match=message):
        import_labels("x.zip", RECORDS, RESPECT)


# --- what is wrong -----------------------------------------------------------------------------------


def test_ids_that_the_corpus_has_not_are_listed_with_the_nearest(tmp_path):
    table = pd.DataFrame({"record_id": ["r0", "r 1", "zz", None], "kf": ["no", "yes", "no", "no"]})
    table.to_csv("kf.csv", index=False)
    found = import_labels("kf.csv", RECORDS, RESPECT)
    assert found.rejected[["where", "record_id", "kind"]].values.tolist() == [
        ["kf.csv, line 3", "r 1", "unknown record"],
        ["kf.csv, line 4", "zz", "unknown record"],
        ["kf.csv, line 5", "", "unknown record"],
    ]
    assert "the corpus has no record `r 1`; did you mean `r1`?" in repr(found)
    assert "unknown record, 3 codes: kf.csv, line 3" in repr(found)
    assert [row[1] for row in codes()] == ["r0"]


@pytest.mark.parametrize("code", ["perhaps", "no idea", "yes and no", "yes, but", "0", "not yes"])
def test_codes_that_are_not_on_the_scale_are_listed_and_never_guessed(code):
    found = import_labels(wide(kf=["no", code, "yess"]), RECORDS, RESPECT)
    assert found.rejected[["record_id", "coder", "criterion", "code", "kind"]].values.tolist() == [
        ["r1", "kf", "respect", code, "not on the scale"],
        ["r2", "kf", "respect", "yess", "not on the scale"],
    ]
    assert "did you mean `yes`?" in found.rejected.problem.iloc[1]
    assert f"not on the scale, 2 codes: dataframe, row 2: '{code}' is not one of the answers; " in repr(found)
    assert [row[1] for row in codes()] == ["r0"]


@pytest.mark.parametrize("code", ["mockery appeals", "mockery, appall", '["mockery", "x"]', "[mockery", "mockery: yes"])
def test_several_labels_in_a_cell_must_all_be_labels(code):
    table = wide(which=[code, "appeal; mockery", "None"])
    found = import_labels(table, RECORDS, MARKS, coder="kf", columns={"kf": {"which": "which"}})
    assert found.rejected.code.tolist() == [code]
    assert codes() == [("kf", "r1", "which", '["appeal", "mockery"]'), ("kf", "r2", "which", "[]")]


def test_a_number_beyond_the_scale_is_listed():
    found = import_labels(wide(share=[0.5, 1.5, "half"], heat=[6, 2.5, 5]), RECORDS, MARKS, coder="kf")
    assert sorted(found.rejected.code.astype(str)) == ["1.5", "2.5", "6", "half"]
    assert codes() == [("kf", "r0", "share", 0.5), ("kf", "r2", "heat", "5")]


def test_rows_that_name_no_coder_or_another_question_are_listed():
    table = long(("r0", None, "respect", "no"), ("r1", "kf", "respct", "no"), ("r2", "kf", None, "no"))
    found = import_labels(table, RECORDS, desk())
    assert found.rejected.problem.tolist() == [
        "the coder is not named",
        "criteria `desk` has no criterion `respct`; did you mean `respect`?",
        "criteria `desk` has no criterion ``; there are `respect`, `heat`.",
    ]
    assert codes() == []


def test_of_a_great_many_problems_the_first_are_told_and_all_are_listed():
    many = pd.DataFrame({"record_id": [f"x{n}" for n in range(40)], "kf": "no", "ab": "no"})
    found = import_labels(many, RECORDS, RESPECT)
    assert len(found.rejected) == 80
    assert "unknown record, 80 codes: dataframe, row 1: " in repr(found)
    assert repr(found).count("the corpus has no record") == 5
    assert repr(found).endswith("; and 35 more")


def test_a_row_with_too_many_fields_is_listed(tmp_path):
    (tmp_path / "kf.csv").write_text("record_id,kf\nr0,no\nr1,yes,no\n\nr2,yes\n")
    found = import_labels("kf.csv", RECORDS, RESPECT)
    assert found.rejected.problem.tolist() == ["the row has 3 fields, but the header has 2"]
    assert [row[1] for row in codes()] == ["r0", "r2"]


# --- clashes and repetition --------------------------------------------------------------------------


def test_the_same_file_again_adds_nothing_and_shows_the_same():
    table = wide(kf=["no", "yes", None])
    first, again = import_labels(table, RECORDS, RESPECT), import_labels(table, RECORDS, RESPECT)
    assert (first.n_new, again.n_new) == (2, 0)
    assert repr(first) == repr(again)
    assert first._repr_html_() == again._repr_html_()
    assert len(labels(history=True)) == 2


def test_a_clash_stops_the_import_until_it_is_said_what_counts():
    import_labels(wide(kf=["no", "yes", None]), RECORDS, RESPECT)
    table = wide(kf=["yes", "yes", "no"], ab=["no", None, None])
    found = import_labels(table, RECORDS, RESPECT)
    assert not found.written
    assert found.clashes[["coder", "record_id", "criterion", "before", "now"]].values.tolist() == [
        ["kf", "r0", "respect", "no", "yes"]
    ]
    assert "1 clash: dataframe, row 1: kf on `respect` of `r0`, no before, yes now" in repr(found)
    assert 'nothing was written because of the clashes: write on_clash="keep"' in repr(found)
    assert len(labels()) == 2
    import_labels(table, RECORDS, RESPECT, on_clash="keep")
    assert codes() == [
        ("ab", "r0", "respect", "no"), ("kf", "r0", "respect", "no"), ("kf", "r1", "respect", "yes"),
        ("kf", "r2", "respect", "no"),
    ]  # fmt: skip
    found = import_labels(table, RECORDS, RESPECT, on_clash="replace")
    assert found.written
    assert codes()[1] == ("kf", "r0", "respect", "yes")
    assert labels(history=True, coder="kf").query("record_id == 'r0'").category.tolist() == ["no", "yes"]


def test_a_clash_inside_the_files_is_one_too():
    table = long(("r0", "kf", "respect", "no"), ("r0", "kf", "respect", "yes"), ("r0", "kf", "respect", "yes"))
    assert len(import_labels(table, RECORDS, RESPECT).clashes) == 2
    assert codes() == []
    import_labels(table, RECORDS, RESPECT, on_clash="keep")
    assert codes() == [("kf", "r0", "respect", "no")]
    import_labels(table, RECORDS, RESPECT, on_clash="replace")
    assert codes() == [("kf", "r0", "respect", "yes")]


def test_the_same_code_twice_is_no_clash():
    table = long(("r0", "kf", "respect", "no"), ("r0", "kf", "respect", "No."))
    found = import_labels(table, RECORDS, RESPECT)
    assert (found.n_codes, len(found.clashes)) == (1, 0)


def test_another_round_another_wording_or_another_text_is_no_clash():
    import_labels(wide(kf=["no", "yes", None]), RECORDS, RESPECT)
    changed = bm.Corpus([RECORDS["r0"].model_copy(update={"content": "Other."}), *RECORDS[1:]])
    other = wide(kf=["yes", None, None])
    for records, criteria, options in (
        (RECORDS, RESPECT, {"round": "2"}), (RECORDS, respect("Is it kind?"), {}), (changed, RESPECT, {}),
    ):  # fmt: skip
        assert import_labels(other, records, criteria, **options).written
    assert len(labels()) == 5


def test_a_code_from_the_form_clashes_with_one_from_a_file(project):
    label = make_label(RESPECT["respect"], RESPECT, RECORDS["r0"], coder="kf", answer="no", source="form")
    keep_labels(project, [label], records=list(RECORDS), documents=[RESPECT])
    assert len(import_labels(wide(kf=["yes", None, None]), RECORDS, RESPECT).clashes) == 1


def test_a_preview_writes_nothing(project):
    found = import_labels(wide(kf=["no", "yes", "perhaps"]), RECORDS, RESPECT, preview=True)
    assert (found.n_codes, found.n_new, len(found.rejected), found.written) == (2, 2, 1, False)
    assert repr(found).endswith("preview: nothing was written")
    for table in ("labels", "coders", "records", "texts"):
        assert len(project.store.df(f"select * from {table}")) == 0


def test_nothing_is_written_where_one_of_several_files_cannot_be_read(tmp_path):
    (tmp_path / "broken.xlsx").write_bytes(b"no workbook")
    with pytest.raises(bm.SetupError, match="`broken.xlsx` cannot be read as an Excel workbook"):
        import_labels([wide(kf=["no", "yes", None]), "broken.xlsx"], RECORDS, RESPECT)
    assert codes() == []


@pytest.mark.parametrize(
    ("source", "criteria", "options", "message"),
    [
        ("nothing.csv", RESPECT, {}, "there is no file `nothing.csv`"),
        ("notes.md", RESPECT, {}, "codes are in .csv"),
        ([], RESPECT, {}, "the list is empty"),
        (7, RESPECT, {}, "7 is not a source of labels"),
        (
            wide(kf=[1, 2, 3]),
            RESPECT,
            {"layout": "narrow"},
            "layout='narrow' must be one of auto, wide, long, form, sheet",
        ),
        (wide(kf=[1, 2, 3]), RESPECT, {"on_clash": "ask"}, "on_clash='ask' must be one of"),
        (wide(kf=[1, 2, 3]), RESPECT, {"record_id": "id"}, "has no column `id`"),
        (wide(kf=[1, 2, 3]), RESPECT, {"columns": ["kg"]}, "has no column `kg`"),
        (wide(), RESPECT, {}, "has no column with codes in addition to `record_id`"),
        (wide(kf=[1, 2, 3]), desk(), {}, "asks 2 questions"),
        (wide(kf=[1, 2, 3]), desk(), {"coder": "ab"}, "has no column `respect`"),
        (wide(kf=[1, 2, 3]), desk(), {"columns": {"kf": {"heet": "kf"}}}, "did you mean `heat`"),
        (wide(kf=[1, 2, 3]), RESPECT, {"layout": "long"}, "has no column `coder`"),
        (wide(coder=[1, 2, 3]), RESPECT, {"layout": "long"}, "has no column `category`"),
        (wide(kf=[1, 2, 3]), RESPECT, {"layout": "long", "columns": {"who": "kf"}}, "a long table has no role `who`"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(tmp_path, source, criteria, options, message):
    (tmp_path / "notes.md").write_text("x")
    with pytest.raises(bm.SetupError, match=message):
        import_labels(source, RECORDS, criteria, **options)


def test_what_an_import_shows_is_escaped():
    table = pd.DataFrame({"record_id": ["<script>"], "<b>": ["no"]})
    shown = import_labels(table, RECORDS, RESPECT)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_codes_of_a_sample_keep_how_their_records_were_drawn_and_others_are_not_taken():
    drawn = bm.draw_sample(RECORDS, 2, seed=1)
    taken = set(drawn.record_id)
    found = import_labels(wide(kf=["yes", "no", "no"]), RECORDS, RESPECT, sample=drawn)
    assert (set(labels().record_id), set(labels().inclusion_p)) == ({"r0", "r1", "r2"} & taken, {0.5})
    assert set(labels(history=True).sample_id) == set(drawn.sample_id)
    assert set(found.rejected.record_id) == {"r0", "r1", "r2"} - taken
    assert "not in the sample" in repr(found)


def test_an_assignment_is_a_sample_for_each_coder():
    shares = bm.assign_coders(RECORDS, ["kf", "ab"], overlap=0)
    own = {name: set(part.record_id) for name, part in shares.groupby("coder")}
    found = import_labels(wide(kf=["yes"] * 3, ab=["no"] * 3), RECORDS, RESPECT, sample=shares)
    three = {"r0", "r1", "r2"}
    assert {name: set(part.record_id) for name, part in labels().groupby("coder")} == {
        name: ids & three for name, ids in own.items() if ids & three
    }
    assert len(found.rejected) == 3


def test_what_bm_labels_gives_comes_back_as_it_was(tmp_path):
    texts = list(RECORDS)
    before = make_label(RESPECT["respect"], RESPECT, texts[0], coder="kf", answer="no", source="form", blind=True)
    decided = make_label(
        RESPECT["respect"], RESPECT, texts[1], coder="kf", answer="no", source="adjudication", round="adjudication"
    )
    keep_labels(bm.project.session.current(), [before, decided], records=texts, documents=[RESPECT])
    table = labels(history=True).drop(columns=["label_id"])
    changed = bm.Corpus([texts[0], bm.Record(record_id="r2", content="Another text.")])
    other = bm.init("other", path=tmp_path / "other", models=["offline/strict"])
    rows = [*table.to_dict("records"), {**table.iloc[0].to_dict(), "record_id": "r2"}]
    found = import_labels(pd.DataFrame(rows), changed, RESPECT, project=other)
    assert labels(other)[["record_id", "coder", "blind"]].values.tolist() == [["r0", "kf", True]]
    assert len(found.rejected) == 2, "a decision, and a code of another text"
