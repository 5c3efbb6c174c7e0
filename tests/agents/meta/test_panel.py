"""Several judges counted as one: every rule by hand, ties, non-answers, weights and dissent."""

import json

import pandas as pd
import pytest

import buttermilk_nb as bm

LABELS = bm.MultiLabel(labels=["mock", "plea", "thank"])


def line(record_id, answer, replicate=0, name="q"):
    said = {"reasons": ["So."], "conclusion": "So.", "answer": answer, "uncertainty": "low"}
    known = {"task": "judge", "record_id": record_id, "criteria": name, "replicate": replicate}
    return {**known, "answer": {"criteria": {name: said}}}


@pytest.fixture
def count(run_judges):
    """Count the votes on one question: `count("yes/no", ana=["yes", "no"], ben=["no"])`, one answer a replicate."""

    def run(scale, rule="majority", weights=None, flag=None, **answers):
        criteria = bm.Criteria("q", "A question?", scale=scale, flag=flag, non_answers=["cannot tell"])
        n = max(len(given) for given in answers.values())
        voices = {
            voice: [line("r", answer, k) for k, answer in enumerate(given)] or [line("nobody", "cannot tell")]
            for voice, given in answers.items()
        }
        weights = weights and {f"scripted/{voice}": weight for voice, weight in weights.items()}
        panel = bm.Panel("panel", of="judge", rule=rule, weights=weights)
        made = run_judges(criteria, voices, [bm.Record(record_id="r", content="A text.")], panel, replicates=n)
        row = made.scores().set_index("judge").loc["panel"]
        answer = row.category if isinstance(row.category, str) else None if pd.isna(row.value) else row.value
        votes = made.votes()
        by = {
            member.removeprefix("scripted/"): None if isinstance(vote, float) and vote != vote else vote
            for member, vote in zip(votes.member, votes.vote, strict=True)
        }
        return answer, votes.dissent.iloc[0], by, row, made

    return run


# --- rules, by hand ----------------------------------------------------------------------------------


def test_the_majority_wins_and_the_rest_is_dissent(count):
    answer, dissent, votes, row, made = count("yes/no", flag="no", ana=["no"], ben=["yes"], cy=["no"])
    assert (answer, dissent) == ("no", pytest.approx(1 / 3))
    assert votes == {"ana": "no", "ben": "yes", "cy": "no"}
    assert (row.status, row.flagged, row.model, row.replicate) == ("ok", True, "majority", 0)
    assert row.conclusion == "Votes: no: 2, yes: 1."
    assert made.votes().answer.tolist() == ["no", "no", "no"]
    assert (made.calls().step == "panel").sum() == 0, "no model was asked"
    assert bm.sql("select flagged from traces where step = 'panel'").flagged.item(), "and so on the whole"


def test_one_mind_is_no_dissent(count):
    assert count("yes/no", ana=["yes"], ben=["yes"])[:2] == ("yes", 0.0)


def test_a_plurality_is_enough(count):
    scale = "hope | fear | neither"
    answer, dissent, *_ = count(scale, ana=["hope"], ben=["fear"], cy=["neither"], di=["fear"])
    assert (answer, dissent) == ("fear", 0.5)


@pytest.mark.parametrize(
    "answers", [{"ana": ["no"], "ben": ["yes"]}, {"ana": ["hope"], "ben": ["fear"], "cy": ["neither"]}]
)
def test_a_tie_is_no_answer_and_all_of_it_dissent(count, answers):
    scale = "yes/no" if len(answers) == 2 else "hope | fear | neither"
    answer, dissent, votes, row, made = count(scale, flag=None, **answers)
    assert (answer, dissent, row.status) == (None, 1.0, "skipped")
    assert pd.isna(row.flagged)
    assert votes == {voice: given[0] for voice, given in answers.items()}
    assert made.votes().answer.isna().all()
    (error,) = made.errors().to_dict("records")
    assert (error["step"], error["error_message"]) == ("panel", "no answer won on `q`.")


MEDIANS = [
    ("1-5", {"ana": [1], "ben": [5], "cy": [4]}, "4", 2 / 3),
    ("1-5", {"ana": [2], "ben": [2], "cy": [5], "di": [1]}, "2", 0.5),
    ("1-5", {"ana": [2], "ben": [4]}, None, 1.0),
    ("1-5", {"ana": [1], "ben": [2], "cy": [3], "di": [5]}, None, 1.0),
    ("0..1", {"ana": [0.1], "ben": [0.5], "cy": [0.9]}, 0.5, 2 / 3),
    ("0..1", {"ana": [0.25], "ben": [0.75], "cy": [0.0], "di": [1.0]}, 0.5, 1.0),
]


@pytest.mark.parametrize(("scale", "answers", "expected", "dissent"), MEDIANS)
def test_the_median_is_the_middle_and_between_two_answers_there_is_none(count, scale, answers, expected, dissent):
    answer, found, _, row, _ = count(scale, "median", **answers)
    assert answer == (pytest.approx(expected) if isinstance(expected, float) else expected)
    assert found == pytest.approx(dissent)
    assert row.status == ("skipped" if expected is None else "ok")


def test_the_mean_is_that_of_the_members_not_of_their_replicates(count):
    answer, dissent, votes, row, _ = count("0..1", "mean", flag=">= 0.5", ana=[0.5, 0.25, 0.0], ben=[1.0])
    assert votes == {"ana": 0.25, "ben": 1.0}
    assert (answer, dissent, row.flagged) == (0.625, 1.0, True)


def test_a_non_answer_is_a_vote_that_can_win(count):
    answer, dissent, votes, row, _ = count("yes/no", flag="no", ana=["cannot tell"], ben=["cannot tell"], cy=["no"])
    assert (answer, dissent) == ("cannot tell", pytest.approx(1 / 3))
    assert votes["ana"] == "cannot tell"
    assert row.status == "ok"
    assert pd.isna(row.flagged), "it is no finding"


def test_among_numbers_a_non_answer_stands_aside_and_counts_as_dissent(count):
    answer, dissent, votes, *_ = count("1-5", "median", ana=["cannot tell"], ben=[3], cy=[3])
    assert (answer, dissent, votes["ana"]) == ("3", pytest.approx(1 / 3), "cannot tell")
    answer, dissent, *_ = count("0..1", "mean", ana=["cannot tell"], ben=[0.5])
    assert (answer, dissent) == (0.5, 0.5)
    assert count("0..1", "mean", ana=["cannot tell"], ben=["cannot tell"])[:2] == ("cannot tell", 0.0)


def test_labels_are_taken_one_by_one_and_need_more_than_half(count):
    answer, dissent, votes, *_ = count(LABELS, ana=[["mock"]], ben=[["mock", "plea"]], cy=[["plea", "mock", "thank"]])
    assert json.loads(answer) == ["mock", "plea"]
    assert dissent == pytest.approx(2 / 3), "one of the three names just these"
    assert votes["cy"] == '["mock", "plea", "thank"]'


def test_labels_that_half_name_are_not_in_and_none_is_an_answer(count):
    answer, dissent, _, row, _ = count(LABELS, flag="mock", ana=[["mock"]], ben=[["plea"]])
    assert (answer, dissent, row.status) == ("[]", 1.0, "ok")
    assert row.flagged == False  # noqa: E712  # not missing
    assert count(LABELS, ana=[[]], ben=[[]], cy=[["mock"]])[:2] == ("[]", pytest.approx(1 / 3))


def test_a_non_answer_names_no_label(count):
    answer, dissent, *_ = count(LABELS, ana=[["mock"]], ben=["cannot tell"])
    assert (answer, dissent) == ('["mock"]', 0.5)
    assert count(LABELS, ana=["cannot tell"], ben=["cannot tell"])[:2] == ("cannot tell", 0.0)


# --- weights -----------------------------------------------------------------------------------------


def test_weights_decide_and_dissent_is_weighed(count):
    weights = {"ana": 3, "ben": 1, "cy": 1}
    answer, dissent, *_ = count("yes/no", "weighted", weights, ana=["no"], ben=["yes"], cy=["yes"])
    assert (answer, dissent) == ("no", pytest.approx(2 / 5))


@pytest.mark.parametrize("order", [{"ana": 0.1, "ben": 0.2, "cy": 0.3}, {"ana": 0.7, "ben": 0.1, "cy": 0.8}])
def test_a_tie_of_weights_is_a_tie_whatever_their_decimals(count, order):
    assert sum([order["ana"], order["ben"]]) != order["cy"], "as a computer adds"
    answer, dissent, *_ = count("yes/no", "weighted", order, ana=["no"], ben=["no"], cy=["yes"])
    assert (answer, dissent) == (None, pytest.approx(1.0))


def test_weights_count_on_labels_too_and_half_of_them_is_not_enough(count):
    weights = {"ana": 2, "ben": 1}
    answer, dissent, *_ = count(LABELS, "weighted", weights, ana=[["plea"]], ben=[["mock"]])
    assert (answer, dissent) == ('["plea"]', pytest.approx(1 / 3))
    weights = {"ana": 0.1, "ben": 1.3, "cy": 1.4}
    assert (0.1 + 1.3) * 2 > 0.1 + 1.3 + 1.4, "as a computer adds"
    assert count(LABELS, "weighted", weights, ana=[["mock"]], ben=[["mock"]], cy=[[]])[0] == "[]"


def test_a_weight_of_nothing_decides_nothing(count):
    assert count("yes/no", "weighted", {"ana": 0, "ben": 1}, ana=["no"], ben=["yes"])[:2] == ("yes", 0.0)
    answer, dissent, _, row, _ = count("yes/no", "weighted", {"ana": 0, "ben": 0}, ana=["no"], ben=["no"])
    assert (answer, row.status) == (None, "skipped")
    assert pd.isna(dissent)


def test_who_votes_must_have_a_weight(count):
    with pytest.raises(
        bm.SetupError, match="step `panel`: `scripted/ben` votes, but has no weight; did you mean `scripted/be`"
    ):
        count("yes/no", "weighted", {"ana": 1, "be": 2}, ana=["no"], ben=["yes"])


def test_so_must_a_model_that_may_have_to_stand_in(run_judges, calm, verdict, tmp_path, write_scripts):
    folder = write_scripts(ana=[verdict("r", "yes")], ben=[verdict("r", "no")])
    bm.init("fallback", path=tmp_path / "fallback", models=["scripted/ana"], scripted=folder)
    judge = bm.Judge("judge", criteria=calm, fallback="scripted/ben")
    flow = bm.Flow("fallback", [judge, bm.Panel("panel", of="judge", rule="weighted", weights={"scripted/ana": 1})])
    with pytest.raises(bm.SetupError, match="`scripted/ben` votes, but has no weight"):
        flow.check(bm.Corpus([bm.Record(record_id="r", content="A text.")]))


def test_a_panel_in_a_panel_votes_with_the_weight_of_its_name(run_judges, calm, verdict):
    lines = {name: [verdict("r", answer)] for name, answer in (("ana", "yes"), ("ben", "yes"), ("cy", "no"))}
    weights = {"inner": 1, **{f"scripted/{name}": weight for name, weight in (("ana", 2), ("ben", 2), ("cy", 6))}}
    steps = [
        bm.Panel("inner", of="judge"),
        bm.Panel("outer", of=["judge", "inner"], rule="weighted", weights=weights),
        bm.Panel("swayed", of=["judge", "inner"], rule="weighted", weights={**weights, "inner": 5}),
    ]
    run = run_judges(calm, lines, [bm.Record(record_id="r", content="A text.")], *steps)
    scores = run.scores().set_index("judge").category
    assert scores[["inner", "outer", "swayed"]].to_dict() == {"inner": "yes", "outer": "no", "swayed": "yes"}
    votes = run.votes()
    assert votes[votes.panel == "outer"].dissent.iloc[0] == pytest.approx(5 / 11)
    assert votes[votes.panel == "outer"].member.tolist() == [
        "inner · majority", "judge · scripted/ana", "judge · scripted/ben", "judge · scripted/cy",
    ]  # fmt: skip


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf")])
def test_a_weight_is_a_number_from_nothing_up(weight):
    with pytest.raises(bm.SetupError, match="a weight must be a number, 0 or more"):
        bm.Panel("panel", of="judge", rule="weighted", weights={"scripted/ana": weight})


@pytest.mark.parametrize(
    "given", [{"rule": "weighted"}, {"weights": {"scripted/ana": 1}}, {"rule": "mean", "weights": {"a": 1}}]
)
def test_weights_and_their_rule_belong_together(given):
    with pytest.raises(bm.SetupError, match=r'rule="weighted" and weights=.* belong together'):
        bm.Panel("panel", of="judge", **given)


# --- one instrument, one vote ------------------------------------------------------------------------


def test_replicates_are_one_vote(count):
    answer, dissent, votes, *_ = count("yes/no", ana=["no", "no", "no"], ben=["yes", "no", "yes"], cy=["yes"])
    assert votes == {"ana": "no", "ben": "yes", "cy": "yes"}
    assert (answer, dissent) == ("yes", pytest.approx(1 / 3)), "though four of the seven answers are no"


def test_a_tie_within_a_judge_is_no_vote_and_is_listed(count):
    answer, dissent, votes, row, made = count("yes/no", ana=["no", "yes"], ben=["no", "no"], cy=["no"])
    assert votes == {"ana": None, "ben": "no", "cy": "no"}
    assert (answer, dissent) == ("no", 0.0), "it is not counted against the answer"
    assert row.conclusion == "Votes: no: 2."
    assert made.votes().member.tolist() == ["scripted/ana", "scripted/ben", "scripted/cy"]


def test_so_is_where_no_judge_has_a_vote(count):
    answer, dissent, votes, row, made = count("yes/no", ana=["no", "yes"], ben=["yes", "no"])
    assert (answer, votes, row.status) == (None, {"ana": None, "ben": None}, "skipped")
    assert dissent == 1.0, "each contradicts themselves: more contested it cannot be"
    assert made.votes().vote.isna().all()


def test_a_judge_without_an_answer_is_not_a_member(count):
    answer, dissent, votes, *_ = count("yes/no", ana=["no"], ben=[], cy=["no"])
    assert (answer, dissent, votes) == ("no", 0.0, {"ana": "no", "cy": "no"})


def test_where_nobody_answered_it_is_skipped_with_an_empty_score(run_judges, calm, verdict):
    run = run_judges(
        calm,
        {"ana": [verdict("nobody", "yes")]},
        [bm.Record(record_id="r", content="A text.")],
        bm.Panel("panel", of="judge"),
    )
    row = run.scores().set_index("judge").loc["panel"]
    assert (row.status, row.model) == ("skipped", "majority")
    assert pd.isna(row.category)
    assert run.votes().empty
    assert {"member", "vote", "answer", "dissent"} <= set(run.votes())
    errors = run.errors().set_index("step")
    assert errors.loc["panel", "error_message"].startswith("step `judge` has no finished answer for this record")


def test_the_criteria_of_a_document_are_counted_each(run_judges):
    desk = bm.Criteria(
        "desk", "What is asked.", criteria={"calm": {"question": "Calm?", "flag": "no"}, "loud": {"question": "Loud?"}}
    )

    def both(calm, loud):
        said = {name: {"reasons": [], "conclusion": "", "answer": a} for name, a in (("calm", calm), ("loud", loud))}
        return [{"task": "judge", "record_id": "r", "criteria": "desk", "answer": {"criteria": said}}]

    voices = {"ana": both("no", "yes"), "ben": both("no", "no"), "cy": both("yes", "no"), "di": both("no", "yes")}
    run = run_judges(desk, voices, [bm.Record(record_id="r", content="A text.")], bm.Panel("panel", of="judge"))
    scores = run.scores().set_index(["judge", "criterion"]).loc["panel"]
    assert (scores.loc["calm", "category"], scores.loc["calm", "status"]) == ("no", "ok")
    assert scores.loc["loud", "status"] == "skipped"
    assert run.votes().groupby("criterion").dissent.first().to_dict() == {"calm": 0.25, "loud": 1.0}
    assert run.errors().error_message.tolist() == ["no answer won on `loud`."]


# --- how it is declared ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "rule", "instead"),
    [
        ("yes/no", "median", "majority"),
        ("yes/no", "mean", "majority"),
        ("hope | fear", "median", "majority"),
        (LABELS, "median", "majority"),
        (LABELS, "mean", "majority"),
        ("1-5", "mean", "median"),
    ],
)
def test_a_rule_that_does_not_fit_the_scale_is_refused_before_anything_is_asked(run_judges, scale, rule, instead):
    criteria = bm.Criteria("q", "A question?", scale=scale)
    message = f'step `panel`: answers on `q` have no {rule}; write rule="{instead}"'
    with pytest.raises(bm.SetupError, match=message):
        run_judges(
            criteria,
            {"ana": [line("r", "x")]},
            [bm.Record(content="A text.")],
            bm.Panel("panel", of="judge", rule=rule),
        )
    assert bm.sql("select * from calls").empty


def test_an_unknown_rule_is_refused():
    with pytest.raises(bm.SetupError, match="rule"):
        bm.Panel("panel", of="judge", rule="loudest")


def test_of_nothing_is_a_setup_error():
    with pytest.raises(bm.SetupError, match='of="judge"'):
        bm.Panel("panel")


def test_of_a_step_without_answers_on_criteria_is_one_too(tmp_path):
    bm.init("wrong", path=tmp_path / "wrong", models=["offline/strict"])

    @bm.agent(version="1")
    def length(record):
        return len(record.content)

    with pytest.raises(bm.SetupError, match="step `panel`: `length` does not answer criteria"):
        bm.Flow("wrong", [length, bm.Panel("panel", of="length")]).check(bm.Corpus([bm.Record(content="x")]))


def test_another_rule_or_weight_is_another_design(run_judges, calm, verdict):
    panels = [
        bm.Panel("panel", of="judge"),
        bm.Panel("panel", of="judge", rule="weighted", weights={"scripted/ana": 1}),
        bm.Panel("panel", of="judge", rule="weighted", weights={"scripted/ana": 2}),
    ]
    for panel in [*panels, panels[0]]:
        run_judges(calm, {"ana": [verdict("r", "yes")]}, [bm.Record(record_id="r", content="A text.")], panel)
    assert bm.sql("select count(distinct design_id) as n from cells where step = 'panel'").n.item() == 3


@pytest.mark.parametrize("weights", [None, {"scripted/ana": 2, "scripted/ben": 0.5, "scripted/cy": 1}])
def test_a_flow_file_holds_it_and_reads_it_back(run_three_judges, weights):
    rule = "weighted" if weights else "majority"
    run = run_three_judges(bm.Panel("panel", of=["judge"], rule=rule, weights=weights))
    text = run.definition.to_yaml()
    assert ("rule" in text) == bool(weights)
    again = bm.Flow.from_yaml(text)
    assert again.flow_hash == run.definition.flow_hash
    agent = again.steps[1].agent
    assert (type(agent), agent.rule, agent.weights) == (bm.Panel, rule, weights or {})
    assert run.scores().set_index(["judge", "record_id"]).loc[("panel", "r0"), "category"] == "yes"


def test_what_it_read_is_stored(run_three_judges):
    run_three_judges(bm.Panel("panel", of="judge"))
    read = bm.sql(
        "select x.record_id, list(t.model order by i.position) as models from trace_inputs i "
        "join traces x using (trace_id) join traces t on t.trace_id = i.input_trace_id "
        "where x.step = 'panel' group by 1 order by 1"
    )
    assert [list(models) for models in read.models] == [["scripted/ana", "scripted/ben", "scripted/cy"]] * 2
