"""Further files that were tried as their owners would, and what must come of them."""

from __future__ import annotations

import json

import pytest
from support.documents import make_pdf

import buttermilk_nb as bm


def tei(body, header=""):
    return f'<TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader>{header}</teiHeader><text><body>{body}</body></text></TEI>'


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


# --- TEI ------------------------------------------------------------------------------------------------


def test_of_an_apparatus_the_lemma_is_read(tmp_path):
    king = "<app><lem>king</lem><rdg>queen</rdg><rdg>knave</rdg></app>"
    body = f"<p>The {king} and <app><rdg>x1</rdg><rdg>x2</rdg></app></p>"
    corpus = bm.load(write(tmp_path / "a.xml", tei(body)))
    assert corpus["a"].content == "The king and x1"
    assert any("3 readings of other witnesses left out" in remark for remark in corpus.remarks)


PAGES = '<pb n="12r"/><p>One.</p><pb n="12v"/><p>Two and wa<pb n="13r" break="no"/>ter is here.</p>'


def test_pages_of_an_edition_keep_their_names(tmp_path):
    file = write(tmp_path / "a.xml", tei(PAGES))
    corpus = bm.load(file)
    assert corpus["a"].content == "One.\n\nTwo and water is here."
    assert any("3 page breaks left out; pages=True keeps them" in remark for remark in corpus.remarks)
    pages = bm.load(file, pages=True).segment("page")
    assert [(page.metadata["page"], page.content) for page in pages] == [
        ("12r", "One."),
        ("12v", "Two and water"),
        ("13r", "is here."),
    ]
    late = bm.load(write(tmp_path / "b.xml", tei("<p>Before.</p>" + PAGES)), pages=True).segment("page")
    assert [page.metadata["page"] for page in late] == [1, "12r", "12v", "13r"]


def test_who_speaks_in_a_play_is_known_from_its_marks(tmp_path):
    def sp(who, words):
        return f"<sp><speaker>{who}</speaker><p>{words}</p></sp>"

    corpus = bm.load(write(tmp_path / "a.xml", tei(sp("BEN.", "One.") + sp("Ana.", "Two.") + sp("BEN.", "Three."))))
    turns = corpus.segment("turn")
    assert [(turn.metadata["speaker"], turn.content) for turn in turns] == [
        ("BEN", "One."),
        ("Ana", "Two."),
        ("BEN", "Three."),
    ]
    assert turns.remarks == ()


def test_a_divided_word_loses_its_hyphen(tmp_path):
    file = write(tmp_path / "a.xml", tei('<p>The har-<lb break="no"/>bour and the har¬<lb break="no"/>bour - yes.</p>'))
    assert bm.load(file)["a"].content == "The harbour and the harbour - yes."
    assert "har-bour" in bm.load(file, original=True)["a"].content


def test_a_corpus_in_one_file_is_said(tmp_path):
    texts = tei("<p>One.</p>") + tei("<p>Two.</p>")
    text = f'<teiCorpus xmlns="http://www.tei-c.org/ns/1.0"><teiHeader/>{texts}</teiCorpus>'
    corpus = bm.load(write(tmp_path / "a.xml", text))
    assert any("is a corpus of 2 texts, which are one record" in remark for remark in corpus.remarks)


# --- documents --------------------------------------------------------------------------------------------


def test_divided_words_of_a_pdf_are_joined_and_said(tmp_path):
    (tmp_path / "a.pdf").write_bytes(make_pdf(["The har-\nbour was well-\nknown. It is a well-known place."]))
    corpus = bm.load(tmp_path / "a.pdf")
    assert corpus["a"].content.split() == [
        "The",
        "harbour",
        "was",
        "well-known.",
        "It",
        "is",
        "a",
        "well-known",
        "place.",
    ]
    assert any(
        "1 word that was divided at the end of a line was joined, such as `harbour`" in r for r in corpus.remarks
    )


def test_hidden_text_of_word_is_left_out(tmp_path):
    docx = pytest.importorskip("docx")
    document = docx.Document()
    paragraph = document.add_paragraph("Seen. ")
    paragraph.add_run("Not seen.").font.hidden = True
    document.save(tmp_path / "a.docx")
    corpus = bm.load(tmp_path / "a.docx")
    assert corpus["a"].content == "Seen."
    assert any("hidden text was left out" in remark for remark in corpus.remarks)


def test_the_older_form_of_nexis(tmp_path):
    def article(n, title):
        return (
            f"{n} of 2 DOCUMENTS\n\n\nThe Bell (London)\n\nJanuary {n}, 2024 Wednesday\n\n{title}\n\n"
            "BYLINE: Ana Roth\n\nLENGTH: 12 words\n\nNobody said why they had gone.\n\nLOAD-DATE: January 5, 2024\n\n"
        )

    corpus = bm.load(write(tmp_path / "n.txt", article(1, "Harbour closed") + article(2, "Harbour open")))
    facts = [(r.metadata["title"], r.metadata["newspaper"], r.metadata["date"]) for r in corpus]
    assert facts[0] == ("Harbour closed", "The Bell (London)", "January 1, 2024 Wednesday")
    assert facts[1] == ("Harbour open", "The Bell (London)", "January 2, 2024 Wednesday")


def test_the_same_remark_on_many_files_is_one(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.pdf").write_bytes(make_pdf([f"File {name} has a har-\nbour."]))
    remarks = bm.load(tmp_path).remarks
    assert len([remark for remark in remarks if "harbour" in remark]) == 1
    assert "The like is so in 2 other files." in remarks[0]


# --- tables and libraries -----------------------------------------------------------------------------------


def test_a_merged_cell_counts_for_each_of_its_rows(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["group", "text"], ["north", "One."], [None, "Two."], [None, "Three."], [None, "Four."]):
        sheet.append(row)
    sheet.merge_cells("A2:A4")
    book.save(tmp_path / "a.xlsx")
    corpus = bm.load(tmp_path / "a.xlsx")
    assert [record.metadata["group"] for record in corpus] == ["north", "north", "north", None]
    assert any("merged cells of `group`" in remark and "2 rows filled" in remark for remark in corpus.remarks)


def test_texts_of_bibtex_that_are_put_together(tmp_path):
    text = '@string{jo = "The Bell"}\n@article{a, abstract = {One.}, journal = jo # " and Tide"}\n'
    assert bm.load(write(tmp_path / "a.bib", text))["a"].metadata["journal"] == "The Bell and Tide"


def test_abstracts_of_zotero_lose_their_tags(tmp_path):
    items = [
        {
            "id": "a",
            "type": "article",
            "title": "T",
            "issued": {},
            "abstract": "<jats:p>It was <b>closed</b>.</jats:p>",
        },
        {"id": "b", "type": "book", "title": "U", "issued": {}, "abstract": ""},
    ]
    corpus = bm.load(write(tmp_path / "a.json", json.dumps(items)))
    assert corpus["a"].content == "It was closed."
    assert corpus.rejected.reason.tolist() == ["the reference has no abstract"]


def test_previews_of_qualtrics_are_said(tmp_path):
    rows = [
        "Status,ResponseId,Q1",
        "Response Type,Response ID,What did you see?",
        '"{""ImportId"":""status""}","{""ImportId"":""_recordId""}","{""ImportId"":""QID1""}"',
        "IP Address,R_1,Boats.",
        "Survey Preview,R_2,Test.",
    ]
    corpus = bm.load(write(tmp_path / "a.csv", "\n".join(rows)), content="Q1", record_id="ResponseId")
    assert any("1 row of Qualtrics is a preview" in remark for remark in corpus.remarks)


def test_events_of_redcap_are_said(tmp_path):
    rows = ["record_id,redcap_event_name,note", "1,first_arm_1,One.", "1,second_arm_1,Two.", "2,first_arm_1,Three."]
    corpus = bm.load(write(tmp_path / "a.csv", "\n".join(rows)), content="note")
    assert len(corpus) == 2
    assert any("REDCap repeats `record_id` for each `redcap_event_name`" in remark for remark in corpus.remarks)


def test_variables_and_comments_of_a_qdpx(tmp_path):
    import zipfile

    project = """<Project xmlns="urn:QDA-XML:project:1.0" name="x"><Users><User guid="u" name="ana"/></Users>
      <CodeBook><Codes><Code guid="c" name="insult" isCodable="true"/></Codes></CodeBook>
      <Variables><Variable guid="v" name="gender" typeOfVariable="Text"/></Variables>
      <Cases><Case guid="k" name="P1"><VariableValue><VariableRef targetGUID="v"/>
      <TextValue>f</TextValue></VariableValue><SourceRef targetGUID="s"/></Case></Cases>
      <Sources><TextSource guid="s" name="a" plainTextPath="internal://a.txt"><PlainTextSelection guid="p"
      startPosition="0" endPosition="4"><Description>A nasty word.</Description><Coding guid="g" creatingUser="u">
      <CodeRef targetGUID="c"/></Coding></PlainTextSelection></TextSource></Sources></Project>"""
    with zipfile.ZipFile(tmp_path / "a.qdpx", "w") as archive:
        archive.writestr("project.qde", project)
        archive.writestr("sources/a.txt", "Scum.")
    corpus = bm.load(tmp_path / "a.qdpx")
    assert corpus["a"].metadata == {"case": "P1", "gender": "f"}
    bm.init("x", path=tmp_path / "x")
    bm.import_labels(tmp_path / "a.qdpx", corpus, bm.Criteria("c", "Read.", criteria={"insult": {"question": "Any?"}}))
    assert bm.labels().notes.tolist() == ["A nasty word."]
