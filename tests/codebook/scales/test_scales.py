"""Scales: what is offered, what is read, and what only looks like an answer."""

import json
import unicodedata

import pytest
from hypothesis import given, settings, strategies as st

from buttermilk_nb.codebook.scales import (
    NON_ANSWERS,
    Answer,
    Categories,
    Continuous,
    Likert,
    MultiLabel,
    YesNo,
    make_scale,
)
from buttermilk_nb.errors import InvalidAnswer, SetupError

quick = settings(max_examples=80, deadline=None)
SCALES = ["yes/no", "1-5", "-2 to 2", "0..1", "-10..1234567.5", "hope | fear | neither", "labels: mockery | appeal"]


@pytest.mark.parametrize(
    ("short", "kind", "level"),
    [
        ("yes/no", YesNo, "nominal"),
        ("Boolean", YesNo, "nominal"),
        ("1-5", Likert, "ordinal"),
        ("likert: 1–7", Likert, "ordinal"),
        ("-2 to 2", Likert, "ordinal"),
        ("0..1", Continuous, "interval"),
        ("hope | fear", Categories, "nominal"),
        ("categories: hope | fear", Categories, "nominal"),
        ("labels: a", MultiLabel, "set"),
    ],
)
def test_a_short_form_makes_its_scale(short, kind, level):
    scale = make_scale(short)
    assert (type(scale), scale.level) == (kind, level)


@pytest.mark.parametrize("short", SCALES)
def test_the_short_form_of_a_scale_makes_the_same_scale(short):
    scale = make_scale(short)
    assert make_scale(scale.shorthand) == scale
    assert make_scale(scale.model_dump(mode="json")) == scale


@pytest.mark.parametrize(
    "spec", ["", "often", "5", 5, None, True, ["hope", "fear"], "a | | b", "5-1", "1..0", "1-500", "labels:", "a | A"]
)
def test_what_is_no_scale_is_a_setup_error(spec):
    with pytest.raises(SetupError):
        make_scale(spec)


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "categories", "categories": []},
        {"kind": "categories", "categories": ["!", "?"]},
        {"kind": "categories", "categories": [">= 4", "x"]},
        {"kind": "continuous", "low": 0, "high": "inf"},
        {"kind": "continuous", "low": "nan", "high": 1},
        {"kind": "likert", "low": 1, "high": 5, "labels": {9: "furious"}},
        {"kind": "likert", "hihg": 5},
    ],
)
def test_a_scale_that_no_answer_could_fit_is_a_setup_error(spec):
    with pytest.raises(SetupError, match="scale"):
        make_scale(spec)


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(SetupError, match="no kind of scale `likart`; did you mean `likert`"):
        make_scale({"kind": "likart"})


@pytest.mark.parametrize("short", SCALES)
def test_every_offered_answer_parses_to_itself(short):
    scale = make_scale(short)
    for name in scale.answers:
        for written in (name, name.upper(), f" **{name}**. ", f'"{name}"'):
            answer = scale.parse(written)
            assert answer.category == (json.dumps([name]) if scale.level == "set" else name)


names = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=15).map(str.strip),
    min_size=2,
    max_size=5,
    unique=True,
)


@quick
@given(names)
def test_whatever_the_categories_are_called_each_parses_to_itself(given_names):
    try:
        scales = [Categories(categories=tuple(given_names)), MultiLabel(labels=tuple(given_names))]
    except ValueError:
        return  # names that could not be told apart
    for name in given_names:
        assert scales[0].parse(name).category == name
        assert scales[0].parse(unicodedata.normalize("NFD", name)).category == name
        assert json.loads(scales[1].parse(name).category) == [name]
        assert json.loads(scales[1].parse([name]).category) == [name]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@quick
@given(anything, st.sampled_from(SCALES))
def test_parsing_raises_nothing_but_invalid_answer(raw, short):
    scale = make_scale(short)
    try:
        answer = scale.parse(raw, NON_ANSWERS)
    except InvalidAnswer:
        return
    assert answer.category is None or isinstance(answer.category, str)
    assert answer.value is None or isinstance(answer.value, float)


HOSTILE = [10**5000, "[" * 100_000, "9" * 5000, "no " * 5000, object(), {}, None, "", " ", "\x00"]


@pytest.mark.parametrize("short", SCALES)
@pytest.mark.parametrize("raw", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_answers_are_invalid(short, raw):
    with pytest.raises(InvalidAnswer, match="is not one of"):
        make_scale(short).parse(raw)


@pytest.mark.parametrize(
    "raw",
    [
        "yes",
        "Yes.",
        " YES! ",
        "**yes**",
        "`yes`",
        True,
        "true",
        "True",
        "ｙｅｓ",
        ["yes"],
        '["Yes"]',
        "(yes)",
        "Answer: yes",
        "The final answer is **yes**.",
        "“Yes”",
        r"\boxed{yes}",
        "<answer>yes</answer>",
        "[[yes]]",
        "Antwort: yes",
    ],
)
def test_these_are_a_yes(raw):
    assert make_scale("yes/no").parse(raw) == Answer(1.0, "yes")


@pytest.mark.parametrize(
    "raw",
    [
        "yes and no",
        "Yes/No",
        "yesterday",
        "nothing",
        "maybe",
        "",
        None,
        {},
        [],
        1,
        0,
        ["yes", "no"],
        [["yes"]],
        {"answer": "yes"},
        "I say yes",
        "yes: it does",
        "Yes, because it does",
        "yes or no",
        "isn't yes",
        "hardly yes",
        "yes?",
        "!yes",
        "~~yes~~",
        "The answer is not: yes",
        "wrong answer: yes",
        "yes (not)",
        "yes, not really",
        "Cannot tell.",
        "cannot tell: there is no evidence",
        "not yes",
        "no-one",
        "a yes-man",
    ],
)
def test_these_are_neither_yes_nor_no(raw):
    with pytest.raises(InvalidAnswer):
        make_scale("yes/no").parse(raw)


def test_a_non_answer_is_an_answer_only_where_it_is_allowed():
    scale = make_scale("yes/no")
    assert scale.parse("Cannot tell.", ["cannot tell"]) == Answer(None, "cannot tell")
    assert scale.parse("Cannot tell.", ["cannot tell"]).is_non_answer
    with pytest.raises(InvalidAnswer):
        scale.parse("Not applicable", ["cannot tell"])


def test_a_non_answer_with_an_answer_in_its_explanation_is_not_that_answer():
    with pytest.raises(InvalidAnswer):
        make_scale("yes/no").parse("Cannot tell, there is no evidence", ["cannot tell"])


@pytest.mark.parametrize(
    "raw", [4, 4.0, "4", "4.", "4.0", " 4 ", "４", "Rating: 4", "4/5", "4 / 5", "4 out of 5", "4 of 5", [4], "[[4]]"]
)
def test_these_are_a_four(raw):
    assert make_scale("1-5").parse(raw) == Answer(4.0, "4")


@pytest.mark.parametrize(
    "raw",
    [
        "4/4",
        "4/10",
        "4 = angry",
        "about 4",
        "4+",
        "> 3",
        "4-5",
        "2,5",
        [4, 5],
        "4 of 7",
        "1-5",
        "3-4",
        "3 – 4",
        "-4",
        "−4",
        "–4",
        "4.5",
        "4,5",
        4.5,
        -4.0,
        True,
        "40",
        "4th",
        "²",
        "½",
        "four",
        float("nan"),
        float("inf"),
    ],
)
def test_these_are_no_point_from_one_to_five(raw):
    with pytest.raises(InvalidAnswer):
        make_scale("1-5").parse(raw)


@pytest.mark.parametrize("raw", [-2, -2.0, "-2", "−2", "Score: -2"])
def test_points_below_zero_keep_their_sign(raw):
    assert make_scale("-2 to 2").parse(raw) == Answer(-2.0, "-2")


def test_a_named_point_can_be_answered_by_its_name():
    scale = make_scale({"kind": "likert", "low": 1, "high": 3, "labels": {1: "calm", 3: "under 18"}})
    assert scale.parse("Calm.") == Answer(1.0, "1")
    assert scale.parse("Under 18") == scale.parse("3 = under 18") == scale.parse("under 18 (3)") == Answer(3.0, "3")
    for other in ("1 = under 18", "2 = calm", "not calm", "calm or under 18"):
        with pytest.raises(InvalidAnswer):
            scale.parse(other)


@pytest.mark.parametrize(
    ("raw", "value"),
    [(0.35, 0.35), ("0.35", 0.35), (".35", 0.35), ("35e-2", 0.35), (1e-05, 1e-05), ("Score: 1.", 1.0), (1, 1.0)],
)
def test_a_number_is_read_as_it_is_written(raw, value):
    assert make_scale("0..1").parse(raw) == Answer(value, None)


def test_a_tiny_number_is_not_read_by_its_exponent():
    assert make_scale("0..100").parse(1e-05) == Answer(1e-05, None)


def test_a_decimal_comma_is_read_and_said():
    answer = make_scale("0..10").parse("2,5")
    assert answer == Answer(2.5, None, "`2,5` was read with a decimal comma")
    assert make_scale("0..1").parse(" 0,500 ").value == 0.5


@pytest.mark.parametrize(
    "raw",
    [
        "1,000",
        "50%",
        "1%",
        "0.5%",
        "1/1",
        "< 0.2",
        "~0.5",
        "about 0.5",
        "0.5.1",
        "-0.5",
        "−0.5",
        1.01,
        "0.2 to 0.4",
        "v0.5x",
        True,
        "1/2",
        None,
        [0.5, 1],
    ],
)
def test_these_are_no_number_from_zero_to_one(raw):
    with pytest.raises(InvalidAnswer):
        make_scale("0..1").parse(raw)


@quick
@given(st.floats(0, 100))
def test_every_number_of_a_range_is_read_back_from_its_text_and_its_json(number):
    scale = make_scale("0..100")
    assert scale.parse(number).value == scale.parse(str(number)).value == number
    assert scale.parse(json.loads(json.dumps(number))).value == number


@pytest.mark.parametrize(
    "raw", ["non-hateful", "non‑hateful", "not hateful", "hateful or neutral", "hatefulness", "un-neutral"]
)
def test_an_answer_inside_its_opposite_is_not_that_answer(raw):
    with pytest.raises(InvalidAnswer):
        make_scale("hateful | neutral").parse(raw)


def test_the_longer_of_two_names_is_meant_where_one_holds_the_other():
    scale = make_scale("hateful | not hateful | non-hateful")
    assert scale.parse("The answer is not hateful.").category == "not hateful"
    assert scale.parse("Label: non-hateful").category == "non-hateful"


@pytest.mark.parametrize(
    "short", ["надежда | страх", "أمل | خوف", "希望 | 恐惧", "आशा | डर", "ελπίδα | φόβος", "😀 | 😡"]
)
def test_categories_in_any_script_are_matched(short):
    scale = make_scale(short)
    first = scale.answers[0]
    assert scale.parse(f"“{first}”").category == first
    assert scale.parse(f"({first})").category == first


def test_a_word_of_devanagari_does_not_end_before_its_vowel_sign():
    with pytest.raises(InvalidAnswer):
        make_scale("न | हाँ").parse("मैं ने कहा")


@pytest.mark.parametrize(
    ("raw", "labels"),
    [
        ([], []),
        ("[]", []),
        ("none", []),
        (["appeal"], ["appeal"]),
        ("appeal", ["appeal"]),
        ("Mockery, appeal", ["appeal", "mockery"]),
        ('["mockery"]', ["mockery"]),
        (["appeal", "appeal"], ["appeal"]),
        ("mockery and appeal", ["appeal", "mockery"]),
        ("appeal, and mockery", ["appeal", "mockery"]),
        ({"mockery": True, "appeal": False}, ["mockery"]),
        ({"mockery": "no", "appeal": "No"}, []),
        ("[mockery]", ["mockery"]),
        ("Answer: mockery; appeal", ["appeal", "mockery"]),
    ],
)
def test_labels_are_a_sorted_list_and_an_empty_one_is_an_answer(raw, labels):
    answer = make_scale("labels: mockery | appeal").parse(raw)
    assert json.loads(answer.category) == labels


@pytest.mark.parametrize(
    "raw",
    [
        {"mockery": True, "irony": False},
        {"mockery": "maybe"},
        {},
        [{"mockery": False}],
        [["mockery"]],
        ["irony"],
        "[mockery",
        [None],
        3,
        "no mockery, but appeal",
        "mockery or appeal",
        "not mockery",
        "mockery and not appeal",
        "mostly mockery",
        ["not mockery"],
    ],
)
def test_these_are_no_labels(raw):
    with pytest.raises(InvalidAnswer):
        make_scale("labels: mockery | appeal").parse(raw)


def test_a_label_may_be_called_none_or_hold_a_comma():
    scale = make_scale("labels: none | food, drink")
    assert json.loads(scale.parse("none").category) == ["none"]
    assert json.loads(scale.parse("food, drink").category) == ["food, drink"]


@pytest.mark.parametrize("short", SCALES)
def test_the_sentence_names_what_the_schema_allows(short):
    scale = make_scale(short)
    sentence, schema = scale.instruction(), scale.answer_schema()
    allowed = schema.get("enum") or schema.get("items", {}).get("enum") or [schema["minimum"], schema["maximum"]]
    ends = (allowed[0], allowed[-1]) if scale.level == "ordinal" else allowed
    assert all(f"{int(a) if isinstance(a, float) and a.is_integer() else a}" in sentence for a in ends)
    json.dumps(schema, allow_nan=False)


@pytest.mark.parametrize(
    ("short", "raw", "flag", "flagged"),
    [
        ("yes/no", "no", "no", True),
        ("yes/no", "yes", "no", False),
        ("yes/no", "yes", None, None),
        ("1-5", 4, ">= 4", True),
        ("1-5", 3, ">= 4", False),
        ("1-5", 1, "1 | 5", True),
        ("1-5", 3, "== 3", True),
        ("0..1", 0.5, "> 0.5", False),
        ("a | b | c", "c", "b | c", True),
        ("labels: a | b", ["b"], "a | b", True),
        ("labels: a | b", [], "a | b", False),
    ],
)
def test_a_flag_says_which_answers_are_the_finding(short, raw, flag, flagged):
    scale = make_scale(short)
    assert scale.flagged(scale.parse(raw), flag) is flagged


@pytest.mark.parametrize("short", SCALES)
def test_a_non_answer_is_never_flagged(short):
    scale = make_scale(short)
    flag = scale.answers[0] if scale.answers else ">= 0"
    assert scale.flagged(Answer(None, "cannot tell"), flag) is None


@pytest.mark.parametrize(
    ("short", "flag"),
    [("yes/no", "maybe"), ("1-5", "6"), ("1-5", ">= 6"), ("1-5", ">="), ("0..1", "high"), ("a | b", "a |")],
)
def test_a_flag_that_no_answer_can_meet_is_a_problem(short, flag):
    assert "flag" in make_scale(short).flag_problem(flag)


@pytest.mark.parametrize("short", SCALES)
def test_the_table_of_forms_reads_its_own_examples(short):
    forms = make_scale(short).answer_forms()
    assert list(forms.columns) == ["form", "example", "read_as"]
    assert len(forms) >= 9
    assert forms.form.is_unique
    assert {"invalid"} < set(forms.read_as)
    taken = forms[
        ~forms.form.str.contains(
            r"negated|hedged|explanation|several|1 or 0|another|range|between two|three digits|"
            r"percentage|comparison|fraction|outside|other words|not offered",
            regex=True,
        )
    ]
    assert "invalid" not in set(taken.read_as)
    assert set(forms.drop(taken.index).read_as) == {"invalid"}


@pytest.mark.parametrize(
    ("short", "code", "category"),
    [
        ("yes/no", " Yes ", "yes"),
        ("yes/no", "TRUE", "yes"),
        ("yes/no", False, "no"),
        ("yes/no", ["no"], "no"),
        ("yes/no", "Cannot tell", "cannot tell"),
        ("1-5", "2.0", "2"),
        ("1-5", 2.0, "2"),
        ("1-5", ["3"], "3"),
        ("hope | fear", "ＨＯＰＥ", "hope"),
        ("0 | 1", 1.0, "1"),
        ("0 | 1", "1.0", "1"),
        ("1.0 | 2.0", 1.0, "1.0"),
        ("labels: a | b", "b; a", '["a", "b"]'),
        ("labels: a | b", ["a"], '["a"]'),
        ("labels: a | b", "none", "[]"),
    ],
)
def test_a_code_is_matched_as_it_is(short, code, category):
    assert make_scale(short).parse_code(code).category == category


@pytest.mark.parametrize(
    ("short", "code"),
    [
        ("yes/no", "no idea"),
        ("yes/no", "no opinion"),
        ("yes/no", "no answer"),
        ("yes/no", "yes."),
        ("yes/no", "true."),
        ("labels: a | b", "none."),
        ("yes/no", "**yes**"),
        ("yes/no", "Answer: yes"),
        ("yes/no", 1),
        ("yes/no", "y"),
        ("1-5", "4/5"),
        ("1-5", "4 out of 5"),
        ("1-5", 2.5),
        ("labels: a | b", "a and b"),
        ("labels: a | b", "not a"),
        ("0..1", "50%"),
        ("hope | fear", "no hope"),
    ],
)
def test_a_code_that_only_holds_an_answer_is_refused(short, code):
    with pytest.raises(InvalidAnswer, match="not one of the answers"):
        make_scale(short).parse_code(code)
