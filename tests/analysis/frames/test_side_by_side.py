"""One record with everything that was said about it, beside each other."""

import re

import pytest

import buttermilk_nb as bm

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\"' {{ 7 * 7 }}"


def reading(*topics, conclusion="They diverge.", replicate=0, record_id="r0"):
    answer = {
        "conclusion": conclusion,
        "divergences": [
            {"topic": name, "positions": [{"position": p, "answers": held} for p, held in positions.items()]}
            for name, positions in topics
        ],
    }
    known = {"task": "differences", "record_id": record_id, "criteria": "calm", "replicate": replicate}
    return {**known, "answer": answer}


def differences(**options):
    return bm.Differences("differences", **{"of": "judge", "models": "scripted/reader", **options})


def visible(view):
    """The text of its HTML, without the style."""
    html = re.sub(r"<style>.*?</style>", "", view._repr_html_(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_it_shows_the_text_every_answer_with_its_reasons_and_where_they_diverge(run_three_judges):
    topic = ("the door", {"slammed": ["cy/0"], "closed": ["ana/0", "ben/0"]})
    view = run_three_judges(differences(), reader=[reading(topic, conclusion="It turns on the door.")]).side_by_side(
        "r0"
    )
    text = visible(view)
    for part in ("Record r0", "3 answers on 1 question", "A door was heard.", "Nobody shouts.", "The door is slammed."):
        assert part in text
    assert "judge · scripted/cy no uncertainty low The door is slammed. So it is." in text
    assert "Where they diverge on calm as read by scripted/reader It turns on the door." in text
    assert "the door slammed (judge · scripted/cy) closed (judge · scripted/ana; judge · scripted/ben)" in text
    assert "It was loud." not in text, "which is another record"
    assert repr(view).splitlines() == [
        "Record r0: 3 answers on 1 question",
        "  judge · scripted/ana, calm: yes",
        "  judge · scripted/ben, calm: yes",
        "  judge · scripted/cy, calm: no",
        "calm: It turns on the door.",
    ]


def test_hostile_texts_are_shown_and_do_nothing(run_judges, verdict):
    name = "calm"
    criteria = bm.Criteria(name, "Is it calm?")
    judges = {"ana": [verdict("r0", "yes", HOSTILE, conclusion=HOSTILE)], "ben": [verdict("r0", "no", HOSTILE)]}
    topic = (HOSTILE, {HOSTILE: ["ana/0"], "b": ["ben/0"]})
    run = run_judges(
        criteria,
        judges,
        [bm.Record(record_id="r0", content=HOSTILE)],
        differences(),
        readers={"reader": [reading(topic, conclusion=HOSTILE)]},
    )
    html = run.side_by_side("r0")._repr_html_()
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;") == 1 + 2 + 1 + 3, (
        "text, reasons, a conclusion; topic, position, what was concluded"
    )
    assert "49" not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)


def test_hostile_record_ids_are_escaped_too(run_judges, calm, verdict):
    view = run_judges(
        calm, {"ana": [verdict(HOSTILE, "yes")]}, [bm.Record(record_id=HOSTILE, content="A text.")]
    ).side_by_side(HOSTILE)
    assert "<script" not in view._repr_html_()
    assert "&lt;script&gt;" in view._repr_html_()


def test_an_unknown_record_is_a_sentence_with_the_nearest(run_three_judges):
    run = run_three_judges()
    with pytest.raises(bm.SetupError, match="this run has no record `r00`; did you mean `r0`"):
        run.side_by_side("r00")


def test_a_record_of_another_run_is_unknown_to_this_one(run_judges, calm, verdict):
    judges = {"ana": [verdict("first", "yes"), verdict("second", "yes")]}
    run_judges(calm, judges, [bm.Record(record_id="first", content="A text.")])
    run = run_judges(calm, judges, [bm.Record(record_id="second", content="A text.")])
    with pytest.raises(bm.SetupError, match="this run has no record `first`; "):
        run.side_by_side("first")


def test_replicates_of_a_holder_are_one_holder(run_judges, calm, verdict):
    judges = {
        "ana": [verdict("r0", "yes", f"Quiet {n}.", replicate=n) for n in range(3)],
        "ben": [verdict("r0", "no", f"Loud {n}.", replicate=n) for n in range(3)],
    }
    topic = ("noise", {"quiet": ["ana/2", "ana/0", "ben/1"], "loud": ["ben/0", "ben/2", "ana/1"]})
    run = run_judges(
        calm,
        judges,
        [bm.Record(record_id="r0", content="A text.")],
        differences(),
        readers={"reader": [reading(topic)]},
        replicates=3,
    )
    view = run.side_by_side("r0")
    text = visible(view)
    assert "quiet (judge · scripted/ana, replicates 0, 2; judge · scripted/ben, replicates 1)" in text
    assert "loud (judge · scripted/ana, replicates 1; judge · scripted/ben, replicates 0, 2)" in text
    assert "Record r0: 6 answers on 1 question" in repr(view)
    assert "judge · scripted/ana, replicate 2, calm: yes" in repr(view)


def test_every_reader_has_its_own_topics_and_conclusion(run_three_judges):
    lines = [
        reading(("one", {"p": ["cy/0"], "q": ["ana/0"]}), conclusion="First reading."),
        reading(("two", {"p": ["ben/0"], "q": ["ana/0"]}), conclusion="Second reading.", replicate=1),
    ]
    text = visible(run_three_judges(differences(replicates=2), reader=lines).side_by_side("r0"))
    first, second = text.split("First reading.")[1].split("Second reading.")
    assert "one" in first
    assert "two" not in first
    assert "two p (judge · scripted/ben) q (judge · scripted/ana)" in second


def test_a_synthesis_and_a_panel_stand_beside_their_judges_and_may_hold_positions(run_three_judges, verdict):
    steps = [
        bm.Panel("panel", of="judge"),
        bm.Synthesiser("synth", of="judge", models="offline/strict"),
        differences(of=["judge", "panel", "synth"], models="offline/strict"),
    ]
    view = run_three_judges(*steps).side_by_side("r0")
    text = visible(view)
    assert "5 answers on 1 question" in text
    assert "panel · majority" in text
    (held,) = re.findall(r"yes: [^(]*\(([^)]*)\)", text)
    assert held.split("; ") == ["judge · scripted/ana", "judge · scripted/ben", "panel", "synth · offline/strict"]


def test_what_was_not_answered_is_shown_by_its_status(run_judges, calm, verdict):
    judges = {"ana": [verdict("r0", "perhaps", "Hm.")], "ben": [verdict("r1", "yes")]}
    view = run_judges(calm, judges, [bm.Record(record_id="r0", content="A text.")]).side_by_side("r0")
    assert "judge · scripted/ana, calm: invalid" in repr(view)
    assert "judge · scripted/ben, calm: skipped" in repr(view)
    assert "invalid" in visible(view)


def test_numbers_are_shown_as_they_were_given(run_judges, verdict):
    heat = bm.Criteria("calm", "How calm?", scale="0..1")
    view = run_judges(
        heat, {"ana": [verdict("r0", 0.25)]}, [bm.Record(record_id="r0", content="A text.")]
    ).side_by_side("r0")
    assert "judge · scripted/ana, calm: 0.25" in repr(view)


def test_it_shows_the_version_of_the_text_that_was_judged(run_judges, calm, verdict):
    judges = {"ana": [verdict("r0", "yes")]}
    first = run_judges(calm, judges, [bm.Record(record_id="r0", content="The first wording.")])
    second = run_judges(calm, judges, [bm.Record(record_id="r0", content="The second wording.")])
    assert first.side_by_side("r0").text == "The first wording."
    assert second.side_by_side("r0").text == "The second wording."


def test_it_holds_nothing_that_changes_from_run_to_run(run_three_judges):
    lines = [reading(("one", {"p": ["cy/0"], "q": ["ana/0"]}))]
    views = [run_three_judges(differences(), reader=lines).side_by_side("r0") for _ in range(2)]
    assert views[0]._repr_html_() == views[1]._repr_html_()
    assert repr(views[0]) == repr(views[1])
