"""The dictionary method: which cues stand in a text, and what the two offline models make of them."""

import itertools

import pytest
from hypothesis import given, settings, strategies as st

from buttermilk_nb.codebook.criteria import Criteria
from buttermilk_nb.codebook.criterion import Criterion
from buttermilk_nb.corpus.record import Record
from buttermilk_nb.errors import SetupError, SkippedCell
from buttermilk_nb.llm.providers.offline.dictionary import Cues
from buttermilk_nb.llm.registry import make_model


def found(cue, text):
    return [text[hit.start : hit.end] for hit in Cues({"yes": [cue]}).find(text)]


def negated(text, cue="vermin"):
    return [hit.negated for hit in Cues({"yes": [cue]}).find(text)]


def answered(model, text, **fields):
    criterion = Criterion(name="c", question="?", **fields)
    return make_model(model).answer(Record(record_id="r", content=text), criterion, 0)


def answers(text, **fields):
    """What strict and lenient say."""
    return tuple(answered(f"offline/{name}", text, **fields)["answer"] for name in ("strict", "lenient"))


@pytest.mark.parametrize(
    ("cue", "text", "hits"),
    [
        ("swarm*", "They swarmed. Swarms! A swarm.", ["swarmed", "Swarms", "swarm"]),
        ("swarm", "They swarmed.", []),
        ("art", "party smart art ART", ["art", "ART"]),
        ("these people", "These\n people", ["These\n people"]),
        ("riff-raff", "Such riff-raff!", ["riff-raff"]),
        ("c++", "He writes C++.", ["C++"]),
        ("निकम्मा", "वह निकम्मा है।", ["निकम्मा"]),
        ("काम", "कामचोर कामों काम", ["काम"]),
        ("काम*", "कामचोर", ["कामचोर"]),
        ("غوغاء", "هم غوغاء.", ["غوغاء"]),
        ("غوغاء", "الغوغاء", []),
        ("寄生虫", "他们是寄生虫们。", ["寄生虫"]),
        ("怠け者", "あの怠け者が", ["怠け者"]),
        ("ขี้เกียจ", "เขาขี้เกียจมาก", ["ขี้เกียจ"]),
        ("сброд*", "Этот СБРОДОМ", ["СБРОДОМ"]),
        ("fainéant", "Un faine\u0301ant.", ["faine\u0301ant"]),
        ("*", "anything * at all", []),
        (" ", "anything", []),
        ("\r\n", "any\r\nthing", []),
        ("a.c", "abc", []),
    ],
)
def test_cues_are_whole_words_in_every_script(cue, text, hits):
    assert found(cue, text) == hits


@pytest.mark.parametrize(
    "text",
    [
        "They are not vermin.",
        "They aren’t vermin.",
        "They aren't vermin.",
        "Never call them vermin.",
        "Without any vermin.",
        "Sie sind kein vermin.",
        "Ils ne sont pas vermin.",
        "No son vermin.",
        "Они не vermin.",
        "They are not “vermin”.",
    ],
)
def test_a_negated_cue_is_negated(text):
    assert negated(text) == [True]


@pytest.mark.parametrize(
    "text",
    [
        "They are vermin.",
        "I think not. Vermin!",
        "It is not that I say they are really vermin.",
        "knot vermin",
        "They said no\nvermin",
    ],
)
def test_a_negator_elsewhere_negates_nothing(text):
    assert negated(text) == [False]


@pytest.mark.parametrize("text", ['"vermin"', "“vermin”", "«les vermin»", "„vermin“", "「vermin」", "‘vermin’"])
def test_a_cue_in_quotation_marks_is_quoted(text):
    assert [hit.quoted for hit in Cues({"yes": ["vermin"]}).find(f"He said {text}. Vermin!")] == [True, False]


def test_the_longest_of_overlapping_cues_counts_once():
    cues = Cues({"yes": ["people", "these people"], "no": ["these people are kind"]})
    assert [(hit.answer, hit.cue) for hit in cues.find("These people are kind, people.")] == [
        ("no", "these people are kind"),
        ("yes", "people"),
    ]


def test_a_long_list_of_cues_is_one_search():
    cues = Cues({"yes": [f"word{i}" for i in range(2_000)]})
    assert [hit.cue for hit in cues.find("word7 word1999 word2000")] == ["word7", "word1999"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=8), max_size=5), st.text(max_size=60))
def test_whatever_the_cues_are_hits_stand_in_the_text_in_order(cues, text):
    hits = Cues({"yes": cues}).find(text)
    assert all(0 <= a.start < a.end <= len(text) for a in hits)
    assert all(a.end <= b.start for a, b in itertools.pairwise(hits))


def test_the_two_models_differ_on_quotations():
    fields = {"flag": "no", "cues": {"no": ["vermin"]}}
    assert answers("They are “vermin”, he said.", **fields) == ("no", "yes")
    assert answers("They are vermin.", **fields) == ("no", "no")


def test_the_two_models_differ_on_a_tie():
    assert answers("Vermin, but kind.", flag="no", cues={"no": ["vermin"], "yes": ["kind"]}) == ("no", "yes")
    assert answers("Vermin, but kind.", flag="yes", cues={"no": ["vermin"], "yes": ["kind"]}) == ("yes", "no")


def test_a_negated_cue_counts_for_neither_model():
    assert answers("They are not vermin.", flag="no", cues={"no": ["vermin"]}) == ("yes", "yes")


@pytest.mark.parametrize(
    ("fields", "text", "answer"),
    [
        ({"scale": "hope | fear | neither", "cues": {"hope": ["sun"], "fear": ["storm"]}}, "Sun, sun, storm.", "hope"),
        ({"scale": "hope | fear | neither", "cues": {"hope": ["sun"], "fear": ["storm"]}}, "Rain.", "neither"),
        ({"scale": "a | b | c", "cues": {"a": ["x"], "c": []}}, "Rain.", "c"),
        ({"scale": "1-5", "cues": {"5": ["rage"], "2": ["meh"]}}, "Rage, meh.", 4),
        ({"scale": "1-5", "cues": {"5": ["rage"]}}, "Rain.", "1"),
        ({"scale": "-2 to 2", "cues": {"-2": ["rage"]}}, "Rage.", -2),
        ({"scale": "0..1", "cues": {"0.9": ["rage"], "0.2": ["meh"]}}, "Rage, meh, meh.", 0.433),
        ({"scale": "0..1", "cues": {"0.9": ["rage"]}}, "Rain.", 0.0),
        ({"scale": "labels: a | b", "cues": {"a": ["x"], "b": ["y"]}}, "y y x", ["a", "b"]),
        ({"scale": "labels: a | b", "cues": {"a": ["x"]}}, "Rain.", []),
        ({"cues": ["vermin"]}, "Rain.", "no"),
        ({"scale": "a | b", "cues": {"a": ["x"], "b": ["y"]}, "non_answers": ["cannot tell"]}, "Rain.", "cannot tell"),
    ],
)
def test_every_kind_of_scale_is_answered_with_one_of_its_answers(fields, text, answer):
    given_answer = answered("offline/strict", text, **fields)["answer"]
    assert given_answer == answer
    Criterion(name="c", question="?", **fields).parse(given_answer)


def test_an_answer_says_that_no_language_model_gave_it_and_shows_its_cues():
    answer = answered("offline/strict", "They are vermin.", cues=["vermin"])
    assert "not a language model" in answer["conclusion"]
    assert answer["reasons"] == ["The cue `vermin` speaks for yes: “They are vermin.”"]


def test_without_cues_the_cell_is_skipped_with_the_line_to_add():
    with pytest.raises(SkippedCell, match=r"add a line such as `cues: \{yes: \[word, other word\*\]\}`"):
        answered("offline/strict", "x")


def test_cues_that_leave_no_answer_for_a_text_without_any_are_found_before_the_run():
    cues = {"a": ["x"]}
    problems = make_model("offline/strict").validate(Criteria("c", "?", scale="a | b | c", cues=cues))
    assert len(problems) == 1
    assert "`c: []`" in problems[0]
    assert make_model("offline/strict").validate(Criteria("c", "?", scale="a | b", cues=cues)) == []


@pytest.mark.parametrize("name", ["offline/strict", "offline/strict?"])
def test_strict_stays_strict_with_an_empty_query(name):
    assert answered(name, "“Vermin”.", cues=["vermin"])["answer"] == "yes"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("offline/strct", "there is no model `offline/strct`; did you mean `offline/strict`"),
        ("offline/strict?seed=1", "has no option `seed`; there are none"),
        ("offline/teaching?acuracy=.8", "no option `acuracy`; did you mean `accuracy`"),
        ("offline/teaching?accuracy=high", "`accuracy=high` is not a number"),
        ("offline/teaching?accuracy=", "`accuracy=` is not a number"),
        ("offline/teaching?accuracy=1.2", "accuracy must be between 0 and 1"),
        ("offline/teaching?accuracy=nan", "accuracy must be between 0 and 1"),
        ("offline/teaching?bias=-2", "bias between -1 and 1"),
        ("strict", "write `family/model`"),
    ],
)
def test_a_wrong_name_or_option_is_a_sentence(name, sentence):
    with pytest.raises(SetupError) as raised:
        make_model(name)
    assert sentence in str(raised.value)
