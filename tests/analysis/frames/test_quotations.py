"""Whether what judges quote is in the text, and where."""

import pytest

import buttermilk_nb as bm
from buttermilk_nb.analysis.frames.quotations import SearchableText, quoted_passages

TEXT = "The keeper said:\n“It’s   late – go home, all of you!” Nobody went. Straße 7, ŁÓDŹ."


@pytest.mark.parametrize(
    ("quote", "there"),
    [
        ("go home, all of you", True),
        ("Go Home", True),
        ("It's late - go home", True),
        ("it’s late", True),
        ("Nobody went.", True),
        ("nobody went", True),
        ("...all of you", True),
        ("It's late ... all of you", True),
        ("It's late [...] Nobody went", True),
        ("Nobody went … It's late", False),
        ("go to bed", False),
        ("go home all of you", False),
        ("straße 7", True),
        ("łódź", True),
        ("...", False),
        (" ", False),
    ],
)
def test_a_passage_is_found_whatever_its_marks_and_spaces_and_not_where_words_differ(quote, there):
    found = SearchableText(TEXT).find(quote)
    assert (found is not None) == there


def test_the_place_is_that_in_the_text_as_it_stands():
    start, end = SearchableText(TEXT).find("It's late - go home")
    assert TEXT[start:end] == "It’s   late – go home"


@pytest.mark.parametrize("marks", ["“{}”", "„{}“", "„{}”", "«{}»", '"{}"', "「{}」"])
def test_all_kinds_of_quotation_marks_are_read_and_apostrophes_are_none(marks):
    assert quoted_passages(f"It's {marks.format('go home')}, isn't it: {marks.format('late')}.") == ["go home", "late"]


def test_a_run_says_of_every_quotation_whether_it_is_true(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    criteria = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["door*"]})
    bm.init("quotes", path=tmp_path / "quotes", models=["offline/strict"])
    run = bm.Flow("quotes", [bm.Judge("judge", criteria=criteria)]).run(
        bm.Corpus([bm.Record(record_id="r", content="First a door slammed, and then the doors were locked.")])
    )
    found = run.quotes()
    assert found.verified.tolist() == [True, True]
    assert found.reason_index.tolist() == [0, 1]
    assert found[["record_id", "judge", "criterion"]].drop_duplicates().values.tolist() == [["r", "judge", "calm"]]
    start, end = int(found.start[0]), int(found.end[0])
    assert "First a door slammed, and then the doors were locked."[start:end].startswith("First a door")


def test_a_run_without_quotations_gives_an_empty_frame_of_the_same_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bm.init("none", path=tmp_path / "none", models=["double/answer"])
    run = bm.Flow("none", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?"))]).run(
        bm.Corpus([bm.Record(record_id="r", content="A text.")])
    )
    assert len(run.quotes()) == 0
    assert {"quote", "verified", "start", "end"} <= set(run.quotes().columns)


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("He moved to İstanbul.", "İstanbul"),
        ("ΟΔΟΣ ΑΘΗΝΩΝ", "οδος αθηνων"),
        ("ΟΔΟΣ ΑΘΗΝΩΝ", "ΟΔΟΣ ΑΘΗΝΩΝ"),
        ("In the cafe\u0301 nobody spoke.", "caf\u00e9"),
        ("In the caf\u00e9 nobody spoke.", "cafe\u0301 nobody"),
        ("a soft\u00adhyphen", "softhyphen"),
        ("die STRASSE", "straße"),
    ],
)
def test_letters_count_as_the_same_however_they_are_typed(text, quote):
    start, end = SearchableText(text).find(quote)
    assert SearchableText(text[start:end]).find(quote) is not None
