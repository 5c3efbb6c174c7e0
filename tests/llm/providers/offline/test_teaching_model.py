"""The teaching model: the truth, with error of a known kind, the same each time."""

import pytest

from buttermilk_nb.codebook.criteria import Criteria
from buttermilk_nb.codebook.criterion import Criterion
from buttermilk_nb.corpus.record import Record
from buttermilk_nb.errors import SkippedCell
from buttermilk_nb.llm.offline_input import OfflineInput
from buttermilk_nb.llm.registry import make_model

N = 2_000


def records(*codes):
    return [Record(record_id=str(i), content="x", ground_truth={"*": codes[i % len(codes)]}) for i in range(N)]


def answers(name, items, criterion, replicate=0):
    model = make_model(name)
    return [model.answer(record, criterion, replicate)["answer"] for record in items]


@pytest.mark.parametrize(
    ("scale", "codes"),
    [
        ("yes/no", ("yes", "no")),
        ("a | b | c", ("a", "b", "c")),
        ("1-5", (1, 3, 5)),
        ("0..1", (0.2, 0.5)),
        ("labels: a | b", (["a"], [])),
    ],
)
@pytest.mark.parametrize("accuracy", [0.6, 0.9, 1.0])
def test_it_is_right_as_often_as_it_was_told_to_be(scale, codes, accuracy):
    criterion, items = Criterion(name="c", question="?", scale=scale), records(*codes)
    given = answers(f"offline/teaching?accuracy={accuracy}&seed=3", items, criterion)
    right = sum(criterion.parse(a) == criterion.parse(r.ground_truth["*"]) for a, r in zip(given, items, strict=True))
    assert abs(right / N - accuracy) < 0.035
    assert right == N or accuracy < 1


def test_it_answers_the_same_each_time_and_otherwise_with_another_seed_or_replicate():
    criterion, items = Criterion(name="c", question="?"), records("yes", "no")[:200]
    name = "offline/teaching?accuracy=.7&seed=1"
    first = answers(name, items, criterion)
    assert first == answers(name, items, criterion)
    assert first != answers("offline/teaching?accuracy=.7&seed=2", items, criterion)
    assert first != answers(name, items, criterion, replicate=1)


@pytest.mark.parametrize(("bias", "share"), [(0.5, 0.75), (-0.5, 0.25), (1, 1.0), (-1, 0.0)])
def test_bias_turns_that_share_of_answers_into_the_finding_or_away_from_it(bias, share):
    criterion = Criterion(name="c", question="?", flag="no")
    given = answers(f"offline/teaching?accuracy=1&bias={bias}", records("yes", "no"), criterion)
    assert abs(given.count("no") / N - share) < 0.035


@pytest.mark.parametrize("scale", ["yes/no", "1-5", "0..1", "labels: a | b", "a | b"])
def test_a_truth_that_is_a_non_answer_is_given_as_one(scale):
    criterion = Criterion(name="c", question="?", scale=scale, non_answers=["cannot tell"])
    assert set(answers("offline/teaching?accuracy=1", records("cannot tell")[:20], criterion)) == {"cannot tell"}


def test_without_a_truth_the_cell_is_skipped():
    with pytest.raises(SkippedCell, match="record `r` has no true answer"):
        make_model("offline/teaching").answer(Record(record_id="r", content="x"), Criterion(name="c", question="?"), 0)


def test_a_truth_that_is_not_on_the_scale_skips_the_cell():
    with pytest.raises(SkippedCell, match="the truth of record `0`: the answer 'maybe' is not one of: yes, no"):
        make_model("offline/teaching").answer(records("maybe")[0], Criterion(name="c", question="?"), 0)


def test_its_key_changes_with_the_truth_and_that_of_a_dictionary_with_the_cues():
    plain, cued = Criteria("c", "?"), Criteria("c", "?", cues=["x"])
    one, two = (Record(record_id="r", content="x", ground_truth={"*": code}) for code in ("yes", "no"))
    teaching, strict = make_model("offline/teaching"), make_model("offline/strict")
    assert teaching.key_parts(OfflineInput(one, plain)) != teaching.key_parts(OfflineInput(two, plain))
    assert (
        strict.key_parts(OfflineInput(one, plain))
        == strict.key_parts(OfflineInput(two, plain))
        != strict.key_parts(OfflineInput(one, cued))
    )


def test_it_says_what_it_is():
    assert "not a language model" in repr(make_model("offline/teaching?accuracy=.8"))
