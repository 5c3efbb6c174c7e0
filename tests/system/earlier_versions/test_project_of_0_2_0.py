"""A project folder that version 0.2.0 made is read unchanged: same keys and hashes, no new call, verified, exported.

`project_0_2_0.zip` holds the folder and the study's files; `expected_0_2_0.json` holds their hashes, cache keys and
scores as that version gave them. The judge ran on two baselines and, through litellm, on a chat server; a synthesiser
and a reader of differences ran over its answers; two people coded three texts, and a sample was drawn.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

import buttermilk_nb as bm

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "expected_0_2_0.json").read_text("utf-8"))


@pytest.fixture
def earlier(tmp_path):
    """The project of 0.2.0, opened; its models are not there any more."""
    with zipfile.ZipFile(HERE / "project_0_2_0.zip") as archive:
        archive.extractall(tmp_path)
    return bm.init("kept", path=tmp_path / "kept")


@pytest.fixture
def corpus(tmp_path, earlier):
    return bm.load(
        tmp_path / "study" / "texts.jsonl",
        content="content",
        record_id="record_id",
        truth={"calm": "expert"},
        metadata=["author", "year"],
    )


@pytest.fixture
def calm(tmp_path, earlier):
    return bm.Criteria.from_file(tmp_path / "study" / "calm.md")


@pytest.fixture
def flows(calm):
    return [
        bm.Flow(
            "kept",
            [
                bm.Judge("judge", criteria=calm, replicates=2),
                bm.Synthesiser("synth", of="judge", models="offline/strict"),
                bm.Differences("differences", of="judge", models="offline/lenient"),
            ],
        ),
        bm.Flow("lone", [bm.Judge("lone", criteria=calm, models="offline/strict", ask="separately")]),
    ]


def rows(query):
    return bm.sql(query).astype(str).values.tolist()


def test_what_is_stored_reads_as_it_was_written(earlier):
    assert rows("select flow, digest from runs order by all") == EXPECTED["digests"]
    assert rows("select flow, flow_hash from runs order by all") == EXPECTED["flow_hashes"]
    scores = "select design_id, criterion, value, category, flagged, status from latest_scores order by all"
    assert rows(scores) == EXPECTED["scores"]
    assert earlier.evidence.verify().ok.all()


def test_the_same_study_has_the_same_hashes(corpus, calm):
    assert corpus.hash == EXPECTED["corpus_hash"]
    assert calm.criteria_hash == EXPECTED["criteria_hash"]


def test_running_it_again_makes_no_call_and_gives_the_same_answers(earlier, corpus, flows):
    for flow, records in zip(flows, [corpus, corpus.head(2)], strict=True):
        run = flow.run(records, cache="only")
        assert run.status == "finished"
        assert run.calls().cached.all()
    assert earlier.client.sent == 0
    assert sorted(map(tuple, rows("select distinct flow, digest from runs"))) == sorted(map(tuple, EXPECTED["digests"]))
    assert rows("select distinct flow, flow_hash from runs order by all") == EXPECTED["flow_hashes"]
    assert [row[0] for row in rows("select distinct design_id from traces order by all")] == EXPECTED["design_ids"]
    assert [row[0] for row in rows("select distinct cache_key from calls order by all")] == EXPECTED["cache_keys"]
    assert earlier.evidence.verify().ok.all()


def test_labels_of_people_are_there_and_everything_can_be_exported(earlier, corpus, calm, tmp_path):
    ratings = bm.ratings()
    assert set(ratings[ratings.kind == "human"].coder) == {"ab", "kf", "truth"}
    files = earlier.evidence.export(tmp_path / "out", format="parquet")
    names = {Path(file).stem for file in files}
    assert {"scores", "calls", "labels", "records", "texts"} <= names
