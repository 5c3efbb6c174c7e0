"""Criteria: what a document may say, what its hash means, and how it is written down and read back."""

import itertools

import pytest
from hypothesis import given, settings, strategies as st
from support.paths import DATA

from buttermilk_nb.codebook.criteria import Criteria
from buttermilk_nb.codebook.criterion import Criterion
from buttermilk_nb.errors import SetupError

SHIPPED = sorted((DATA / "criteria").glob("*.md"))


def read(head, body="Is it so?"):
    return Criteria.from_markdown(f"---\n{head}\n---\n{body}", name="tone")


def two(**fields):
    return Criteria("c", "Text.", flag="no", criteria={"p": {"question": "P?"}, "q": {"question": "Q?"}}, **fields)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_criteria_load_and_survive_being_written(path):
    criteria = Criteria.from_file(path)
    again = Criteria.from_markdown(criteria.to_markdown())
    assert criteria.name == path.stem
    assert (again.criteria_hash, again.cues_hash) == (criteria.criteria_hash, criteria.cues_hash)
    assert criteria.diff(again) == ""


def test_there_are_four_shipped_criteria():
    assert [path.stem for path in SHIPPED] == ["accuracy", "hostility", "respect", "tone"]


def test_yes_and_no_in_yaml_are_the_answers():
    criterion = read("flag: no\ncues:\n  yes: [fair, on]\n  no: [unfair, off]")["tone"]
    assert criterion.flag == "no"
    assert criterion.cues == {"yes": ("fair", "on"), "no": ("unfair", "off")}


def test_dates_and_numbers_in_front_matter_stay_text():
    criteria = read("version: 1.10\nretrieved: 2026-11-20\nflag: no")
    assert (criteria.version, criteria.retrieved) == ("1.1", "2026-11-20")


def test_one_question_may_have_a_version_that_looks_like_a_number():
    assert read("version: 2")["tone"].question == "Is it so?"
    assert read("version: 2").version == "2"


def test_front_matter_may_follow_an_empty_line():
    criteria = Criteria.from_markdown("\n\n---\nname: heat\nscale: 1-5\n---\nHow heated?\n")
    assert (criteria.name, criteria["heat"].scale.shorthand) == ("heat", "1-5")


def test_a_text_that_begins_with_a_rule_is_a_text():
    assert Criteria.from_markdown("------\nStyle guide\n------\nBe fair.").text.startswith("------\nStyle")


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        ("flga: no", "no field `flga`; did you mean `flag`"),
        ("flag: maybe", "`maybe`, which is not an answer"),
        ("scale: 1-5\nflag: '>= 9'", "no point of the scale"),
        ("scale: often", "`often` is not a scale"),
        ("scale: 5", "`5` is not a scale"),
        ("cues: {maybe: [x]}", "cues for `maybe`"),
        ("examples: {maybe: [x]}", "examples for `maybe`"),
        ("scale: 0..1\ncues: {high: [x]}", "name a number of the scale 0..1"),
        ("non_answers: [unsure]", "`unsure` is not a non-answer"),
        ("overall: most", "overall `most`"),
        ("criteria: [respect]", "criterion `respect` needs `field: value` lines"),
        ("criteria: {respect: 'Is it?'}", "criterion `respect` needs `field: value` lines"),
        ("criteria: {respect: {scale: yes/no}}", "`question` is missing"),
        ("criteria: {a: {question: 'A?'}}\ncues: {yes: [x]}", "`cues` belongs to one of them"),
        ("criteria: [{name: a, question: 'A?'}, {name: a, question: 'B?'}]", "two criteria have the same name"),
        ("flag: no\nflag: yes", "line 3 is not valid YAML: the key `flag` occurs twice"),
        ("flag: [no", "not valid YAML"),
        ("- flag", "not a list of `field: value` lines"),
        ("version: " + "1" * 5000, "too long"),
        ("version: " + "[" * 5000, "nested more than 100 deep"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence(head, sentence):
    with pytest.raises(SetupError) as raised:
        read(head)
    assert sentence in str(raised.value)


def test_front_matter_without_an_end_is_a_sentence():
    with pytest.raises(SetupError, match="no closing line `---`"):
        Criteria.from_markdown("---\nflag: no\nIs it so?")


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(SetupError, match="there is no file"):
        Criteria.from_file(tmp_path / "respect.md")


def test_a_file_in_another_encoding_is_a_sentence(tmp_path):
    (tmp_path / "x.md").write_bytes("Ist es höflich?".encode("cp1252"))
    with pytest.raises(SetupError, match="`x.md` is not UTF-8"):
        Criteria.from_file(tmp_path / "x.md")


def test_a_file_from_windows_reads_as_any_other(tmp_path):
    (tmp_path / "x.md").write_bytes("\ufeff---\r\nflag: no\r\n---\r\nOne.\r\nTwo.\r\n".encode())
    criteria = Criteria.from_file(tmp_path / "x.md")
    assert (criteria.text, criteria["x"].flag) == ("One.\nTwo.", "no")


def test_a_file_is_read_again_when_asked(tmp_path):
    file = tmp_path / "x.md"
    file.write_text("One?")
    criteria = Criteria.from_file(file)
    file.write_text("Two?")
    assert (criteria.text, criteria.reload().text) == ("One?", "Two?")


def test_a_criterion_may_have_a_scale_and_a_flag_of_its_own():
    criteria = Criteria(
        "c",
        "T.",
        scale="1-5",
        flag=">= 4",
        criteria={"a": {"question": "?"}, "b": {"question": "?", "scale": "x | y", "flag": "y"}},
    )
    assert [(c.scale.shorthand, c.flag) for c in criteria] == [("1-5", ">= 4"), ("x | y", "y")]


@pytest.mark.parametrize(("flag", "kept"), [(False, "no"), (True, "yes"), (["yes", "no"], "yes | no"), (None, None)])
def test_a_flag_may_be_given_as_python_would(flag, kept):
    assert Criterion(name="a", question="?", flag=flag).flag == kept


@pytest.mark.parametrize(("left", "right"), list(itertools.product([True, False, None], repeat=2)))
def test_any_and_all_follow_the_logic_of_unknowns(left, right):
    flags = {"p": left, "q": right}
    found = {left, right}
    assert two().overall_flag(flags) is (True if True in found else None if None in found else False)
    assert two(overall="all").overall_flag(flags) is (False if False in found else None if None in found else True)
    assert two(overall="q").overall_flag(flags) is right


def test_without_a_flag_nothing_is_flagged_overall():
    assert Criteria("c", "Is it?").overall_flag({"c": None}) is None


def test_the_hash_leaves_out_where_the_document_comes_from_and_its_cues():
    plain = Criteria("c", "Is it?", flag="no")
    other = Criteria("c", "Is it?", flag="no", cues=["x"], author="A", source="S", retrieved="2026")
    assert plain.criteria_hash == other.criteria_hash
    assert plain.cues_hash != other.cues_hash


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Is it not?"}, {"flag": "yes"}, {"scale": "yes | no"}, {"definition": "D."}, {"include": ["x"]},
        {"exclude": ["x"]}, {"examples": {"yes": ["x"]}}, {"non_answers": ["cannot tell"]}, {"version": "2"},
    ],
)  # fmt: skip
def test_the_hash_changes_with_whatever_gives_an_answer_its_meaning(change):
    fields = {"text": "Is it?", "flag": "no"}
    assert Criteria("c", **fields).criteria_hash != Criteria("c", **(fields | change)).criteria_hash


def test_the_hash_of_a_part_is_its_own():
    whole = two()
    assert whole.criteria_hash != whole.select("p").criteria_hash
    assert [c.name for c in whole.select("p")] == ["p"]


def test_the_hash_of_one_document_is_pinned():
    assert Criteria("c", "Is it?", flag="no").criteria_hash == "c1-08de214e8fbfc8b715f7b0a71dce19d6"


def test_space_around_the_text_does_not_make_another_instrument():
    assert Criteria("c", "\n Is it? \n").criteria_hash == Criteria("c", "Is it?").criteria_hash


prose = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), min_size=1, max_size=40
).filter(str.strip)
words = st.lists(prose, max_size=3)
scales = st.sampled_from(
    [("yes/no", "no"), ("1-5", ">= 4"), ("0..1234567.5", "> 3"), ("a | 1e5 | null", "1e5"), ("labels: 007", "007")]
)


@settings(max_examples=80, deadline=None)
@given(
    scales,
    prose,
    prose,
    words,
    words,
    st.sampled_from(["1e5", "1.0", "true", "~", "0x1", "2026-11-20", "=", "- a", ""]),
)
def test_written_and_read_back_a_document_keeps_its_hashes(scale, text, question, include, cues, version):
    item = {"question": question, "scale": scale[0], "flag": scale[1], "include": include, "definition": question}
    answer = scale[1] if scale[0][0] in "al" else "4"
    item |= {"cues": {answer: cues}} if scale[0] != "yes/no" else {"cues": cues}
    made = Criteria("c", text, criteria={"q": item, "1e5": {"question": "?"}}, version=version)
    again = Criteria.from_markdown(made.to_markdown(), name="other")
    assert (again.criteria_hash, again.cues_hash) == (made.criteria_hash, made.cues_hash)


@pytest.mark.parametrize(
    "scale",
    [
        {"kind": "likert", "low": 1, "high": 3, "labels": {1: "calm"}},
        {"kind": "categories", "categories": ["a|b", "c"]},
        {"kind": "categories", "categories": ["labels: x", "y"]},
        {"kind": "continuous", "ratio": True},
    ],
)
def test_a_scale_without_a_short_form_survives_being_written(scale):
    made = Criteria("c", "Is it?", scale=scale)
    assert Criteria.from_markdown(made.to_markdown())["c"].scale == made["c"].scale


def test_a_diff_shows_the_changed_line_and_both_versions():
    lines = Criteria("c", "Is it?", version="1").diff(Criteria("c", "Was it?", version="2")).splitlines()
    assert lines[:2] == ["--- c 1", "+++ c 2"]
    assert "-Is it?" in lines
    assert "+Was it?" in lines


def test_an_unknown_criterion_names_the_nearest():
    with pytest.raises(SetupError, match="no criterion `pp`"):
        two()["pp"]


def test_every_mistake_is_named_at_once():
    with pytest.raises(SetupError) as raised:
        Criteria("c", "T.", criteria={"a": {"question": "?", "flga": "no"}, "b": {"qestion": "?"}})
    assert len(raised.value.problems) == 3


def test_the_schema_and_the_sentence_offer_the_allowed_non_answers():
    criterion = Criterion(name="a", question="?", non_answers=["cannot tell"])
    assert criterion.answer_schema()["anyOf"][1]["enum"] == ["cannot tell"]
    assert criterion.sentence.endswith('Where that is impossible, answer "cannot tell".')
