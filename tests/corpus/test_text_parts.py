"""Pages, sections and turns of speakers."""

import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus.text_parts import find_pages, find_sections, find_turns


def parts(find, text):
    return [(text[part.start : part.end], part.facts) for part in find(text)]


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
    with pytest.raises(bm.SetupError, match='record `a`: by="turn": no line of a text begins with the name'):
        corpus.segment("turn")
    with pytest.raises(bm.SetupError, match="speakers are those of turns"):
        corpus.segment("page", speakers={"Ana": "P1"})
