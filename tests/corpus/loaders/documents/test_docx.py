"""Documents of Word: what is in the text, what is not, and what is said of it."""

import docx
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Inches
from PIL import Image
from support.documents import make_docx

import buttermilk_nb as bm
from buttermilk_nb.corpus.loaders.documents.docx import read


def text_of(build, **options):
    return read(make_docx(build), "talk.docx", **options).text


def tracked(paragraph, kind, text):
    """Add a tracked insertion or deletion."""
    change, run = OxmlElement(f"w:{kind}"), OxmlElement("w:r")
    words = OxmlElement("w:t" if kind == "ins" else "w:delText")
    words.text = text
    run.append(words)
    change.append(run)
    paragraph._p.append(change)


def test_headings_lists_and_tables_stand_in_their_order():
    def build(document):
        document.add_heading("The harbour", level=1)
        document.add_paragraph("It was closed.")
        document.add_paragraph("One guard.", style="List Bullet")
        document.add_paragraph("Two boats.", style="List Number")
        table = document.add_table(rows=2, cols=2)
        for cell, text in zip(table._cells, ["Who", "When", "Ana", "Mon\nday"], strict=True):
            cell.text = text
        document.add_heading("After", level=2)
        document.add_paragraph("It was open.")

    assert text_of(build) == (
        "# The harbour\n\nIt was closed.\n\n- One guard.\n- Two boats.\n\n| Who | When |\n| Ana | Mon day |\n\n"
        "## After\n\nIt was open."
    )


def test_accepted_changes_are_read_and_deleted_words_are_not():
    def build(document):
        paragraph = document.add_paragraph("It was ")
        tracked(paragraph, "del", "closed")
        tracked(paragraph, "ins", "open")
        paragraph.add_run(".")

    assert text_of(build) == "It was open."


def test_links_tabs_breaks_and_hyphens_are_part_of_the_text():
    def build(document):
        paragraph = document.add_paragraph()
        run = paragraph.add_run("one\ttwo")
        run.add_break()
        run.add_text("re")
        run._r.append(OxmlElement("w:noBreakHyphen"))
        link = OxmlElement("w:hyperlink")
        link.set(
            qn("r:id"),
            paragraph.part.relate_to(
                "https://example.org", docx.opc.constants.RELATIONSHIP_TYPE.HYPERLINK, is_external=True
            ),
        )
        word = OxmlElement("w:r")
        text = OxmlElement("w:t")
        text.text = "open"
        word.append(text)
        link.append(word)
        paragraph._p.append(link)

    assert text_of(build) == "one\ttwo\nre-open"


def with_comment(document):
    paragraph = document.add_paragraph("It was closed.")
    document.add_comment(paragraph.runs, text="Who says so?", author="Ana", initials="A")


def test_comments_are_left_out_and_said_unless_they_are_asked_for():
    document = read(make_docx(with_comment), "talk.docx")
    assert document.text == "It was closed."
    assert document.remarks == ["`talk.docx`: 1 comment was left out; comments=True reads them."]
    assert text_of(with_comment, comments=True) == "It was closed.[^1]\n\n[^1]: Ana: Who says so?"


def with_footnote(document):
    """python-docx cannot write footnotes, so their part is made by hand."""
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part

    paragraph = document.add_paragraph("It was closed")
    run = paragraph.add_run()
    reference = OxmlElement("w:footnoteReference")
    reference.set(qn("w:id"), "2")
    run._r.append(reference)
    paragraph.add_run(" then.")
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    notes = (
        f'<w:footnotes xmlns:w="{space}"><w:footnote w:id="0" w:type="separator"><w:p/></w:footnote>'
        '<w:footnote w:id="2"><w:p><w:r><w:t>See the minutes.</w:t></w:r></w:p></w:footnote></w:footnotes>'
    )
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    part = Part(PackURI("/word/footnotes.xml"), kind, notes.encode(), document.part.package)
    document.part.relate_to(part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes")


def test_footnotes_are_at_the_end_and_can_be_left_out():
    assert text_of(with_footnote) == "It was closed[^1] then.\n\n[^1]: See the minutes."
    assert text_of(with_footnote, notes=False) == "It was closed then."


def test_pictures_are_said_and_facts_are_metadata(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")

    def build(document):
        document.core_properties.title, document.core_properties.author = "A talk", "A. Roth"
        document.add_paragraph("See:")
        document.add_picture(str(tmp_path / "a.png"), width=Inches(1))

    (tmp_path / "talk.docx").write_bytes(make_docx(build))
    corpus = bm.load(tmp_path / "talk.docx")
    (record,) = corpus
    assert (record.record_id, record.content) == ("talk", "See:")
    assert (record.metadata["title"], record.metadata["author"], record.metadata["file"]) == (
        "A talk", "A. Roth", "talk.docx",
    )  # fmt: skip
    assert corpus.provenance["parser"].startswith("python-docx 1.")
    assert corpus.remarks == ("`talk.docx`: 1 picture was left out.",)
