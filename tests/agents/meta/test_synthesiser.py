"""One reconciled verdict from what judges said: what it reads, in which order, and what it is worth."""

import json

import pytest

import buttermilk_nb as bm


def synth(**options):
    return bm.Synthesiser("synth", of="judge", **{"models": "scripted/reader", **options})


def requests(run, step="synth"):
    calls = run.calls()
    return dict(zip(calls[calls.step == step].record_id, calls[calls.step == step].request, strict=True))


def test_its_answer_is_a_score_under_its_own_name(run_three_judges, verdict):
    run = run_three_judges(
        synth(), reader=[verdict(r, "no", "The door decides.", task="synthesise") for r in ("r0", "r1")]
    )
    scores = run.scores().set_index(["judge", "record_id"]).loc["synth"]
    assert scores.category.to_dict() == {"r0": "no", "r1": "no"}
    assert scores.flagged.tolist() == [True, True]
    assert list(scores.loc["r0", "reasons"]) == ["The door decides."]


def test_it_reads_every_answer_without_the_names_of_models(run_three_judges, verdict):
    run = run_three_judges(synth(), reader=[verdict("r0", "yes", task="synthesise")])
    request = requests(run)["r0"]
    assert all(reason in request for reason in ("Nobody shouts.", "The voices are low.", "The door is slammed."))
    assert all(mark in request for mark in ("A1", "A2", "A3"))
    assert "A4" not in request
    shown = "".join(message["content"] for message in json.loads(request)["messages"])
    assert not any(voice in shown for voice in ("ana", "scripted"))


def test_which_answers_it_saw_is_stored_in_the_order_in_which_they_were_shown(run_three_judges, verdict):
    run = run_three_judges(synth(), reader=[verdict("r0", "yes", task="synthesise")])
    request = requests(run)["r0"]
    order = bm.sql(
        "select t.model, s.reasons[1] as reason from trace_inputs i join traces x on x.trace_id = i.trace_id "
        "join traces t on t.trace_id = i.input_trace_id join scores s on s.trace_id = t.trace_id "
        "where x.step = 'synth' and x.record_id = 'r0' order by i.position"
    )
    assert len(order) == 3
    assert order.reason.tolist() == sorted(order.reason, key=request.index)


def test_the_order_is_one_of_its_own_for_each_record_and_the_same_in_every_run(
    run_three_judges, verdict, write_scripts, tmp_path
):
    names = ("ana", "ben", "cy")
    ids = [f"x{i}" for i in range(30)]
    folder = write_scripts(**{n: [verdict(i, "yes", f"{n} says so") for i in ids] for n in names})
    (folder / "reader.jsonl").write_text(
        "".join(json.dumps(verdict(i, "yes", task="synthesise")) + "\n" for i in ids), "utf-8"
    )
    bm.init("orders", path=tmp_path / "orders", models=[f"scripted/{n}" for n in names], scripted=folder)
    corpus = bm.Corpus([bm.Record(record_id=i, content=f"Text {i}.") for i in ids])

    def orders(order):
        judge = bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?"))
        run = bm.Flow("orders", [judge, synth(order=order)]).run(corpus)
        shown = requests(run)
        return {i: tuple(sorted(names, key=lambda n: shown[i].index(f"{n} says so"))) for i in ids}, run

    first, _ = orders("shuffled")
    again, run = orders("shuffled")
    assert first == again
    assert run.calls().cached.all()
    assert len(set(first.values())) > 3
    assert {order[0] for order in first.values()} == set(names), "each comes first for some record"
    assert set(orders("planned")[0].values()) == {names}


def test_answers_on_other_criteria_are_not_mixed_in(run_three_judges, verdict, write_scripts, tmp_path):
    loud = bm.Criteria("loud", "Is it loud?", cues={"yes": ["loud"]})
    calm = bm.Criteria("calm", "Is it calm?", cues={"yes": ["door"]})
    bm.init("two", path=tmp_path / "two", models=["offline/strict", "offline/lenient"])
    judge = bm.Judge("judge", criteria=[calm, loud])
    run = bm.Flow("two", [judge, synth(models="offline/strict")]).run(
        bm.Corpus([bm.Record(record_id="r", content="A loud door.")])
    )
    read = bm.sql(
        "select x.criteria_set, count(*) as n, count(distinct t.criteria_set) as sets, "
        "any_value(t.criteria_set) as which from trace_inputs i join traces x on x.trace_id = i.trace_id "
        "join traces t on t.trace_id = i.input_trace_id where x.step = 'synth' group by 1 order by 1"
    )
    assert read.values.tolist() == [["calm", 2, 1, "calm"], ["loud", 2, 1, "loud"]]
    assert run.counts == {"ok": 6}


def test_what_one_judge_could_not_answer_is_left_out_and_the_rest_is_read(run_three_judges, verdict):
    run = run_three_judges(synth(), reader=[verdict("r0", "yes", task="synthesise")], replicates=2)
    assert run.counts == {"ok": 7, "skipped": 7}, "no second replicate was written, nor a synthesis of r1"
    read = bm.sql("select * from trace_inputs join traces using (trace_id) where step = 'synth' and record_id = 'r0'")
    assert len(read) == 3


def test_where_no_judge_has_answered_it_is_skipped_and_says_why(tmp_path):
    bm.init("none", path=tmp_path / "none", models=["offline/strict"])
    judge = bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?"))
    run = bm.Flow("none", [judge, synth(models="offline/strict")]).run(
        bm.Corpus([bm.Record(record_id="r", content="A door.")])
    )
    errors = run.errors().set_index("step")
    assert errors.loc["synth", "error_message"] == (
        "step `judge` has no finished answer for this record, and `synth` needs one."
    )
    assert run.scores().set_index("judge").loc["synth", "status"] == "skipped"


def test_a_second_run_asks_nothing_and_gives_the_same(run_three_judges, verdict):
    reader = [verdict(r, "no", task="synthesise") for r in ("r0", "r1")]
    first = run_three_judges(synth(), reader=reader)
    again = run_three_judges(synth(), reader=reader)
    assert again.calls().cached.all()
    assert again.scores().equals(first.scores())


def test_another_answer_below_makes_another_design_above(run_three_judges, verdict, calm):
    reader = [verdict(r, "no", task="synthesise") for r in ("r0", "r1")]
    run_three_judges(synth(), reader=reader)
    run_three_judges(synth(), reader=[*reader, verdict("r2", "yes", task="synthesise")])
    designs = bm.sql("select count(distinct design_id) as n from cells where step = 'synth'").n.item()
    assert designs == 4, "its file of answers has changed, which is what its answers depend on"


@pytest.mark.parametrize(("strict", "expected"), [(True, "no"), (False, "yes")])
def test_offline_models_take_the_majority_and_break_ties_as_they_read(
    tmp_path, write_scripts, verdict, strict, expected
):
    folder = write_scripts(ana=[verdict("r", "yes", "It is.")], ben=[verdict("r", "no", "It is not.")])
    model = "offline/strict" if strict else "offline/lenient"
    bm.init("tie", path=tmp_path / "tie", models=["scripted/ana", "scripted/ben"], scripted=folder)
    judge = bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"))
    run = bm.Flow("tie", [judge, synth(models=model)]).run(bm.Corpus([bm.Record(record_id="r", content="A door.")]))
    row = run.scores().set_index("judge").loc["synth"]
    assert row.category == expected
    assert row.uncertainty == "high"
    assert row.conclusion == "Rule-based baseline, not a language model. Of 2 answers: " + (
        "no: 1, yes: 1." if "no: 1, yes" in row.conclusion else "yes: 1, no: 1."
    )


def test_the_majoritys_reasons_are_given_and_no_others(run_three_judges):
    run = run_three_judges(synth(models="offline/strict"))
    row = run.scores().set_index(["judge", "record_id"]).loc[("synth", "r0")]
    assert (row.category, set(row.reasons)) == ("yes", {"Nobody shouts.", "The voices are low."})


def test_an_ordered_scale_takes_the_middle_and_labels_what_more_than_half_name(tmp_path):
    from buttermilk_nb.llm.offline_input import AnonymisedAnswer, OfflineInput
    from buttermilk_nb.llm.providers.offline.rules import answer_by_rule
    from buttermilk_nb.schema import Score

    criteria = bm.Criteria(
        "desk",
        "What is asked.",
        criteria={
            "heat": {"question": "How heated?", "scale": "1-5"},
            "moves": {"question": "Which moves?", "scale": bm.MultiLabel(labels=["mock", "plea", "thank"])},
        },
    )

    def seen(n, heat, moves):
        known = {"trace_id": str(n), "run_id": "r", "design_id": "d", "record_id": "r", "record_hash": "h"}
        known |= {
            "judge": "j",
            "criteria_set": "desk",
            "criteria_hash": "c",
            "model": "m",
            "replicate": n,
            "status": "ok",
        }
        heated = Score(criterion="heat", value=heat, category=f"{heat}", **known)
        moved = Score(criterion="moves", category=json.dumps(sorted(moves)), **known)
        return AnonymisedAnswer(f"A{n}", str(n), "m", n, (heated, moved))

    answers = (seen(1, 1, ["mock"]), seen(2, 4, ["mock", "plea"]), seen(3, 5, ["thank", "mock"]), seen(4, 2, []))
    aside = OfflineInput(bm.Record(content="x"), criteria, "synthesise", answers)
    strict, lenient = (answer_by_rule(aside, strict=side)["criteria"] for side in (True, False))
    assert (strict["heat"]["answer"], lenient["heat"]["answer"]) == ("4", "2")
    assert strict["moves"]["answer"] == ["mock"]


def test_of_must_name_steps_that_answer_criteria(tmp_path):
    bm.init("wrong", path=tmp_path / "wrong", models=["offline/strict"])

    @bm.agent(version="1")
    def length(record):
        return len(record.content)

    flow = bm.Flow("wrong", [length, bm.Synthesiser("synth", of="length", models="offline/strict")])
    with pytest.raises(bm.SetupError, match="step `synth`: `length` does not answer criteria"):
        flow.check(bm.Corpus([bm.Record(content="x")]))


def test_of_nothing_is_a_setup_error():
    with pytest.raises(bm.SetupError, match='of="judge"'):
        bm.Synthesiser("synth")


def test_a_step_that_there_is_not_is_named_with_the_nearest(calm):
    with pytest.raises(bm.SetupError, match="step `synth` needs `juge`.*did you mean `judge`"):
        bm.Flow("x", [bm.Judge("judge", criteria=calm), bm.Synthesiser("synth", of="juge")])


def test_a_prompt_that_never_shows_the_answers_is_refused(run_three_judges):
    with pytest.raises(bm.SetupError, match="never shows `answers`"):
        run_three_judges(synth(prompt="Reconcile: {{ record.content }} {{ answer_format }}"))


def test_a_flow_file_holds_it_and_reads_it_back(run_three_judges, verdict):
    run = run_three_judges(synth(order="planned"), reader=[verdict("r0", "yes", task="synthesise")])
    text = run.definition.to_yaml()
    assert "needs" not in text, "what it reads it names itself"
    again = bm.Flow.from_yaml(text)
    assert again.flow_hash == run.definition.flow_hash
    assert again.steps[1].agent.order == "planned"


def test_an_answer_that_cannot_be_read_is_invalid_with_its_raw_text(run_three_judges, verdict):
    run = run_three_judges(synth(), reader=[verdict("r0", "perhaps", task="synthesise")])
    row = run.errors().set_index(["step", "record_id"]).loc[("synth", "r0")]
    assert row.status == "invalid"
    assert "perhaps" in row.raw_text
    assert len(requests(run)) == 1
    assert (run.calls().step == "synth").sum() == 2, "it was asked once more"


def test_unless_it_shall_not_be_asked_again(run_three_judges, verdict):
    run = run_three_judges(synth(reask=False), reader=[verdict("r0", "perhaps", task="synthesise")])
    assert (run.calls().step == "synth").sum() == 1
