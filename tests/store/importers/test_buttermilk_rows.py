"""Rows that Buttermilk exported, in each of its shapes."""

import csv
import json

import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.store.importers import import_traces


def view_row(**fields):
    """A row as the view `judge_scores` shows it."""
    return {
        "session_id": "s1",
        "call_id": "c1",
        "timestamp": "2025-05-02T10:00:00+00:00",
        "record_id": "ferry",
        "judge": "JUDGE-A",
        "judge_model": "small",
        "judge_template": "judge",
        "judge_criteria": "respect",
        "judge_role": "JUDGE",
        "reasons": ["It names nobody.", "It is calm."],
        "conclusion": "Nothing is wrong.",
        "violating": False,
        "uncertainty": "Low",
        **fields,
    }


def scored(**fields):
    """The same, joined with a scorer's assessments."""
    joined = {
        "scorer": "SCORER-A",
        "scoring_model": "large",
        "scoring_template": "score",
        "scorer_call_id": "c9",
        "correctness": 0.5,
        "assessment_correct": [True, False],
        "assessment_feedback": ["Found.", "Missed."],
    }
    return view_row(**{**joined, **fields})


def trace_row(role="JUDGE", call_id="c1", outputs=None, **fields):
    """A row as the table of traces holds it, JSON as text."""
    return {
        "session_id": "s1",
        "call_id": call_id,
        "timestamp": "2025-05-02 10:00:00 UTC",
        "agent_info": json.dumps(
            {
                "role": role,
                "name": f"{role}-A",
                "parameters": {"model": "small", "criteria": "respect", "template": "t"},
            }
        ),
        "inputs": json.dumps(
            {
                "records": [
                    {
                        "record_id": "ferry",
                        "content": "The ferry was late.",
                        "metadata": {"outlet": "The Bell"},
                        "ground_truth": {"violating": True, "reasons": ["It blames them."]},
                    }
                ]
            }
        ),
        "outputs": json.dumps(
            outputs or {"prediction": True, "conclusion": "It blames.", "reasons": ["Blame."], "uncertainty": "high"}
        ),
        "messages": json.dumps([{"role": "user", "content": "Read this."}]),
        "metadata": json.dumps({"template_name": "t"}),
        "error": None,
        "tracing_link": "https://example.org/trace",
        **fields,
    }


def scores(project):
    return project.store.df("select * from scores order by record_id, model, replicate")


def traces(project):
    return project.store.df("select * from traces order by trace_id")


def test_a_row_of_the_view_becomes_a_trace_with_a_score(project):
    done = import_traces(project, [view_row()], name="tja")
    assert (done.kind, done.cells, done.scores) == ("buttermilk", 1, 1)
    score = scores(project).iloc[0]
    assert (score.judge, score.model, score.criteria_set, score.criterion) == ("JUDGE-A", "small", "respect", "respect")
    assert (score.value, score.category, score.flagged, score.uncertainty) == (0.0, "no", False, "low")
    assert (score.conclusion, score.reasons.tolist()) == ("Nothing is wrong.", ["It names nobody.", "It is calm."])
    trace = traces(project).iloc[0]
    assert (trace.agent, trace.role, trace.status) == ("buttermilk", "judge", "ok")
    assert str(trace.started_at) == "2025-05-02 10:00:00"
    assert json.loads(trace.output) == {"session_id": "s1"}
    template = project.store.df("select name from texts where text_hash = ?", [trace.prompt_hash])
    assert template.name.item() == "judge"


def test_the_view_of_this_project_shows_the_columns_that_they_came_from(project):
    import_traces(project, [view_row()])
    found = bm.sql("select judge, judge_model, judge_criteria, judge_role, violating, uncertainty from judge_scores")
    assert found.values.tolist() == [["JUDGE-A", "small", "respect", "judge", False, "low"]]


def test_a_judgement_is_one_however_many_scorers_read_it(project):
    rows = [scored(), {**scored(), "scorer": "SCORER-B", "scorer_call_id": "c10", "correctness": 1.0}]
    done = import_traces(project, rows)
    assert (done.cells, done.scores) == (3, 1)
    found = traces(project)
    assert found.role.tolist() == ["judge", "scorer", "scorer"]
    assert found.model.tolist() == ["small", "large", "large"]
    assert json.loads(found.output[1]) == {
        "assessments": [{"correct": True, "feedback": "Found."}, {"correct": False, "feedback": "Missed."}],
        "correctness": 0.5,
    }
    read = project.store.df("select * from trace_inputs order by trace_id")
    assert read.trace_id.tolist() == found.trace_id.tolist()[1:]
    assert set(read.input_trace_id) == {found.trace_id[0]}


def test_what_a_scorer_says_is_in_the_frames_of_the_run(project):
    """Their pivot: the correctness of each judge, by scoring model."""
    rows = [
        scored(),
        scored(scorer="SCORER-B", scorer_call_id="c10", scoring_model="other", assessment_correct=[True, True]),
    ]
    run = project.evidence.import_traces(rows).run
    assert run.counts == {"ok": 3}
    assessed = run.assessments().sort_values(["scorer", "reason_index"])
    assert assessed.matched.tolist() == [True, False, True, True]
    assert assessed.feedback.tolist()[:2] == ["Found.", "Missed."]
    pivot = bm.sql("from judge_scores").pivot_table("correctness", index="judge_model", columns="scoring_model")
    assert pivot.loc["small"].to_dict() == {"large": 0.5, "other": 1.0}
    assert run.reason_recall().recall.tolist() == [0.5, 1.0]
    assert run.scores().uncertainty.tolist() == ["low"]


def test_the_expert_s_reasons_are_named_if_the_export_has_them(project):
    scorer = trace_row("SCORERS", "c2", {"correctness": 1.0, "assessments": [{"correct": True, "feedback": "Yes."}]},
                       parent_call_id="c1")  # fmt: skip
    run = project.evidence.import_traces([scorer, trace_row()]).run
    (row,) = run.assessments().to_dict("records")
    assert (row["reason"], row["matched"], row["feedback"]) == ("It blames them.", True, "Yes.")
    unnamed = scored(call_id="c5", scorer_call_id="c6")
    assert project.evidence.import_traces([unnamed]).run.assessments().reason[0].startswith("reason 1 (its words")


@pytest.mark.parametrize(
    ("confidence", "uncertainty"), [("High", "low"), ("medium", "medium"), ("low", "high"), (0.9, None), ("sure", None)]
)
def test_a_confidence_is_the_opposite_of_an_uncertainty(project, confidence, uncertainty):
    row = {key: value for key, value in view_row(confidence=confidence).items() if key != "uncertainty"}
    project.evidence.import_traces([row])
    assert scores(project).uncertainty[0] == uncertainty or uncertainty is None
    kept = json.loads(traces(project).output[0]).get("confidence") if uncertainty is None else None
    assert kept == (confidence if uncertainty is None else None)


def test_without_call_ids_a_repeated_judgement_is_known_by_what_it_says(project):
    rows = [{key: value for key, value in scored(scorer=name).items() if "call_id" not in key} for name in ("A", "B")]
    assert import_traces(project, rows).scores == 1


def test_the_same_judge_asked_again_is_the_next_replicate_in_time(project):
    rows = [
        view_row(call_id="late", timestamp="2025-05-03T00:00:00Z", violating=True),
        view_row(call_id="early", timestamp="2025-05-01T00:00:00Z"),
        view_row(call_id="other", judge_model="large"),
    ]
    import_traces(project, rows)
    found = scores(project)
    assert found[["model", "replicate", "flagged"]].values.tolist() == [
        ["large", 0, False], ["small", 0, False], ["small", 1, True],
    ]  # fmt: skip
    assert found.design_id.nunique() == 3


def test_a_row_of_the_table_brings_its_record_truth_and_messages(project):
    import_traces(project, [trace_row()])
    score = scores(project).iloc[0]
    assert (score.judge, score.model, score.category, score.flagged) == ("JUDGE-A", "small", "yes", True)
    assert (score.conclusion, score.reasons.tolist(), score.uncertainty) == ("It blames.", ["Blame."], "high")
    record = project.store.df("select * from records").iloc[0]
    assert (record.record_id, record.content) == ("ferry", "The ferry was late.")
    assert json.loads(record.metadata) == {"outlet": "The Bell"}
    assert json.loads(record.ground_truth) == {"respect": "yes"}
    assert json.loads(record.expert_reasons) == {"respect": ["It blames them."]}
    call = project.store.df("select request, response from calls_full").iloc[0]
    assert json.loads(call.request) == [{"content": "Read this.", "role": "user"}]
    assert json.loads(call.response)["prediction"] is True


def test_nothing_of_a_row_is_lost(project):
    import_traces(project, [trace_row(new_column={"a": 1})])
    kept = json.loads(traces(project).output[0])
    assert kept["new_column"] == {"a": 1}
    assert kept["tracing_link"] == "https://example.org/trace"
    assert kept["agent_info"]["parameters"]["model"] == "small"
    assert kept["outputs"]["prediction"] is True


def test_a_scorer_of_the_table_reads_the_judgement_that_it_names(project):
    scorer = trace_row("SCORERS", "c2", {"correctness": 1.0, "assessments": [{"correct": True, "feedback": "Yes."}]},
                       parent_call_id="c1")  # fmt: skip
    import_traces(project, [scorer, trace_row()])
    found = traces(project)
    assert found.role.tolist() == ["judge", "scorer"]
    read = project.store.df("select * from trace_inputs")
    assert read[["trace_id", "input_trace_id"]].values.tolist() == [[found.trace_id[1], found.trace_id[0]]]
    assert json.loads(found.output[1])["assessments"] == [{"correct": True, "feedback": "Yes."}]
    assert len(scores(project)) == 1


def test_the_request_of_a_scorer_is_kept_where_the_export_has_it(project):
    asked = trace_row("SCORERS", "c2", {"correctness": 1.0, "assessments": [{"correct": True, "feedback": "Yes."}]},
                      parent_call_id="c1", messages=json.dumps([{"role": "user", "content": "Compare."}]))  # fmt: skip
    import_traces(project, [asked, trace_row()])
    (call_id,) = project.store.df("select scorer_call_id from judge_scores").scorer_call_id
    query = "select role from calls join traces using (trace_id) where call_id = ?"
    assert project.store.df(query, [call_id]).role.tolist() == ["scorer"]


def test_an_assessment_of_a_judgement_that_is_not_there_is_said(project):
    done = import_traces(project, [trace_row("SCORERS", "c2", {"correctness": 1.0}, parent_call_id="gone")])
    assert done.remarks == ("1 assessments refer to judgements that are not in the data.",)


def test_other_agents_become_traces_without_scores(project):
    done = import_traces(project, [trace_row("FETCH", "c0", {"found": 3}), trace_row()])
    assert (done.cells, done.scores) == (2, 1)
    assert set(traces(project).role) == {"fetch", "judge"}


def test_a_failed_call_is_an_error_and_no_answer_is_invalid(project):
    rows = [
        view_row(call_id="a", violating=None, error="timed out"),
        view_row(call_id="b", record_id="bridge", violating=None),
        view_row(call_id="c", record_id="choir", error="[]"),
    ]
    done = import_traces(project, rows)
    assert scores(project)[["record_id", "status"]].values.tolist() == [
        ["bridge", "invalid"], ["choir", "ok"], ["ferry", "error"],
    ]  # fmt: skip
    assert done.statuses == {"error": 1, "invalid": 1, "ok": 1}
    assert scores(project).category.isna().tolist() == [True, False, True]


def test_a_verdict_is_read_in_the_words_of_the_criteria(project):
    asked = bm.Criteria("respect", "Is the text respectful?", flag="no")
    import_traces(project, [view_row(violating=True), trace_row(call_id="c2")], criteria=asked)
    found = scores(project)
    assert found.category.tolist() == ["no", "no"]
    assert found.flagged.tolist() == [True, True]
    assert found.value.tolist() == [0.0, 0.0]
    assert set(found.criteria_hash) == {asked.criteria_hash}
    assert json.loads(project.store.df("select ground_truth from records where content <> ''").ground_truth.item()) == {
        "respect": "no"
    }


def test_an_imported_truth_stands_beside_the_scores(project):
    from buttermilk_nb.analysis.frames import scores

    done = import_traces(project, [trace_row()], criteria=bm.Criteria("respect", "Is it respectful?", flag="no"))
    found = scores.scores(project.store, done.run_id)
    assert (found.truth.item(), found.category.item()) == ("no", "no")


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "dataframe"])
def test_every_form_of_the_same_rows_gives_the_same_scores(project, tmp_path, form):
    rows = [scored(), view_row(call_id="c2", record_id="bridge", violating=True)]
    frame = pd.DataFrame(rows)
    source = tmp_path / f"rows.{form}"
    if form == "jsonl":
        source.write_text("\n".join(json.dumps(row) for row in rows))
    elif form == "csv":
        with source.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, list(rows[0]))
            writer.writeheader()
            for row in rows:
                writer.writerow({k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()})
    elif form == "parquet":
        import duckdb

        with duckdb.connect() as con:
            (tmp_path / "rows.json").write_text("\n".join(json.dumps(row) for row in rows))
            con.execute("copy (from read_json('rows.json')) to 'rows.parquet'")
    done = import_traces(project, frame if form == "dataframe" else source)
    assert (done.kind, done.cells, done.scores) == ("buttermilk", 3, 2)
    found = scores(project)
    assert found[["record_id", "category", "flagged", "uncertainty"]].values.tolist() == [
        ["bridge", "yes", True, "low"], ["ferry", "no", False, "low"],
    ]  # fmt: skip
    assert [reasons.tolist() for reasons in found.reasons] == [["It names nobody.", "It is calm."]] * 2


def test_an_export_of_this_package_comes_back_with_the_same_answers(tmp_path):
    from support.study import corpus, flow

    from buttermilk_nb.store.exporters.export import export

    first = bm.init("first", path=tmp_path / "first", models=["double/answer"])
    run = flow().run(corpus(3))
    export(first.store, tmp_path / "rows.jsonl", tables=["judge_scores"])
    second = bm.init("second", path=tmp_path / "second", models=["double/answer"])
    done = import_traces(second, tmp_path / "rows.jsonl")
    assert (done.kind, done.cells, done.scores) == ("buttermilk", 3, 3)
    columns = ["record_id", "judge", "criterion", "model", "category", "value", "flagged", "conclusion", "status"]
    assert scores(second)[columns].equals(run.scores()[columns].sort_values("record_id"))


def test_every_row_that_cannot_be_used_is_named(project, tmp_path):
    (tmp_path / "rows.jsonl").write_text(json.dumps(view_row(record_id=None)) + "\n{broken\n" + json.dumps(view_row()))
    with pytest.raises(bm.SetupError) as caught:
        import_traces(project, tmp_path / "rows.jsonl")
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["row 2", "row 1"]
    assert "no record id" in caught.value.problems[1]
    assert project.store.df("select count(*) as n from runs").n.item() == 0


def test_rows_of_bigquery_are_read_as_any_others(project):
    from buttermilk_nb.corpus.loaders import Source
    from buttermilk_nb.corpus.loaders.source import SourceRow

    source = Source([SourceRow(1, view_row())], {"bigquery": {"table": "p.d.judge_scores"}, "sha256": "bq1-abc"})
    import_traces(project, source)
    manifest = json.loads(project.store.df("select manifest from runs").manifest.item())
    assert manifest["imported"]["bigquery"] == {"table": "p.d.judge_scores"}
    assert manifest["imported"]["sha256"] == "bq1-abc"
