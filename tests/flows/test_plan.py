"""The grid, its rows, and the identity of its cells."""

import itertools

from support.study import corpus, designs, desk, flow, judge, respect

import buttermilk_nb as bm
from buttermilk_nb.flows.plan import Plan
from buttermilk_nb.project import session


def planned(project, steps, records):
    return [design for record in records for _, _, design in Plan(steps.steps, records, project).designs(record)]


def test_every_square_of_the_grid_is_one_planned_row_and_one_trace(make_project):
    make_project("offline/strict", "double/answer")
    run = flow(judge([respect(), desk()], replicates=3)).run(corpus(4))
    cells = bm.sql("select record_id, criteria_set, model, replicate from cells")
    wanted = set(
        itertools.product(["r0", "r1", "r2", "r3"], ["respect", "desk"], ["offline/strict", "double/answer"], range(3))
    )
    assert set(cells.itertuples(index=False, name=None)) == wanted
    assert len(cells) == len(run.traces()) == run.planned == 4 * 2 * 2 * 3


def test_a_trace_bears_the_design_of_its_cell(project):
    run = flow(judge(replicates=2)).run(corpus())
    joined = bm.sql("select count(*) as n from cells join traces using (run_id, design_id, record_hash, replicate)")
    assert joined.n.item() == run.planned == 6


def test_every_criterion_of_a_cell_is_one_score(project):
    scores = flow(judge(desk())).run(corpus(2)).scores()
    assert scores.groupby("record_id").criterion.apply(list).tolist() == [["heat", "respect"]] * 2


def test_questions_asked_together_are_one_call_a_cell(project):
    flow(judge(desk(), ask="together")).run(corpus(3))
    assert project.client.sent == 3
    assert bm.sql("select count(*) as n from calls").n.item() == 3


def test_questions_asked_separately_are_one_call_each_in_one_trace(project):
    run = flow(judge(desk(), ask="separately")).run(corpus(3))
    assert project.client.sent == 6
    assert run.calls().groupby("trace_id").size().tolist() == [2, 2, 2]
    assert len(run.scores()) == 6
    assert run.scores().status.eq("ok").all()


def test_asking_separately_is_another_design_than_asking_together(project):
    together = designs(flow(judge(desk())).run(corpus()))
    separately = designs(flow(judge(desk(), ask="separately")).run(corpus()))
    assert not set(together) & set(separately)


def test_a_design_is_the_same_in_every_run_and_project(make_project):
    make_project(folder="one")
    first, again = (designs(flow().run(corpus())) for _ in range(2))
    make_project(folder="two")
    elsewhere = designs(flow().run(corpus()))
    assert first == again == elsewhere
    assert len(set(first)) == 3


def test_designs_never_depend_on_the_flows_name(project):
    one = designs(bm.Flow("one", [judge()]).run(corpus()))
    assert designs(bm.Flow("two", [judge()]).run(corpus())) == one


def test_one_changed_word_of_a_criterion_makes_all_of_its_cells_new(project):
    before = designs(flow(judge([respect(), desk()])).run(corpus()))
    sent = project.client.sent
    after = designs(
        flow(judge([respect("Does the text treat the people it names with respect?"), desk()])).run(corpus())
    )
    assert len(set(before) & set(after)) == 3  # the cells of the other document
    assert project.client.sent == sent + 3


def test_a_changed_prompt_model_parameter_or_step_is_another_design(project):
    prompt = "{{ criteria }} {{ record.content }} {{ answer_format }}"
    variants = [
        judge(),
        judge(prompt=prompt),
        judge(prompt=f"Read. {prompt}"),
        judge(models="double/broken"),
        judge(name="second"),
    ]
    found = [planned(project, flow(variant), corpus(1)) for variant in variants]
    assert len({design for one in found for design in one}) == len(variants)


def test_parameters_count_only_where_they_are_sent(monkeypatch, project):
    monkeypatch.setenv("OPENAI_API_KEY", "not a key")
    remote = [
        planned(project, flow(judge(models="openai/gpt-4o", params={"temperature": t})), corpus(1)) for t in (0, 1)
    ]
    offline = [planned(project, flow(judge(params={"temperature": t})), corpus(1)) for t in (0, 1)]
    assert remote[0] != remote[1]
    assert offline[0] == offline[1]


def test_one_more_record_is_exactly_one_call_a_slot(make_project):
    project = make_project("double/answer", "double/slow?seconds=0")
    flow(judge(replicates=2)).run(corpus(3))
    sent = project.client.sent
    flow(judge(replicates=2)).run(corpus(4))
    assert sent == 12
    assert project.client.sent - sent == 4


def test_metadata_that_the_prompt_does_not_read_changes_no_design(project):
    assert designs(flow().run(corpus(outlet="The Bell"))) == designs(flow().run(corpus(outlet="The Bugle")))


def test_metadata_that_the_prompt_reads_belongs_to_the_design(project):
    prompt = "{{ record.metadata.outlet }}: {{ record.content }} {{ criteria }} {{ answer_format }}"
    bell = designs(flow(judge(prompt=prompt)).run(corpus(outlet="The Bell", page=1)))
    bugle = designs(flow(judge(prompt=prompt)).run(corpus(outlet="The Bugle", page=1)))
    elsewhere = designs(flow(judge(prompt=prompt)).run(corpus(outlet="The Bell", page=2)))
    assert not set(bell) & set(bugle)
    assert bell == elsewhere


def test_truth_belongs_to_no_design(project):
    known = corpus(2, ground_truth={"respect": "yes"})
    assert designs(flow().run(corpus(2))) == designs(flow().run(known))


def test_changed_cues_are_new_designs_for_the_dictionary_only(project):
    models = ["offline/strict", "offline/lenient", "offline/teaching"]
    before, after = (
        planned(project, flow(judge(respect(cues={"no": cues}), models=models)), corpus(1))
        for cues in (["vermin"], ["vermin", "scum"])
    )
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, False, True]


def test_where_the_criteria_come_from_changes_no_design(project):
    one = designs(flow(judge(respect(source="a handbook", author="A. Person"))).run(corpus()))
    assert designs(flow(judge(respect(source="another", retrieved="2026-11-20"))).run(corpus())) == one


def test_the_plan_is_written_before_the_first_call(project):
    seen = []

    @bm.agent(version="1")
    def look(record):
        seen.append(bm.sql("select count(*) as n from cells").n.item())

    flow(look).run(corpus(2), concurrency=1)
    assert seen == [2, 2]


def test_latest_scores_show_each_design_once(project):
    flow().run(corpus())
    flow().run(corpus())
    assert bm.sql("select count(*) as n from scores").n.item() == 6
    assert bm.sql("select count(*) as n, count(distinct design_id) as d from latest_scores").values.tolist() == [[3, 3]]


def test_two_runs_with_the_same_answers_have_the_same_digest(project):
    flow().run(corpus())
    flow().run(corpus())
    flow().run(corpus(2))
    found = bm.sql("select digest from runs order by started_at").digest.tolist()
    assert found[0] == found[1] != found[2]


def test_the_manifest_of_a_run_holds_flow_corpus_and_versions(project):
    flow().run(corpus())
    manifest = bm.sql("select manifest ->> '$.buttermilk_nb' as v, manifest ->> '$.cache' as c from runs")
    assert manifest.values.tolist() == [[bm.__version__, "use"]]
    assert bm.sql("select flow_hash, corpus_hash from runs").values.tolist() == [[flow().flow_hash, corpus().hash]]


def test_texts_of_prompt_criteria_and_schema_are_stored_once(project):
    flow().run(corpus())
    flow().run(corpus())
    kinds = bm.sql("select kind, count(*) as n from texts group by 1 order by 1")
    assert dict(kinds.values.tolist()) == {"criteria": 2, "prompt": 1, "request": 3, "response": 3, "schema": 1}


def test_a_stored_call_holds_the_request_as_sent_and_the_answer_as_received(project):
    calls = flow().run(corpus(1)).calls()
    assert "They are vermin and should leave." in calls.request.item()
    assert '"model":"double/answer"' in calls.request.item()
    assert '"criteria"' in calls.response.item()


def test_models_names_each_instrument_with_its_number_of_calls(make_project):
    make_project("double/answer", "offline/strict")
    found = flow(judge(replicates=2)).run(corpus()).models()
    assert found.model_requested.tolist() == ["double/answer", "offline/strict"]
    assert found.n.tolist() == [6, 6]
    assert (found.first_answered_at <= found.last_answered_at).all()


def test_a_cached_rerun_reports_when_the_model_answered_not_when_it_was_read(project):
    first = flow().run(corpus()).models()
    again = flow().run(corpus()).models()
    assert again.last_answered_at.tolist() == first.last_answered_at.tolist()


def test_the_open_project_is_used_unless_another_is_given(make_project):
    other = make_project(folder="other")
    here = make_project(folder="here")
    flow().run(corpus(), project=other)
    assert (other.client.sent, here.client.sent) == (3, 0)
    assert session.current() is here
