"""Expert reasons held against answers: what is matched, what is beyond them, and what a scorer must say."""

import json

import pandas as pd
import pytest

import buttermilk_nb as bm

HOSTILE = "</script>{{ record.content }} '; drop table assessments; --"


def scorer(**options):
    return bm.Scorer("score", **{"of": "judge", "models": "scripted/reader", **options})


def entry(n, matched, *by, **more):
    return {"reason": f"R{n}", "matched": matched, "matched_by": list(by), "feedback": f"On R{n}.", **more}


def line(record_id, of, *entries, criteria="calm", replicate=0):
    known = {"task": "match", "record_id": record_id, "criteria": criteria, "replicate": replicate, "of": of}
    return {**known, "answer": {"assessments": list(entries)}}


def of_ana(frame):
    """What was said of ana's answer on r0; nothing is written on the others, whose cells are skipped."""
    return frame[(frame.record_id == "r0") & (frame.model == "scripted/ana")].reset_index(drop=True)


def on_two(record_id, calm, loud):
    """A judge's answer on a document of two criteria."""
    said = {"conclusion": "So.", "uncertainty": "low"}
    answer = {"calm": {"reasons": calm, "answer": "no", **said}, "loud": {"reasons": loud, "answer": "yes", **said}}
    return {"task": "judge", "record_id": record_id, "criteria": "desk", "answer": {"criteria": answer}}


@pytest.fixture
def desk():
    return bm.Criteria(
        "desk", "What is asked.", criteria={"calm": {"question": "Calm?"}, "loud": {"question": "Loud?"}}
    )


# --- what a scorer must say --------------------------------------------------------------------------

UNREAD = {
    "a reason left out": ([entry(1, True, 1)], "reason R2 is not assessed"),
    "a reason twice": ([entry(1, True, 1), entry(2, False), entry(1, False)], "reason R1 is assessed twice"),
    "one that there is not": ([entry(1, True), entry(2, False), entry(3, True)], "there is no reason `R3`"),
    "one without a name": ([entry(1, True), entry(2, False), {"matched": True}], "there is no reason ``"),
    "no yes or no": ([entry(1, "yes", 1), entry(2, False)], "reason R1: `matched` must be true or false"),
    "a number for yes": ([entry(1, True, 1), entry(2, 1)], "reason R2: `matched` must be true or false"),
    "matched is nothing": ([entry(1, None), entry(2, False)], "reason R1: `matched` must be true or false"),
    "by a reason beyond the last": (
        [entry(1, True, 2), entry(2, False)],
        "reason R1: `matched_by` names a reason that",
    ),
    "by a reason before the first": (
        [entry(1, True, 0), entry(2, False)],
        "reason R1: `matched_by` names a reason that",
    ),
    "by a text": ([entry(1, True, "1"), entry(2, False)], "reason R1: `matched_by` names a reason that"),
    "by true": ([entry(1, True, True), entry(2, False)], "reason R1: `matched_by` names a reason that"),
    "by what is no list": (
        [entry(1, True, matched_by=1), entry(2, False)],
        "reason R1: `matched_by` names a reason that",
    ),
    "by a reason and yet not": (
        [entry(1, False, 1), entry(2, False)],
        "reason R1 is not matched, but `matched_by`",
    ),
    "no list": ({"R1": True}, "`assessments` is not a list"),
    "words": (["R1", "R2"], "is assessed twice"),
    "nothing": ([], "reason R1 is not assessed"),
}


@pytest.mark.parametrize(("given", "why"), UNREAD.values(), ids=UNREAD)
def test_what_cannot_be_read_is_invalid_with_one_empty_row_for_each_reason(run_three_judges, given, why):
    written = {**line("r0", "ana/0"), "answer": {"assessments": given}}
    run = run_three_judges(scorer(), reader=[written], reasons=["The voices are low.", "No door."])
    rows = of_ana(run.assessments())
    assert rows.reason.tolist() == ["The voices are low.", "No door."]
    assert rows.reason_index.tolist() == [0, 1]
    assert rows.status.tolist() == ["invalid", "invalid"]
    assert rows.matched.isna().all()
    assert rows.matched_by.isna().all()
    assert rows.feedback.isna().all()
    assert bm.sql("select count(*) as n from assessments where matched is null and status = 'invalid'").n.item() == 2
    (error,) = run.errors().query("status == 'invalid'").to_dict("records")
    assert why in error["error_message"]
    assert json.loads(error["raw_text"]) == {"assessments": given}
    (recall,) = of_ana(run.reason_recall()).to_dict("records")
    assert (recall["n_reasons"], recall["n_assessed"], recall["n_matched"]) == (2, 0, 0)
    assert pd.isna(recall["recall"])
    assert recall["beyond_the_expert"] is None or pd.isna(recall["beyond_the_expert"])
    assert (run.calls().step == "score").sum() == 2, "it was asked once more"


def test_what_was_not_answered_has_its_rows_too_without_a_finding(run_three_judges):
    run = run_three_judges(scorer(), reader=[line("r0", "ana/0", entry(1, True, 1))], reasons=["One."])
    rows = run.assessments()
    assert rows.status.value_counts().to_dict() == {"ok": 1, "skipped": 5}
    assert rows[rows.status == "skipped"].matched.isna().all()
    assert run.reason_recall().recall.notna().sum() == 1
    assert run.counts == {"ok": 7, "skipped": 5}


def test_unless_it_shall_not_be_asked_again(run_three_judges):
    run = run_three_judges(scorer(reask=False), reader=[line("r0", "ana/0")], reasons=["No door."])
    assert (run.calls().step == "score").sum() == 1


def test_spelling_of_a_reasons_name_does_not_matter_nor_does_their_order(run_three_judges):
    given = [entry(2, False), {**entry(1, True, 1), "reason": " r1 "}]
    rows = of_ana(
        run_three_judges(scorer(), reader=[line("r0", "ana/0", *given)], reasons=["One.", "Two."]).assessments()
    )
    assert rows.matched.tolist() == [True, False]
    assert rows.feedback.tolist() == ["On R1.", "On R2."]


def test_matched_by_the_conclusion_only_is_matched_by_no_reason(run_three_judges):
    run = run_three_judges(scorer(), reader=[line("r0", "ana/0", entry(1, True))], reasons=["One."])
    (row,) = of_ana(run.assessments()).to_dict("records")
    assert row["matched"]
    assert len(row["matched_by"]) == 0
    (recall,) = of_ana(run.reason_recall()).to_dict("records")
    assert (recall["recall"], list(recall["beyond_the_expert"])) == (1.0, ["Nobody shouts."])


# --- what is counted ---------------------------------------------------------------------------------


def test_recall_and_what_is_beyond_the_expert_by_hand(run_judges, calm, verdict):
    """Four reasons of an expert; one judge gives two of them in three of its own four, one gives none, one all."""
    expert = ("Low voices.", "No haste.", "A closed door.", "Tea.")
    ana = ["It is quiet.", "The kettle sings.", "A cat sleeps.", "Voices are low."]
    judges = {
        "ana": [verdict("r", "yes", *ana)],
        "ben": [verdict("r", "no", "A clock ticks.")],
        "cy": [verdict("r", "yes", "All that you want.", "And a rug.", replicate=1), verdict("r", "yes")],
    }
    reader = [
        line("r", "ana/0", entry(1, True, 4, 1), entry(2, False), entry(3, False), entry(4, True, 2, 2)),
        line("r", "ben/0", *(entry(n, False) for n in (1, 2, 3, 4))),
        line("r", "cy/1", *(entry(n, True, 1) for n in (1, 2, 3, 4))),
        line("r", "cy/0", *(entry(n, False) for n in (1, 2, 3, 4))),
        line("r", "synth/0", entry(1, True, 1), entry(2, True), entry(3, False), entry(4, False)),
    ]
    record = bm.Record(record_id="r", content="A room.", expert_reasons={"calm": expert})
    synth = bm.Synthesiser("synth", of="judge", models="scripted/synth")
    run = run_judges(
        calm,
        judges,
        [record],
        synth,
        scorer(of=["judge", "synth"]),
        readers={"reader": reader, "synth": [verdict("r", "yes", "Low voices.", "A rug.", task="synthesise")]},
        replicates=2,
    )
    found = run.reason_recall().set_index(["judge", "model", "replicate"])
    assert len(found) == 5
    columns = ["n_reasons", "n_assessed", "n_matched", "recall", "n_given"]
    assert {key[1].removeprefix("scripted/") + f"/{key[2]}": tuple(row) for key, row in found[columns].iterrows()} == {
        "ana/0": (4, 4, 2, 0.5, 4),
        "ben/0": (4, 4, 0, 0.0, 1),
        "cy/0": (4, 4, 0, 0.0, 0),
        "cy/1": (4, 4, 4, 1.0, 2),
        "synth/0": (4, 4, 2, 0.5, 2),
    }
    beyond = {key[1].removeprefix("scripted/") + f"/{key[2]}": list(b) for key, b in found.beyond_the_expert.items()}
    assert beyond == {
        "ana/0": ["A cat sleeps."],
        "ben/0": ["A clock ticks."],
        "cy/0": [],
        "cy/1": ["And a rug."],
        "synth/0": ["A rug."],
    }
    rows = run.assessments().set_index(["model", "replicate", "reason_index"])
    assert list(rows.loc[("scripted/ana", 0, 0), "matched_by"]) == [0, 3], "counted from 0"
    assert list(rows.loc[("scripted/ana", 0, 3), "matched_by"]) == [1], "each once"
    assert set(rows.judge) == {"judge", "synth"}
    assert set(rows.scorer) == {"score"}
    traces = bm.sql("select trace_id as assessed_trace_id, model, replicate, step as judge from traces")
    keys = ["assessed_trace_id", "model", "replicate", "judge"]
    assert len(run.assessments().merge(traces, on=keys)) == 20, "each row names the trace of the answer"
    scores = bm.sql("select * from judge_scores where judge_role = 'judge'")
    pivot = scores.pivot_table(index="judge_model", columns="scoring_model", values="correctness")
    assert pivot["scripted/reader"].to_dict() == {"scripted/ana": 0.5, "scripted/ben": 0.0, "scripted/cy": 0.5}
    (row,) = scores[(scores.judge_model == "scripted/ana") & (scores.replicate == 0)].to_dict("records")
    assert (row["scorer"], list(row["assessment_correct"])) == ("score", [True, False, False, True])
    assert list(row["assessment_feedback"]) == ["On R1.", "On R2.", "On R3.", "On R4."]
    assert list(row["assessment_reasons"]) == list(expert)
    calls = bm.sql("select call_id, prompt_hash from calls join traces using (trace_id) where step = 'score'")
    assert (calls.set_index("call_id").prompt_hash[row["scorer_call_id"]]) == row["scoring_template"]


def test_several_scorers_do_not_add_up(run_three_judges):
    given = [line("r0", "ana/0", entry(1, True, 1)), line("r0", "ana/0", entry(1, False), replicate=1)]
    run = run_three_judges(scorer(replicates=2), reader=given, reasons=["One."])
    found = of_ana(run.reason_recall())
    assert found.scoring_replicate.tolist() == [0, 1]
    assert found.recall.tolist() == [1.0, 0.0]
    assert found.n_reasons.tolist() == [1, 1]


def test_reasons_are_numbered_through_a_document_and_indexed_on_each_criterion(run_judges, desk, step_messages):
    record = bm.Record(
        record_id="r", content="A room.", expert_reasons={"loud": ("It bangs.",), "calm": ("Low voices.", "No haste.")}
    )
    given = [entry(1, False), entry(2, True, 2), entry(3, True, 1)]
    run = run_judges(
        desk,
        {"ana": [on_two("r", ["Slow.", "Nobody runs."], ["A bang."])]},
        [record],
        scorer(),
        readers={"reader": [line("r", "ana/0", *given, criteria="desk")]},
    )
    ((_, told),) = step_messages(run, "score")
    wanted = ['R1 (on "calm"): Low voices.', 'R2 (on "calm"): No haste.', 'R3 (on "loud"): It bangs.']
    assert [told.index(text) for text in wanted] == sorted(told.index(text) for text in wanted)
    rows = run.assessments()
    assert list(zip(rows.criterion, rows.reason_index, rows.reason, rows.matched, strict=True)) == [
        ("calm", 0, "Low voices.", False),
        ("calm", 1, "No haste.", True),
        ("loud", 0, "It bangs.", True),
    ]
    found = run.reason_recall().set_index("criterion")
    assert found.recall.to_dict() == {"calm": 0.5, "loud": 1.0}
    assert {name: list(said) for name, said in found.beyond_the_expert.items()} == {"calm": ["Slow."], "loud": []}


def test_matched_by_counts_the_reasons_on_the_same_criterion(run_judges, desk):
    record = bm.Record(record_id="r", content="A room.", expert_reasons={"loud": ("It bangs.",)})
    run = run_judges(
        desk,
        {"ana": [on_two("r", ["Slow.", "Nobody runs."], ["A bang."])]},
        [record],
        scorer(),
        readers={"reader": [line("r", "ana/0", entry(1, True, 2), criteria="desk")]},
    )
    assert run.assessments().status.tolist() == ["invalid"], "there are two on calm, and one on loud"


def test_reasons_under_a_star_are_those_on_the_one_criterion(run_judges, calm, verdict):
    record = bm.Record(record_id="r", content="A room.", expert_reasons={"*": ("Low voices.",)})
    run = run_judges(calm, {"ana": [verdict("r", "yes", "Low voices.")]}, [record], scorer(models="offline/strict"))
    (row,) = run.assessments().to_dict("records")
    assert (row["criterion"], row["reason"], row["matched"]) == ("calm", "Low voices.", True)


def test_a_record_without_reasons_is_skipped_and_nothing_is_asked(run_judges, calm, verdict):
    with_reasons = bm.Record(record_id="r0", content="A room.", expert_reasons={"calm": ("Low voices.",)})
    others = [
        bm.Record(record_id="r1", content="A hall."),
        bm.Record(record_id="r2", content="A shed.", expert_reasons={"loud": ("It bangs.",)}),
    ]
    lines = [verdict(r, "yes", "Low voices.") for r in ("r0", "r1", "r2")]
    run = run_judges(calm, {"ana": lines}, [with_reasons, *others], scorer(models="offline/strict"))
    errors = run.errors()
    assert errors.record_id.tolist() == ["r1", "r2"]
    assert set(errors.error_message) == {"the record has no expert reasons on these criteria."}
    assert set(errors.status) == {"skipped"}
    assert run.assessments().record_id.tolist() == ["r0"]
    assert (run.calls().step == "score").sum() == 1


def test_where_no_record_has_reasons_the_flow_is_not_run(run_three_judges):
    with pytest.raises(
        bm.SetupError, match=r"`score` compares answers with expert reasons, but no record has any.*reasons="
    ):
        run_three_judges(scorer())


def test_offline_half_of_the_longer_words_make_a_match(run_judges, calm, verdict):
    reasons = {"calm": ("The guards shouted loudly", "Tickets were checked twice", "to be or")}
    record = bm.Record(record_id="r", content="A room.", expert_reasons=reasons)
    run = run_judges(
        calm,
        {"ana": [verdict("r", "no", "A guard shouts.", "Somebody sold tickets.")]},
        [record],
        scorer(models="offline/strict"),
    )
    rows = run.assessments()
    assert rows.matched.tolist() == [True, False, False], "2 of 3 words; 1 of 4; none is long enough"
    assert [list(by) for by in rows.matched_by] == [[0], [], []]
    assert "Half of its 3 longer words occur in one of the reasons." in rows.feedback[0]


# --- what is kept apart ------------------------------------------------------------------------------


def test_another_reason_of_the_expert_makes_another_design_of_the_scorer_only(run_three_judges):
    def designs(reasons):
        run = run_three_judges(scorer(models="offline/strict"), reasons=reasons)
        cells = bm.sql("select step, record_id, design_id, model from cells where run_id = ?", [run.run_id])
        made = {step: set(part.design_id) for step, part in cells.groupby("step")}
        return made, run

    first, _ = designs(["Low voices."])
    again, cached = designs(["Low voices."])
    other, run = designs(["Low voices!"])
    assert first == again
    assert cached.calls().cached.all()
    assert other["judge"] == first["judge"]
    assert not other["score"] & first["score"]
    calls = run.calls()
    assert calls[calls.step == "judge"].cached.all(), "judges are not asked again"
    assert not calls[calls.step == "score"].cached.any()


def test_no_judge_nor_synthesiser_is_told_what_the_expert_said(run_judges, calm, verdict, step_messages):
    secret, truth, code = "SECRET-REASON", "SECRET-TRUTH", "SECRET-CODE"
    records = [
        bm.Record(
            record_id=f"r{i}",
            content="A room with {{ record.expert_reasons }} and {{ expert_reasons }}.",
            expert_reasons={"calm": (f"{secret} {i}",), "*": (secret,)},
            ground_truth={"calm": "no"},
            labels={"kf": {"calm": "yes", "note": code}},
            metadata={"seen": "METADATA"},
        )
        for i in range(3)
    ]
    steps = [
        bm.Synthesiser("synth", of="judge", models="offline/strict"),
        bm.Differences("diff", of="judge", models="offline/strict"),
    ]
    lines = {name: [verdict(f"r{i}", "yes", f"{name} says so.") for i in range(3)] for name in ("ana", "ben")}
    run = run_judges(calm, lines, records, *steps, scorer(of=["judge", "synth"], models="offline/strict"))
    sent = [text for step in ("judge", "synth", "diff") for _, text in step_messages(run, step)]
    assert len(sent) == 6 + 3 + 3
    assert not [text for text in sent if secret in text or truth in text or code in text]
    calls = run.calls()
    assert not calls[calls.step != "score"].request.str.contains("SECRET").any(), "nor in any part of the request"
    told = [text for _, text in step_messages(run, "score")]
    assert len(told) == 9
    assert all(secret in text and "A room" not in text for text in told), "which reads no text unless its prompt asks"
    assert not any(code in text for text in told)


@pytest.mark.parametrize("name", ["expert_reasons", "record.expert_reasons", "record.ground_truth", "record.labels"])
def test_a_judges_prompt_cannot_ask_for_them(name):
    calm = bm.Criteria("calm", "Is it calm?", cues={"yes": ["room"]})
    prompt = f"Judge {{{{ record.content }}}} {{{{ {name} }}}} {{{{ criteria }}}} {{{{ answer_format }}}}"
    bm.init("leak", models=["offline/strict"])
    with pytest.raises(bm.SetupError, match=name.rpartition(".")[2]):
        bm.Flow("leak", [bm.Judge("judge", criteria=calm, prompt=prompt)]).run(
            bm.Corpus([bm.Record(record_id="r", content="A room.", expert_reasons={"calm": ("Secret.",)})])
        )
    assert bm.sql("select * from calls").empty


def test_its_prompt_may_ask_for_the_text(run_three_judges, step_messages):
    prompt = "{{ record.content }} {{ expert_reasons[0].text }} {{ answers[0].id }} {{ answer_format }}"
    run = run_three_judges(scorer(models="offline/strict", prompt=prompt), reasons=["Low voices."])
    assert {text.partition(" Low")[0] for _, text in step_messages(run, "score")} == {
        "A door was heard.",
        "It was loud.",
    }


def test_a_prompt_that_never_shows_the_reasons_is_refused(run_three_judges):
    with pytest.raises(bm.SetupError, match="never shows `expert_reasons`"):
        run_three_judges(scorer(prompt="{{ answers }} {{ answer_format }}"), reasons=["One."])


def test_hostile_reasons_are_shown_and_kept_as_they_are(run_three_judges, step_messages):
    given = [line("r0", "ana/0", {**entry(1, True, 1), "feedback": HOSTILE})]
    run = run_three_judges(scorer(), reader=given, reasons=[HOSTILE])
    (row,) = of_ana(run.assessments()).to_dict("records")
    assert (row["reason"], row["feedback"]) == (HOSTILE, HOSTILE)
    told = dict(step_messages(run, "score"))["r0"]
    assert HOSTILE in told
    assert "A door was heard." not in told


def test_each_answer_is_read_alone(run_three_judges, step_messages):
    run = run_three_judges(scorer(models="offline/strict"), reasons=["Low voices."])
    said = ["Nobody shouts.", "The voices are low.", "The door is slammed."]
    for record_id, text in step_messages(run, "score"):
        assert record_id != "r0" or sum(reason in text for reason in said) == 1
    inputs = bm.sql(
        "select trace_id, count(*) as n from trace_inputs join traces using (trace_id) where step = 'score' group by 1"
    )
    assert inputs.n.tolist() == [1] * 6


def test_two_judges_who_say_the_same_are_matched_each_by_what_was_written_for_it(run_judges, calm, verdict):
    record = bm.Record(record_id="r", content="A room.", expert_reasons={"calm": ("Low voices.",)})
    same = verdict("r", "yes", "Quiet.")
    reader = [line("r", "ana/0", entry(1, True, 1)), line("r", "ben/0", entry(1, False))]
    run = run_judges(calm, {"ana": [same], "ben": [same]}, [record], scorer(), readers={"reader": reader})
    assert run.assessments().set_index("model").matched.to_dict() == {"scripted/ana": True, "scripted/ben": False}


def test_a_flow_file_holds_it_and_reads_it_back(run_three_judges):
    run = run_three_judges(scorer(of=["judge"], reask=False, models="offline/strict"), reasons=["One."])
    again = bm.Flow.from_yaml(run.definition.to_yaml())
    assert again.flow_hash == run.definition.flow_hash
    assert (type(again.steps[1].agent), again.steps[1].agent.reask) == (bm.Scorer, False)


def test_a_run_without_it_has_empty_frames_with_their_columns(run_three_judges):
    run = run_three_judges()
    assert run.assessments().empty
    assert run.reason_recall().empty
    assert {"reason", "matched", "matched_by", "feedback"} <= set(run.assessments())
    assert {"recall", "beyond_the_expert"} <= set(run.reason_recall())


# --- the evidence ------------------------------------------------------------------------------------


@pytest.fixture
def assessed(run_three_judges):
    """A run whose assessments and positions hold words, and the project."""
    topic = {
        "topic": "TOPICWORD",
        "positions": [{"position": "POSITIONWORD", "answers": ["cy/0"]}, {"position": "b", "answers": ["ana/0"]}],
    }
    differing = [
        {
            "task": "differences",
            "record_id": r,
            "criteria": "calm",
            "answer": {"conclusion": "ENDWORD", "divergences": [topic]},
        }
        for r in ("r0", "r1")
    ]
    matching = [
        line(r, f"{voice}/0", {**entry(1, True, 1), "feedback": "FEEDWORD"})
        for r in ("r0", "r1")
        for voice in ("ana", "ben", "cy")
    ]
    differences = bm.Differences("differences", of="judge", models="scripted/reader")
    run = run_three_judges(differences, scorer(), reader=[*differing, *matching], reasons=["REASONWORD"])
    return run, run.project


def test_an_assessment_that_was_changed_is_found(assessed):
    run, project = assessed
    before = project.evidence.verify()
    assert before.ok.all(), before[~before.ok]
    with project.store.writing() as con:
        con.execute("update assessments set matched = not matched where record_id = 'r0'")
    after = project.evidence.verify()
    assert after[~after.ok].check.tolist() == ["rows"]
    assert after[~after.ok].run_id.tolist() == [run.run_id]


@pytest.mark.parametrize("column", ["reason", "feedback", "status", "matched_by", "reason_index", "assessed_trace_id"])
def test_so_is_each_part_of_one(assessed, column):
    _, project = assessed
    other = {"matched_by": [7], "reason_index": 9}.get(column, "changed")
    with project.store.writing() as con:
        con.execute(f"update assessments set {column} = ? where record_id = 'r1'", [other])
    assert project.evidence.verify().set_index("check").loc["rows", "ok"] == False  # noqa: E712  # a numpy bool


def test_forgetting_a_record_takes_the_words_of_its_assessments_and_positions(assessed):
    run, project = assessed
    before = run.assessments()
    assert set(before.groupby("record_id").size()) == {3}
    project.evidence.forget(record_id="r0")
    rows = bm.sql("select * from assessments order by record_id")
    assert len(rows) == 6, "the rows stay, for the counts"
    gone = rows[rows.record_id != "r1"]
    assert len(gone) == 3
    assert gone.record_id.str.startswith("forgotten-").all()
    assert gone.reason.isna().all()
    assert gone.feedback.isna().all()
    assert gone.matched.tolist() == [True, True, True], "the arithmetic stays"
    topics = run.divergences()
    assert set(topics.record_id) == {"r1"}
    assert set(topics.position) == {"POSITIONWORD", "b"}
    assert run.comparisons().record_id.tolist() == ["r1"]
    kept = run.assessments()
    assert kept[kept.record_id == "r1"].feedback.tolist() == ["FEEDWORD"] * 3
    with project.store.reading() as con:
        names = [name for (name,) in con.execute("select table_name from duckdb_tables()").fetchall()]
        held = {name: str(con.execute(f"from {name}").fetchall()) for name in names}
    assert sum(text.count("A door was heard.") for text in held.values()) == 0
    assert held["assessments"].count("REASONWORD") == 3
    project.evidence.forget(record_id="r1")
    for word in (b"REASONWORD", b"FEEDWORD", b"POSITIONWORD", b"TOPICWORD", b"ENDWORD"):
        assert word not in project.store.path.read_bytes()
    assert project.evidence.verify().ok.all()


def test_an_export_holds_the_rows(assessed, tmp_path):
    run, project = assessed
    project.evidence.export(tmp_path / "out", format="jsonl")
    rows = [json.loads(text) for text in (tmp_path / "out" / "assessments.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == len(run.assessments()) == 6
    assert {row["reason"] for row in rows} == {"REASONWORD"}
    assert {row["feedback"] for row in rows} == {"FEEDWORD"}
    assert all(row["matched"] is True and row["matched_by"] == [0] for row in rows)
    project.evidence.export(tmp_path / "more", format="csv", tables=["reason_recall", "divergences"])
    assert len(pd.read_csv(tmp_path / "more" / "reason_recall.csv")) == 6
    assert set(pd.read_csv(tmp_path / "more" / "divergences.csv").topic) == {"TOPICWORD"}


def test_of_a_record_that_must_stay_the_words_are_left_out_of_exports(run_judges, calm, verdict, tmp_path):
    record = bm.Record(record_id="r", content="A room.", expert_reasons={"calm": ("LOWVOICES",)}, local_only=True)
    run = run_judges(calm, {"ana": [verdict("r", "yes", "LOWVOICES")]}, [record], scorer(models="offline/strict"))
    assert run.assessments().matched.tolist() == [True]
    run.project.evidence.export(tmp_path / "out", format="jsonl", tables=["assessments", "reason_recall"])
    text = "".join(path.read_text("utf-8") for path in (tmp_path / "out").glob("*.jsonl"))
    assert '"matched": true' in text or '"matched":true' in text
    assert "LOWVOICES" not in text
