"""A plain table of codes becomes a run like any other; and what holds for every import."""

import json

import pandas as pd
import pytest
from support.study import corpus, flow

import buttermilk_nb as bm
from buttermilk_nb.store.erasure.forget import forget
from buttermilk_nb.store.importers import import_traces
from buttermilk_nb.store.verify import verify

ROWS = [
    {"record_id": "r0", "coder": "kf", "criterion": "respect", "category": "no", "reasons": "rude | loud"},
    {"record_id": "r0", "coder": "kf", "criterion": "heat", "value": 4, "note": "twice"},
    {"record_id": "r1", "coder": "kf", "criterion": "respect", "category": "yes"},
    {"record_id": "r1", "coder": "ab", "criterion": "respect", "category": None},
]


def scores(project):
    return project.store.df("select * from scores order by record_id, judge, criterion, replicate")


def test_rows_of_one_judge_about_one_record_are_one_cell(project):
    done = import_traces(project, ROWS, name="pilot")
    assert repr(done) == "Imported 'pilot' (scores): 3 traces (2 ok, 1 skipped) with 4 scores of 2 records."
    found = scores(project)
    assert found[["judge", "criterion", "status"]].values.tolist() == [
        ["kf", "heat", "ok"], ["kf", "respect", "ok"], ["ab", "respect", "skipped"], ["kf", "respect", "ok"],
    ]  # fmt: skip
    assert found.value.tolist()[0] == 4.0
    assert found.value.isna().tolist()[1:] == [True] * 3
    assert found.reasons[1].tolist() == ["rude", "loud"]
    outputs = project.store.df("select output from traces where output is not null").output.tolist()
    assert [json.loads(output) for output in outputs] == [{"note": "twice"}]


def test_columns_of_other_names_are_said(project):
    frame = pd.DataFrame([{"post": 7, "who": "kf", "what": "respect", "verdict": "no", "certain": "high"}])
    columns = {
        "record_id": "post",
        "judge": "who",
        "criterion": "what",
        "category": "verdict",
        "uncertainty": "certain",
    }
    import_traces(project, frame, name="pilot", columns=columns)
    found = scores(project).iloc[0]
    assert (found.record_id, found.judge, found.criterion, found.category, found.uncertainty) == (
        "7", "kf", "respect", "no", "high",
    )  # fmt: skip


def test_a_file_may_hold_the_table(project, tmp_path):
    (tmp_path / "codes.csv").write_text("id,rater,label\n007,kf,no\n008,kf,\n")
    done = import_traces(project, tmp_path / "codes.csv")
    assert (done.name, done.kind) == ("codes", "scores")
    assert scores(project)[["record_id", "category", "status"]].values.tolist()[0] == ["007", "no", "ok"]
    assert scores(project).status.tolist() == ["ok", "skipped"]


def test_the_texts_may_come_with_it(project):
    import_traces(
        project, [{"record_id": "a", "text": "One.", "label": "no"}, {"record_id": "b", "text": "Two.", "label": "no"}]
    )
    assert project.store.df("select content from records order by 1").content.tolist() == ["One.", "Two."]


def test_records_that_are_here_already_are_the_same_ones(project):
    flow().run(corpus(2))
    import_traces(project, ROWS)
    assert project.store.df("select count(*) as n from records").n.item() == 2
    joined = bm.sql(
        "select count(*) as n from scores s join records r using (record_id, record_hash) where s.judge = 'kf'"
    )
    assert joined.n.item() == 3


def test_records_that_nobody_knows_are_there_without_a_text(project):
    import_traces(project, ROWS)
    assert project.store.df("select distinct content from records").content.tolist() == [""]


def test_answers_are_read_by_the_scales_of_the_criteria(project):
    asked = bm.Criteria(
        "desk",
        "x",
        criteria={
            "respect": {"question": "?", "flag": "no"},
            "heat": {"question": "?", "scale": "1-5", "flag": ">= 4"},
        },
    )
    import_traces(project, ROWS, criteria=asked)
    found = scores(project)
    assert found.category.tolist()[:2] == ["4", "no"]
    assert found.flagged.tolist()[:2] == [True, True]
    assert set(found.criteria_set) == {"desk"}


def test_every_code_that_is_not_on_the_scale_is_named(project):
    asked = bm.Criteria("respect", "Is it respectful?")
    rows = [{"record_id": f"r{i}", "label": "perhaps"} for i in range(30)]
    with pytest.raises(bm.SetupError) as caught:
        import_traces(project, rows, criteria=asked)
    assert caught.value.problems[0] == "row 1: the answer 'perhaps' is not one of: yes, no."
    assert len(caught.value.problems) == 21
    assert caught.value.problems[-1] == "and 10 more like these."


def test_a_criterion_that_the_criteria_do_not_ask_is_answered_with_the_nearest(project):
    with pytest.raises(bm.SetupError, match="has no criterion `respct`; did you mean `respect`"):
        import_traces(
            project, [{"record_id": "a", "criterion": "respct", "label": "no"}], criteria=bm.Criteria("respect", "?")
        )


def test_the_same_answer_twice_is_refused_unless_it_is_a_repetition(project):
    rows = [{"record_id": "a", "label": "no"}, {"record_id": "a", "label": "yes"}]
    with pytest.raises(
        bm.SetupError, match=r'row 2 answers `scores` of record `a` again, like row 1.*replicate="count"'
    ):
        import_traces(project, rows)
    import_traces(project, rows, replicate="count")
    assert scores(project)[["replicate", "category"]].values.tolist() == [[0, "no"], [1, "yes"]]


def test_a_column_may_count_the_repetitions(project):
    import_traces(
        project, [{"record_id": "a", "label": "no", "repeat": "1"}, {"record_id": "a", "label": "yes", "repeat": "0"}]
    )
    assert scores(project)[["replicate", "category"]].values.tolist() == [[0, "yes"], [1, "no"]]


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([{"label": "no"}], "say which column contains the record's id.* The columns are `label`"),
        ([{"record_id": "a"}], "say which column contains the answer.* The columns are `record_id`"),
        ([{"record_id": "", "label": "no"}], "row 1: no record id"),
        ([{"record_id": "a", "label": "no", "replicate": "x"}], "row 1: `x` is not the number of a replicate"),
        ([{"record_id": "a", "label": "no", "replicate": -1}], "`-1` is not the number of a replicate"),
        ([{"record_id": "a", "label": "no", "status": "okay"}], "`okay` is not a status; did you mean `ok`"),
        ([{"record_id": "a", "label": "no", "text": "x"}, {"record_id": "a", "label": "no", "text": "y", "repeat": 1}],
         "row 2: record `a` has a different text than before"),
        ([], "say which column"),
        (["a"], "this is not a mapping but str"),
        (3, "3 cannot be imported"),
        ("nothing.csv", "there is no file `nothing.csv`"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_place(project, rows, match):
    with pytest.raises(bm.SetupError, match=match):
        import_traces(project, rows)
    assert project.store.df("select count(*) as n from runs").n.item() == 0


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"kind": "inspct"}, "kind='inspct' must be one of buttermilk, inspect, scores; did you mean `inspect`"),
        ({"columns": {"judg": "coder"}}, "a score has no `judg`; did you mean `judge`"),
        ({"columns": {"judge": "codr"}}, "there is no column `codr`; did you mean `coder`"),
        ({"replicate": "yes"}, "replicate='yes': write 'count'"),
    ],
)
def test_a_wrong_option_is_answered_with_the_nearest(project, options, match):
    with pytest.raises(bm.SetupError, match=match):
        import_traces(project, ROWS, **options)


# --- what holds for every import ---------------------------------------------------------------------


def test_it_is_an_ordinary_run_with_a_digest_and_a_link_in_the_chain(project):
    done = import_traces(project, ROWS)
    run = project.store.df("select * from runs").iloc[0]
    assert (run.run_id, run.status) == (done.run_id, "imported")
    assert run.digest
    assert project.store.df("select run_id from links").run_id.tolist() == [done.run_id]
    assert verify(project.store).ok.all()
    assert project.store.df("select count(*) as n from cells join traces using (run_id, design_id)").n.item() == 3


def test_its_designs_and_keys_can_never_be_those_of_a_run_of_ours(project):
    import_traces(project, ROWS)
    flow().run(corpus(2))
    tags = project.store.df("select distinct split_part(design_id, '-', 1) as tag from cells order by 1")
    assert tags.tag.tolist() == ["d1", "di1"]


def test_two_imports_of_the_same_data_have_the_same_digest(tmp_path):
    found = []
    for name in "ab":
        project = bm.init(name, path=tmp_path / name, models=["double/answer"])
        import_traces(project, ROWS, name="pilot")
        found.append(project.store.df("select digest, corpus_hash, flow_hash from runs").values.tolist())
    assert found[0] == found[1]


def test_the_same_content_twice_is_noticed_and_may_replace(project):
    first = import_traces(project, ROWS)
    with pytest.raises(bm.SetupError, match=rf"this content was imported before, as run `{first.run_id}`"):
        import_traces(project, list(ROWS), name="another name")
    second = import_traces(project, ROWS, replace=True)
    assert second.replaced == 1
    assert project.store.df("select run_id from runs").run_id.tolist() == [second.run_id]
    assert len(scores(project)) == 4
    assert project.store.df("select kind, what from tombstones").values.tolist() == [["run", first.run_id]]


def test_the_same_file_under_another_name_is_noticed(project, tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("id,label\n1,no\n")
    import_traces(project, tmp_path / "a.csv")
    with pytest.raises(bm.SetupError, match="imported before"):
        import_traces(project, tmp_path / "b.csv")


def test_who_was_forgotten_does_not_come_back(project):
    import_traces(project, ROWS)
    forget(project.store, project.cache, record_id="r0")
    with pytest.raises(bm.SetupError, match="record `r0` was forgotten here; take it out of the data"):
        import_traces(project, ROWS[:2])
    assert import_traces(project, ROWS[2:]).cells == 2


def test_a_failure_half_way_leaves_nothing(project, monkeypatch):
    def fail(*_):
        raise bm.errors.StoreError("the disk is full.")

    monkeypatch.setattr("buttermilk_nb.store.write.write_run_end", fail)
    with pytest.raises(bm.errors.StoreError, match="the disk is full"):
        import_traces(project, ROWS)
    counts = [
        project.store.df(f"select count(*) as n from {name}").n.item() for name in ("runs", "cells", "scores", "texts")
    ]
    assert counts == [0, 0, 0, 0]


def test_the_answer_shows_no_ids(project):
    done = import_traces(project, ROWS)
    assert done.run_id not in repr(done)


def test_a_store_does_as_well_as_a_project(project):
    assert import_traces(project.store, ROWS).cells == 3
