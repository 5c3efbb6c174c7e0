"""Contested records: which they are, what everybody said and why, what is decided, and the rule that it becomes."""

import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.codebook.edge_cases import edge_cases
from buttermilk_nb.human_coding.adjudication import ROUND, Adjudication, adjudicate
from buttermilk_nb.human_coding.disagreements import disagreements
from buttermilk_nb.human_coding.session.coding_session import CodingSession

RESPECT = bm.Criteria("respect", "Is it respectful?", flag="no", cues={"no": ["vermin"]})


def corpus():
    return bm.Corpus(
        [
            bm.Record(
                record_id="a",
                content="“They are vermin”, the man said.",
                outlet="The Bell",
                ground_truth={"respect": "yes"},
                expert_reasons={"respect": ("a quotation",)},
            ),
            bm.Record(record_id="b", content="A calm day.", ground_truth={"respect": "yes"}),
            bm.Record(record_id="c", content="Vermin, all of them.", ground_truth={"respect": "no"}),
        ]
    )


@pytest.fixture
def run(offline_project):
    found = bm.Flow("study", [bm.Judge("judge", criteria=RESPECT, replicates=2)]).run(corpus())
    now = CodingSession(offline_project, corpus(), RESPECT, "ana", order="corpus")
    for answer, reason in (("yes", "He is quoted."), ("yes", ""), ("yes", "An old joke.")):
        now.give_reasons("respect", [reason])
        now.write_note("respect", "read twice")
        now.answer("respect", answer)
        now.navigation.next()
    return found


def frame(*rows):
    made = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    return made.assign(scale="yes/no")


# --- which records ---------------------------------------------------------------------------------


def test_a_record_is_contested_where_two_coders_gave_different_answers():
    found = disagreements(
        frame(
            ("a", "respect", "ana", "yes"), ("a", "respect", "ben", "no"), ("a", "respect", "eva", "no"),
            ("b", "respect", "ana", "yes"), ("b", "respect", "ben", "yes"),
            ("c", "respect", "ana", "yes"), ("c", "respect", "ben", "no"),
            ("d", "respect", "ana", "yes"), ("d", "respect", "ben", "cannot tell"),
        )
    )  # fmt: skip
    shown = found[["record_id", "n_coders", "n_answers", "answers", "mode_share"]].values.tolist()
    assert shown == [["c", 2, 2, "no 1, yes 1", 0.5], ["a", 3, 2, "no 2, yes 1", 2 / 3]]


def test_criteria_and_wordings_are_apart():
    rows = frame(
        ("a", "respect", "ana", "yes"), ("a", "respect", "ben", "no"),
        ("a", "heat", "ana", "yes"), ("a", "heat", "ben", "yes"),
        ("b", "heat", "ana", "no"), ("b", "heat", "ben", "yes"),
    )  # fmt: skip
    assert disagreements(rows)[["criterion", "record_id"]].values.tolist() == [["heat", "b"], ["respect", "a"]]
    assert disagreements(rows, "heat").record_id.tolist() == ["b"]
    with pytest.raises(bm.SetupError, match="no criterion `heet`; did you mean `heat`"):
        disagreements(rows, "heet")
    apart = rows[rows.criterion == "respect"].assign(criteria_hash=["c1-1", "c1-2"])
    assert len(disagreements(apart)) == 0


def test_replicates_of_one_instrument_are_no_disagreement_and_count_once():
    rows = pd.concat(
        [frame(("a", "respect", "judge", answer)).assign(replicate=i) for i, answer in enumerate(["no", "no", "yes"])]
        + [frame(("a", "respect", "ana", "yes")).assign(replicate=0)],
        ignore_index=True,
    )
    (found,) = disagreements(rows).to_dict("records")
    assert (found["n_coders"], found["answers"]) == (2, "no 1, yes 1")
    assert len(disagreements(rows[rows.coder == "judge"])) == 0


def test_numbers_on_a_continuous_scale_are_contested_where_they_differ():
    rows = frame(("a", "share", "ana", None), ("a", "share", "ben", None), ("b", "share", "ana", None))
    rows = rows.assign(value=[0.25, 0.5, 0.1], scale="0..1")
    assert disagreements(rows).answers.tolist() == ["0.25 1, 0.5 1"]


# --- the cases -------------------------------------------------------------------------------------


def test_a_case_has_every_vote_with_its_reasons(offline_project, run):
    cases = adjudicate(RESPECT, ratings=run)
    assert isinstance(cases, Adjudication)
    assert [case.record.record_id for case in cases.cases] == ["a", "c"]
    votes = cases.current.votes
    assert [(v.coder, v.kind, v.answer, v.reasons, v.remark) for v in votes[:2]] == [
        ("ana", "human", "yes", ("He is quoted.",), "read twice"),
        ("truth", "human", "yes", ("a quotation",), ""),
    ]
    judged = votes[2:]
    assert [(v.coder, v.kind, v.answer) for v in judged] == [
        ("judge · offline/strict", "instrument", "no"),
        ("judge · offline/strict · 1", "instrument", "no"),
    ]
    assert "vermin" in " ".join(judged[0].reasons)
    assert len({v.trace_id for v in judged}) == 2
    assert cases.current.record.record_hash == corpus()["a"].record_hash


def test_the_ratings_of_the_project_give_the_same_cases(offline_project, run):
    of_run, of_all = adjudicate(RESPECT, ratings=run), adjudicate(RESPECT)
    assert of_run.cases == of_all.cases
    assert adjudicate(RESPECT, ratings=run.ratings()).cases == of_all.cases
    assert [case.record.record_id for case in adjudicate(RESPECT, only=["c"]).cases] == ["c"]


def test_two_ways_of_asking_are_two_votes(offline_project):
    for prompt in ("Read.", "Read it well."):
        text = f"## system\n{prompt} {{{{ criteria.text }}}} {{{{ answer_format }}}}\n## user\n{{{{ record.content }}}}"
        judge = bm.Judge("judge", criteria=RESPECT, prompt=bm.Prompt.from_text(text))
        bm.Flow("study", [judge]).run(corpus())
    votes = adjudicate(RESPECT).cases[0].votes
    ways = [vote for vote in votes if vote.kind == "instrument"]
    assert [vote.coder for vote in ways] == ["judge · offline/strict (way 1)", "judge · offline/strict (way 2)"]
    assert len({vote.trace_id for vote in ways}) == 2


def test_a_decision_is_kept_with_its_reason_and_with_what_was_seen(offline_project, run):
    cases = adjudicate(RESPECT, ratings=run, by="kf")
    before = records(offline_project)
    decision = cases.decide("yes", " A quotation belongs to its speaker. ")
    assert (decision.answer, decision.reason) == ("yes", "A quotation belongs to its speaker.")
    with offline_project.store.reading() as con:
        (row,) = con.execute(
            "select coder, category, flagged, source, blind, saw_trace_ids, round, record_hash from labels "
            "where source = 'adjudication'"
        ).fetchall()
    saw = [vote.trace_id for vote in cases.current.votes if vote.trace_id]
    assert len(saw) == 2
    assert row == ("kf", "yes", False, "adjudication", False, saw, ROUND, corpus()["a"].record_hash)
    assert records(offline_project) == before, "what is known of the record is not written over"


def records(project):
    return project.store.df("select record_id, details_hash from records order by all").values.tolist()


def test_a_decision_goes_on_where_it_was_left_and_can_be_taken_back(offline_project, run):
    first = adjudicate(RESPECT, ratings=run, by="kf")
    first.decide("yes", "A quotation.")
    again = adjudicate(RESPECT, ratings=run, by="kf")
    assert again.current.record.record_id == "c"
    assert [decision.reason for decision in again.decisions] == ["A quotation."]
    assert adjudicate(RESPECT, ratings=run, by="eva").decisions == ()
    again.withdraw(again.cases[0])
    assert again.decisions == ()
    assert adjudicate(RESPECT, ratings=run, by="kf").place == 0
    again.move(-9)
    assert again.place == 0
    again.move(9)
    assert again.place == 1


def test_who_decides_keeps_what_they_coded_alone(offline_project, run):
    cases = adjudicate(RESPECT, ratings=run, by="ana")
    cases.decide("no", "The headline repeats it without need.")
    kept = offline_project.store.df(
        "select category, round, source from latest_labels where record_id = 'a' order by round"
    )
    assert kept.values.tolist() == [["yes", "1", "form"], ["no", ROUND, "adjudication"]]
    found = run.ratings().query("record_id == 'a' and kind == 'human'")
    assert dict(zip(found.coder, found.category, strict=True)) == {
        "ana": "yes",
        "ana (adjudicated)": "no",
        "truth": "yes",
    }
    assert disagreements(run.ratings()).n_coders.tolist() == [3, 3], "a decision is no vote"
    votes = adjudicate(RESPECT, ratings=run).cases[0].votes
    assert [(vote.coder, vote.reasons) for vote in votes[:2]] == [
        ("ana", ("He is quoted.",)),
        ("truth", ("a quotation",)),
    ]
    assert len(votes) == 4


def test_a_decision_needs_a_reason_and_an_answer_of_the_scale(offline_project, run):
    cases = adjudicate(RESPECT, ratings=run)
    with pytest.raises(bm.SetupError, match="write a reason"):
        cases.decide("yes", "  ")
    with pytest.raises(bm.errors.InvalidAnswer, match="is not one of the answers"):
        cases.decide("both", "It is both.")
    assert cases.decisions == ()


def test_where_nobody_disagrees_that_is_said(offline_project):
    run = bm.Flow("study", [bm.Judge("judge", criteria=RESPECT)]).run(corpus().filter(lambda r: r.record_id == "b"))
    cases = adjudicate(RESPECT, ratings=run)
    assert repr(cases) == "Adjudication of respect: nobody disagrees"
    with pytest.raises(bm.SetupError, match="nobody disagrees"):
        cases.decide("yes", "So it is.")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"only": ["b"]}, "record `b` is not contested; there are `a`, `c`"),
        ({"by": " "}, "name who decides"),
        ({"criteria": bm.Criteria("respect", "Is it truly respectful?")}, "no ratings under `respect` in this wording"),
        (
            {"ratings": frame(("z", "respect", "ana", "yes"), ("z", "respect", "ben", "no"))},
            "the Store has no record `z`",
        ),
    ],
)
def test_what_cannot_be_adjudicated_is_one_sentence(offline_project, run, fields, said):
    with pytest.raises(bm.SetupError) as caught:
        adjudicate(**{"criteria": RESPECT, **fields})
    assert said in str(caught.value)


def test_a_frame_of_ones_own_is_enough(offline_project, run):
    rows = frame(("b", "respect", "ana", "yes"), ("b", "respect", "ben", "no"))
    (case,) = adjudicate(RESPECT, ratings=rows).cases
    assert [(vote.coder, vote.answer) for vote in case.votes] == [("ana", "yes"), ("ben", "no")]


# --- the rule that a decision becomes --------------------------------------------------------------


def test_a_decision_becomes_a_dated_edge_case_of_a_new_version(offline_project, run):
    cases = adjudicate(RESPECT, ratings=run)
    first = cases.decide("yes", "A quotation\nbelongs to its speaker.")
    cases.move(1)
    second = cases.decide("no", 'Not "all of them" [records: ["x"]]')
    later = second.as_edge_case(first.as_edge_case(RESPECT))
    assert later.criteria_hash != RESPECT.criteria_hash
    assert later.cues_hash == RESPECT.cues_hash
    assert [case._replace(date=None) for case in edge_cases(later)] == [
        (None, "respect", "yes", "A quotation belongs to its speaker.", ("a",)),
        (None, "respect", "no", 'Not "all of them" [records: ["x"]]', ("c",)),
    ]
    assert edge_cases(later)[0].date == first.label.coded_at.date()
    assert edge_cases(bm.Criteria.from_markdown(later.to_markdown())) == edge_cases(later)
    assert later.text.count("Edge cases, as decided:") == 1
    assert edge_cases(RESPECT) == []


def test_a_judge_of_the_new_version_reads_the_rule(offline_project, run):
    later = adjudicate(RESPECT, ratings=run).decide("yes", "A quotation belongs to its speaker.").as_edge_case(RESPECT)
    asked = bm.Flow("study", [bm.Judge("judge", criteria=later)]).run(corpus())
    assert asked.calls().request.str.contains("A quotation belongs to its speaker.", regex=False).all()
    with pytest.warns(UserWarning, match=r"codes? by (ana|kf) (was|were) made under another wording of `respect`"):
        ratings = asked.ratings()
    assert len(ratings.query("kind == 'instrument' and criteria_hash == @later.criteria_hash")) == 3


def test_who_has_decided_on_a_record_is_not_blind_to_it_afterwards(offline_project, run):
    cases = adjudicate(RESPECT, ratings=run, by="kf")
    cases.decide("yes", "A quotation belongs to its speaker.")
    record = cases.current.record
    session = CodingSession(offline_project, bm.Corpus([record]), RESPECT, "kf", round="2")
    session.answer("respect", "no")
    later = bm.labels(history=True).query("source == 'form' and round == '2'")
    assert later.blind.tolist() == [False]
