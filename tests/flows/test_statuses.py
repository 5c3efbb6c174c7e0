"""What becomes of a cell: a row with a status, whatever the model does."""

import pytest
from support.study import corpus, desk, flow, judge, respect

import buttermilk_nb as bm


@pytest.mark.parametrize(
    ("model", "status", "error"),
    [
        ("double/answer", "ok", None),
        ("double/slow?seconds=0.01", "ok", None),
        ("double/refuse", "refused", "InvalidAnswer"),
        ("double/broken", "invalid", "InvalidAnswer"),
        ("double/nonsense", "invalid", "InvalidAnswer"),
        ("double/filter", "filtered", "ContentFilterError"),
        ("double/ratelimit", "error", "RateLimitError"),
        ("double/overloaded", "error", "OverloadedError"),
        ("double/unavailable", "error", "UnavailableError"),
        ("double/timeout", "timeout", "CallTimeout"),
    ],
)
def test_each_behaviour_of_a_model_has_its_status(make_project, model, status, error):
    make_project(model, settings="timeout_s: 0.2")
    run = flow().run(corpus(2))
    assert run.counts == {status: 2}
    traces = run.traces()
    assert traces.status.tolist() == [status] * 2
    assert traces.error_type.isna().all() if error is None else traces.error_type.tolist() == [error] * 2
    assert run.scores().status.tolist() == [status] * 2
    assert (run.status, run.errors().empty) == ("finished", status == "ok")


def test_a_criterion_without_cues_is_skipped_by_the_dictionary_with_the_line_to_add(make_project):
    make_project("offline/strict")
    run = flow(judge(respect(cues={}))).run(corpus(1))
    assert run.counts == {"skipped": 1}
    assert "cues: {yes: [word, other word*]}" in run.errors().error_message.item()


def test_one_unanswered_question_leaves_the_others_their_answers(make_project):
    make_project("offline/strict")
    mixed = bm.Criteria(
        "mixed",
        "Two.",
        flag="no",
        criteria={"a": {"question": "A?", "cues": {"no": ["vermin"]}}, "b": {"question": "B?"}},
    )
    run = flow(judge(mixed, ask="separately")).run(corpus(1))
    assert dict(run.scores()[["criterion", "status"]].values.tolist()) == {"a": "ok", "b": "skipped"}
    assert run.counts == {"skipped": 1}
    assert run.judgements().flagged.tolist() == [True]


@pytest.mark.parametrize("behaviour", ["refuse", "nonsense", "filter", "ratelimit"])
def test_a_share_hits_the_same_cells_each_time(make_project, behaviour):
    hit = []
    for folder in ("one", "two"):
        make_project(f"double/{behaviour}?share=0.3", folder=folder)
        run = flow().run(corpus(20))
        hit.append(set(run.errors().record_id))
    assert hit[0] == hit[1]
    assert 0 < len(hit[0]) < 20


@pytest.mark.parametrize("behaviour", ["refuse", "broken", "ratelimit", "filter", "answer"])
def test_every_planned_cell_has_a_trace_and_every_criterion_a_score(make_project, behaviour):
    make_project(f"double/{behaviour}?share=0.5")
    run = flow(judge(desk(), replicates=2)).run(corpus(5))
    assert sum(run.counts.values()) == run.planned == len(run.traces()) == 10
    assert len(run.scores()) == 20


def test_a_missing_answer_is_null_and_never_zero_or_false(make_project):
    make_project("double/refuse")
    flow(judge(desk())).run(corpus(2))
    found = bm.sql(
        "select count(value) + count(category) + count(flagged) + count(uncertainty) + count(conclusion) as given, "
        "count(reasons) as reasons, count(*) as n from scores"
    )
    assert found.values.tolist() == [[0, 0, 4]]
    assert bm.sql("select count(flagged) as n from traces").n.item() == 0


def test_errors_show_the_reason_and_the_raw_text(make_project):
    make_project("double/nonsense")
    errors = flow().run(corpus(1)).errors()
    assert errors.record_id.tolist() == ["r0"]
    assert "perhaps" in errors.raw_text.item()
    assert "criterion `respect`" in errors.error_message.item() or "respect" in errors.error_message.item()
    assert "yes | no" in errors.error_message.item() or "yes" in errors.error_message.item()


def test_a_failed_call_shows_its_reason_and_no_raw_text(make_project):
    make_project("double/ratelimit")
    errors = flow().run(corpus(1)).errors()
    assert "429" in errors.error_message.item()
    assert errors.raw_text.isna().all()


def test_a_timeout_says_how_long_and_which_setting(make_project):
    make_project("double/timeout", settings="timeout_s: 0.05")
    assert "within 0.05 s. Raise `timeout_s` in buttermilk.yaml" in flow().run(corpus(1)).errors().error_message.item()


def test_a_failed_call_is_stored_with_the_request_that_was_sent(make_project):
    make_project("double/unavailable")
    call = flow().run(corpus(1)).calls().iloc[0]
    assert (call.status, bool(call.cached)) == ("error", False)
    assert "vermin" in call.request
    assert call.response is None


@pytest.mark.parametrize(
    ("overall", "flagged"),
    [("any", [True, False, False, True]), ("all", [False] * 4), ("respect", [True, False, False, False])],
)
def test_a_judgement_follows_the_overall_rule(project, overall, flagged):
    assert flow(judge(desk(overall))).run(corpus(4)).judgements().flagged.tolist() == flagged


def test_counts_keep_the_order_of_statuses_and_add_up(make_project):
    make_project("double/answer", "double/refuse", "double/ratelimit", "double/nonsense")
    run = flow().run(corpus(3))
    assert run.counts == {"ok": 3, "invalid": 3, "refused": 3, "error": 3}
    assert list(run.counts) == ["ok", "invalid", "refused", "error"]
    assert sum(run.counts.values()) == run.planned


def test_a_runs_repr_counts_by_status_and_holds_no_id_or_time(make_project):
    make_project("double/refuse?share=0")
    run = flow().run(corpus(3))
    assert repr(run) == "Run of 'study', finished: 3 answers (3 ok)"
    assert run.run_id not in run._repr_html_()


def test_a_run_with_errors_goes_on_to_the_end(make_project):
    make_project("double/unavailable?share=0.5")
    run = flow().run(corpus(12), concurrency=2)
    assert run.status == "finished"
    assert set(run.counts) == {"ok", "error"}


def test_on_error_raise_stops_at_the_first_failed_cell_and_names_it(make_project):
    make_project("double/unavailable")
    with pytest.raises(bm.RunError, match=r"record `r0`, step `judge`: .*HTTP 500"):
        flow().run(corpus(5), concurrency=1, on_error="raise")
    run = bm.last_run()
    assert run.status == "failed"
    assert run.counts == {"error": 1, "pending": 4}
    assert bm.sql("select status from runs").status.item() == "failed"


def test_on_error_raise_lets_invalid_answers_pass(make_project):
    make_project("double/nonsense")
    assert flow().run(corpus(2), on_error="raise").counts == {"invalid": 2}


def test_an_errored_cell_is_asked_again_by_the_next_run(make_project):
    make_project("double/unavailable?share=0.5", settings="retries: 0")
    first = flow().run(corpus(8))
    sent = first.project.client.sent
    flow().run(corpus(8))
    assert first.project.client.sent - sent == first.counts["error"]


def test_a_failing_repeat_never_hides_a_finished_answer(make_project):
    make_project("double/slow?seconds=0.2", settings="retries: 0")
    flow().run(corpus(1))
    hurried = bm.Step(judge(), timeout_s=0.01)
    bm.Flow("study", [hurried]).run(corpus(1), cache="refresh")
    assert bm.sql("select status from latest_scores").status.tolist() == ["ok"]
    assert bm.sql("select status from traces order by started_at").status.tolist() == ["ok", "timeout"]


def test_the_static_explorer_shows_every_judge(make_project):
    make_project("double/answer", "double/refuse")
    html = flow().run(corpus(2)).explore()._repr_html_()
    assert "double/refuse" in html
