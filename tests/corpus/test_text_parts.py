"""Pages, sections and turns of speakers."""

import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus.text_parts import find_pages, find_sections, find_turns


def parts(find, text, *options):
    return [(text[part.start : part.end], part.facts) for part in find(text, *options)]


def test_pages_keep_their_numbers_where_one_is_empty():
    assert parts(find_pages, " One.\n\f \fThree.") == [("One.", {"page": 1}), ("Three.", {"page": 3})]


def test_sections_have_their_heading_and_what_is_before_has_none():
    text = "Before.\n\n# One\n\nFirst.\n## Empty\n# Two #\nSecond.\n\n#no heading"
    assert parts(find_sections, text) == [
        ("Before.", {}),
        ("First.", {"heading": "One", "heading_level": 1}),
        ("Second.\n\n#no heading", {"heading": "Two", "heading_level": 1}),
    ]


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("ANA: Yes.\nBEN: No.", [("Yes.", "ANA", None), ("No.", "BEN", None)]),
        ("Ana: Yes.\nNote: this.\nAna: No.", [("Yes.\nNote: this.", "Ana", None), ("No.", "Ana", None)]),
        ("[00:01:02] Ana: Yes.\n[1:05] Ana: No.", [("Yes.", "Ana", 62.0), ("No.", "Ana", 65.0)]),
        (
            "Ana Roth (00:01:02): Yes.\nAna Roth (0:01:04,5): No.",
            [("Yes.", "Ana Roth", 62.0), ("No.", "Ana Roth", 64.5)],
        ),
        ("**Ana:** Yes.\n**Ana:** No.", [("Yes.", "Ana", None), ("No.", "Ana", None)]),
        ("INTERVIEWER 1: Yes.", [("Yes.", "INTERVIEWER 1", None)]),
        ("Ana:\nYes,\nindeed.\nAna: No.", [("Yes,\nindeed.", "Ana", None), ("No.", "Ana", None)]),
    ],
)
def test_turns_have_their_speaker_and_their_time(text, turns):
    found = [(words, facts.get("speaker"), facts.get("start_s")) for words, facts in parts(find_turns, text)]
    assert found == turns


def test_a_name_that_begins_one_line_only_is_said_and_can_be_named():
    text = "Anna: Hallo.\nBen: Ich war es nicht.\nAnna: Gut."
    assert [facts["speaker"] for _, facts in parts(find_turns, text, ["Ben"])] == ["Anna", "Ben", "Anna"]
    corpus = bm.load([{"id": "a", "text": text}], content="text", record_id="id")
    turns = corpus.segment("turn")
    assert [turn.content for turn in turns] == ["Hallo.\nBen: Ich war es nicht.", "Gut."]
    assert turns.remarks == (
        "names that begin one line only were not taken for speakers: `Ben`; "
        "speakers={'Ben': 'Ben'} takes such a name for one.",
    )
    assert corpus.segment("turn", speakers={"Ben": "P2"})[1].metadata["speaker"] == "P2"


def test_two_lines_with_two_names_are_a_dialogue():
    assert [facts["speaker"] for _, facts in parts(find_turns, "Anna: Hallo.\nBen: Ja.")] == ["Anna", "Ben"]


def test_names_that_are_not_certain_are_named_in_the_error():
    with pytest.raises(bm.SetupError, match="`Anna` and `Ben` begin only one line each.*speakers={'Anna': 'Ann"):
        list(find_turns("Protokoll\nAnna: Hallo.\nBen: Ja."))


def test_headings_and_tables_belong_to_no_speaker():
    text = "ANA: Yes.\n\n# After\n\nBEN: No.\n\n| Date | May |"
    assert parts(find_turns, text) == [
        ("Yes.", {"speaker": "ANA"}), ("# After", {}), ("No.", {"speaker": "BEN"}), ("| Date | May |", {}),
    ]  # fmt: skip


def test_a_speaker_that_nobody_is_is_an_error():
    corpus = bm.load([{"id": "a", "text": "ANA: Yes.\nBEN: No."}], content="text", record_id="id")
    with pytest.raises(bm.SetupError, match="no text has the speaker `Ana`; there are `ANA`, `BEN`"):
        corpus.segment("turn", speakers={"Ana": "P1"})


def test_turns_of_a_transcript_do_not_have_the_times_of_the_whole(tmp_path):
    (tmp_path / "a.srt").write_text(
        "1\n00:00:01,000 --> 00:00:02,000\nANA: Yes.\n\n2\n00:00:03,000 --> 00:00:09,000\nBEN: No.\n"
    )
    for turn in bm.load(tmp_path / "a.srt").segment("turn"):
        assert not {"start_s", "end_s", "speakers"} & turn.metadata.keys()


def test_what_is_before_the_first_turn_has_no_speaker():
    assert parts(find_turns, "Recorded in May.\n\nANA: Yes.")[0] == ("Recorded in May.", {})


def test_turns_become_segments_and_speakers_can_be_renamed():
    corpus = bm.load([{"id": "a", "text": "Ana: Yes.\nBen: No.\nAna: So.\nBen: Well."}], content="text", record_id="id")
    turns = corpus.segment("turn", speakers={"Ana": "P1"})
    assert [(turn.record_id, turn.metadata["speaker"], turn.content) for turn in turns] == [
        ("a#1", "P1", "Yes."), ("a#2", "Ben", "No."), ("a#3", "P1", "So."), ("a#4", "Ben", "Well."),
    ]  # fmt: skip
    assert "Ana" not in str(turns.provenance["steps"])


def test_a_text_without_turns_is_named():
    corpus = bm.load([{"id": "a", "text": "No one speaks."}], content="text", record_id="id")
    with pytest.raises(bm.SetupError, match='record `a`: by="turn": no line begins with the name'):
        corpus.segment("turn")
    with pytest.raises(bm.SetupError, match="speakers are those of turns"):
        corpus.segment("page", speakers={"Ana": "P1"})
