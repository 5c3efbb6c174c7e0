"""Transcripts with times: documents, turns and cues, their speakers, and the recording that they belong to."""

from __future__ import annotations

import pytest

import buttermilk_nb as bm
from buttermilk_nb.notebook.form_page import text_view

VTT = """WEBVTT - An interview

NOTE made by hand

1
00:00:01.000 --> 00:00:03.000 align:start
<v Ana Orr>Good <i>morning</i> &amp; welcome.</v>

00:03.000 --> 00:05.500
<v Ana Orr>How are you?

00:05.500 --> 01:00:07.250
<v Ben>Fine.
<v Ana Orr>And the harbour?
"""
SRT = """1
00:00:01,000 --> 00:00:03,200
ANA: Good morning.

2
00:00:04,000 --> 00:00:05,000
It is late.

3
00:00:06,000 --> 00:00:07,000
BEN: Bye.

4
00:00:08,000 --> 00:00:09,500
ANA: Note: the gate is closed.

5
00:00:10,000 --> 00:00:11,000
BEN: Oh.
"""


def write(folder, name, text, encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def test_a_document_is_one_record_with_its_speakers_and_times(tmp_path):
    (record,) = bm.load(write(tmp_path, "talk.vtt", VTT))
    assert record.record_id == "talk"
    assert record.content.splitlines() == [
        "Ana Orr: Good morning & welcome. How are you?", "Ben: Fine.", "Ana Orr: And the harbour?",
    ]  # fmt: skip
    assert record.metadata == {"start_s": 1.0, "end_s": 3607.25, "speakers": ["Ana Orr", "Ben"]}


def test_each_turn_is_a_record(tmp_path):
    corpus = bm.load(write(tmp_path, "talk.vtt", VTT), by="turn")
    assert [(r.record_id, r.metadata["speaker"], r.content) for r in corpus] == [
        ("talk-1", "Ana Orr", "Good morning & welcome. How are you?"),
        ("talk-2", "Ben", "Fine."),
        ("talk-3", "Ana Orr", "And the harbour?"),
    ]
    assert (corpus[0].metadata["start_s"], corpus[0].metadata["end_s"]) == (1.0, 5.5)
    assert {r.metadata["transcript"] for r in corpus} == {"talk"}


def test_each_cue_is_a_record(tmp_path):
    assert [record.content for record in bm.load(write(tmp_path, "talk.vtt", VTT), by="cue")] == [
        "Good morning & welcome.", "How are you?", "Fine.", "And the harbour?",
    ]  # fmt: skip


def test_names_at_the_beginnings_of_lines_are_speakers_and_it_is_said(tmp_path):
    corpus = bm.load(write(tmp_path, "talk.srt", SRT), by="turn")
    assert [(r.metadata["speaker"], r.content) for r in corpus] == [
        ("ANA", "Good morning. It is late."),
        ("BEN", "Bye."),
        ("ANA", "Note: the gate is closed."),
        ("BEN", "Oh."),
    ]
    assert corpus.remarks == ("`talk.srt`: speakers were read from the beginnings of lines: ANA, BEN.",)


def test_a_line_that_begins_with_another_name_is_not_given_to_the_speaker_before(tmp_path):
    times = [f"00:00:0{n},000 --> 00:00:0{n},900" for n in range(4)]
    lines = ["Ana: Good.", "Ben: The dregs!", "So it is.", "Ana: Ok."]
    text = "\n".join(f"{n}\n{time}\n{line}\n" for n, (time, line) in enumerate(zip(times, lines, strict=True), 1))
    corpus = bm.load(write(tmp_path, "a.srt", text), by="turn")
    assert [(r.metadata.get("speaker"), r.content) for r in corpus] == [
        ("Ana", "Good."), (None, "Ben: The dregs!"), (None, "So it is."), ("Ana", "Ok."),
    ]  # fmt: skip
    assert corpus.remarks[1] == (
        "`a.srt`: `Ben:` begins one line only, so these lines have no speaker; "
        "speakers={'Ben': 'Ben'} takes such a name for one."
    )


def test_a_word_with_a_colon_is_no_speaker(tmp_path):
    text = "1\n00:00:01,000 --> 00:00:02,000\nNote: the gate is closed.\n\n2\n00:00:03,000 --> 00:00:04,000\nOh.\n"
    corpus = bm.load(write(tmp_path, "a.srt", text), by="cue")
    assert [record.content for record in corpus] == ["Note: the gate is closed.", "Oh."]
    assert corpus.remarks == ()


def test_the_recording_beside_is_named_with_the_times_of_each_part(tmp_path):
    write(tmp_path, "talk.mp3", "not really")
    file = write(tmp_path, "talk.vtt", VTT)
    assert bm.load(file)[0].metadata["media"] == "talk.mp3"
    turns = bm.load(file, by="turn")
    assert turns[0].metadata["media"] == "talk.mp3#t=1,5.5"
    named = bm.load(file, by="cue", media="https://example.org/talk.mp4")
    assert named[0].metadata["media"] == "https://example.org/talk.mp4#t=1,3"


def test_letters_and_marks_of_old_files_are_read(tmp_path):
    text = "\ufeff" + SRT.replace("Good morning", "Guten Morgen, Jürgen")
    assert "Jürgen" in bm.load(write(tmp_path, "a.srt", text))[0].content
    latin = SRT.replace("Good morning", "Buenos días, señora, mañana").replace("\n", "\r\n")
    assert "mañana" in bm.load(write(tmp_path, "b.srt", latin, "cp1252"))[0].content


def test_the_turns_can_be_judged_and_say_where_they_are(tmp_path, project):
    corpus = bm.load(write(tmp_path, "talk.vtt", VTT), by="turn")
    calm = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["harbour"], "yes": []})
    scores = bm.Judge("judge", criteria=calm, models="offline/strict")(corpus)
    assert scores.category.tolist() == ["yes", "yes", "no"]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.vtt", "", "cannot be read as WebVTT"),
        ("a.vtt", "id,text\n1,hello\n", "cannot be read as WebVTT"),
        ("a.vtt", "WEBVTT\n\n", "has no cues with a text"),
        ("a.srt", "Just a text.\n", "no cues with a text|cannot be read as SubRip"),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> \nHello\n", "no cues with a text|cannot be read"),
    ],
)
def test_what_is_no_transcript_is_one_sentence(tmp_path, name, text, sentence):
    with pytest.raises(bm.SetupError, match=sentence):
        bm.load(write(tmp_path, name, text))


def test_an_unknown_part_is_named(tmp_path):
    with pytest.raises(bm.SetupError, match="by='word': write one of document, turn, cue"):
        bm.load(write(tmp_path, "talk.vtt", VTT), by="word")


def test_the_form_for_coders_says_where_a_turn_is_in_the_recording(tmp_path):
    write(tmp_path, "talk.mp3", "not really")
    corpus = bm.load(write(tmp_path, "talk.vtt", VTT), by="turn")
    assert text_view(corpus[0])["record_id"] == "talk-1 · talk.mp3, 0:01 to 0:05"
    assert "talk.mp3#t=1,5.5" in corpus[0]._repr_html_()


def test_speakers_can_be_renamed(tmp_path):
    (tmp_path / "talk.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ana Roth>Good morning.</v>\n")
    (turn,) = bm.load(tmp_path / "talk.vtt", by="turn", speakers={"Ana Roth": "P1"})
    assert (turn.content, turn.metadata["speaker"]) == ("Good morning.", "P1")
    (whole,) = bm.load(tmp_path / "talk.vtt", speakers={"Ana Roth": "P1"})
    assert (whole.content, whole.metadata["speakers"]) == ("P1: Good morning.", ["P1"])


def test_a_folder_of_transcripts_is_a_corpus_of_documents(tmp_path):
    (tmp_path / "a.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ana>Good morning.</v>\n")
    (tmp_path / "b.srt").write_text("1\n00:00:01,000 --> 00:00:02,500\nNo one speaks.\n")
    (tmp_path / "c.srt").write_text("no transcript")
    corpus = bm.load(tmp_path)
    assert [(record.record_id, record.content, record.metadata["end_s"]) for record in corpus] == [
        ("a", "Ana: Good morning.", 2.0), ("b", "No one speaks.", 2.5),
    ]  # fmt: skip
    assert len(corpus.rejected) == 1


def test_a_name_in_capitals_or_one_that_is_given_is_a_speaker_at_once(tmp_path):
    cues = ["1\n00:00:01,000 --> 00:00:02,000\nANA: Yes.\n", "2\n00:00:03,000 --> 00:00:04,000\nBen: No.\n"]
    (tmp_path / "a.srt").write_text("\n".join(cues))
    assert [turn.metadata.get("speaker") for turn in bm.load(tmp_path / "a.srt", by="turn")] == ["ANA", None]
    turns = bm.load(tmp_path / "a.srt", by="turn", speakers={"Ben": "P2"})
    assert [(turn.metadata["speaker"], turn.content) for turn in turns] == [("ANA", "Yes."), ("P2", "No.")]
