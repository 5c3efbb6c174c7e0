"""Files as other programs write them: each is read as its owner means it, or the corpus says what to check."""

from __future__ import annotations

import json
import zipfile

import openpyxl
import pandas as pd
import pytest

import buttermilk_nb as bm

ENDINGS_WITHOUT_LOADER = ["xyz", "mx24"]
LONG_IDS = ["1294031234567834881", "1294031234567834882"]


def write(folder, name, data):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def remarks(corpus):
    return "\n".join(corpus.remarks)


@pytest.mark.parametrize("ending", ENDINGS_WITHOUT_LOADER)
def test_a_file_without_a_loader_is_refused_with_the_list_of_loaders(tmp_path, ending):
    with pytest.raises(bm.SetupError, match=f"there is no loader for `.{ending}`; you can load .csv, .*and folders"):
        bm.load(write(tmp_path, f"a.{ending}", "One line of text.\n"))


@pytest.mark.parametrize(("ending", "text"), [("txt", "One."), ("md", "# One\n\nTwo."), ("log", "One.")])
def test_texts_are_read_from_a_folder_with_a_pattern(tmp_path, ending, text):
    write(tmp_path, f"a.{ending}", text)
    assert [record.content for record in bm.load(tmp_path, pattern=f"*.{ending}")] == [text]


def test_a_file_of_webanno_is_refused_as_a_table_without_a_column_of_texts(tmp_path):
    lines = ["#FORMAT=WebAnno TSV 3.3", "#T_SP=webanno.custom.Tone|value", "", "", "#Text=The room is quiet."]
    lines += ["1-1\t0-3\tThe\t_\t", "1-2\t4-8\troom\tcalm\t", "1-3\t9-11\tis\t_\t"]
    with pytest.raises(bm.SetupError, match="say which column contains the text"):
        bm.load(write(tmp_path, "a.tsv", "\n".join(lines)))


def test_the_list_of_an_object_is_named_by_its_key(tmp_path):
    file = write(tmp_path, "a.json", json.dumps({"count": 2, "data": [{"text": "One."}, {"text": "Two."}]}))
    with pytest.raises(bm.SetupError, match="Write at='data'"):
        bm.load(file)
    assert [record.content for record in bm.load(file, at="data")] == ["One.", "Two."]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_a_german_spreadsheet_is_read_with_its_commas(tmp_path, encoding):
    data = "Nr;Text;Anteil\r\n1;Größe, Straße und Käse;0,5\r\n2;Überall grün;1.234,25\r\n".encode(encoding)
    corpus = bm.load(write(tmp_path, "a.csv", data), content="Text", record_id="Nr")
    assert [record.content for record in corpus] == ["Größe, Straße und Käse", "Überall grün"]
    assert [record.metadata for record in corpus] == [{"Anteil": "0,5"}, {"Anteil": "1.234,25"}]
    assert corpus.remarks == ()


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy, řekl děda."),
        ("cp1257", "Ąžuolas žydėjo, o šviesą nešė įvairūs žmonės."),
        ("cp1254", "Pijamalı hasta yağız şoföre çabucak güvendi, ışığı söndürdü."),
        ("iso8859_16", "Muzică în bej, whisky și tequila, preț fix, țară întreagă și înțeleaptă."),
    ],
)
def test_the_page_that_was_chosen_is_in_the_provenance(tmp_path, encoding, text):
    corpus = bm.load(write(tmp_path, "a.csv", f'text\n"{text}"\n'.encode(encoding)))
    assert corpus[0].content == text
    assert corpus.provenance["encoding"] == f"{encoding} (detected)"


@pytest.mark.parametrize(
    "text",
    [  # a detector of frequencies takes these for pages of DOS, HP and Macs
        "Das ist schön, sagte sie, und ging nach Köln.",
        "Ein Gespräch mit dem Präsidenten über die Lage in der Türkei",
        "Señora Núñez",
        "¿Qué?",
        "På øya er det kaldt.",
    ],
)
@pytest.mark.parametrize("n", [1, 3, 10])
def test_a_western_text_is_read_in_the_western_page(tmp_path, text, n):
    whole = "\n".join([text] * n)
    write(tmp_path, "a.txt", whole.encode("latin-1"))
    assert bm.load(tmp_path)[0].content == whole


def test_a_doubtful_page_is_said_with_two_readings_of_one_line(tmp_path):
    write(tmp_path, "a.txt", "El niño está en España.".encode("latin-1"))
    corpus = bm.load(tmp_path)
    assert corpus[0].content == "El niño está en España."
    assert "was read as cp1252: `niño está España.`. As cp850 it would be `ni±o estß Espa±a.`" in remarks(corpus)


@pytest.mark.parametrize(
    "text",
    [
        "La casa è bella e il gatto è nero.",
        "Non è vero che è caro.",
        "Elle est à la maison et lui est à la plage.",
        "Die Karten kosten 12 Euro à Person.",
    ],
)
def test_a_latin_text_whose_only_accents_are_words_of_one_letter_is_read_in_its_letters(tmp_path, text):
    write(tmp_path, "a.txt", "\n".join([text] * 30).encode("cp1252"))
    assert set(bm.load(tmp_path)[0].content.splitlines()) == {text}


def test_other_files_of_a_zip_are_counted_and_capital_endings_are_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("a.txt", "B.TXT", "c.doc", "d.log", "e.log"):
            archive.writestr(name, f"This is {name}.")
    corpus = bm.load(tmp_path / "a.zip")
    assert sorted(record.content for record in corpus) == ["This is B.TXT.", "This is a.txt."]
    assert "3 files were left out (2 .log, 1 .doc)" in remarks(corpus)
    assert corpus.provenance["left_out"] == 3


def test_what_would_read_the_texts_that_were_left_out_is_said(tmp_path):
    write(tmp_path, "a.txt", "One.")
    write(tmp_path, "b.log", "Two.")
    assert 'pattern="*.log" reads others' in remarks(bm.load(tmp_path))
    assert [record.content for record in bm.load(tmp_path, pattern="*.log")] == ["Two."]


def test_a_pattern_that_would_be_refused_is_not_proposed(tmp_path):
    write(tmp_path, "a.txt", "One.")
    with zipfile.ZipFile(tmp_path / "b.pptx", "w") as archive:
        archive.writestr("ppt/presentation.xml", "<p/>")
    assert 'pattern="*.pptx" reads others' not in remarks(bm.load(tmp_path))


def test_a_folder_without_texts_lists_the_files_that_it_has(tmp_path):
    for name in ("a.pptx", "b.log"):
        write(tmp_path, name, "One.")
    with pytest.raises(bm.SetupError, match=r"contains no document and no image; it has 1 \.pptx, 1 \.log"):
        bm.load(tmp_path)


def test_a_header_that_is_merged_over_two_columns_loses_none_of_them(tmp_path):
    book = openpyxl.Workbook()
    for row in (["Id", "Text", "Codes", None], [1, "One.", "a", "b"], [2, "Two.", "c", None]):
        book.active.append(row)
    book.active.merge_cells("C1:D1")
    book.save(tmp_path / "a.xlsx")
    corpus = bm.load(tmp_path / "a.xlsx", content="Text", record_id="Id")
    assert [record.metadata for record in corpus] == [
        {"Codes": "a", "column 4": "b"},
        {"Codes": "c", "column 4": None},
    ]


def test_a_quotation_mark_that_begins_a_text_swallows_no_row_of_a_file_with_bars(tmp_path):
    data = 'id|text\n1|"quoted" start\n2|plain\n3|"an open one\n4|last "word"\n'
    corpus = bm.load(write(tmp_path, "a.csv", data), content="text", record_id="id")
    assert [record.content for record in corpus] == ['"quoted" start', "plain", '"an open one', 'last "word"']
    assert "(5 lines); read as marks around fields they would give 4" in remarks(corpus)


@pytest.mark.parametrize(("name", "sign"), [("a.tsv", "\t"), ("a.csv", "|")])
def test_a_mark_that_begins_a_text_and_one_that_ends_another_join_no_rows_in_silence(tmp_path, name, sign):
    lines = ["id{}text", '1{}"an open one', "2{}plain", '3{}the last word is so"', "4{}last"]
    file = write(tmp_path, name, "\n".join(line.format(sign) for line in lines))
    corpus = bm.load(file, content="text", record_id="id")
    assert len(corpus) + len(corpus.rejected) == 4 or corpus.remarks


@pytest.mark.parametrize("name", ["parent_id", "in_reply_to", "authorId"])
def test_metadata_that_holds_rounded_ids_is_named_with_the_line_that_reads_them(name):
    frame = pd.DataFrame({"id": ["1", "2"], name: [1.2940312345678e18, None], "text": list("ab")})
    corpus = bm.load(frame, content="text", record_id="id")
    assert f"`{name}` has decimal numbers of more than 16 digits" in remarks(corpus)
    assert f'dtype={{"{name}": str}}' in remarks(corpus)


def test_ids_that_would_be_the_same_number_are_refused_and_not_rejected_as_duplicates():
    frame = pd.DataFrame({"id": [*map(float, LONG_IDS), None], "text": list("abc")})
    assert frame.id[0] == frame.id[1]
    with pytest.raises(bm.SetupError, match=r'dtype=\{"id": str\}'):
        bm.load(frame, content="text", record_id="id")


def test_codes_whose_ids_have_other_zeros_are_taken_and_it_is_said(offline_project):
    calm = bm.Criteria("calm", "Is it calm?")
    corpus = bm.Corpus([bm.Record(record_id=str(n), content=f"Text {n}.") for n in (1, 2, 3)])
    for coder, ids, rule in (
        ("ana", ["1.0", "2.0", "3.0"], "3 ids were read without `.0`: `1.0` is `1`"),
        ("ben", ["001", "002", "003"], "3 ids were read without zeros at their beginning: `001` is `1`"),
    ):
        result = bm.import_labels(pd.DataFrame({"record_id": ids, coder: ["yes", "no", "no"]}), corpus, calm)
        assert (result.n_codes, len(result.rejected)) == (3, 0)
        assert rule in repr(result)
        assert bm.labels(coder=coder).record_id.tolist() == ["1", "2", "3"]


def test_the_rule_for_ids_is_offered_where_one_of_them_stays_unknown(offline_project):
    calm = bm.Criteria("calm", "Is it calm?")
    corpus = bm.Corpus([bm.Record(record_id=str(n), content=f"Text {n}.") for n in range(1, 30)])
    codes = pd.DataFrame({"record_id": ["1.0", "2.0", "99.0"], "ana": ["yes", "no", "no"]})
    result = bm.import_labels(codes, corpus, calm)
    assert result.n_codes == 0
    assert "without `.0`" in repr(result)


NOTHING = ["nan", "None", "null", "NA", "NaN"]


def test_texts_that_look_like_missing_values_are_kept_with_one_remark(tmp_path):
    rows = "".join(f"{n},{text}\n" for n, text in enumerate([*NOTHING, "A text."]))
    corpus = bm.load(write(tmp_path, "a.csv", f"id,text\n{rows}"), content="text", record_id="id")
    assert [record.content for record in corpus] == [*NOTHING, "A text."]
    assert len(corpus.remarks) == 1
    assert "5 texts in `text` say only" in corpus.remarks[0]


def test_the_line_that_drops_missing_values_drops_all_of_them(tmp_path):
    rows = "".join(f"{n},{text}\n" for n, text in enumerate([*NOTHING, "A text."]))
    corpus = bm.load(write(tmp_path, "a.csv", f"id,text\n{rows}"), content="text", record_id="id")
    line = corpus.remarks[0].partition("to drop them: ")[2].rstrip(".")
    assert all(repr(word) in line for word in NOTHING)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "id,text\n{},a\n{},b\n"),
        ("a.json", '[{{"id": {}, "text": "a"}}, {{"id": {}, "text": "b"}}]'),
        ("b.json", '[{{"id": "{}", "text": "a"}}, {{"id": "{}", "text": "b"}}]'),
        ("a.jsonl", '{{"id": {}, "text": "a"}}\n{{"id": {}, "text": "b"}}\n'),
    ],
)
def test_ids_of_19_digits_stay_whole(tmp_path, name, data):
    corpus = bm.load(write(tmp_path, name, data.format(*LONG_IDS)), content="text", record_id="id")
    assert [record.record_id for record in corpus] == LONG_IDS
    assert corpus.remarks == ()


def test_zeros_before_an_id_stay_in_a_workbook_as_text_and_in_a_csv(tmp_path):
    book = openpyxl.Workbook()
    for row in (["id", "text"], ["007", "One."], ["08", "Two."]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    csv_file = write(tmp_path, "a.csv", "id,text\n007,One.\n08,Two.\n")
    for path in (tmp_path / "a.xlsx", csv_file):
        assert [record.record_id for record in bm.load(path, content="text", record_id="id")] == ["007", "08"]


def test_a_country_called_na_is_a_country(tmp_path):
    corpus = bm.load(write(tmp_path, "a.csv", "id,text,country\n1,One.,NA\n2,Two.,DE\n"), record_id="id")
    assert [record.metadata for record in corpus] == [{"country": "NA"}, {"country": "DE"}]
    assert corpus.remarks == ()
    countries = bm.load(write(tmp_path, "b.csv", "country,text\nNA,One.\nDE,Two.\n"), record_id="country")
    assert [record.record_id for record in countries] == ["NA", "DE"]


def test_blanks_around_an_id_are_no_part_of_it(tmp_path):
    corpus = bm.load(write(tmp_path, "a.csv", "id,text\n 1 ,One.\n2 ,Two.\n"), record_id="id")
    assert [record.record_id for record in corpus] == ["1", "2"]


def test_whole_numbers_of_a_frame_are_ids_without_decimals():
    frame = pd.DataFrame({"id": [1.0, 2.0], "text": ["One.", "Two."]})
    corpus = bm.load(frame, record_id="id")
    assert [record.record_id for record in corpus] == ["1", "2"]
    assert corpus.remarks == ()
