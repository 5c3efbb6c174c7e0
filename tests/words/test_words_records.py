"""Records, identifiers, small texts and what they look like."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from buttermilk_nb._ids import canonical, digest, uuid7
from buttermilk_nb._text import clean, rough_tokens, shorten
from buttermilk_nb.corpus import Corpus
from buttermilk_nb.criteria import Criteria
from buttermilk_nb.errors import SetupError, nearest
from buttermilk_nb.records import Record

quick = settings(max_examples=80, deadline=None)
any_text = st.text(st.characters(exclude_categories=[]), max_size=40)  # lone surrogates included
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@quick
@given(any_text)
def test_clean_text_can_always_be_written(text):
    assert clean(text).encode("utf-8").decode("utf-8") == clean(text)
    assert len(clean(text)) == len(text)


@quick
@given(any_text, st.integers(1, 30))
def test_a_shortened_text_is_one_line_of_that_width(text, width):
    short = shorten(text, width)
    assert len(short) <= width
    assert short.isprintable()


@quick
@given(any_text.filter(bool))
def test_a_text_has_at_least_one_token_and_no_more_than_its_letters(text):
    assert 0 < rough_tokens(text) <= len(text) + 2


@quick
@given(values, values)
def test_canonical_json_is_the_same_for_the_same_content_only(one, other):
    strict = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (canonical(one) == canonical(other)) is strict
    assert json.loads(canonical(one)) == one


@quick
@given(st.lists(any_text, max_size=4), st.lists(any_text, max_size=4))
def test_a_digest_is_the_same_for_the_same_parts_only(one, other):
    assert (digest("t1", *one) == digest("t1", *other)) is (one == other)
    assert digest("t1", *one) != digest("t2", *one)


def test_ids_of_time_sort_by_time_and_differ():
    made = [uuid7() for _ in range(500)]
    assert len(set(made)) == 500
    assert [m[:13] for m in made] == sorted(m[:13] for m in made)


@quick
@given(any_text, any_text, any_text)
def test_the_hash_of_a_record_is_of_its_id_and_content(record_id, content, note):
    plain = Record(record_id=record_id, content=content)
    known = Record(record_id=record_id, content=content, note=note, ground_truth={"*": note}, cluster=note)
    assert plain.record_hash == known.record_hash
    assert plain.details_hash != known.details_hash
    assert Record(record_id=record_id, content=content + "x").record_hash != plain.record_hash
    assert Record(record_id=record_id + "x", content=content).record_hash != plain.record_hash or not record_id


@quick
@given(any_text, any_text)
def test_id_and_content_of_a_record_can_always_be_written(record_id, content):
    record = Record(record_id=record_id, content=content)
    assert record.record_id.encode()
    assert record.content.encode() or not content


def test_a_record_without_an_id_gets_one_from_its_text():
    assert (
        Record(content="One.").record_id
        == Record(content="One.", note="x").record_id
        != Record(content="Two.").record_id
    )


def test_unknown_fields_are_metadata_and_given_metadata_wins():
    assert Record(content="x", outlet="a", metadata={"outlet": "b"}).metadata == {"outlet": "b"}


def test_a_record_does_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        Record(content="x").content = "y"


def test_the_truth_of_one_criterion_stands_before_that_of_the_only_one():
    record = Record(content="x", ground_truth={"*": "yes", "tone": 4})
    assert (record.truth_for("tone"), record.truth_for("respect")) == (4, "yes")


EVIL = "a <script>alert(1)</script>\"'&"


def test_hostile_content_is_escaped_wherever_it_is_shown():
    record = Record(record_id=EVIL, content=EVIL, metadata={EVIL: EVIL}, ground_truth={EVIL: EVIL})
    criteria = Criteria(EVIL, EVIL, source=EVIL, scale=f"{EVIL} | other", flag=EVIL, cues={EVIL: [EVIL]})
    for shown in (record, Corpus([record]), criteria):
        html = shown._repr_html_()
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_what_is_shown_holds_no_time_and_no_path(tmp_path):
    (tmp_path / "x.csv").write_text("text\nOne.\n")
    corpus = Corpus.from_csv(tmp_path / "x.csv", content="text")
    shown = repr(corpus) + corpus._repr_html_()
    assert str(tmp_path) not in shown
    assert corpus.provenance["read_at"][:13] not in shown


@pytest.mark.parametrize(
    ("names", "end"),
    [(["title"], "did you mean `title`?"), ([], "there are none."), (["a", "b"], "there are `a`, `b`.")],
)
def test_an_error_ends_in_what_there_is(names, end):
    assert nearest("titel", names) == end


def test_errors_print_one_paragraph_in_a_notebook():
    assert SetupError("no column `x`.")._render_traceback_() == ["SetupError: no column `x`."]
