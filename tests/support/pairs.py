"""Pairs, a question about them, and models that answer it: each test in an empty folder of its own."""

from __future__ import annotations

import json

import pytest
from support.chat_server import ChatServer

import buttermilk_nb as bm
from buttermilk_nb.project import session


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session.close()
    yield
    session.close()


@pytest.fixture
def kinder():
    """A question whose cues speak for kindness and against it."""
    return bm.Criteria("kinder", "Which text is kinder?", cues={"yes": ["thank*", "please"], "no": ["damn"]})


@pytest.fixture
def greetings():
    """Three pairs: the first is kinder, the second is, and neither is."""
    return bm.Corpus(
        [
            bm.Record.pair("Thank you, please come in.", "Damn you.", record_id="p1", ground_truth={"kinder": "first"}),
            bm.Record.pair("Oh.", "Please stay.", record_id="p2", ground_truth={"kinder": "second"}),
            bm.Record.pair("Hello.", "Good day.", record_id="p3", ground_truth={"kinder": "tie"}),
        ]
    )


@pytest.fixture
def run_pairs(tmp_path, greetings):
    """Run one step over pairs: `run_pairs(step, models, corpus)`."""

    def run(step, *models, corpus=greetings, **options):
        given = {key: options.pop(key) for key in ("scripted",) if key in options}
        bm.init("pairs", path=tmp_path / "pairs", models=list(models or ["offline/strict"]), **given)
        return bm.Flow("pairs", list(step) if isinstance(step, tuple) else [step]).run(corpus, **options)

    return run


@pytest.fixture
def server(monkeypatch):
    """A real chat server on loopback."""
    made = ChatServer()
    made.start()
    monkeypatch.setenv("HOSTED_VLLM_API_BASE", made.base)
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", "sk-planted-key-123")
    yield made
    made.stop()


@pytest.fixture
def chose():
    """A model's JSON that names a text."""

    def text(answer):
        entry = {"reasons": ["It says so."], "conclusion": "Plain.", "answer": answer, "uncertainty": "low"}
        return json.dumps({"criteria": {"kinder": entry}})

    return text
