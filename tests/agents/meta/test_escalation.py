"""Where judges disagree a stronger model is asked, or a person; where they agree nobody is."""

import pytest

import buttermilk_nb as bm


def escalation(to="scripted/strong", **options):
    return bm.Escalation("second", of="judge", escalate_to=to, **options)


@pytest.fixture
def strong(run_three_judges, verdict, tmp_path):
    """Run the study with a strong model that says no to everything."""

    def run(*steps, **options):
        import json

        lines = [verdict(record_id, "no", "Listen to the door.") for record_id in ("r0", "r1")]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / "scripts" / "strong.jsonl").write_text(text, encoding="utf-8")
        return run_three_judges(*steps, **options)

    return run


def test_only_contested_records_are_asked_of_the_stronger_model(strong):
    run = strong(escalation())
    assert run.calls().query("step == 'second'").record_id.tolist() == ["r0"]
    scores = run.scores().set_index(["judge", "record_id"]).loc["second"]
    assert scores.category.to_dict() == {"r0": "no"}
    assert scores.model.unique().tolist() == ["scripted/strong"]
    skipped = run.errors().set_index("step").loc["second"]
    assert (skipped.record_id, skipped.error_message) == ("r1", "the judges agree, so it was not escalated.")


def test_it_reads_the_text_and_none_of_the_answers(strong):
    run = strong(escalation())
    (request,) = run.calls().query("step == 'second'").request
    assert "A door was heard." in request
    assert "Nobody shouts." not in request
    read = bm.sql("select count(*) as n from trace_inputs join traces using (trace_id) where step = 'second'")
    assert read.n.item() == 6, "which answers it was asked because of is on record"


def test_its_request_is_that_of_a_judge_so_that_one_answer_serves_both(strong, calm):
    run = strong(escalation(), bm.Judge("third", criteria=calm, models="scripted/strong"))
    keys = run.calls().query("record_id == 'r0'").set_index("step").cache_key
    assert keys["second"] == keys["third"]


def test_the_threshold_is_the_share_of_the_votes_against_the_majority(strong):
    assert len(strong(escalation(above=0.3)).scores().query("judge == 'second'")) == 1
    assert len(strong(escalation(above=1 / 3)).scores().query("judge == 'second'")) == 0


def test_a_panel_counts_its_vote_with_the_others(strong):
    run = strong(escalation(), bm.Panel("panel", of=["judge", "second"]))
    votes = run.votes().query("record_id == 'r0'").set_index("member").vote.to_dict()
    assert votes == {
        "judge · scripted/ana": "yes",
        "judge · scripted/ben": "yes",
        "judge · scripted/cy": "no",
        "second · scripted/strong": "no",
    }
    panel = run.scores().query("judge == 'panel'").set_index("record_id").status.to_dict()
    assert panel == {"r0": "skipped", "r1": "ok"}, "two to two is no answer; where nobody was asked the others count"


def test_people_get_a_queue_and_no_call_is_made(run_three_judges):
    run = run_three_judges(escalation("people"))
    assert run.calls().step.unique().tolist() == ["judge"]
    queue = run.review_queue()
    assert queue[["record_id", "criterion"]].values.tolist() == [["r0", "calm"]]
    assert queue.dissent.item() == pytest.approx(1 / 3)
    assert queue.votes.item() == "scripted/ana: yes, scripted/ben: yes, scripted/cy: no"
    assert run.counts == {"ok": 6, "skipped": 2}


def test_the_queue_is_a_sample_for_the_coding_form(run_three_judges, calm):
    run = run_three_judges(escalation("people"))
    records = bm.Corpus(
        [bm.Record(record_id=f"r{n}", content=text) for n, text in enumerate(["A door was heard.", "x"])]
    )
    sheet = bm.coding_sheet(records, calm, coder="kf", sample=run.review_queue(), path="queue.xlsx")
    import pandas as pd

    assert pd.read_excel(sheet).record_id.tolist() == ["r0"]


def test_in_the_ratings_it_is_a_reader_and_what_was_not_asked_is_no_missing_answer(strong):
    ratings = strong(escalation()).ratings()
    second = ratings[ratings.judge == "second"]
    assert second[["record_id", "input_models"]].values.tolist() == [["r0", "judge"]]


def test_a_run_without_an_escalation_has_an_empty_queue(run_three_judges):
    assert len(run_three_judges().review_queue()) == 0


def test_a_flow_file_holds_it_and_reads_it_back(run_three_judges):
    for step in (escalation("people"), escalation(above=0.25), escalation(["scripted/ana", "scripted/ben"])):
        flow = bm.Flow("x", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?")), step])
        again = bm.Flow.from_yaml(flow.to_yaml())
        assert again.flow_hash == flow.flow_hash
        assert repr(again.steps[1].agent) == repr(step)


def test_a_threshold_that_is_no_share_is_a_setup_error():
    with pytest.raises(bm.SetupError, match="above"):
        escalation(above=1)
