"""A scorer is checked by people who see neither whose answer it is nor what the scorer said."""

import pytest

import buttermilk_nb as bm
from buttermilk_nb.human_coding.labels import keep_labels, make_label
from buttermilk_nb.human_coding.scorer_validation import (
    MATCHED,
    scorer_validation_corpus,
    scorer_validation_criteria,
    scorer_validation_ratings,
)


@pytest.fixture
def run(tmp_path):
    criteria = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["slammed", "shouted"]})
    bm.init("matching", path=tmp_path / "project", models=["offline/strict", "offline/lenient"])
    records = [
        bm.Record(
            record_id="a", content="Doors were slammed hard.", expert_reasons={"calm": ("doors are slammed", "noise")}
        ),
        bm.Record(record_id="b", content="“Out!” he shouted.", expert_reasons={"calm": ("somebody shouted",)}),
    ]
    steps = [bm.Judge("judge", criteria=criteria), bm.Scorer("score", of="judge", models="offline/strict")]
    return bm.Flow("matching", steps).run(bm.Corpus(records))


def coded(run, answers, coder="kf"):
    """Let somebody code the texts so."""
    criteria, texts = scorer_validation_criteria(), scorer_validation_corpus(run)
    for text, answer in zip(texts, answers, strict=True):
        label = make_label(criteria[MATCHED], criteria, text, coder=coder, answer=answer, source="form", blind=True)
        keep_labels(run.project, [label], records=[text], documents=[criteria])


def test_each_reason_and_answer_is_a_text_that_names_nobody(run):
    texts = scorer_validation_corpus(run)
    assert len(run.assessments()) == 6
    assert len(texts) == 3, "both judges say the same"
    assert {text.cluster for text in texts} == {"a", "b"}
    for text in texts:
        assert text.content.startswith("THE EXPERT'S REASON\n")
        assert "offline" not in text.content + text.record_id
        assert not text.ground_truth
        assert not text.labels


def test_the_same_run_gives_the_same_texts(run):
    again = bm.Corpus(list(scorer_validation_corpus(run)))
    assert [text.record_hash for text in again] == [text.record_hash for text in scorer_validation_corpus(run)]


def test_scorer_and_people_are_coders_of_the_same_texts(run):
    scorer = scorer_validation_ratings(run)
    assert scorer.coder.unique().tolist() == ["score · offline/strict"]
    answers = scorer.set_index("record_id").category
    coded(run, [answers[text.record_id] for text in scorer_validation_corpus(run)])
    found = bm.agreement(scorer_validation_ratings(run), coefficients=["percent_agreement"], n_boot=20).iloc[0]
    assert found.comparison == "kf ~ score · offline/strict"
    assert (found.value, found.n_units, found.n_clusters) == (1.0, 3, 2)


def test_people_who_see_it_otherwise_show(run):
    opposite = {"yes": "no", "no": "yes"}
    answers = scorer_validation_ratings(run).set_index("record_id").category
    coded(run, [opposite[answers[text.record_id]] for text in scorer_validation_corpus(run)])
    assert (
        bm.agreement(scorer_validation_ratings(run), coefficients=["percent_agreement"], n_boot=20).value.iloc[0] == 0
    )


def test_their_codes_do_not_stand_in_the_ratings_of_the_run(run):
    coded(run, ["yes"] * 3)
    assert set(run.ratings().kind) == {"instrument"}


def test_who_forgets_an_article_forgets_what_was_made_of_it(run):
    coded(run, ["yes"] * 3)
    run.project.evidence.forget(record_id="a")
    left = bm.sql("select content from records")
    assert not left.content.str.contains("slammed").any()
    assert left.content.str.contains("shouted").any()


def test_a_run_without_a_scorer_says_how_to_get_one(tmp_path):
    bm.init("none", path=tmp_path / "none", models=["double/answer"])
    judge = bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?"))
    run = bm.Flow("none", judge).run(bm.Corpus([bm.Record(record_id="a", content="A door.")]))
    with pytest.raises(bm.SetupError, match="bm.Scorer"):
        scorer_validation_corpus(run)


def test_the_form_opens_on_a_run(run, monkeypatch):
    from buttermilk_nb._internal import hooks

    opened = []
    monkeypatch.setattr(hooks, "get_hook", lambda name: lambda session, note: opened.append(session))
    bm.coding_form(run, over="assessments", coder="kf")
    assert opened[0].progress.left == 3
    with pytest.raises(bm.SetupError, match="checks the scorer of a run"):
        bm.coding_form(scorer_validation_corpus(run), over="assessments", coder="kf")
    with pytest.raises(bm.SetupError, match="criteria is missing"):
        bm.coding_form(scorer_validation_corpus(run), coder="kf")
