"""An answer on one question counts although the same judge could not be read on another."""

import json

import pytest

import buttermilk_nb as bm
from buttermilk_nb.agents.meta.voting_rules import Vote, count_votes

TWO = bm.Criteria(
    "two",
    "Two questions.",
    criteria={"a": {"question": "Is it calm?", "flag": "no"}, "b": {"question": "Is it long?", "flag": "no"}},
)


@pytest.fixture
def run(tmp_path, write_scripts):
    """Three judges: two say no on `a` and nothing readable on `b`, the third says yes to both."""

    def entry(answer):
        return {"reasons": [f"because {answer}"], "conclusion": "So.", "answer": answer, "uncertainty": "low"}

    def line(a, b):
        answer = {"criteria": {"a": entry(a), "b": entry(b)}}
        return {"task": "judge", "record_id": "r", "criteria": "two", "replicate": 0, "answer": answer}

    folder = write_scripts(x=[line("no", "perhaps")], y=[line("no", "who knows")], z=[line("yes", "yes")])
    bm.init("partial", path=tmp_path / "partial", models=[f"scripted/{name}" for name in "xyz"], scripted=folder)
    record = bm.Record(record_id="r", content="A door.", expert_reasons={"a": ("because no",), "b": ("because yes",)})

    def made(*steps):
        judge = bm.Judge("judge", criteria=TWO, reask=False)
        return bm.Flow("partial", [judge, *steps]).run(bm.Corpus([record]))

    return made


def test_a_panel_counts_every_readable_vote(run):
    made = run(bm.Panel("panel", of="judge"))
    panel = made.scores().query("judge == 'panel'").set_index("criterion").category.to_dict()
    assert panel == {"a": "no", "b": "yes"}
    votes = made.votes().set_index(["criterion", "member"]).vote.to_dict()
    assert votes["a", "scripted/x"] == "no"
    assert votes["b", "scripted/z"] == "yes"
    assert made.votes().set_index(["criterion", "member"]).vote.isna()["b", "scripted/x"]


def test_a_synthesis_reads_them_all_and_shows_no_answer_that_is_none(run):
    made = run(bm.Synthesiser("synth", of="judge", models="offline/strict"))
    assert made.scores().query("judge == 'synth'").set_index("criterion").category.to_dict() == {"a": "no", "b": "yes"}
    (request,) = made.calls().query("step == 'synth'").request
    shown = json.loads(request)["messages"][-1]["content"]
    assert shown.count('- "a":') == 3
    assert shown.count('- "b":') == 1


def test_a_scorer_assesses_what_was_answered_and_nothing_else(run):
    made = run(bm.Scorer("score", of="judge", models="offline/strict"))
    assessed = made.assessments().groupby("model").criterion.agg(list).to_dict()
    assert assessed == {"scripted/x": ["a"], "scripted/y": ["a"], "scripted/z": ["a", "b"]}


def test_contested_answers_are_escalated(run):
    assert run(bm.Escalation("second", of="judge", escalate_to="people")).review_queue().criterion.tolist() == ["a"]


def test_a_panel_that_is_tied_on_one_question_is_read_on_the_other(tmp_path, write_scripts):
    def line(a, b):
        both = {"a": a, "b": b}
        entries = {
            name: {"reasons": [], "conclusion": "", "answer": said, "uncertainty": "low"} for name, said in both.items()
        }
        return {"task": "judge", "record_id": "r", "criteria": "two", "replicate": 0, "answer": {"criteria": entries}}

    folder = write_scripts(x=[line("no", "no")], y=[line("no", "yes")])
    bm.init("tied", path=tmp_path / "tied", models=["scripted/x", "scripted/y"], scripted=folder)
    steps = [
        bm.Judge("judge", criteria=TWO),
        bm.Panel("panel", of="judge"),
        bm.Synthesiser("synth", of="panel", models="offline/strict"),
    ]
    run = bm.Flow("tied", steps).run(bm.Corpus([bm.Record(record_id="r", content="A door.")]))
    synth = run.scores().query("judge == 'synth'").set_index("criterion")
    assert synth.category["a"] == "no"
    assert synth.status.to_dict() == {"a": "ok", "b": "invalid"}


def test_who_contradicts_themselves_is_as_contested_as_can_be(tmp_path, write_scripts, verdict, calm):
    folder = write_scripts(x=[verdict("r", "yes"), verdict("r", "no", replicate=1)])
    bm.init("torn", path=tmp_path / "torn", models=["scripted/x"], scripted=folder)
    steps = [bm.Judge("judge", criteria=calm, replicates=2), bm.Escalation("second", of="judge", escalate_to="people")]
    run = bm.Flow("torn", steps).run(bm.Corpus([bm.Record(record_id="r", content="A door.")]))
    assert run.review_queue().dissent.tolist() == [1.0]


RULES = {"labels: warm | cold": "majority", "1-5": "median", "0..1": "mean", "yes/no": "majority"}


@pytest.mark.parametrize(("scale", "rule"), RULES.items())
def test_a_non_answer_that_most_give_is_the_answer(scale, rule):
    criterion = bm.Criteria("t", "?", scale=scale, non_answers=["cannot tell", "not applicable"])["t"]
    votes = [Vote(name, name, "not applicable") for name in "abc"]
    counted = count_votes(criterion, votes, rule, {})
    assert (counted.answer.category, counted.dissent) == ("not applicable", 0.0)
    value = {"labels: warm | cold": '["warm"]', "1-5": "4", "0..1": 0.5, "yes/no": "yes"}[scale]
    mixed = count_votes(criterion, [*votes[:2], Vote("c", "c", value)], rule, {})
    assert mixed.answer.category == "not applicable"
    assert mixed.dissent == pytest.approx(1 / 3)


def test_expert_reasons_are_found_whichever_record_comes_first(tmp_path, calm):
    bm.init("late", path=tmp_path / "late", models=["double/answer"])
    rows = [{"id": "a", "text": "x", "w": ""}, {"id": "b", "text": "x", "w": "a door is slammed"}]
    corpus = bm.load(rows, content="text", record_id="id", reasons={"calm": "w"})
    flow = bm.Flow("late", [bm.Judge("judge", criteria=calm), bm.Scorer("score", of="judge", models="offline/strict")])
    assert flow.check(corpus).cells == 4


def test_two_documents_with_a_question_of_the_same_name_are_told_apart(tmp_path):
    one, other = (bm.Criteria(name, "?", criteria={"calm": {"question": "?"}}) for name in ("one", "other"))
    bm.init("same", path=tmp_path / "same", models=["double/answer"])
    steps = [bm.Judge("judge", criteria=[one, other]), bm.Scorer("score", of="judge", models="offline/strict")]
    record = bm.Record(record_id="r", content="A door.", expert_reasons={"calm": ("it is",)})
    run = bm.Flow("same", steps).run(bm.Corpus([record]))
    assert run.assessments().criteria_set.tolist() == ["one", "other"]
    assert run.reason_recall().criteria_set.tolist() == ["one", "other"]
    assert bm.sql("select count(distinct criteria_hash) as n from reason_recall").n.item() == 2
