"""Anything that predicts is a judge beside the others."""

import pytest

import buttermilk_nb as bm

CALM = bm.Criteria("calm", "Is the text calm?", flag="no", cues={"no": ["shouted"]})


def shouting(text):
    return "no" if "!" in text else "yes"


class Fitted:
    """What a fitted pipeline looks like from outside."""

    def predict(self, texts):
        import numpy as np

        return np.array([shouting(text) for text in texts])


@pytest.mark.parametrize("predict", [shouting, Fitted()], ids=["function", "estimator"])
def test_its_answers_are_scores_in_the_same_frames_and_statistics(offline_project, short_texts, predict):
    judge = bm.Judge("judge", criteria=CALM)
    run = bm.Flow("both", [judge, bm.Classifier("marks", predict, criteria=CALM, version="1")]).run(short_texts)
    scores = run.scores().set_index(["judge", "record_id"])
    assert scores.loc["marks", "category"].to_dict() == {"r0": "no", "r1": "yes", "r2": "no"}
    assert scores.loc["marks", "flagged"].tolist() == [True, False, True]
    assert set(run.ratings().coder) == {"judge · offline/strict", "marks · classifier/marks"}
    percent = bm.agreement(run.ratings(), coefficients=["percent_agreement"], n_boot=20)
    assert percent.value.iloc[0] == pytest.approx(2 / 3)
    assert run.calls().step.unique().tolist() == ["judge"], "it makes no call"


def test_several_criteria_are_answered_by_a_mapping(offline_project, short_texts):
    calm, long = {"question": "Is it calm?"}, {"question": "How long?", "scale": "1-5"}
    both = bm.Criteria("desk", "Two.", criteria={"calm": calm, "long": long})
    predict = {"A door slammed!": {"calm": "no", "long": 1}}.get
    run = bm.Flow("two", bm.Classifier("two", lambda text: predict(text, {"calm": "yes"}), criteria=both)).run(
        short_texts
    )
    found = run.scores().pivot(index="record_id", columns="criterion", values=["category", "status"])
    assert found["status"].to_numpy().tolist() == [["ok", "ok"], ["ok", "invalid"], ["ok", "invalid"]]
    assert found["category"]["calm"].tolist() == ["no", "yes", "yes"]
    assert "`long`: the classifier returned no answer to it" in run.errors().error_message[0]


def test_an_answer_that_is_not_on_the_scale_is_invalid_and_one_that_fails_an_error(offline_project, short_texts):
    def odd(text):
        if "door" in text:
            return "perhaps"
        if "quiet" in text:
            raise ValueError("no vocabulary")
        return "no"

    run = bm.Flow("odd", bm.Classifier("odd", odd, criteria=CALM)).run(short_texts)
    assert run.counts == {"ok": 1, "invalid": 1, "error": 1}
    assert run.scores().set_index("record_id").status.to_dict() == {"r0": "invalid", "r1": "error", "r2": "ok"}
    errors = run.errors().set_index("record_id")
    assert errors.loc["r0", "raw_text"] == "perhaps"
    assert "no vocabulary" in errors.loc["r1", "error_message"]


def test_changed_code_is_another_instrument_and_so_is_another_version(offline_project, short_texts):
    def designs(**options):
        run = bm.Flow("one", bm.Classifier("one", criteria=CALM, **options)).run(short_texts)
        return set(run.scores().design_id)

    first = designs(predict=shouting)
    assert designs(predict=shouting) == first
    assert not first & designs(predict=lambda text: "yes")
    assert not designs(predict=shouting, version="1") & designs(predict=shouting, version="2")


def test_an_estimator_needs_a_version_and_what_predicts_nothing_is_refused():
    with pytest.raises(bm.SetupError, match="give the version of the estimator"):
        bm.Classifier("fitted", Fitted(), criteria=CALM)
    with pytest.raises(bm.SetupError, match="cannot predict"):
        bm.Classifier("list", ["no"], criteria=CALM)


def test_a_flow_file_names_it_and_never_holds_it(offline_project, short_texts):
    made = bm.Classifier("marks", shouting, criteria=CALM, version="1")
    text = bm.Flow("file", made).to_yaml()
    assert "shouting" not in text
    assert bm.Flow.from_yaml(text).steps[0].agent is made
    with pytest.raises(bm.SetupError, match="written for version 2"):
        bm.Flow.from_yaml(text.replace("code_version: '1'", "code_version: '2'"))
    with pytest.raises(bm.SetupError, match="a file never runs code"):
        bm.Flow.from_yaml(text.replace("marks", "other"))


def test_a_synthesiser_and_a_panel_read_it_like_any_judge(offline_project, short_texts):
    steps = [
        bm.Judge("judge", criteria=CALM),
        bm.Classifier("marks", shouting, criteria=CALM),
        bm.Panel("panel", of=["judge", "marks"]),
        bm.Synthesiser("synth", of=["judge", "marks"], models="offline/strict"),
    ]
    scores = bm.Flow("all", steps).run(short_texts).scores().set_index(["judge", "record_id"])
    assert scores.loc["panel", "status"].to_dict() == {"r0": "skipped", "r1": "ok", "r2": "ok"}
    assert scores.loc["synth", "category"].to_dict() == {"r0": "no", "r1": "yes", "r2": "no"}


@pytest.mark.parametrize("kind", ["bool_", "str_"])
def test_what_numpy_gives_is_read_as_what_it_means(offline_project, short_texts, kind):
    import numpy as np

    values = {"bool_": lambda text: np.bool_("!" not in text), "str_": lambda text: np.str_(shouting(text))}
    run = bm.Flow("numpy", bm.Classifier("numpy", values[kind], criteria=CALM, version="1")).run(short_texts)
    assert run.scores().category.tolist() == ["no", "yes", "no"]
