"""Files as their owners have them: what was guessed is said, and every row is a record or is rejected."""

from __future__ import annotations

import datetime as dt
import json
import zipfile

import duckdb
import openpyxl
import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus.loaders import csv_files

TEXTS = {
    "cp1252": [
        "Größe und Übermut: die Straße war naß, wir hörten Schüsse.",
        "Où est-il ? À Paris, près de l'église, l'été.",
        "¿Dónde está el niño? Mañana volverá también el señor.",
        "Não há opções: a decisão é nossa, amanhã às três.",
        "Perché no? È così, però la città è più lontana.",
        "Hun så på ham, og sø og fjord lå stille før året gikk.",
        "Han går längs ån, äter blåbär och hör åskan.",
        "Ísland er þó ekki eyja án þæginda; það er gott.",
    ],
    "cp1250": [
        "Příliš žluťoučký kůň úpěl ďábelské ódy, řekl děda.",
        "Zażółć gęślą jaźń, powiedział ktoś wśród łąk i gór.",
        "Árvíztűrő tükörfúrógép, mondta a bíró, és elment őt keresni.",
        "Život je čudan, rekao je đak, i otišao kući.",
        "Škoda, že čas beží; dážď padá a vtáky odlietajú ďaleko, ľudia.",
    ],
    "cp1257": [
        "Ąžuolas žydėjo, o šviesą nešė įvairūs žmonės, kurių čia niekas nepažįsta.",
        "Glāze šķīst, rūķīši dzērumā čukst, un ļaudis ātri aiziet mājās.",
    ],
    "cp1254": [
        "Pijamalı hasta yağız şoföre çabucak güvendi, ışığı söndürdü.",
    ],
    "iso8859_16": [
        "Muzică în bej, whisky și tequila, preț fix, țară întreagă și înțeleaptă.",
    ],
    "cp1251": [
        "Съешь же ещё этих мягких французских булок, да выпей чаю.",
        "Жебракують філософи при ґанку церкви, ще й шатро.",
    ],
    "koi8_r": [
        "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    ],
    "cp1253": [
        "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία, είπε ο γέρος στην πλατεία.",
    ],
    "shift_jis": [
        "いろはにほへとちりぬるを、色は匂へど散りぬるを。日本語の文章です。",
    ],
    "gb18030": [
        "这是一个中文句子,用来测试编码。我们希望它能被正确识别。这是第二个句子。",
    ],
    "utf-16-le": [
        "Ein Text ohne Marke, mit Übermut und Größe.",
    ],
    "utf-16-be": [
        "A text without a mark.",
    ],
    "iso2022_jp": [
        "日本語の文章です。これは手紙です。",
    ],
    "utf-16": [
        "Ein Text mit Marke.",
    ],
    "utf-8": [
        "Größe",
    ],
}


def load_csv(tmp_path, data, name="x.csv", **options):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return bm.load(path, **options)


@pytest.mark.parametrize(("encoding", "text"), [(name, text) for name, texts in TEXTS.items() for text in texts])
@pytest.mark.parametrize("n", [1, 40])
def test_a_text_is_read_in_its_own_letters(tmp_path, encoding, text, n):
    (tmp_path / "a.txt").write_bytes("\n".join([text] * n).encode(encoding))
    corpus = bm.load(tmp_path)
    assert corpus[0].content == "\n".join([text] * n)
    ambiguous = encoding == "iso8859_16"  # its Romanian differs from cp1250 in the form of a comma
    assert len(corpus.remarks) == ambiguous, corpus.remarks
    assert not ambiguous or 'encoding="cp1250"' in repr(corpus)


def test_lines_in_two_encodings_are_each_read_in_their_own_and_it_is_said(tmp_path):
    data = "text\ncafé\n".encode() + "Größe über Straßen\n".encode("cp1252")
    corpus = load_csv(tmp_path, data, content="text")
    assert [record.content for record in corpus] == ["café", "Größe über Straßen"]
    assert "`x.csv` is in two encodings: line 3 in cp1252, the others in UTF-8" in corpus.remarks[-1]
    assert corpus.provenance["encoding"] == "utf-8 and cp1252 (detected)"


QUALTRICS = (
    'ResponseId,Q1,Q2\n"Response ID","What did you see?","How do you feel?"\n'
    '"{""ImportId"":""_recordId""}","{""ImportId"":""QID1""}","{""ImportId"":""QID2""}"\n'
    "R_1,A cat,Fine\nR_2,A dog,Bad\n"
)
SURVEY_MONKEY = (
    "RespondentID,CollectorID,What do you like?,,Anything else?\n,,Tea,Coffee,Open-Ended Response\n"
    "1,9,Tea,,I sleep well\n2,9,,Coffee,Nothing\n"
)


def test_the_three_header_rows_of_qualtrics_are_one(tmp_path):
    corpus = load_csv(tmp_path, QUALTRICS, content="Q1", record_id="ResponseId")
    assert [record.content for record in corpus] == ["A cat", "A dog"]
    assert corpus.provenance["question_texts"]["Q2"] == "How do you feel?"
    assert "header rows of Qualtrics" in repr(corpus)


def test_the_two_header_rows_of_survey_monkey_are_one(tmp_path):
    corpus = load_csv(tmp_path, SURVEY_MONKEY, content="Anything else?", record_id="RespondentID")
    assert [record.content for record in corpus] == ["I sleep well", "Nothing"]
    assert corpus[0].metadata["What do you like?: Tea"] == "Tea"
    assert "header rows of SurveyMonkey" in repr(corpus)


def workbook(path, *rows, title="Sheet", more=()):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    for name in more:
        book.create_sheet(name).append(["Text"])
    book.save(path)
    return path


def test_a_header_below_a_title_is_found_and_said(tmp_path):
    path = workbook(tmp_path / "x.xlsx", ["My study export"], [], ["Id", "Text"], [1, "One."], [2, "Two."])
    corpus = bm.load(path, content="Text", record_id="Id")
    assert [record.content for record in corpus] == ["One.", "Two."]
    assert "the header was found in line 3, below `My study export`; if that is wrong, write header=1" in repr(corpus)
    below = load_csv(tmp_path, "My export\n\nid,text\n1,One.\n", content="text", record_id="id")
    assert [record.content for record in below] == ["One."]
    assert bm.load(path, content="Text", header=3).provenance["header"] == 3
    with pytest.raises(bm.SetupError, match="header=9: `x.xlsx` has no such row"):
        bm.load(path, content="Text", header=9)


def test_a_column_of_texts_alone_has_no_title(tmp_path):
    corpus = load_csv(tmp_path, "text\none, two\nthree\n", content="text", delimiter=";")
    assert [record.content for record in corpus] == ["one, two", "three"]


def test_a_column_without_a_heading_keeps_its_values(tmp_path):
    path = workbook(tmp_path / "x.xlsx", ["Id", "Text", "Codes", None], [1, "One.", "a", "b"], [2, "Two.", "c", None])
    assert bm.load(path, content="Text", record_id="Id")[0].metadata == {"Codes": "a", "column 4": "b"}


def test_other_sheets_are_named(tmp_path):
    path = workbook(tmp_path / "x.xlsx", ["Text"], ["One."], title="May", more=["June"])
    assert "only the sheet `May` was read, and not `June`" in repr(bm.load(path, content="Text"))
    assert bm.load(path, content="Text", sheet="May").remarks == ()


@pytest.mark.parametrize("ending", ["tsv", "csv"])
def test_quotation_marks_in_a_file_with_tabs_are_of_the_text(tmp_path, ending):
    data = 'id\ttext\n1\t"quoted" start\n2\tplain\n3\t"an open one\n4\tlast "word"\n'
    corpus = load_csv(tmp_path, data, f"x.{ending}", content="text", record_id="id")
    assert [r.content for r in corpus] == ['"quoted" start', "plain", '"an open one', 'last "word"']
    assert corpus.provenance["quoting"] == "none"
    assert "quotation marks were read as part of the texts (5 lines)" in repr(corpus)


def test_quoting_that_is_regular_counts_with_tabs_too(tmp_path):
    corpus = load_csv(tmp_path, 'id\ttext\n1\t"one\ntwo"\n2\t"say ""no"""\n', "x.tsv", content="text", record_id="id")
    assert [record.content for record in corpus] == ["one\ntwo", 'say "no"']
    assert corpus.remarks == ()


def test_nul_characters_are_replaced_and_counted(tmp_path):
    corpus = load_csv(tmp_path, b"id,text\n1,a\0b\n2,c\n", content="text", record_id="id")
    assert corpus[0].content == "a\N{REPLACEMENT CHARACTER}b"
    assert "`x.csv`: 1 NUL characters were replaced" in repr(corpus)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ("sep=;\nid;text\n1;a, b\n", {"id", "text"}),
        ("id;text, with comma;place, too\n1;a;b\n2;c;d\n", {"id", "text, with comma", "place, too"}),
    ],
)
def test_the_delimiter_is_the_one_that_makes_a_table(tmp_path, data, names):
    path = tmp_path / "x.csv"
    path.write_text(data, encoding="utf-8")
    source = csv_files.read(path)
    assert set(source.columns) == names
    assert not any(row.problem for row in source.rows)


def test_row_names_of_r_have_no_heading(tmp_path):
    corpus = load_csv(tmp_path, '"text","n"\n"1","a b",3\n"2","c d",4\n', content="text")
    assert [record.content for record in corpus] == ["a b", "c d"]
    assert corpus[0].metadata == {"row": "1", "n": "3"}
    assert "the first is called `row`, as in R" in repr(corpus)


def test_an_id_that_is_not_named_is_suggested(tmp_path):
    corpus = load_csv(tmp_path, "id,text\n1,a\n2,b\n", content="text")
    assert repr(corpus) == 'Corpus(2 records)\n  Note: `id` looks like the id of each record; record_id="id" uses it.'
    assert "looks like the id" in corpus._repr_html_()
    assert load_csv(tmp_path, "id,text\n1,a\n1,b\n", content="text").remarks == ()


def test_ids_that_lost_digits_are_refused_or_named(tmp_path):
    frame = pd.DataFrame({"id": [1.2940312345678e18, None, 1.3e18], "text": list("abc")})
    with pytest.raises(bm.SetupError, match=r'dtype=\{"id": str\}'):
        bm.load(frame, content="text", record_id="id")
    with pytest.raises(bm.SetupError, match=r"written as 1\.29403E\+18, so their digits are lost"):
        load_csv(tmp_path, "id,text\n1.29403E+18,a\n", content="text", record_id="id")
    path = workbook(tmp_path / "x.xlsx", ["id", "text"], [1294031234567834880, "a"], [7, "b"])
    assert "the ids in rows 2 of `id` may be wrong; get them as text" in repr(
        bm.load(path, content="text", record_id="id")
    )
    replies = pd.DataFrame({"id": ["1", "2"], "in_reply_to": [1.2940312345678e18, None], "text": list("ab")})
    loaded = bm.load(replies, content="text", record_id="id")
    assert "`in_reply_to` has decimal numbers" in repr(loaded)
    whole = pd.DataFrame({"id": [1.0, 2.0], "text": list("ab")})
    assert [r.record_id for r in bm.load(whole, content="text", record_id="id")] == ["1", "2"]


def test_texts_that_mean_nothing_are_kept_and_named(tmp_path):
    corpus = load_csv(tmp_path, "id,text\n1,nan\n2,None\n3,A text.\n", content="text", record_id="id")
    assert len(corpus) == 3
    assert "2 texts in `text` say only `None`, `nan`" in corpus.remarks[0]
    line = corpus.remarks[0].partition("to drop them: ")[2].rstrip(".")
    assert line == "corpus.filter(lambda record: record.content.strip() not in ['None', 'nan'])"
    assert len(corpus.filter(lambda record: record.content.strip() not in ["None", "nan"])) == 1


def test_a_date_has_one_form(tmp_path):
    day = dt.datetime(2024, 4, 3)  # noqa: DTZ001  # as workbooks have them
    path = workbook(tmp_path / "x.xlsx", ["text", "day"], ["a", day])
    frame = pd.DataFrame({"text": ["a"], "day": [day]})
    days = [bm.load(source, content="text")[0].metadata["day"] for source in (path, frame)]
    assert days == ["2024-04-03T00:00:00"] * 2


def test_files_that_are_left_out_are_counted_and_capital_endings_are_not(tmp_path):
    for name in ("a.txt", "B.TXT", "c.xls", "d.mp3"):
        (tmp_path / name).write_bytes(b"One.")
    (tmp_path / ".hidden").write_bytes(b"x")
    corpus = bm.load(tmp_path)
    assert sorted(record.record_id for record in corpus) == ["B", "a"]
    assert "2 files were left out (1 .xls, 1 .mp3); .xls: save it as .xlsx; .mp3: make a transcript" in repr(corpus)
    assert str(tmp_path.parent) not in repr(corpus)


def test_a_zip_is_not_read_as_a_text(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pptx", "w") as archive:
        archive.writestr("ppt/presentation.xml", "<p/>")
    with pytest.raises(bm.SetupError, match="`a.pptx` is not a text but a zip"):
        bm.load(tmp_path, pattern="*.pptx")


ROWS = [
    {"id": "1", "text": "One."},
    {"id": "2", "text": ""},
    {"id": "2", "text": "Two."},
    {"id": "2", "text": "Again."},
    {"id": "", "text": "No id."},
]


def sources(tmp_path):
    """The same five rows in every format."""
    frame = pd.DataFrame(ROWS)
    frame.to_csv(tmp_path / "x.csv", index=False)
    frame.to_csv(tmp_path / "x.tsv", index=False, sep="\t")
    frame.to_csv(tmp_path / "y.csv", index=False, sep=";", encoding="utf-16")
    frame.to_excel(tmp_path / "x.xlsx", index=False)
    duckdb.from_df(frame).write_parquet(str(tmp_path / "x.parquet"))
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    (tmp_path / "x.json").write_text(json.dumps(ROWS))
    return {
        **{name: tmp_path / name for name in ("x.csv", "x.tsv", "y.csv", "x.xlsx", "x.jsonl", "x.json",
                                                 "x.parquet")},
        "frame": frame, "list": ROWS,
    }  # fmt: skip


def test_every_row_is_a_record_or_is_rejected_whatever_the_format(tmp_path, print_figures):
    counts = {}
    for name, source in sources(tmp_path).items():
        corpus = bm.load(source, content="text", record_id="id")
        assert [record.content for record in corpus] == ["One.", "Two."], name
        assert len(corpus) + len(corpus.rejected) == len(ROWS), name
        assert len(set(corpus.rejected.line)) == 3, name
        counts[name] = f"{len(corpus)} + {len(corpus.rejected)}"
    assert len(set(counts.values())) == 1
    print_figures(
        f"{len(ROWS)} rows in {len(counts)} formats ({', '.join(counts)}): {counts['x.csv']} records and rejected"
    )
