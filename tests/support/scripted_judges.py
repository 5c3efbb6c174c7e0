"""Fixtures: judges whose answers a test writes, and runs of them."""

from __future__ import annotations

import json

import pytest

import buttermilk_nb as bm


@pytest.fixture
def write_scripts(tmp_path):
    """Write the lines of a voice: `scripts(careful=[...])`."""
    folder = tmp_path / "scripts"
    folder.mkdir()

    def write(**voices):
        for voice, lines in voices.items():
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            (folder / f"{voice}.jsonl").write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def calm():
    """One yes/no question whose finding is `no`."""
    return bm.Criteria("calm", "Is the text calm?", flag="no", non_answers=["cannot tell"])


@pytest.fixture
def verdict():
    """A line with a judge's answer on `calm`."""

    def line(record_id, answer, *reasons, replicate=0, task="judge", conclusion="So it is."):
        entry = {"reasons": list(reasons), "conclusion": conclusion, "answer": answer, "uncertainty": "low"}
        whole = {"criteria": {"calm": entry}}
        return {"task": task, "record_id": record_id, "criteria": "calm", "replicate": replicate, "answer": whole}

    return line


@pytest.fixture
def run_three_judges(tmp_path, write_scripts, verdict, calm):
    """Three judges on two records: they disagree on r0 (yes, yes, no) and agree on r1; a function that runs steps."""
    folder = write_scripts(
        ana=[verdict("r0", "yes", "Nobody shouts."), verdict("r1", "no", "It ends in a row.")],
        ben=[verdict("r0", "yes", "The voices are low."), verdict("r1", "no", "A chair flies.")],
        cy=[verdict("r0", "no", "The door is slammed."), verdict("r1", "no", "Somebody screams.")],
        reader=[],
    )

    def run(*steps, reader=(), reasons=None, replicates=1, **options):
        path = folder / "reader.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in (*reader, verdict("nobody", "yes"))), "utf-8")
        voices = ["scripted/ana", "scripted/ben", "scripted/cy"]
        project = bm.init("over", path=tmp_path / "project", models=voices, scripted=folder)
        known_reasons = {"calm": tuple(reasons)} if reasons else {}
        records = [
            bm.Record(record_id="r0", content="A door was heard.", expert_reasons=known_reasons),
            bm.Record(record_id="r1", content="It was loud.", expert_reasons=known_reasons),
        ]
        judge = bm.Judge("judge", criteria=calm, replicates=replicates)
        flow = bm.Flow("over", [judge, *steps])
        run = flow.run(bm.Corpus(records), **options)
        run.definition = flow
        run.client = project.client
        return run

    return run


@pytest.fixture
def run_judges(tmp_path, write_scripts):
    """Run a judge and other steps: `run_judges(criteria, {"ana": lines}, records, *steps, readers={"bo": lines})`."""

    def run(criteria, voices, records, *steps, readers=(), replicates=1, **options):
        folder = write_scripts(**voices, **dict(readers))
        models = [f"scripted/{voice}" for voice in voices]
        project = bm.init("run-over", path=tmp_path / "run-over", models=models, scripted=folder)
        judge = bm.Judge("judge", criteria=criteria, replicates=replicates)
        run = bm.Flow("run-over", [judge, *steps]).run(bm.Corpus(records), **options)
        run.client = project.client
        return run

    return run


@pytest.fixture
def step_messages():
    """The text that each call of a step sent to the model, with its record."""

    def texts(run, step):
        calls = run.calls()
        mine = calls[calls.step == step]
        texts = ["\n".join(m["content"] for m in json.loads(text)["messages"]) for text in mine.request]
        return list(zip(mine.record_id, texts, strict=True))

    return texts
