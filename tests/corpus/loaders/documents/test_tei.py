"""TEI: what is read, what is left out, and what is no TEI."""

import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus.loaders.documents.tei import read

HEADER = """<teiHeader><fileDesc><titleStmt><title>The harbour</title><author>A. Roth</author></titleStmt>
<publicationStmt><publisher>A press</publisher><date when="2026"/></publicationStmt>
<sourceDesc><bibl><date when="1888">1888</date></bibl></sourceDesc></fileDesc>
<profileDesc><langUsage><language ident="en"/></langUsage></profileDesc></teiHeader>"""


def tei(body, header=HEADER):
    start = '<?xml version="1.0"?><TEI xmlns="http://www.tei-c.org/ns/1.0">'
    return f"{start}{header}<text><body>{body}</body></text></TEI>".encode()


def text(body, **options):
    return read(tei(body), "x.xml", **options).text


def test_the_header_is_metadata(tmp_path):
    (tmp_path / "harbour.xml").write_bytes(tei("<p>It was closed.</p>"))
    (record,) = bm.load(tmp_path / "harbour.xml")
    assert (record.record_id, record.content) == ("harbour", "It was closed.")
    facts = {name: value for name, value in record.metadata.items() if name != "file"}
    assert facts == {
        "title": "The harbour", "author": "A. Roth", "publisher": "A press", "date": "1888", "language": "en",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<div><head>One</head><p>First.</p><div><head>Deep</head><p>Second.</p></div></div>",
         "# One\n\nFirst.\n\n## Deep\n\nSecond."),
        ("<p>a har<lb break='no'/>\n bour and<lb/>a boat</p>", "a harbour and a boat"),
        ("<p>a har-<pb n='2' break='no'/>bour</p>", "a harbour"),
        ("<lg><l>One line</l><l>and another</l></lg>", "One line\nand another"),
        ("<list><item>One</item><item>Two</item></list>", "- One\n- Two"),
        ("<table><row><cell>Who</cell><cell>When</cell></row></table>", "| Who | When |"),
        ("<p>It was <del>shut</del><add>closed</add> <gap/> then.</p>", "It was closed [...] then."),
        ("<p><fw>Running title</fw>Text<figure><figDesc>x</figDesc></figure>.</p>", "Text."),
        ("<p><w join='right'>Yes</w> <pc>,</pc> <w>no</w></p>", "Yes, no"),
        ("<p>One.<!-- a comment --><?an instruction?> Two.</p>", "One. Two."),
    ],
)  # fmt: skip
def test_the_marks_of_an_edition(body, expected):
    assert text(body) == expected


CHOICE = (
    "<p>the <choice><orig>harbor</orig><reg>harbour</reg></choice> of "
    "<choice><abbr>St</abbr><expan>Saint</expan></choice> Ana</p>"
)


def test_readings_can_be_chosen():
    assert text(CHOICE) == "the harbour of Saint Ana"
    assert text(CHOICE, original=True) == "the harbor of St Ana"


def test_notes_are_in_or_out():
    body = "<p>It was closed<note>See the <hi>minutes</hi>.</note> then.</p>"
    assert text(body) == "It was closed[^1] then.\n\n[^1]: See the minutes."
    assert text(body, notes=False) == "It was closed then."


PLAY = (
    "<div><head>Scene</head><stage>A harbour.</stage><sp who='#ana'><speaker>ANA.</speaker><p>Who is there?</p></sp>"
    "<sp><speaker>BEN</speaker><l>It is I,</l><l>and the tide.</l></sp></div>"
)


def test_speeches_can_be_cut_into_turns(tmp_path):
    (tmp_path / "play.xml").write_bytes(tei(PLAY))
    corpus = bm.load(tmp_path / "play.xml")
    assert corpus[0].content == "# Scene\n\nA harbour.\n\nANA: Who is there?\n\nBEN: It is I,\nand the tide."
    turns = [turn for turn in corpus.segment("turn") if "speaker" in turn.metadata]
    assert [(turn.metadata["speaker"], turn.content) for turn in turns] == [
        ("ANA", "Who is there?"), ("BEN", "It is I,\nand the tide."),
    ]  # fmt: skip


def test_elements_can_be_chosen():
    assert text(PLAY, elements="sp") == "ANA: Who is there?\n\nBEN: It is I,\nand the tide."
    assert text("<div><p>One.</p></div><p>Two.</p>", elements=["p", "div"]) == "One.\n\nTwo."
    with pytest.raises(bm.SetupError, match="has none of the elements ab"):
        text(PLAY, elements="ab")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<html><p>x</p></html>", "is XML, but no TEI"),
        (b"<TEI", "cannot be read as XML"),
        (b"", "cannot be read as XML"),
        (tei("<p> </p>"), "has no text"),
        (b'<!DOCTYPE TEI [<!ENTITY a "b">]><TEI xmlns="http://www.tei-c.org/ns/1.0"><text><p>&a;</p></text></TEI>',
         "declares entities of its own"),
        (b"<!DOCTYPE lolz [<!ENTITY lol 'lol'>" + b"".join(
            b"<!ENTITY lol%d '%s'>" % (n, b"&lol%d;" % (n - 1) * 10 if n > 1 else b"&lol;" * 10) for n in range(1, 10)
        ) + b"]><TEI><text><p>&lol9;</p></text></TEI>", "declares entities|cannot be read as XML"),
        (b"<TEI><text>" + b"<div>" * 5000 + b"x" + b"</div>" * 5000 + b"</text></TEI>", "cannot be read as XML|nested"),
    ],
    ids=["html", "cut", "empty", "blank", "entity", "bomb", "deep"],
)  # fmt: skip
def test_what_is_no_edition_or_hostile_is_a_sentence(data, message):
    with pytest.raises(bm.SetupError, match=message):
        read(data, "x.xml")
