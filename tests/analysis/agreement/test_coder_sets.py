"""Who has read the others is no independent coder."""

import pandas as pd
import pytest

import buttermilk_nb as bm

CODES = {"a": "yyyynnnnyn" * 4, "b": "yynynnnyyn" * 4, "c": "ynyynnynyn" * 4}


@pytest.fixture
def ratings():
    """Three judges of step `judge`, a synthesiser that is the third's double, a panel, and a person."""
    rows = []
    for coder, step, reads, codes in (
        ("judge · a", "judge", None, CODES["a"]),
        ("judge · b", "judge", None, CODES["b"]),
        ("judge · c", "judge", None, CODES["c"]),
        ("synth · x", "synth", "judge", CODES["a"]),
        ("panel · majority", "panel", "judge", CODES["a"]),
        ("kim", None, None, CODES["b"]),
    ):
        for place, code in enumerate(codes):
            answer = {"y": "yes", "n": "no"}[code]
            rows.append((f"r{place}", "calm", coder, "instrument" if step else "human", answer, step, reads))
    return pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "kind", "category", "judge", "input_models"])


def alpha(frame):
    return frame[frame.coefficient == "Krippendorff's alpha"].drop_duplicates("comparison").set_index("comparison")


def test_readers_stay_out_of_what_is_pooled(ratings):
    found = alpha(bm.agreement(ratings, n_boot=20))
    alone = alpha(bm.agreement(ratings[ratings.input_models.isna()], n_boot=20))
    assert found.loc["instruments", "n_coders"] == 3
    assert found.loc["all coders", "n_coders"] == 4
    for pooled in ("instruments", "all coders"):
        assert found.loc[pooled, "value"] == alone.loc[pooled, "value"]


def test_pairs_with_what_they_have_read_are_marked_and_others_are_not(ratings):
    found = alpha(bm.agreement(ratings, n_boot=20))
    assert found.loc["judge · a ~ synth · x", "dependent"]
    assert "has seen the other's answers" in found.loc["judge · a ~ synth · x", "note"]
    assert found.loc["panel · majority ~ synth · x", "dependent"], "both have read the same"
    assert not found.loc["judge · a ~ judge · b", "dependent"]
    assert not found.loc["kim ~ synth · x", "dependent"]


def test_readers_alone_are_compared_as_any_others(ratings):
    two = ratings[ratings.coder.isin(["synth · x", "kim"])]
    assert not alpha(bm.agreement(two, n_boot=20)).dependent.any()


def test_a_run_says_who_has_read_whom_through_all_steps_and_leaves_out_who_gives_no_answers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    criteria = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["door"]})
    bm.init("readers", path=tmp_path / "readers", models=["offline/strict", "offline/lenient"])
    one = "offline/strict"
    flow = bm.Flow(
        "readers",
        [
            bm.Judge("judge", criteria=criteria),
            bm.Synthesiser("synth", of="judge", models=one),
            bm.Panel("panel", of=["synth", "judge"]),
            bm.Differences("differences", of="judge", models=one),
            bm.Scorer("score", of="judge", models=one),
        ],
    )
    records = [bm.Record(record_id="r", content="A door.", expert_reasons={"calm": ("The door slams.",)})]
    ratings = flow.run(bm.Corpus(records)).ratings()
    read = ratings.drop_duplicates("judge").set_index("judge").input_models
    assert read.dropna().to_dict() == {"panel": "judge, synth", "synth": "judge"}
    assert set(read.index) == {"judge", "panel", "synth"}
    assert (
        bm.ratings().drop_duplicates("judge").set_index("judge").input_models.dropna().to_dict()
        == read.dropna().to_dict()
    )


def test_cells_that_are_still_to_do_count_for_judges_and_not_for_readers_of_differences(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    criteria = bm.Criteria("calm", "Is it calm?", flag="no")
    bm.init("pending", path=tmp_path / "pending", models=["double/slow?seconds=30"], grace_s=0)
    flow = bm.Flow("pending", [bm.Judge("judge", criteria=criteria), bm.Differences("differences", of="judge")])
    with pytest.raises(bm.errors.RunStopped):
        flow.run(bm.Corpus([bm.Record(record_id="r", content="A door.")]), time_limit_s=0.2)
    assert bm.last_run().ratings().judge.unique().tolist() == ["judge"]
