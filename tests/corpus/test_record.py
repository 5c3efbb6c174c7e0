"""Records, identifiers, small texts and what they look like."""

import json

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from buttermilk_nb._internal.ids import canonical, digest, uuid7
from buttermilk_nb._internal.text import estimate_tokens, replace_surrogates, shorten
from buttermilk_nb.codebook.criteria import Criteria
from buttermilk_nb.corpus.corpus import Corpus
from buttermilk_nb.corpus.load import load
from buttermilk_nb.corpus.record import Record
from buttermilk_nb.errors import SetupError, nearest

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
    assert replace_surrogates(text).encode("utf-8").decode("utf-8") == replace_surrogates(text)
    assert len(replace_surrogates(text)) == len(text)


@quick
@given(any_text, st.integers(1, 30))
def test_a_shortened_text_is_one_line_of_that_width(text, width):
    short = shorten(text, width)
    assert len(short) <= width
    assert short.isprintable()


@quick
@given(any_text.filter(bool))
def test_a_text_has_at_least_one_token_and_no_more_than_its_letters(text):
    assert 0 < estimate_tokens(text) <= len(text) + 2


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
    assert plain.annotations_hash != known.annotations_hash
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


KNOWN = Record(
    record_id="g2", content="Ein Tag.", outlet="The Bell", ground_truth={"*": "no"}, expert_reasons={"*": ("One.",)},
    labels={"kf": {"*": "yes"}}, cluster="c", parent_id="p", start_offset=0, end_offset=8, uri="u",
)  # fmt: skip


def test_the_hashes_of_a_record_of_text_never_change():
    assert KNOWN.record_hash == "r1-bbcec228367a0f503ca13737180e52dc"
    assert KNOWN.annotations_hash == "rd1-d0ce12a4edd51dcfad8600bc99cd689e"
    assert Record(content="x").record_id == "id1-bb62321bb260"


def test_a_changed_copy_has_hashes_of_its_own():
    assert KNOWN.record_hash != KNOWN.model_copy(update={"content": "Two."}).record_hash
    assert KNOWN.annotations_hash != KNOWN.model_copy(update={"cluster": "d"}).annotations_hash
    assert KNOWN.model_copy() == KNOWN


def test_a_hash_that_was_asked_for_is_not_a_field():
    assert KNOWN.record_hash not in dict(KNOWN).values()
    assert Record(**dict(KNOWN)) == KNOWN


def test_segments_are_the_same_whether_or_not_a_hash_was_asked_for():
    fresh, asked = (Corpus([Record(record_id="a", content="One. Two.", x=1)]) for _ in range(2))
    assert asked.hash == fresh.hash
    again = Corpus([Record(record_id="a", content="One. Two.", x=1)])
    assert asked.segment("sentence").hash == again.segment("sentence").hash
    assert asked.segment("sentence")[1].metadata == {"x": 1}


# --- records that stay on this machine -------------------------------------------------------------


def local(corpus):
    return [record.local_only for record in corpus]


def test_staying_local_is_a_detail_of_a_record_and_not_its_text():
    free, kept = Record(record_id="a", content="x"), Record(record_id="a", content="x", local_only=True)
    assert free.record_hash == kept.record_hash
    assert free.annotations_hash != kept.annotations_hash
    assert repr(kept) == "Record('a', 'x', stays local)"
    assert "stays local" in kept._repr_html_()


ROWS = [{"text": "One.", "private": "yes", "by": "kf"}, {"text": "Two.", "private": "no", "by": "as"}]


@pytest.mark.parametrize("source", [ROWS, [Record(content="One."), Record(content="Two.")]], ids=["rows", "records"])
def test_a_whole_corpus_can_be_loaded_to_stay_local(source):
    content = {} if isinstance(source[0], Record) else {"content": "text"}
    assert local(load(source, local_only=True, **content)) == [True, True]
    assert local(load(source, local_only=False, **content)) == [False, False]


def test_every_loader_can_keep_its_records_local(tmp_path):
    (tmp_path / "x.txt").write_text("One.")
    assert local(load(tmp_path, local_only=True)) == [True]
    assert local(load(tmp_path, local_only=True)) == [True]
    assert load(tmp_path, local_only=True).provenance["mapping"]["local_only"] is True


YES_AND_NO = [("yes", "no"), ("Y", " N "), ("TRUE", "False"), (True, False), (1, 0), (1.0, 0.0), ("1", "0")]


@pytest.mark.parametrize("words", YES_AND_NO, ids=str)
def test_a_column_says_which_records_stay_local_and_is_not_metadata(words):
    rows = [{**row, "private": word} for row, word in zip(ROWS, words, strict=True)]
    corpus = load(rows, content="text", local_only="private")
    assert local(corpus) == [True, False]
    assert corpus[0].metadata == {"by": "kf"}


@pytest.mark.parametrize(
    ("word", "said"),
    [("", "is empty"), (None, "is empty"), (float("nan"), "is empty"), ("x", "says `x`"), (2, "says `2`")],
)
def test_a_column_that_leaves_it_open_is_an_error_and_not_a_no(word, said):
    rows = [*ROWS, {"text": "Three.", "private": word}, {"text": "Four.", "private": word}]
    with pytest.raises(SetupError) as raised:
        load(rows, content="text", local_only="private")
    end = "; write `yes` if the record must stay on this machine, otherwise `no`."
    assert list(raised.value.problems) == [f"record {line}: `private` {said}{end}" for line in (3, 4)]


@pytest.mark.parametrize("wrong", ["", 1, ["private"]])
def test_what_neither_marks_nor_names_a_column_is_a_sentence(wrong):
    with pytest.raises(SetupError, match=r"local_only=... must be True, or the name of a column"):
        load(ROWS, content="text", local_only=wrong)


def test_a_column_of_records_that_know_themselves_is_refused():
    with pytest.raises(SetupError, match="Records already have their content"):
        load([Record(content="One.")], local_only="private")


def test_a_column_called_local_only_is_not_passed_over():
    rows = [{"text": "One.", "local_only": True}]
    with pytest.raises(SetupError, match='write local_only="local_only" to use it, or local_only=False'):
        load(rows, content="text")
    assert local(load(rows, content="text", local_only="local_only")) == [True]
    assert local(load(rows, content="text", local_only=False)) == [False]


def test_a_corpus_that_is_kept_local_comes_back_from_its_dataframe():
    corpus = Corpus([Record(record_id="a", content="One."), Record(record_id="b", content="Two.", local_only=True)])
    again = load(corpus.to_df(), content="content", record_id="record_id", local_only="local_only")
    assert again == corpus


def test_the_mark_stays_with_a_record_whatever_is_chosen_or_cut():
    corpus = Corpus([Record(record_id=f"r{i}", content=f"{i * 7919} One. Two.", lang="en") for i in range(8)])
    kept = corpus.mark_local_only()
    parts = [
        kept.head(3),
        kept.filter(lang="en"),
        kept.sample(4, seed=1),
        *kept.split(dev=0.5),
        kept[2:5],
        kept.segment("sentence"),
    ]
    assert all(all(local(part)) for part in parts)
    assert not any(local(corpus))
    assert kept.provenance["steps"] == ["keep_local()"]
    assert kept.hash != corpus.hash


@pytest.mark.parametrize(
    ("marks", "shown"),
    [([True, True], "Corpus(2 records, 2 stay local)"), ([True], "Corpus(1 record, 1 stays local)"),
     ([True, False], "Corpus(2 records, 1 stays local)"), ([False], "Corpus(1 record)")],
)  # fmt: skip
def test_a_corpus_says_how_many_of_its_records_stay_local(marks, shown):
    corpus = Corpus([Record(record_id=str(i), content="x", local_only=mark) for i, mark in enumerate(marks)])
    assert repr(corpus) == shown
    assert shown.partition(", ")[2].rstrip(")") in corpus._repr_html_()


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
    corpus = load(tmp_path / "x.csv", content="text")
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
