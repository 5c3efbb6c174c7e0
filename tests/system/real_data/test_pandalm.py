"""The recorded verdicts of two models on PandaLM's pairs, imported as scores: what is unusable is counted."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from support.paths import SHARED

import buttermilk_nb as bm
from buttermilk_nb.agents.pairwise.parse_choice import parse_choice
from buttermilk_nb.project import session
from buttermilk_nb.store.importers import import_traces

DATA = SHARED / "pandalm"
BETTER = bm.Criteria("better", "Which response is better?", scale="first | second | tie")
NAMES = ("Response 1", "Response 2")
MODELS = {"gpt-3.5-turbo": "gpt", "pandalm-7b": "pandalm"}
PEOPLE = {1: "first", 2: "second", 0: "tie"}


def data(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"../shared/data/pandalm/{name} is not here; it is used for checking with real corpora only")
    return json.loads(path.read_text(encoding="utf-8"))


def read(verdict):
    """A recorded verdict as an answer, and its status; 0 is how one of the files writes a tie."""
    try:
        return parse_choice("tie" if verdict == 0 else str(verdict), NAMES), "ok"
    except bm.errors.InvalidAnswer:
        return None, "invalid"


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    """Both models and the majority of the three people, as ratings of a project."""
    pairs = data("testset-v1.json")
    rows = []
    for model, short in MODELS.items():
        for one in data(f"{model}-testset-v1.json"):
            category, status = read(one[f"{short}_result"])
            rows.append(
                {"record_id": str(one["idx"]), "judge": "recorded", "model": model, "criterion": "better",
                 "category": category, "status": status, "reasons": one[f"{short}_reason"]}
            )  # fmt: skip
    for one in pairs:
        said = Counter(PEOPLE[one[f"annotator{n}"]] for n in (1, 2, 3)).most_common(1)[0]
        if said[1] > 1:
            rows.append(
                {"record_id": str(one["idx"]), "judge": "people", "model": None, "criterion": "better",
                 "category": said[0], "status": "ok", "reasons": None}
            )  # fmt: skip
    project = bm.init("pandalm", path=tmp_path_factory.mktemp("pandalm"), models=["offline/strict"])
    imported = import_traces(project, rows, name="pandalm", criteria=BETTER)
    found = bm.ratings()
    session.close()
    return imported, found


def test_every_recorded_verdict_is_there_and_twenty_five_are_unusable(ratings):
    imported, found = ratings
    models = found[found.model.isin(MODELS)]
    assert imported.statuses["invalid"] == 25
    assert models.groupby(["model", "status"]).size().to_dict() == {
        ("gpt-3.5-turbo", "invalid"): 25,
        ("gpt-3.5-turbo", "ok"): 974,
        ("pandalm-7b", "ok"): 999,
    }
    assert models.groupby("model").category.value_counts().to_dict() == {
        ("gpt-3.5-turbo", "first"): 460, ("gpt-3.5-turbo", "second"): 476, ("gpt-3.5-turbo", "tie"): 38,
        ("pandalm-7b", "first"): 433, ("pandalm-7b", "second"): 459, ("pandalm-7b", "tie"): 107,
    }  # fmt: skip


def truth(found):
    return found.coder[found.judge == "people"].iloc[0]


def test_the_majority_of_three_people_is_as_published(ratings):
    people = ratings[1].query("judge == 'people'")
    assert people.category.value_counts().to_dict() == {"second": 472, "first": 422, "tie": 105}


def test_what_is_unusable_counts_against_the_planned_cells(ratings):
    found = bm.metrics(ratings[1], truth=truth(ratings[1]), n_boot=20)
    accuracy = found[found.metric == "accuracy"].set_index(["coder", "basis"])
    gpt = accuracy.loc["recorded · gpt-3.5-turbo"]
    assert gpt.loc["answered", "n"] == 974
    assert gpt.loc["planned", "n"] == 999
    assert gpt.loc["planned", "value"] == pytest.approx(gpt.loc["answered", "value"] * 974 / 999)


def test_non_answers_are_shown_by_what_people_said(ratings):
    found = bm.non_answers(ratings[1], truth=truth(ratings[1]))
    gpt = found[found.coder == "recorded · gpt-3.5-turbo"]
    assert gpt.n_without.sum() == 25
    assert gpt.n.sum() == 999
