"""The workbook that a coder fills in: what is in it, what is not, and that nothing in it is run."""

import openpyxl
import PIL.Image
import pytest
from openpyxl.worksheet.datavalidation import DataValidation
from support.study import corpus, desk, flow, judge, respect

import buttermilk_nb as bm
from buttermilk_nb.human_coding.assignments import assign_coders
from buttermilk_nb.human_coding.labels import keep_labels, make_label
from buttermilk_nb.human_coding.spreadsheets import coding_sheet

LONG = bm.Criteria(
    "study",
    "What the editors ask.",
    version="2",
    criteria={
        "respect": {
            "question": "Is it respectful?",
            "definition": "People are spoken of as people.",
            "include": ["slurs"],
            "exclude": ["quotations"],
            "examples": {"no": ["They are vermin."]},
            "non_answers": ["cannot tell"],
            "flag": "no",
            "cues": {"no": ["SECRETCUE"]},
        },
        "heat": {"question": "How heated is it?", "scale": "1-5"},
        "marks": {"question": "Which?", "scale": "labels: mockery, mild | @appeal"},
        "share": {"question": "How much?", "scale": "0..1"},
        "part": {"question": "How much of it?", "scale": "0..10", "non_answers": ["not applicable"]},
    },
)


def book_of(path):
    return openpyxl.load_workbook(path)


def header(book):
    return [cell.value for cell in book["codes"][1]]


def rules(book) -> dict[str, DataValidation]:
    return {str(rule.sqref): rule for rule in book["codes"].data_validations.dataValidation}


def offered(book, rule):
    sheet, _, cells = rule.formula1.rpartition("!")
    return [row[0].value for row in book[sheet.strip("'")][cells.replace("$", "")]]


def everything(book):
    return "\n".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value)


def test_a_sheet_has_a_row_for_each_record_and_a_column_for_each_question(tmp_path):
    path = coding_sheet(corpus(3), LONG, coder="kf", path=tmp_path / "kf.xlsx", order="corpus")
    book = book_of(path)
    assert header(book) == [
        "record_id", "text", "respect", "heat", "marks: mockery, mild", "marks: @appeal", "share", "part", "notes",
    ]  # fmt: skip
    rows = [[cell.value for cell in row] for row in book["codes"].iter_rows(min_row=2)]
    assert [row[:2] for row in rows] == [[r.record_id, r.content] for r in corpus(3)]
    assert all(value is None for row in rows for value in row[2:])
    assert book["codes"].freeze_panes == "B2"


def test_each_column_offers_the_answers_of_its_scale_and_the_non_answers_that_are_allowed(tmp_path):
    book = book_of(coding_sheet(corpus(3), LONG, coder="kf", path=tmp_path / "kf.xlsx"))
    found = rules(book)
    assert offered(book, found["C2:C4"]) == ["yes", "no", "cannot tell"]
    assert offered(book, found["D2:D4"]) == [1, 2, 3, 4, 5], "numbers, as a person types them"
    assert offered(book, found["E2:E4"]) == offered(book, found["F2:F4"]) == ["yes", "no"]
    share, part = found["G2:G4"], found["H2:H4"]
    assert (share.type, share.operator, float(share.formula1), float(share.formula2)) == (
        "decimal",
        "between",
        0,
        1,
    )
    assert part.type == "custom"
    assert part.formula1 == 'OR(AND(ISNUMBER(H2),H2>=0.0,H2<=10.0),H2="not applicable")'
    assert all(rule.showErrorMessage and rule.allow_blank for rule in found.values())
    assert "How heated" in found["D2:D4"].prompt


def test_answers_with_commas_and_signs_stand_in_a_drop_down_as_they_are(tmp_path):
    tone = bm.Criteria("tone", "Which?", scale="calm, on the whole | +1+1 | @home")
    book = book_of(coding_sheet(corpus(1), tone, coder="kf", path=tmp_path / "kf.xlsx"))
    assert offered(book, rules(book)["C2"]) == ["calm, on the whole", "+1+1", "@home"]
    assert book["answers"]["A2"].data_type == "s"


def test_the_second_sheet_is_the_codebook(tmp_path):
    book = book_of(coding_sheet(corpus(1), LONG, coder="kf", path=tmp_path / "kf.xlsx"))
    assert book.sheetnames[:2] == ["codes", "codebook"]
    lines = [[cell.value for cell in row] for row in book["codebook"].iter_rows()]
    assert ["criteria", "study"] in [line[:2] for line in lines]
    assert ["text", "What the editors ask."] in [line[:2] for line in lines]
    assert [
        "respect", "Is it respectful?", "People are spoken of as people.", "slurs", "quotations",
        "no: They are vermin.",
        'Answer "yes" or "no". Where that is impossible, answer "cannot tell".',
    ] in lines  # fmt: skip
    assert book["answers"].sheet_state == book["facts"].sheet_state == "veryHidden"


def test_nobody_s_answers_are_in_it(project, tmp_path):
    known = bm.Corpus(
        [
            record.model_copy(
                update={
                    "ground_truth": {"respect": "SECRETTRUTH"},
                    "labels": {"SECRETCODER": {"respect": "no"}},
                    "expert_reasons": {"respect": ("SECRETREASON",)},
                    "metadata": {"outlet": "SECRETOUTLET"},
                }
            )
            for record in corpus(3)
        ]
    )
    plain = corpus(3)
    flow(judge(LONG), models="offline/strict").run(plain)
    label = make_label(
        LONG["respect"], LONG, plain["r0"], coder="other-coder", answer="no", source="form", notes="SECRETNOTE"
    )
    keep_labels(project, [label], records=list(plain), documents=[LONG])
    text = everything(book_of(coding_sheet(known, LONG, coder="kf", path=tmp_path / "kf.xlsx")))
    for word in ("SECRET", "other-coder", "offline", "truth"):
        assert word not in text


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "#N/A", "=", "\tx", "1e5"])
def test_a_text_that_a_spreadsheet_would_run_stays_text(tmp_path, text):
    records = bm.Corpus([bm.Record(record_id=text.strip() or "x", content=text)])
    tone = bm.Criteria("=1+1", text.strip(), criteria={"=2+2": {"question": text.strip() or "?"}})
    book = book_of(coding_sheet(records, tone, coder="=3+3", path=tmp_path / "kf.xlsx"))
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    assert book["codes"]["B2"].value == text
    if text[0] in "=+-@":
        assert book["codes"]["B2"].quotePrefix
        assert book["codes"]["A2"].quotePrefix


def test_what_xml_cannot_hold_is_replaced(tmp_path):
    records = bm.Corpus([bm.Record(record_id="a", content="bell \x07 and \uffff and \ud800.")])
    book = book_of(coding_sheet(records, respect(), coder="kf", path=tmp_path / "kf.xlsx"))
    assert book["codes"]["B2"].value == "bell \ufffd and \ufffd and \ufffd."


@pytest.mark.parametrize("sign", ["x", "😀"])
def test_a_text_longer_than_a_cell_is_cut_and_says_so(tmp_path, sign):
    n = 32_767 if sign == "x" else 16_383
    whole, longer = sign * n, sign * (n + 1)
    records = bm.Corpus([bm.Record(record_id="a", content=whole), bm.Record(record_id="b", content=longer)])
    path = coding_sheet(records, respect(), coder="kf", path=tmp_path / "kf.xlsx", order="corpus")
    book = book_of(path)
    assert book["codes"]["B2"].value == whole
    cut = book["codes"]["B3"].value
    assert len(cut.encode("utf-16-le")) // 2 <= 32_767
    assert cut.endswith(
        f"[cut here: a cell can contain 32,767 characters, but this text has {n + 1:,}; ask for the rest]"
    )


def test_an_image_is_said_to_be_missing(tmp_path):
    PIL.Image.new("RGB", (2, 2)).save(tmp_path / "post.png")
    image = bm.Image.from_file(tmp_path / "post.png")
    records = bm.Corpus([bm.Record(record_id="a", content="Look.", images=(image,))])
    book = book_of(coding_sheet(records, respect(), coder="kf", path=tmp_path / "kf.xlsx"))
    assert book["codes"]["B2"].value == "Look.\n\n[with 1 image, which a spreadsheet cannot show: post.png]"


def test_a_criterion_may_be_called_like_a_column_of_the_sheet(tmp_path):
    odd = bm.Criteria("odd", "?", criteria={"notes": {"question": "?"}, "text": {"question": "?"}})
    book = book_of(coding_sheet(corpus(1), odd, coder="kf", path=tmp_path / "kf.xlsx"))
    assert header(book) == ["record_id", "text", "notes (code)", "text (code)", "notes"]


def test_each_coder_gets_an_order_of_their_own_and_the_same_one_again(tmp_path):
    def ids(coder, **options):
        path = coding_sheet(corpus(30), respect(), coder=coder, path=tmp_path / f"{coder}.xlsx", **options)
        return [row[0].value for row in book_of(path)["codes"].iter_rows(min_row=2)]

    assert ids("kf") == ids("kf") != ids("ab")
    assert ids("kf", seed=1) == ids("ab", seed=1)
    assert sorted(ids("kf", order="corpus")) == sorted(ids("ab"))


def test_a_coder_gets_what_was_assigned_to_them(project, tmp_path):
    shares = assign_coders(corpus(10), ["kf", "ab"], overlap=0.2)
    path = coding_sheet(corpus(10), respect(), coder="kf", path=tmp_path / "kf.xlsx", sample=shares)
    found = [row[0].value for row in book_of(path)["codes"].iter_rows(min_row=2)]
    assert sorted(found) == sorted(shares[shares.coder == "kf"].record_id)


# --- the file ----------------------------------------------------------------------------------------


def test_without_a_path_the_file_is_named_for_the_criteria_and_the_coder():
    path = coding_sheet(corpus(1), respect(), coder="k/f ..")
    assert str(path) == "coding-respect-k-f.xlsx"
    assert path.exists()


def test_an_empty_sheet_is_written_again_and_a_filled_one_never(tmp_path):
    path = coding_sheet(corpus(3), respect(), coder="kf", path=tmp_path / "kf.xlsx")
    assert coding_sheet(corpus(3), respect(), coder="kf", path=path) == path
    book = book_of(path)
    book["codes"]["D3"] = "a note"
    book.save(path)
    with pytest.raises(bm.SetupError, match="already exists, and is not an empty sheet of `respect`"):
        coding_sheet(corpus(3), respect(), coder="kf", path=path)
    assert book_of(path)["codes"]["D3"].value == "a note"


def test_another_file_is_never_written_over(tmp_path):
    path = tmp_path / "kf.xlsx"
    openpyxl.Workbook().save(path)
    with pytest.raises(bm.SetupError, match="already exists"):
        coding_sheet(corpus(3), respect(), coder="kf", path=path)
    other = coding_sheet(corpus(3), desk(), coder="kf", path=tmp_path / "desk.xlsx")
    with pytest.raises(bm.SetupError, match="already exists"):
        coding_sheet(corpus(3), respect(), coder="kf", path=other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"coder": " "}, "a coding sheet needs a coder"),
        ({"path": "kf.csv"}, "a name that ends with `.xlsx`"),
        ({"path": "nowhere/kf.xlsx"}, "there is no folder `nowhere`"),
        ({"sample": ["zz"]}, "the corpus has no record `zz`"),
        ({"order": "random"}, "write `shuffled`"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_written(tmp_path, options, message):
    with pytest.raises(bm.SetupError, match=message):
        coding_sheet(corpus(3), respect(), **{"coder": "kf", "path": "kf.xlsx", **options})
    assert not list(tmp_path.glob("*.xlsx"))
