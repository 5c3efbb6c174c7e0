"""Inspect logs, as real ones are and as hostile ones may be."""

import json
import struct
import zipfile
from pathlib import Path

import duckdb
import pytest

import buttermilk_nb as bm
from buttermilk_nb.store.importers import import_traces, inspect_files

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "inspect_logs"
needs_real = pytest.mark.skipif(
    not REAL.is_dir(), reason="../shared/data/inspect_logs is not here; it is used for checking with real logs only"
)


def sample(number=1, epoch=1, value="C", **fields):
    """A sample as Inspect writes one."""
    return {
        "id": number,
        "epoch": epoch,
        "input": [{"role": "user", "content": f"Is the text {number} kind?"}],
        "target": "yes",
        "messages": [
            {"role": "system", "content": "You read closely."},
            {"role": "user", "content": f"Is the text {number} kind?"},
            {"role": "assistant", "content": "Yes, it is.", "model": "small-1"},
        ],
        "output": {
            "model": "small-1",
            "choices": [{"message": {}, "stop_reason": "stop"}],
            "completion": "Yes, it is.",
            "usage": {"input_tokens": 12, "output_tokens": 4},
            "time": 0.5,
        },
        "scores": {"fits": {"value": value, "answer": "Yes", "explanation": "It says so."}},
        "metadata": {},
        "total_time": 1.5,
        **fields,
    }


def header(**fields):
    """The header of a log."""
    said = {
        "task": "kindness",
        "model": "far/small",
        "model_generate_config": {"temperature": 0.5},
        "created": "2026-01-02T03:04:05+00:00",
        "config": {"epochs": 1},
        "dataset": {"name": "kindness", "sample_ids": [1]},
        "scorers": [{"name": "fits"}],
        **fields,
    }
    return {"version": 2, "status": "success", "eval": said}


def log(path, *samples, head=None, name="header.json", compression=zipfile.ZIP_DEFLATED):
    """A log with these samples."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(name, json.dumps(head or header()))
        for number, one in enumerate(samples or (sample(),)):
            archive.writestr(f"samples/{number}_epoch_1.json", json.dumps(one))
    return path


def scores(project):
    return project.store.df("select * from scores order by record_id, criterion, replicate")


# --- real logs ---------------------------------------------------------------------------------------


@needs_real
@pytest.mark.parametrize(
    ("name", "task", "n", "accuracy"),
    [("*security-guide*.eval", "security_guide", 16, 0.6875), ("*theory-of-mind*.eval", "theory_of_mind", 100, 0.83)],
)
def test_the_accuracy_of_a_real_log_is_the_one_that_it_states(project, name, task, n, accuracy):
    (path,) = REAL.glob(name)
    done = import_traces(project, path)
    assert (done.kind, done.name, done.cells, done.scores, done.records) == ("inspect", task, n, n, n)
    found = scores(project)
    assert found.value.mean() == accuracy
    assert set(found.category) == {"C", "I"}
    assert set(found.model) == {"openai/gpt-4o-mini"}
    assert found.conclusion.str.len().min() > 20
    assert not found.record_id.duplicated().any()


@needs_real
def test_a_real_log_has_its_conversations_tokens_and_texts(project):
    (path,) = REAL.glob("*security-guide*.eval")
    import_traces(project, path)
    calls = project.store.df("select * from calls_full where model_requested = 'openai/gpt-4o-mini'")
    with zipfile.ZipFile(path) as archive:
        stated = json.loads(archive.read("samples/1_epoch_1.json"))
    first = calls[calls.response == stated["output"]["completion"]].iloc[0]
    assert json.loads(first.request)[1]["content"] == stated["messages"][1]["content"]
    assert (first.tokens_in, first.tokens_out) == (61, 8)
    assert first.model_served == "gpt-4o-mini-2024-07-18"
    record = project.store.df("select * from records where record_id = '1'")
    assert record.content.item() == stated["input"][0]["content"]
    assert json.loads(record.metadata.item())["target"] == stated["target"]
    assert len(project.store.df("select * from calls")) == 32  # the answers, and the grader's
    assert "attachment://" not in str(project.store.df("select body from texts").body.tolist())


@needs_real
def test_an_imported_log_answers_like_any_run(project):
    (path,) = REAL.glob("*security-guide*.eval")
    done = import_traces(project, path)
    assert len(bm.sql("select * from latest_scores")) == 16
    assert len(bm.sql("select * from judge_scores where judge_model = 'openai/gpt-4o-mini'")) == 16
    run = project.store.df("select * from runs")
    assert (run.run_id.item(), run.status.item(), run.flow.item()) == (done.run_id, "imported", "security_guide")
    assert run.digest.notna().item()
    manifest = json.loads(run.manifest.item())
    assert manifest["imported"]["file"] == path.name
    assert len(manifest["imported"]["sha256"]) == 64
    assert manifest["imported"]["inspect"]["packages"] == {"inspect_ai": "0.3.133"}
    assert "sample_ids" not in run.manifest.item()


# --- what becomes of a sample ------------------------------------------------------------------------


def test_every_part_of_a_sample_has_its_place(project, tmp_path):
    done = import_traces(project, log(tmp_path / "a.eval"))
    assert repr(done) == "Imported 'kindness' (inspect): 1 trace (1 ok) with 1 score of 1 record."
    score = scores(project).iloc[0]
    assert (score.judge, score.criteria_set, score.criterion, score.replicate) == ("kindness", "kindness", "fits", 0)
    assert (score.value, score.category, score.conclusion, score.status) == (1.0, "C", "It says so.", "ok")
    trace = project.store.df("select * from traces").iloc[0]
    assert (trace.agent, trace.role, trace.model, trace.duration_s) == ("inspect", "judge", "far/small", 1.5)
    assert json.loads(trace.params) == {"temperature": 0.5}
    assert json.loads(trace.output)["scores"] == {"fits": {"answer": "Yes"}}
    assert project.store.df("select count(*) as n from cells").n.item() == 1


def test_each_epoch_is_a_replicate_of_one_design_family(project, tmp_path):
    import_traces(project, log(tmp_path / "a.eval", sample(epoch=1), sample(epoch=2, value="I"), sample(epoch=3)))
    found = scores(project)
    assert found.replicate.tolist() == [0, 1, 2]
    assert found.value.tolist() == [1.0, 0.0, 1.0]
    assert found.design_id.nunique() == 3
    assert project.store.df("select count(*) as n from records").n.item() == 1


@pytest.mark.parametrize(
    ("value", "number", "category", "status"),
    [
        ("C", 1.0, "C", "ok"),
        ("P", 0.5, "P", "ok"),
        ("I", 0.0, "I", "ok"),
        ("N", None, "N", "ok"),
        ("good", None, "good", "ok"),
        (0.25, 0.25, None, "ok"),
        (7, 7.0, None, "ok"),
        (True, 1.0, "yes", "ok"),
        (["b", "a"], None, '["b","a"]', "ok"),
        (float("nan"), None, None, "invalid"),
        (None, None, None, "invalid"),
        ("", None, None, "invalid"),
    ],
)
def test_every_kind_of_value_is_read_and_a_missing_one_is_never_0(project, tmp_path, value, number, category, status):
    import_traces(project, log(tmp_path / "a.eval", sample(value=value)))
    with project.store.reading() as con:
        assert con.execute("select value, category, status from scores").fetchall() == [(number, category, status)]


def test_a_score_with_several_parts_is_several_criteria(project, tmp_path):
    several = {"quality": {"value": {"tone": 3, "facts": "C"}, "explanation": "Both."}, "fits": {"value": "I"}}
    import_traces(project, log(tmp_path / "a.eval", sample(scores=several)))
    found = scores(project)
    assert dict(zip(found.criterion, found.value, strict=True)) == {
        "fits": 0.0,
        "quality.facts": 1.0,
        "quality.tone": 3.0,
    }
    assert found.trace_id.nunique() == 1


def test_a_sample_that_failed_is_an_error_with_a_score_for_each_scorer(project, tmp_path):
    failed = sample(scores=None, error={"message": "the server went away", "traceback": "..."})
    done = import_traces(project, log(tmp_path / "a.eval", sample(2), failed))
    assert done.statuses == {"ok": 1, "error": 1}
    assert scores(project).status.tolist() == ["error", "ok"]
    trace = project.store.df("select * from traces where status = 'error'")
    assert trace.error_message.item() == "the server went away"


def test_long_texts_that_the_log_keeps_aside_are_put_back(project, tmp_path):
    aside = sample(
        input="attachment://abc",
        messages=[{"role": "user", "content": "attachment://abc"}, {"role": "assistant", "content": "Yes."}],
        attachments={"abc": "The whole long text."},
    )
    import_traces(project, log(tmp_path / "a.eval", aside))
    assert project.store.df("select content from records").content.item() == "The whole long text."
    assert "The whole long text." in project.store.df("select request from calls_full").request.item()


def test_an_input_of_several_turns_keeps_who_said_what(project, tmp_path):
    turns = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": [{"type": "text", "text": "Hi."}]}]
    import_traces(project, log(tmp_path / "a.eval", sample(input=turns)))
    assert project.store.df("select content from records").content.item() == "user: Hello.\n\nassistant: Hi."


def test_the_graders_conversation_is_a_call_of_its_own(project, tmp_path):
    grading = [
        {"role": "user", "content": "Does it fit?"},
        {"role": "assistant", "content": "GRADE: C", "model": "g-1"},
    ]
    graded = {"fits": {"value": "C", "explanation": "GRADE: C", "metadata": {"grading": grading, "seed": 3}}}
    import_traces(project, log(tmp_path / "a.eval", sample(scores=graded)))
    calls = project.store.df("select model_requested, response from calls_full order by call_id")
    assert calls.values.tolist() == [["far/small", "Yes, it is."], ["g-1", "GRADE: C"]]
    output = json.loads(project.store.df("select output from traces").output.item())
    assert output["scores"] == {"fits": {"metadata": {"seed": 3}}}


def test_criteria_of_ones_own_read_and_flag_the_answers(project, tmp_path):
    asked = bm.Criteria(
        "kindness", "Is it kind?", criteria={"fits": {"question": "?", "scale": "C | P | I", "flag": "I"}}
    )
    import_traces(project, log(tmp_path / "a.eval", sample(1), sample(2, value="I")), criteria=asked)
    found = scores(project)
    assert found.flagged.tolist() == [False, True]
    assert found.criteria_hash.tolist() == [asked.criteria_hash] * 2
    assert project.store.df("select flagged from traces order by record_id").flagged.tolist() == [False, True]


def test_criteria_that_do_not_fit_are_refused_with_every_reason(project, tmp_path):
    asked = bm.Criteria("kindness", "Is it kind?", criteria={"fits": {"question": "?", "scale": "P | I"}})
    with pytest.raises(bm.SetupError) as caught:
        import_traces(project, log(tmp_path / "a.eval", sample(1), sample(2, value="D")), criteria=asked)
    assert len(caught.value.problems) == 2
    assert "samples/0_epoch_1.json: the answer 'C' is not one of: P, I." in caught.value.problems[0]


# --- forms of logs -----------------------------------------------------------------------------------


def test_the_older_form_is_one_json_file(project, tmp_path):
    (tmp_path / "old.json").write_text(json.dumps({**header(), "samples": [sample(1), sample(2, value="I")]}))
    done = import_traces(project, tmp_path / "old.json")
    assert (done.kind, done.cells) == ("inspect", 2)
    assert scores(project).value.tolist() == [1.0, 0.0]


def test_a_log_that_was_never_closed_says_how_much_of_it_is_there(project, tmp_path):
    head = header(dataset={"name": "kindness", "sample_ids": [1, 2, 3]}, config={"epochs": 2})
    del head["status"]
    done = import_traces(project, log(tmp_path / "a.eval", head=head, name="_journal/start.json"))
    assert done.remarks == ("1 of 6 planned samples are in the log.",)


def test_a_log_that_ended_with_an_error_says_so(project, tmp_path):
    done = import_traces(project, log(tmp_path / "a.eval", head={**header(), "status": "error"}))
    assert "Note: according to the log, its status is `error`." in repr(done)


def packed(data):
    """Bytes as Zstandard packs them, which DuckDB can."""
    with duckdb.connect() as con:
        con.execute(
            "copy (select ? as x) to 'packed.zst' (format csv, header false, quote '', escape '', "
            "delimiter e'\\x01', compression zstd)",
            [data],
        )
    return Path("packed.zst").read_bytes()


def with_method(path, method, members):
    """A zip whose members are packed by a method that `zipfile` does not write."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    raw = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = raw.find(mark)
        while start >= 0:
            raw[start + place : start + place + 2] = struct.pack("<H", method)
            start = raw.find(mark, start + 4)
    path.write_bytes(raw)
    return path


def test_members_packed_with_zstandard_are_read(project, tmp_path):
    members = {"header.json": packed(json.dumps(header())), "samples/1_epoch_1.json": packed(json.dumps(sample()))}
    import_traces(project, with_method(tmp_path / "a.eval", 93, members))
    assert scores(project).category.tolist() == ["C"]


def test_a_way_of_packing_that_nobody_knows_is_said(project, tmp_path):
    path = with_method(tmp_path / "a.eval", 97, {"header.json": b"x", "samples/1_epoch_1.json": b"x"})
    with pytest.raises(
        bm.SetupError, match=r"`header.json` in `a.eval` has a compression method that cannot be read here"
    ):
        import_traces(project, path)


def test_stored_members_are_read(project, tmp_path):
    import_traces(project, log(tmp_path / "a.eval", compression=zipfile.ZIP_STORED))
    assert len(scores(project)) == 1


def test_a_log_from_an_address_is_read(project, tmp_path):
    import fsspec

    with fsspec.open("memory://logs/a.eval", "wb") as handle:
        handle.write(log(tmp_path / "a.eval").read_bytes())
    import_traces(project, "memory://logs/a.eval")
    manifest = json.loads(project.store.df("select manifest from runs").manifest.item())
    assert manifest["imported"]["address"] == "memory://logs/a.eval"


# --- hostile logs ------------------------------------------------------------------------------------


def refused(project, path, match):
    with pytest.raises(bm.SetupError, match=match):
        import_traces(project, path)
    assert project.store.df("select count(*) as n from runs").n.item() == 0


def test_a_zip_that_is_no_log_is_refused(project, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.eval", "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(project, tmp_path / "a.eval", "is a zip, but not an Inspect log")


def test_what_is_neither_zip_nor_json_is_refused(project, tmp_path):
    (tmp_path / "a.eval").write_bytes(b"\x00\x01nothing")
    refused(project, tmp_path / "a.eval", r"`it` in `a.eval` is not valid JSON")


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_member_that_unpacks_to_too_much_is_refused(project, tmp_path, monkeypatch, compression):
    monkeypatch.setattr(inspect_files, "MAX_MEMBER", 100_000)
    refused(project, log(tmp_path / "a.eval", sample(padding="x" * 200_000), compression=compression), "MiB")


def test_a_member_that_lies_about_its_size_is_refused(project, tmp_path, monkeypatch):
    monkeypatch.setattr(inspect_files, "MAX_MEMBER", 100_000)
    path = log(tmp_path / "a.eval", sample(padding="x" * 200_000))
    raw = path.read_bytes()
    place = raw.rfind(b"PK\x01\x02")
    path.write_bytes(raw[: place + 24] + struct.pack("<I", 10) + raw[place + 28 :])
    refused(project, path, "samples/0_epoch_1.json")


def test_a_packed_member_that_unpacks_to_too_much_is_refused(project, tmp_path, monkeypatch):
    monkeypatch.setattr(inspect_files, "MAX_MEMBER", 20_000_000)
    big = packed(json.dumps(sample(padding="x" * 60_000_000)))
    members = {"header.json": packed(json.dumps(header())), "samples/1_epoch_1.json": big}
    refused(project, with_method(tmp_path / "a.eval", 93, members), "samples/1_epoch_1.json")


def test_a_log_that_unpacks_to_too_much_as_a_whole_is_refused(project, tmp_path, monkeypatch):
    monkeypatch.setattr(inspect_files, "MAX_TOTAL", 1000)
    refused(project, log(tmp_path / "a.eval", sample(1), sample(2)), "would unpack to more than")


def test_a_damaged_member_is_named(project, tmp_path):
    path = log(tmp_path / "a.eval")
    raw = bytearray(path.read_bytes())
    place = raw.find(b"samples/0_epoch_1.json") + 40
    raw[place : place + 20] = b"\xff" * 20
    path.write_bytes(raw)
    refused(project, path, r"`samples/0_epoch_1.json` in `a.eval` cannot be read")


def test_names_that_lead_elsewhere_are_not_samples(project, tmp_path):
    path = log(tmp_path / "a.eval")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../samples/evil.json", json.dumps(sample(9)))
        archive.writestr("/samples/evil.json", json.dumps(sample(9)))
    assert import_traces(project, path).cells == 1
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.eval", "project"]


def test_json_that_is_too_deep_is_refused(project, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.eval", "w") as archive:
        archive.writestr("header.json", "[" * 100_000)
    refused(project, tmp_path / "a.eval", "is not valid JSON")


def test_a_sample_without_an_id_and_one_twice_are_both_named(project, tmp_path):
    bad = sample(id=None)
    with pytest.raises(bm.SetupError) as caught:
        import_traces(project, log(tmp_path / "a.eval", bad, sample(2), sample(2)))
    assert caught.value.problems == (
        "`samples/0_epoch_1.json` has no id, or no epoch.",
        "`samples/2_epoch_1.json` and `samples/1_epoch_1.json` are the same sample and epoch.",
    )


def test_hostile_words_are_stored_as_they_are(project, tmp_path):
    words = "<script>alert(1)</script> {{ 7*7 }} '; drop table scores; --"
    import_traces(project, log(tmp_path / "a.eval", sample(input=words, scores={words: {"value": words}})))
    found = scores(project)
    assert (found.criterion.item(), found.category.item()) == (words, words)


def test_a_lone_surrogate_does_not_cost_the_import(project, tmp_path):
    import_traces(
        project, log(tmp_path / "a.eval", sample(input="a\ud800b", messages=[{"role": "user", "content": "\ud800"}]))
    )
    assert project.store.df("select content from records").content.item() == "a\ufffdb"
