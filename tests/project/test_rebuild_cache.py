"""A lost cache is refilled from the stored calls, and a snapshot can be carried away."""

import json
import shutil

import duckdb
import pytest

import buttermilk_nb as bm


def flow(**fields):
    return bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"), **fields)])


def texts(n):
    return bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"Text {i}.") for i in range(n)])


def lose(project):
    project.cache.close()
    shutil.rmtree(project.cache.folder)


def test_a_lost_cache_is_refilled_from_the_stored_calls(server, make_study):
    replies = ["", "I'm sorry, but I can't help with that.", "Rather calm."]

    def reply(body):
        turn = len(server.received) % 4
        return server.answer(body, text=replies[turn - 1] if turn else None)

    server.reply = reply
    project = make_study(concurrency=1)
    first = flow().run(texts(12))
    asked = len(server.received)
    lose(project)
    assert project.evidence.rebuild_cache() == len(set(first.calls().cache_key))
    again = flow().run(texts(12), cache="only")
    assert len(server.received) == asked
    assert again.counts == first.counts
    same = ["record_id", "category", "status", "conclusion", "design_id"]
    assert again.scores()[same].equals(first.scores()[same])


def test_offline_answers_come_back_too(make_study):
    project = make_study(sets={"judges": ["offline/strict"]})
    asks = bm.Flow("t", [bm.Judge("j", criteria=bm.Criteria("calm", "Calm?", flag="no", cues={"no": ["Text"]}))])
    asks.run(texts(5))
    lose(project)
    assert project.evidence.rebuild_cache() == 5
    assert asks.run(texts(5), cache="only").counts == {"ok": 5}


def test_what_is_still_cached_is_left_alone(server, make_study):
    project = make_study()
    flow().run(texts(3))
    assert project.evidence.rebuild_cache() == 0


def test_a_miss_says_what_differs_from_the_nearest_answer(server, make_study):
    make_study()
    flow().run(texts(2))
    with pytest.raises(bm.CacheMiss, match="differs in: params"):
        flow(params={"temperature": 0.5}).run(texts(2), cache="only")


def test_a_snapshot_holds_traces_answers_and_settings(server, make_study, tmp_path):
    project = make_study()
    flow().run(texts(3))
    folder = project.evidence.snapshot(tmp_path / "copy")
    assert sorted(path.name for path in folder.iterdir()) == ["buttermilk.yaml", "cache.jsonl", "traces.duckdb"]
    with duckdb.connect(str(folder / "traces.duckdb"), read_only=True) as con:
        assert con.execute("select count(*) from latest_scores").fetchone() == (3,)
    lines = (folder / "cache.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert {"key", "value"} <= set(json.loads(lines[0]))
    with pytest.raises(bm.SetupError, match="exists already"):
        project.evidence.snapshot(tmp_path / "copy")


def test_answers_can_be_handed_to_a_colleague(server, make_study, tmp_path):
    project = make_study()
    flow().run(texts(3))
    project.cache.export(tmp_path / "answers.jsonl")
    asked = len(server.received)
    other = bm.Project(tmp_path / "colleague", project.settings)
    other.cache.import_(tmp_path / "answers.jsonl")
    assert flow().run(texts(3), cache="only", project=other).counts == {"ok": 3}
    assert len(server.received) == asked


def test_a_study_re_runs_without_key_and_server(server, make_study, monkeypatch):
    make_study(toy={"key": "env:TOY_KEY"})
    monkeypatch.setenv("TOY_KEY", "a-key-that-nobody-guesses")
    flow().run(texts(3))
    monkeypatch.delenv("TOY_KEY")
    make_study(toy={"key": "env:TOY_KEY"})
    server.stop()
    assert flow().run(texts(3)).counts == {"ok": 3}
    with pytest.raises(bm.SetupError, match="TOY_KEY"):
        flow().run(texts(4))


def test_purging_needs_to_know_how_far(make_study):
    project = make_study()
    with pytest.raises(bm.SetupError, match="keep_days"):
        project.evidence.purge()
    assert "Nothing was removed" in str(make_study(keep_days=30).evidence.purge())


def test_a_studys_evidence_verifies(server, make_study):
    project = make_study()
    flow().run(texts(3))
    flow().run(texts(3))
    assert project.evidence.verify().ok.all()


def test_everything_can_be_exported_to_the_project_s_folder(server, make_study):
    project = make_study()
    flow().run(texts(3))
    files = project.evidence.export()
    assert any(file.endswith("scores.csv") for file in files)


def test_embedding_goes_through_the_project(make_study):
    assert make_study().embed(["a calm sea", "goats"], model="offline/hashing").shape == (2, 256)


def test_the_models_of_a_project_say_whether_they_can_be_used(server, make_study):
    make_study(models={"far": {"model": "anthropic/claude-x"}}, sets={"judges": ["toy", "far"]})
    found = bm.models().set_index("name")
    assert bool(found.usable["toy"])
    assert not found.usable["far"]
    assert "bm.set_key" in found.why_not["far"]
