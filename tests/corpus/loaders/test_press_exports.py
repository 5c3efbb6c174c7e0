"""Exports of press databases: a document with many articles becomes a record for each."""

from __future__ import annotations

import pytest

import buttermilk_nb as bm

NEXIS = """User Name: Ana Roth
Date and Time: 3 May 2024
Job Number: 12
Documents (2)
1. The harbour stays closed
2. Boats are back

The harbour stays closed
The Coast Daily
April 3, 2024 Wednesday
Copyright 2024 The Coast Daily All Rights Reserved
Section: NEWS; Pg. 3
Length: 9 words
Byline: Ben Low

Body

Nobody said why it was closed.

The guard said: wait.

Load-Date: April 3, 2024

End of Document

Boats are back
The Coast Daily
April 9, 2024
Section: NEWS
Length: 5 words
Body
The boats came back on Tuesday.
Classification
Language: ENGLISH
End of Document

An empty page
The Coast Daily
April 10, 2024
Length: 0 words
Body
Load-Date: April 10, 2024
End of Document
"""
OLD_NEXIS = """                               1 of 2 DOCUMENTS

                                The Coast Daily

                            April 3, 1999, Saturday

SECTION: NEWS; Pg. 3

LENGTH: 9 words

HEADLINE: The harbour stays closed

BYLINE: Ben Low

BODY:

Nobody said why it was closed.

LOAD-DATE: April 4, 1999

                               2 of 2 DOCUMENTS

                                The Coast Daily

                            April 9, 1999

LENGTH: 5 words

HEADLINE: Boats are back

The boats came back on Tuesday.

LANGUAGE: ENGLISH
"""
FACTIVA = """HD The harbour stays closed
BY By Ben Low
WC 9 words
PD 3 April 2024
SN The Coast Daily
LA English
LP
Nobody said why it was closed.
TD
The guard said: wait.
Document COAST00020240403ek43000bx

Boats are back
By Ana Roth
5 words
9 April 2024
The Coast Daily
COAST
English
Copyright 2024.

The boats came back on Tuesday.

Document COAST00020240409ek49000aa
"""
PROQUEST = """____________________________________________________________

Title: The harbour stays closed

Author: Low, Ben

Publication title: The Coast Daily

Publication date: Apr 3, 2024

Full text: Nobody said why it was closed.
The guard said: wait.

Subject: Harbours

Document URL: https://example.org/1
____________________________________________________________

Title: Boats are back

Publication title: The Coast Daily

Publication date: Apr 9, 2024

Full text: The boats came back on Tuesday.

Location: Coast
____________________________________________________________

Contact us at: example.org
"""
EXPECTED = [("The harbour stays closed", "The Coast Daily"), ("Boats are back", "The Coast Daily")]


def load(tmp_path, text, **options):
    (tmp_path / "press.txt").write_text(text, encoding="utf-8")
    return bm.load(tmp_path / "press.txt", **options)


@pytest.mark.parametrize(
    ("text", "title", "date"),
    [(NEXIS, "Nexis", "April 3, 2024 Wednesday"), (OLD_NEXIS, "Nexis", "April 3, 1999, Saturday"),
     (FACTIVA, "Factiva", "3 April 2024"), (PROQUEST, "ProQuest", "Apr 3, 2024")],
    ids=["nexis", "old nexis", "factiva", "proquest"],
)  # fmt: skip
def test_each_article_is_a_record_with_what_stands_above_it(tmp_path, text, title, date):
    corpus = load(tmp_path, text)
    facts = [(record.metadata["title"], record.metadata["newspaper"]) for record in corpus]
    assert facts == EXPECTED
    assert corpus[0].metadata["date"] == date
    assert "Low" in corpus[0].metadata["byline"]
    assert corpus[0].content.startswith("Nobody said why it was closed.")
    assert "Load" not in corpus[0].content
    assert corpus[1].content == "The boats came back on Tuesday."
    assert [record.record_id for record in corpus] == ["press-1", "press-2"]
    assert f"seems to be an export of {title}" in repr(corpus)
    assert corpus.provenance["read_as"] == title


def test_an_article_without_a_text_is_rejected(tmp_path):
    assert load(tmp_path, NEXIS).rejected[["line", "reason"]].values.tolist() == [[3, "the article has no text"]]


def test_the_text_of_an_article_keeps_its_paragraphs(tmp_path):
    assert load(tmp_path, NEXIS)[0].content == "Nobody said why it was closed.\n\nThe guard said: wait."
    assert load(tmp_path, FACTIVA)[0].content == "Nobody said why it was closed.\n\nThe guard said: wait."
    assert load(tmp_path, PROQUEST)[0].content == "Nobody said why it was closed.\nThe guard said: wait."


@pytest.mark.parametrize(
    "text",
    ["A report.\nSubject: boats\nIt goes on.\nEnd of Document\n", "Notes: none\n____________________\nAnd more.",
     "1 of 2 DOCUMENTS was lost."],
)  # fmt: skip
def test_a_document_with_one_such_line_is_no_export(tmp_path, text):
    (record,) = load(tmp_path, text)
    assert record.content == text


def test_as_keeps_a_document_whole_or_says_what_it_is(tmp_path):
    assert len(load(tmp_path, NEXIS, as_="document")) == 1
    assert load(tmp_path, NEXIS, as_="nexis").remarks == ()
    with pytest.raises(
        bm.SetupError, match="`press.txt` is no export of Factiva: no end of an article was found in it"
    ):
        load(tmp_path, NEXIS, as_="factiva")
    with pytest.raises(bm.SetupError, match="did you mean `nexis`"):
        load(tmp_path, NEXIS, as_="nexsis")


def test_a_folder_may_hold_exports_in_word_and_other_documents(tmp_path):
    import docx

    document = docx.Document()
    for line in NEXIS.splitlines():
        document.add_paragraph(line)
    (tmp_path / "box").mkdir()
    document.save(tmp_path / "box" / "nexis.docx")
    (tmp_path / "box" / "letter.txt").write_text("This is the end of document one, she wrote.", encoding="utf-8")
    corpus = bm.load(tmp_path / "box")
    assert [record.record_id for record in corpus] == ["letter", "nexis-1", "nexis-2"]
    assert [record.metadata.get("title") for record in corpus][1:] == [title for title, _ in EXPECTED]


@pytest.mark.parametrize("as_", ["qualtrics", "surveymonkey"])
def test_a_survey_may_be_named(tmp_path, as_):
    import json

    rows = {"qualtrics": ['ResponseId,Q1', 'Response ID,What did you see?',
                          ','.join('"' + json.dumps({"ImportId": name}).replace('"', '""') + '"' for name in "ab"),
                          "R_1,Two boats."],
            "surveymonkey": ["Respondent ID,Collector ID,What did you see?", ",,Open-Ended Response",
                             "1,2,Two boats."]}  # fmt: skip
    (tmp_path / "survey.csv").write_text("\n".join(rows[as_]) + "\n", encoding="utf-8")
    column = "Q1" if as_ == "qualtrics" else "What did you see?"
    corpus = bm.load(tmp_path / "survey.csv", content=column, as_=as_)
    assert [record.content for record in corpus] == ["Two boats."]
    (tmp_path / "plain.csv").write_text("id,text\n1,One.\n", encoding="utf-8")
    with pytest.raises(bm.SetupError, match="`plain.csv` does not have the t.* header rows of"):
        bm.load(tmp_path / "plain.csv", content="text", as_=as_)
