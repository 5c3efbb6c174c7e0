"""Fixtures: pairs of texts, a question about them, and models that answer it."""

from __future__ import annotations

import json

import pytest

import buttermilk_nb as bm


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
        settings = {key: options.pop(key) for key in ("scripted",) if key in options}
        bm.init("pairs", path=tmp_path / "pairs", models=list(models or ["offline/strict"]), **settings)
        return bm.Flow("pairs", list(step) if isinstance(step, tuple) else [step]).run(corpus, **options)

    return run


@pytest.fixture
def choice_reply():
    """A model's JSON that names a text."""

    def text(answer):
        entry = {"reasons": ["It says so."], "conclusion": "Plain.", "answer": answer, "uncertainty": "low"}
        return json.dumps({"criteria": {"kinder": entry}})

    return text
