"""The long frame of all coders: one row for each that was planned, whatever became of it."""

import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.analysis.frames.ratings import COLUMNS
from buttermilk_nb.project import session

RESPECT = bm.Criteria("respect", "Is it respectful?", flag="no", cues={"no": ["vermin"]})
HEAT = bm.Criteria("heat", "How heated is it?", scale="1-5", flag=">= 4", cues={"5": ["vermin"], "1": ["calm"]})


@pytest.fixture
def open_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(*models):
        return bm.init("ratings", path=tmp_path / "ratings", models=list(models or ["offline/strict"]))

    yield make
    session.close()


def corpus(**fields):
    return bm.Corpus(
        [
            bm.Record(
                record_id="a",
                content="They are vermin.",
                ground_truth={"respect": "no", "heat": 5},
                labels={"ana": {"respect": "no"}, "ben": {"respect": "cannot tell", "heat": "4"}},
                cluster="The Bell",
                **fields,
            ),
            bm.Record(record_id="b", content="A calm day.", labels={"ana": {"respect": True}}),
        ]
    )


def flow(*criteria, **fields):
    return bm.Flow("study", [bm.Judge("judge", criteria=list(criteria or [RESPECT]), **fields)])


def test_judges_and_people_stand_in_one_frame(open_project):
    open_project()
    found = flow(RESPECT, HEAT).run(corpus()).ratings()
    assert tuple(found.columns) == COLUMNS
    rows = found[["criterion", "record_id", "coder", "kind", "category", "value", "flagged"]]
    assert [tuple(row) for row in rows.astype(object).where(rows.notna(), None).to_numpy()] == [
        ("heat", "a", "ben", "human", "4", 4.0, True),
        ("heat", "a", "truth", "human", "5", 5.0, True),
        ("heat", "a", "judge · offline/strict", "instrument", "5", 5.0, True),
        ("heat", "b", "judge · offline/strict", "instrument", "1", 1.0, False),
        ("respect", "a", "ana", "human", "no", 0.0, True),
        ("respect", "a", "ben", "human", "cannot tell", None, None),
        ("respect", "a", "truth", "human", "no", 0.0, True),
        ("respect", "a", "judge · offline/strict", "instrument", "no", 0.0, True),
        ("respect", "b", "ana", "human", "yes", 1.0, False),
        ("respect", "b", "judge · offline/strict", "instrument", "yes", 1.0, False),
    ]
    assert found[found.record_id == "a"].cluster.unique().tolist() == ["The Bell"]
    assert found.groupby("criterion").scale.unique().explode().to_dict() == {"heat": "1-5", "respect": "yes/no"}


def test_an_answer_that_is_missing_is_a_row_with_its_status(open_project):
    open_project("double/refuse", "double/broken")
    run = flow(RESPECT, HEAT, reask=False).run(corpus())
    judged = run.ratings().query("kind == 'instrument'")
    assert judged.groupby("model").status.unique().explode().to_dict() == {
        "double/broken": "invalid",
        "double/refuse": "refused",
    }
    assert len(judged) == 8
    assert judged[["category", "value", "flagged"]].isna().all(axis=None)


def test_what_was_planned_and_not_done_is_pending(open_project):
    project = open_project("double/slow?seconds=5")
    project.settings = project.settings.model_copy(update={"grace_s": 0.0})
    with pytest.raises(bm.errors.RunStopped):
        flow(RESPECT, HEAT).run(corpus(), time_limit_s=0.5, concurrency=1)
    judged = bm.last_run().ratings().query("kind == 'instrument'")
    assert judged.status.value_counts().to_dict() == {"pending": 3, "cancelled": 1}
    assert sorted(judged.criterion) == ["heat", "heat", "respect", "respect"]


def test_replicates_are_counted_and_are_no_coders(open_project):
    open_project("double/answer")
    found = flow(replicates=3, models="double/answer").run(corpus()).ratings()
    judged = found[found.kind == "instrument"]
    assert judged.coder.nunique() == 1
    assert sorted(judged[judged.record_id == "a"].replicate) == [0, 1, 2]
    assert set(found[found.kind == "human"].replicate) == {0}


def test_a_project_s_ratings_show_each_design_once(open_project):
    open_project()
    flow().run(corpus())
    flow().run(corpus())
    assert len(bm.ratings()) == len(bm.last_run().ratings())


def test_two_ways_of_asking_are_two_instruments(open_project):
    open_project()
    flow().run(corpus())
    prompt = bm.Prompt(user="{{ criteria }}\n{{ answer_format }}\n{{ record.content }}")
    flow(prompt=prompt).run(corpus())
    names = bm.ratings().query("kind == 'instrument'").coder.unique()
    assert sorted(names) == ["judge · offline/strict (way 1)", "judge · offline/strict (way 2)"]


def test_a_frame_survives_csv(open_project, tmp_path):
    open_project()
    found = flow(RESPECT, HEAT).run(corpus()).ratings()
    found.to_csv(tmp_path / "ratings.csv", index=False)
    again = pd.read_csv(tmp_path / "ratings.csv", dtype={"category": "str"})
    ours = bm.agreement(found, n_boot=20)
    pd.testing.assert_frame_equal(bm.agreement(again, n_boot=20), ours)
