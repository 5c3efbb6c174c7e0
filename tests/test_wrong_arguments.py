"""Every public function, called with a first argument of a wrong kind, answers with a sentence."""

import inspect
import warnings

import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.errors import ButtermilkError

WRONG = [3, None, "no such thing", [1], {}, object()]
VALUES = {"Project", "Run", "Scale", "Criterion", "Prompt", *(kind.__name__ for kind in bm.Scale.kinds.values())}
"""Classes that take keywords only, which pydantic checks by name; and what `init` and `flow.run` make."""
FUNCTIONS = [
    name
    for name in bm.__all__
    if callable(thing := getattr(bm, name))
    and name not in VALUES
    and not (inspect.isclass(thing) and issubclass(thing, BaseException))
    and inspect.signature(thing).parameters
]


@pytest.fixture(autouse=True)
def nobody_types(monkeypatch, offline_project):
    monkeypatch.setattr("getpass.getpass", lambda prompt: "")


def test_a_wrong_first_argument_is_a_sentence():
    failures = {}
    for name in FUNCTIONS:
        sentences, raw = _call_wrongly(getattr(bm, name))
        unfinished = [text for text in sentences if text.rstrip()[-1:] not in (".", "?", "`", ")")]
        takes_anything = not sentences and name not in ("trust", "labels", "ratings")
        if raw or unfinished or takes_anything:
            failures[name] = [*raw, *unfinished, *(["it takes anything"] if takes_anything else [])]
    assert failures == {}


def _call_wrongly(thing):
    """The sentences and the raw errors with which a function answers."""
    parameters = list(inspect.signature(thing).parameters.values())
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    n_needed = sum(p.default is p.empty for p in positional)
    keywords = {p.name: "x" for p in parameters if p.kind == p.KEYWORD_ONLY and p.default is p.empty}
    sentences, raw = [], []
    for wrong in WRONG:
        arguments = [wrong] * max(1, n_needed) if positional else []
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                thing(*arguments, **keywords)
        except ButtermilkError as error:
            sentences.append(str(error))
        except Exception as error:  # noqa: BLE001  # what must not come
            raw.append(f"{wrong!r}: {error!r}")
    return sentences, raw


def test_a_misspelt_argument_is_a_sentence_that_names_it():
    failures = {}
    for name in sorted({*FUNCTIONS} - {"Image"}):  # pydantic reads the fields of an image
        try:
            getattr(bm, name)(not_a_name=3)
            failures[name] = "no error"
        except ButtermilkError as error:
            if "`not_a_name`" not in str(error) and name != "Record":  # a record's fields are checked last
                failures[name] = str(error)
        except Exception as error:  # noqa: BLE001  # what must not come
            failures[name] = repr(error)
    assert failures == {}


def test_arguments_that_are_too_many_or_missing_are_sentences():
    with pytest.raises(bm.SetupError, match=r"no (argument|field) `critera`; did you mean `criteria`\?"):
        bm.Judge("judge", critera=None)
    with pytest.raises(bm.SetupError, match=r"`Judge` takes 1 argument without a name; name .* `criteria=...`"):
        bm.Judge("judge", "tone.md")
    with pytest.raises(bm.SetupError, match=r"`Flow` needs the argument `steps`"):
        bm.Flow("tone")
    with pytest.raises(bm.SetupError, match=r"`Flow` was given `name` twice"):
        bm.Flow("tone", [], name="other")


def test_a_new_project_beside_one_of_almost_the_same_name_is_a_question(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bm.init("press-tone")
    assert "did you mean bm.init('press-tone')?" in str(bm.init("press-tnoe").notes)
    assert "did you mean" not in str(bm.init("elections").notes)


def test_a_position_outside_a_corpus_names_its_length():
    corpus = bm.load(["One.", "Two."])
    with pytest.raises(IndexError, match=r'the corpus has 2 records, counted from 0\..* write corpus\["99"\]'):
        corpus[99]
    assert len(list(corpus)) == 2


def test_a_frame_given_to_a_judge_says_what_it_left_out(offline_project):
    criteria = bm.Criteria("calm", "Is it calm?", cues={"no": ["row"]})
    frame = pd.DataFrame({"id": ["a", "b"], "text": ["A row.", "Quiet."]})
    with pytest.warns(UserWarning, match="`id` looks like the id of each record"):
        bm.Judge("judge", criteria=criteria)(frame)


def test_the_public_functions_are_many():
    assert len(FUNCTIONS) > 60


def test_a_run_is_as_good_as_its_ratings(offline_project):
    criteria = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["row"]})
    records = [
        bm.Record(record_id=f"r{n}", content="A row." if n % 2 else "Quiet.", labels={"ana": {"calm": "no"}},
                  ground_truth={"calm": "yes"})
        for n in range(6)
    ]  # fmt: skip
    run = bm.Flow("tone", [bm.Judge("judge", criteria=criteria)]).run(bm.Corpus(records))
    assert bm.agreement(run, n_boot=10).equals(bm.agreement(run.ratings(), n_boot=10))
    assert bm.metrics(run).equals(bm.metrics(run.ratings()))
    assert len(bm.non_answers(run))
    assert len(bm.disagreements(run))


def test_what_is_most_often_written_wrongly_has_an_answer(offline_project):
    corpus = bm.Corpus([bm.Record(record_id=f"r{n}", content=f"Text {n}.") for n in range(4)])
    codes = [("r0", "calm", "ana", "yes"), ("r0", "calm", "ben", "no"), ("r1", "calm", "ana", "yes"),
             ("r1", "calm", "ben", "yes")]  # fmt: skip
    ratings = pd.DataFrame(codes, columns=["record_id", "criterion", "coder", "category"])
    with pytest.raises(bm.SetupError, match=r'truth="ana"'):
        bm.metrics(ratings)
    with pytest.raises(bm.SetupError, match="seed"):
        bm.draw_sample(corpus, 2)
    with pytest.raises(AttributeError, match=r"no `scores`; a run has it: run\.scores\(\)"):
        bm.scores()
    with pytest.raises(AttributeError, match=r"did you mean bm\.agreement"):
        bm.agrement(ratings)
    with pytest.raises(bm.SetupError, match=r"choose one without / \?"):
        bm.init("press/tone?")
    with pytest.raises(bm.SetupError, match=r"needs the dataframe that bm\.agreement\(\.\.\.\) returns"):
        bm.plot_agreement(ratings)


@pytest.mark.parametrize("path", ["a\0b", "x" * 300, "x/" * 2_000, "/" + "y" * 5_000])
def test_a_path_that_no_system_knows_is_a_sentence(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    project = bm.init("paths")
    readers = [
        bm.Criteria.from_file, bm.Prompt.from_file, bm.Flow.from_yaml, bm.Image.from_file, project.cache.import_,
        lambda path: bm.load(path, content="text"), lambda path: project.evidence.import_traces(path),
    ]  # fmt: skip
    for read in readers:
        with pytest.raises(bm.SetupError):
            read(path)
