"""A coding session: the text on display, the answers on disk, undo, and answers that stay hidden."""

import json

import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.human_coding.session.coding_session import CodingSession
from buttermilk_nb.human_coding.session.navigation import BREAK_AFTER
from buttermilk_nb.human_coding.worklist import worklist

RESPECT = bm.Criteria("respect", "Is it respectful?", flag="no", non_answers=["cannot tell"], cues={"no": ["vermin"]})
TWO = bm.Criteria(
    "tone",
    "How a text speaks.",
    criteria={
        "respect": {"question": "Is it respectful?", "flag": "no", "cues": {"no": ["vermin"], "yes": ["calm"]}},
        "heat": {"question": "How heated?", "scale": "1-5", "cues": {"5": ["vermin"], "1": ["calm"]}},
    },
)
LABELS = bm.Criteria("means", "Which means?", scale="labels: mockery | appeal")
SHARE = bm.Criteria("share", "How much of it?", scale="0..1")


class Clock:
    """A clock that stands still until it is told."""

    now = 100.0

    def __call__(self):
        return self.now


def corpus(n=3):
    texts = ["They are vermin 🎭 here.", "A calm day.", "A calm evening."]
    return bm.Corpus([bm.Record(record_id=f"a{i}", content=f"{texts[i % 3]} {i}") for i in range(n)])


def session(project, criteria=RESPECT, *, n=3, coder="kf", **fields):
    return CodingSession(project, corpus(n), criteria, coder, **{"order": "corpus", **fields})


def stored(project, columns="record_id, criterion, category, status", source="labels"):
    with project.store.reading() as con:
        return con.execute(f"select {columns} from {source} order by coded_at, label_id").fetchall()


# --- order and sample ------------------------------------------------------------------------------


def names(*args, **fields):
    return [item.record.record_id for item in worklist(*args, **fields)]


def test_each_coder_has_an_order_of_their_own_and_always_the_same():
    texts = corpus(40)
    assert names(texts, "kf") == names(texts, "kf")
    assert names(texts, "kf") != names(texts, "ana") != names(texts, "kf", order="corpus")
    assert names(texts, "kf", order="corpus") == [record.record_id for record in texts]
    assert sorted(names(texts, "kf")) == sorted(names(texts, "ana"))


def test_a_seed_gives_several_coders_the_same_order():
    assert names(corpus(40), "kf", seed=3) == names(corpus(40), "ana", seed=3) != names(corpus(40), "ana", seed=4)


def test_a_corpus_that_grows_keeps_the_order_of_the_others():
    before, after = names(corpus(30), "kf"), names(corpus(33), "kf")
    assert [name for name in after if name in before] == before


def test_a_sample_is_a_number_a_list_or_a_frame():
    texts = corpus(10)
    with pytest.warns(UserWarning, match=r"sample=4 are texts of `kf` alone.*bm\.draw_sample\(corpus, 4, seed=1\)"):
        assert names(texts, "kf", sample=4) == names(texts, "kf")[:4]
    assert names(texts, "kf", sample=4, seed=1) == names(texts, "ana", sample=4, seed=1)
    assert names(texts, "kf", order="corpus", sample=["a7", "a2"]) == ["a2", "a7"]
    frame = pd.DataFrame(
        {
            "record_id": ["a1", "a2", "a3"],
            "coder": ["kf", "ana", None],
            "sample_id": "s1",
            "inclusion_p": [0.5, 0.5, None],
        }
    )
    found = worklist(texts, "kf", order="corpus", sample=frame)
    assert [(item.record.record_id, item.sample_id, item.inclusion_p) for item in found] == [
        ("a1", "s1", 0.5),
        ("a3", "s1", None),
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sample": ["a11"]}, "did you mean `a1`"),
        ({"sample": ["a1", "a1"]}, "is listed twice"),
        ({"sample": []}, "nothing to code"),
        ({"sample": 11}, "sample=11: the corpus has 10 records"),
        ({"sample": "a1"}, 'write a list of record ids, such as ["a1"]'),
        ({"sample": pd.DataFrame({"id": ["a1"]})}, "no column `record_id`"),
        (
            {"sample": pd.DataFrame({"record_id": ["a1"], "coder": ["kg"]})},
            "nothing is assigned to `kf`; there are `kg`",
        ),
        ({"order": "random"}, "write `shuffled`"),
    ],
)
def test_a_wrong_sample_or_order_is_one_sentence(fields, said):
    with pytest.raises(bm.SetupError) as caught:
        worklist(corpus(10), "kf", **fields)
    assert said in str(caught.value)


# --- answers on disk -------------------------------------------------------------------------------


def test_an_answer_is_on_disk_when_it_was_given(offline_project):
    now = session(offline_project, coder=" kf ")
    now.answer("respect", "No")
    assert stored(offline_project) == [("a0", "respect", "no", "coded")]
    (row,) = stored(offline_project, "coder, flagged, value, blind, saw_trace_ids, round, source, sample_id")
    assert row == ("kf", True, 0.0, True, None, "1", "form", None)
    assert stored(offline_project, "content", "records join labels using (record_id, record_hash)") == [
        ("They are vermin 🎭 here. 0",)
    ]


def test_an_answer_that_the_scale_does_not_have_is_refused_and_nothing_is_kept(offline_project):
    now = session(offline_project)
    with pytest.raises(bm.errors.InvalidAnswer, match="is not one of the answers"):
        now.answer("respect", "perhaps")
    with pytest.raises(bm.SetupError, match="did you mean `respect`"):
        now.answer("respekt", "no")
    assert stored(offline_project) == []
    assert not now.draft("respect").is_saved
    assert not now.can_undo


@pytest.mark.parametrize(
    ("criteria", "given", "kept"),
    [
        (RESPECT, "cannot tell", ("cannot tell", None, "cannot_tell")),
        (LABELS, ["mockery"], ('["mockery"]', None, "coded")),
        (LABELS, "[]", ("[]", None, "coded")),
        (SHARE, 0.25, (None, 0.25, "coded")),
    ],
)
def test_every_kind_of_answer_comes_back_in_the_next_sitting(offline_project, criteria, given, kept):
    (criterion,) = criteria
    now = session(offline_project, criteria, n=1, clock=Clock())
    now.answer(criterion.name, given)
    now.write_note(criterion.name, "so it seems")
    assert stored(offline_project, "category, value, status, notes") == [(*kept, None), (*kept, "so it seems")]
    again = session(offline_project, criteria, n=1)
    assert again.draft(criterion.name) == now.draft(criterion.name)
    again.write_note(criterion.name, "it does")
    assert stored(offline_project, "category, value, status, notes")[-1] == (*kept, "it does")


def test_the_same_answer_again_writes_nothing(offline_project):
    now = session(offline_project)
    now.answer("respect", "no")
    now.answer("respect", "no")
    assert len(stored(offline_project)) == 1


def test_what_is_said_before_the_answer_is_kept_with_it(offline_project):
    now = session(offline_project)
    now.give_reasons("respect", [" A name for animals. ", ""])
    now.write_note("respect", "strong")
    start = now.navigation.current.content.index("🎭")
    now.mark_passage("respect", start, start + 6)
    now.mark_passage("respect", 5, 8)
    now.mark_passage("respect", 0, 4)
    now.unmark_passage("respect", 5, 8)
    assert stored(offline_project) == []
    now.answer("respect", "no")
    ((reasons, notes, quotes),) = stored(offline_project, "reasons, notes, quotes")
    assert (reasons, notes) == (["A name for animals."], "strong")
    assert json.loads(quotes) == [
        {"start": 0, "end": 4, "text": "They"},
        {"start": start, "end": start + 6, "text": "🎭 here"},
    ]


def test_a_passage_outside_the_text_cannot_be_marked(offline_project):
    now = session(offline_project)
    for start, end in ((-1, 3), (3, 3), (4, 3), (0, 10_000)):
        with pytest.raises(bm.SetupError, match="does not exist: the text has"):
            now.mark_passage("respect", start, end)


def test_the_probability_of_a_sample_goes_with_each_label(offline_project):
    frame = pd.DataFrame({"record_id": ["a1"], "sample_id": ["s1"], "inclusion_p": [0.2]})
    now = session(offline_project, sample=frame)
    now.answer("respect", "yes")
    assert stored(offline_project, "record_id, sample_id, inclusion_p") == [("a1", "s1", 0.2)]


# --- the way through the texts ---------------------------------------------------------------------


def test_a_new_sitting_goes_on_at_the_first_text_that_is_not_complete(offline_project):
    now = session(offline_project, TWO)
    now.answer("respect", "no")
    now.answer("heat", 5)
    now.navigation.next()
    now.answer("respect", "yes")
    again = session(offline_project, TWO)
    assert (again.navigation.current.record_id, again.is_complete, again.can_undo) == ("a1", False, False)
    assert again.draft("respect").answer == "yes"
    assert again.progress[:3] == (1, 0, 2)


def test_other_people_rounds_wordings_and_versions_of_a_text_are_not_mine(offline_project):
    now = session(offline_project)
    now.answer("respect", "no")
    other = bm.Criteria("respect", "Is it truly respectful?", flag="no")
    changed = bm.Corpus([bm.Record(record_id="a0", content="Another text.")])
    assert not session(offline_project, coder="ana").draft("respect").is_saved
    assert not session(offline_project, round="2").draft("respect").is_saved
    assert not session(offline_project, other).draft("respect").is_saved
    assert not CodingSession(offline_project, changed, RESPECT, "kf").draft("respect").is_saved
    assert session(offline_project).progress.coded == 1


def test_the_ends_of_the_list_hold(offline_project):
    now = session(offline_project)
    now.navigation.back()
    assert now.navigation.place == 0
    for _ in range(5):
        now.navigation.next()
    assert now.navigation.current.record_id == "a2"
    assert not now.is_finished


def test_skipping_is_on_record_and_leaves_the_answers_that_there_are(offline_project):
    now = session(offline_project, TWO)
    now.answer("heat", "5")
    now.skip()
    assert now.navigation.current.record_id == "a1"
    now.skip()
    assert stored(offline_project) == [
        ("a0", "heat", "5", "coded"),
        ("a0", "respect", None, "skipped"),
        ("a1", "respect", None, "skipped"),
        ("a1", "heat", None, "skipped"),
    ]
    assert now.progress[:3] == (1, 1, 1)
    again = session(offline_project, TWO)
    assert again.navigation.current.record_id == "a2"
    again.navigation.back()
    again.answer("heat", 2)
    assert again.progress[:3] == (2, 0, 1)


def test_when_all_is_coded_a_new_sitting_says_so(offline_project):
    now = session(offline_project, n=1)
    now.answer("respect", "no")
    assert now.is_finished
    assert session(offline_project, n=1).is_finished


# --- undo ------------------------------------------------------------------------------------------


def test_undo_withdraws_the_answer_and_it_no_longer_counts(offline_project):
    now = session(offline_project)
    now.answer("respect", "no")
    now.undo()
    assert stored(offline_project) == [("a0", "respect", "no", "coded"), ("a0", "respect", None, "withdrawn")]
    assert not now.draft("respect").is_saved
    assert now.labels() == []
    assert session(offline_project).navigation.current.record_id == "a0"


def test_undo_brings_the_answer_before_it_back(offline_project):
    now = session(offline_project)
    now.answer("respect", "no")
    now.give_reasons("respect", ["A name for animals."])
    now.answer("respect", "yes")
    now.undo()
    rows = stored(offline_project, "category, status, reasons")
    assert rows[-2:] == [(None, "withdrawn", None), ("no", "coded", ["A name for animals."])]
    assert stored(offline_project, source="latest_labels") == [("a0", "respect", "no", "coded")]
    now.undo()
    assert now.draft("respect").reasons == ()
    now.undo()
    assert not now.can_undo
    now.undo()
    assert stored(offline_project, source="latest_labels") == [("a0", "respect", None, "withdrawn")]


def test_undo_goes_back_to_the_text_and_takes_a_whole_skip_back(offline_project):
    now = session(offline_project, TWO)
    now.mark_passage("heat", 0, 4)
    now.skip()
    assert (now.navigation.place, now.progress.skipped) == (1, 1)
    now.undo()
    assert (now.navigation.place, now.progress.skipped) == (0, 0)
    assert [span.text for span in now.draft("heat").spans] == ["They"]
    now.undo()
    assert now.draft("heat").spans == ()
    assert {row[3] for row in stored(offline_project, source="latest_labels")} == {"withdrawn"}


def test_an_answer_of_an_earlier_sitting_comes_back_too(offline_project):
    session(offline_project).answer("respect", "no")
    now = session(offline_project)
    now.navigation.back()
    now.answer("respect", "yes")
    now.undo()
    assert now.draft("respect").answer == "no"
    assert stored(offline_project, source="latest_labels") == [("a0", "respect", "no", "coded")]


# --- time, and hard texts --------------------------------------------------------------------------


def test_seconds_run_from_when_the_text_was_shown(offline_project):
    clock = Clock()
    now = session(offline_project, TWO, clock=clock)
    clock.now += 8
    now.answer("respect", "no")
    clock.now += 3
    now.answer("heat", 4)
    clock.now += 2
    now.write_note("heat", "hard to say")
    now.navigation.next()
    clock.now += 5
    now.skip()
    assert stored(offline_project, "criterion, seconds") == [
        ("respect", 8.0), ("heat", 3.0), ("heat", 5.0), ("respect", 2.5), ("heat", 2.5),
    ]  # fmt: skip
    assert now.progress.seconds_per_record == 13.0
    assert session(offline_project, TWO).progress.seconds_per_record == 13.0, "and in the next sitting"


def test_a_sensitive_text_is_hidden_until_it_is_asked_for(offline_project):
    clock = Clock()
    now = session(offline_project, sensitive=True, clock=clock)
    clock.now += 60
    assert now.navigation.hidden
    with pytest.raises(bm.SetupError, match="show the text first"):
        now.answer("respect", "no")
    now.navigation.show_text()
    clock.now += 4
    now.answer("respect", "no")
    assert stored(offline_project, "category, seconds") == [("no", 4.0)]
    now.navigation.next()
    assert now.navigation.hidden
    now.skip()
    assert stored(offline_project)[-1] == ("a1", "respect", None, "skipped"), "nobody has to read a text to skip it"


def test_a_break_is_suggested_after_twenty_sensitive_texts(offline_project):
    now, calm = session(offline_project, n=50, sensitive=True), session(offline_project, n=50, coder="ana")
    for coding in (now, calm):
        for _ in range(BREAK_AFTER - 1):
            coding.skip()
        assert not coding.navigation.break_due
        coding.skip()
    assert (now.navigation.break_due, calm.navigation.break_due) == (True, False)
    now.navigation.dismiss_break()
    assert not now.navigation.break_due
    for _ in range(BREAK_AFTER):
        now.skip()
    assert now.navigation.break_due


# --- what models answered --------------------------------------------------------------------------


@pytest.fixture
def judged(offline_project):
    bm.Flow("judged", [bm.Judge("judge", criteria=TWO)]).run(corpus())
    return offline_project


def test_a_blind_sitting_reads_nothing_of_any_model(judged, monkeypatch):
    from buttermilk_nb.human_coding.session import coding_session as module

    def forbidden(*_):
        raise AssertionError("a blind sitting asked for models' answers")

    monkeypatch.setattr(module, "model_answers", forbidden)
    now = session(judged, TWO)
    now.answer("respect", "no")
    now.answer("heat", 5)
    assert now.model_answers() == ()
    assert set(stored(judged, "blind, saw_trace_ids")) == {(True, None)}


def test_models_answers_are_given_out_only_when_every_criterion_is_answered(judged):
    now = session(judged, TWO, blind=False)
    assert now.model_answers() == ()
    now.answer("respect", "yes")
    assert now.model_answers() == ()
    now.answer("heat", 1)
    assert set(stored(judged, "blind, saw_trace_ids")) == {(True, None)}, "nothing was seen before"
    found = now.model_answers()
    assert [(a.criterion, a.answer, a.answered_by) for a in found] == [
        ("heat", "5", "judge · offline/strict"),
        ("respect", "no", "judge · offline/strict"),
    ]
    assert "vermin" in " ".join(found[0].reasons)


def test_a_code_that_is_changed_after_that_is_not_blind_and_says_what_was_seen(judged):
    now = session(judged, TWO, blind=False)
    now.answer("respect", "yes")
    now.answer("heat", 1)
    (trace_id,) = {answer.trace_id for answer in now.model_answers()}
    now.answer("respect", "no")
    assert stored(judged, "criterion, category, blind, saw_trace_ids")[-1] == ("respect", "no", False, [trace_id])
    now.navigation.next()
    now.answer("respect", "yes")
    assert stored(judged, "record_id, blind")[-1] == ("a1", True), "of this text nothing was seen"


def test_what_was_seen_once_is_not_forgotten_by_a_blind_sitting(judged):
    now = session(judged, TWO, blind=False)
    now.answer("respect", "yes")
    now.answer("heat", 1)
    now.model_answers()
    again = session(judged, TWO)
    again.navigation.back()
    again.answer("respect", "no")
    assert stored(judged, "category, blind")[-1] == ("no", False)
    other = session(judged, TWO, coder="ana")
    other.answer("respect", "no")
    assert stored(judged, "coder, blind")[-1] == ("ana", True)


def test_a_person_who_is_forgotten_leaves_nothing_of_what_was_shown_to_them(judged):
    now = session(judged, TWO, blind=False, coder="Ada Lind")
    now.answer("respect", "yes")
    now.answer("heat", 1)
    now.model_answers()
    assert any("Ada Lind" in row[0] for row in payloads(judged))
    judged.evidence.forget(coder="Ada Lind", reason="asked for it")
    assert not any("Ada Lind" in row[0] for row in payloads(judged))
    assert not session(judged, TWO, coder="Ada Lind").draft("respect").is_saved


def payloads(project):
    with project.store.reading() as con:
        return con.execute("select payload from events").fetchall()


def test_a_coder_needs_a_name(offline_project):
    with pytest.raises(bm.SetupError, match="name the coder"):
        session(offline_project, coder=" ")
