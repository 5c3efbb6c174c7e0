"""What the offline baselines write where a prompt asks for free text: the first sentence, and that it is only that."""

from __future__ import annotations

import pytest

import buttermilk_nb as bm


@pytest.fixture(autouse=True)
def project(offline_project):
    return offline_project


def gist(model="offline/strict", prompt="In a sentence: {{ record.content }}"):
    return bm.Agent("gist", prompt=prompt, models=model)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("They met. They left.", "They met."), ("No end here", "No end here"), ("Really?! Yes.", "Really?!"),
        ("One line\nand another. Two.", "One line and another."), ("これは文です。次の文。", "これは文です。"),
        ("word " * 500, ("word " * 200).strip()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("model", ["offline/strict", "offline/lenient"])
def test_it_is_the_first_sentence_and_says_what_it_is(text, first, model):
    (output,) = gist(model)(text).output
    assert output == f"Rule-based baseline, not a language model. The first sentence of the text: {first}"


def test_a_step_that_reads_it_runs_too():
    reader = bm.Agent("title", prompt="A title for {{ inputs.gist }}", models="offline/strict")
    run = bm.Flow("study", [gist(), bm.Step(reader, needs="gist")]).run(["They met. They left."])
    assert run.counts == {"ok": 2}


def test_a_second_run_takes_it_from_the_cache():
    gist()("They met.")
    gist()("They met.")
    assert bm.last_run().calls().cached.all()


def test_the_simulated_coder_is_still_skipped():
    gist("offline/teaching")("They met.")
    assert bm.last_run().counts == {"skipped": 1}
