"""OpenDocument texts."""

from support.documents import make_odt

from buttermilk_nb.corpus.loaders.documents.odt import read


def build(body, odfdo):
    body.append(odfdo.Header(1, "The harbour"))
    paragraph = odfdo.Paragraph("It was closed then.")
    paragraph.insert_note(after="closed", note_id="n1", citation="1", body="See the minutes.")
    paragraph.insert_annotation(after="then", body="Who says so?", creator="Ana")
    body.append(paragraph)
    body.append(odfdo.List(["One guard.", "Two boats."]))
    table = odfdo.Table("t", width=2, height=2)
    for place, text in {"A1": "Who", "B1": "When", "A2": "Ana", "B2": "Monday"}.items():
        table.set_value(place, text)
    body.append(table)
    body.append(odfdo.Paragraph("two  blanks\ta tab\na break"))


TABLE = "| Who | When |\n| Ana | Monday |"


def test_headings_notes_lists_and_tables_stand_in_their_order():
    document = read(make_odt(build), "talk.odt")
    assert document.text == (
        f"# The harbour\n\nIt was closed[^1] then.\n\n- One guard.\n- Two boats.\n\n{TABLE}\n\n"
        "two  blanks\ta tab\na break\n\n[^1]: See the minutes."
    )
    assert document.remarks == ["`talk.odt`: 1 comment was left out; comments=True reads them."]
    assert document.parser.startswith("lxml ")


def test_notes_and_comments_are_read_as_they_are_asked_for():
    text = read(make_odt(build), "talk.odt", notes=False, comments=True).text
    assert "It was closed then[^1].\n" in text
    assert text.endswith("[^1]: Ana: Who says so?")
