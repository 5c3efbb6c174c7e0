"""Runs found again: by id, by its beginning, by flow, the newest; in another process too."""

from __future__ import annotations

import pytest

import buttermilk_nb as bm
from buttermilk_nb.project import session

CALM = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["shout"]})


@pytest.fixture(autouse=True)
def project(offline_project):
    return offline_project


def run_flow(name, *texts):
    return bm.Flow(name, [bm.Judge("judge", criteria=CALM, models="offline/strict")]).run(list(texts))


def test_every_run_is_a_row_the_newest_first():
    first, second = run_flow("one", "Hush.", "They shout."), run_flow("two", "Hush.")
    runs = bm.runs()
    assert runs.run_id.tolist() == [second.run_id, first.run_id]
    assert runs[["flow", "status", "records", "planned", "ok", "not_ok"]].values.tolist() == [
        ["two", "finished", 1, 1, 1, 0], ["one", "finished", 2, 2, 2, 0]
    ]  # fmt: skip


def test_a_run_is_opened_by_its_id_its_flow_or_as_the_latest(project):
    first, again, other = run_flow("one", "Hush."), run_flow("one", "They shout."), run_flow("two", "Hush.")
    folder = project.folder
    session.close()
    bm.init("test", path=folder)
    assert bm.run().run_id == bm.run("latest").run_id == other.run_id
    assert bm.run("one").run_id == again.run_id
    opened = bm.run(first.run_id)
    assert (opened.flow, opened.status, opened.planned, opened.counts) == ("one", "finished", 1, {"ok": 1})
    assert opened.scores().equals(first.scores())
    assert bm.run(first.run_id[:-1]).run_id == first.run_id  # ids of one millisecond differ before their last digit


def test_what_is_not_there_is_one_sentence():
    with pytest.raises(bm.SetupError, match="has no run yet"):
        bm.run()
    run_flow("press-tone", "Hush.")
    with pytest.raises(bm.SetupError, match="no run or flow `pres-tone`; did you mean `press-tone`"):
        bm.run("pres-tone")
    run_flow("press-tone", "They shout.")
    with pytest.raises(bm.SetupError, match="2 runs have ids that begin with `0`"):
        bm.run("0")
    with pytest.raises(bm.SetupError) as found:
        bm.run("0")
    assert "press-tone" not in str(found.value), "the flows' names do not help to tell ids apart"
