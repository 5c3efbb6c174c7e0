"""Corpora: choosing, sampling, parting and cutting."""

import itertools

import pytest
from hypothesis import given, settings, strategies as st

from buttermilk_nb.corpus.corpus import Corpus
from buttermilk_nb.corpus.near_duplicates import group_related_records
from buttermilk_nb.corpus.record import Record
from buttermilk_nb.corpus.segments import segment_spans
from buttermilk_nb.errors import SetupError

WORDS = [
    "harbour",
    "mill",
    "ferry",
    "choir",
    "stoker",
    "bell",
    "tenant",
    "ledger",
    "orchard",
    "quarry",
    "lantern",
    "weaver",
    "gravel",
    "parish",
    "cobbler",
]


def unlike(n, **fields):
    texts = [
        " ".join(WORDS[(i * 7 + j * j * (i + 3)) % len(WORDS)] for j in range(6)) + f" {i * 7919}" for i in range(n)
    ]
    return [Record(record_id=f"r{i}", content=text, **fields) for i, text in enumerate(texts)]


def ids(records):
    return [record.record_id for record in records]


def test_two_records_with_one_id_are_refused():
    with pytest.raises(SetupError, match="two records have the id `a`"):
        Corpus([Record(record_id="a", content="x"), Record(record_id="a", content="y")])


def test_every_step_is_kept_in_the_provenance():
    corpus = Corpus(unlike(9), provenance={"file": "x.csv"}).head(8).sample(4, seed=1)[1:3]
    assert corpus.provenance == {"file": "x.csv", "steps": ["head(8)", "sample(4, seed=1)", "[1:3:None]"]}


def test_a_sample_is_the_same_for_the_same_seed_and_in_corpus_order():
    corpus = Corpus(unlike(50))
    one = corpus.sample(10, seed=7)
    assert one == corpus.sample(10, seed=7)
    assert one != corpus.sample(10, seed=8)
    assert ids(one) == sorted(ids(one), key=lambda name: int(name[1:]))


def test_a_sample_is_pinned_because_a_paper_depends_on_it():
    assert ids(Corpus(unlike(20)).sample(4, seed=1)) == ["r2", "r4", "r8", "r18"]


@pytest.mark.parametrize("n", [-1, 4])
def test_a_sample_larger_than_the_corpus_is_refused(n):
    with pytest.raises(SetupError, match="the corpus has 3 records"):
        Corpus(unlike(3)).sample(n, seed=1)


def test_an_unknown_metadata_field_names_the_nearest():
    with pytest.raises(SetupError, match="no record has the metadata `outlt`; did you mean `outlet`"):
        Corpus(unlike(3, outlet="The Bell")).filter(outlt="x")


def test_an_unknown_record_names_the_nearest():
    with pytest.raises(SetupError, match="no record `r99`"):
        Corpus(unlike(3))["r99"]


def test_the_hash_of_a_corpus_knows_order_and_truth():
    one, two = unlike(2)
    coded = Record(**{**one.model_dump(), "ground_truth": {"*": "yes"}})
    assert len({Corpus(r).hash for r in ([one, two], [two, one], [one], [coded, two])}) == 4


shares = st.sampled_from([(0.5, None), (None, 0.3), (0.5, 0.5), (0.3, 0.7), (0.1, 0.9), (3, None), (None, 0)])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=3, max_size=25), shares, st.integers(0, 5))
def test_a_split_puts_every_record_in_one_part_and_clusters_stay_whole(clusters, share, seed):
    records = [Record(**{**r.model_dump(), "cluster": c}) for r, c in zip(unlike(len(clusters)), clusters, strict=True)]
    dev, test = Corpus(records).split(*share, seed=seed)
    assert sorted(ids(dev) + ids(test)) == sorted(ids(records))
    assert not {r.cluster for r in dev if r.cluster} & {r.cluster for r in test if r.cluster}


@pytest.mark.parametrize("n", [3, 5, 7, 15])
def test_two_halves_of_an_odd_corpus_are_the_whole_of_it(n):
    dev, test = Corpus(unlike(n)).split(dev=0.5, test=0.5)
    assert len(dev) + len(test) == n
    assert abs(len(dev) - len(test)) == 1


@pytest.mark.parametrize("seed", range(5))
def test_near_duplicates_are_never_parted(seed):
    copies = [Record(record_id=f"d{i}", content=f"  {r.content.upper()}!") for i, r in enumerate(unlike(6))]
    dev, _ = Corpus([*unlike(20), *copies]).split(dev=0.5, seed=seed)
    here = set(ids(dev))
    assert all((f"d{i}" in here) == (f"r{i}" in here) for i in range(6))


def test_segments_of_one_text_are_never_parted():
    corpus = Corpus(
        [Record(record_id=str(i), content=". ".join(r.content.split()) + ".") for i, r in enumerate(unlike(8))]
    )
    dev, test = corpus.segment("sentence").split(dev=0.5)
    assert not {r.parent_id for r in dev} & {r.parent_id for r in test}


def test_strata_are_in_both_parts_in_proportion():
    records = [
        Record(**{**r.model_dump(), "metadata": {"lang": "de" if i < 8 else "en"}}) for i, r in enumerate(unlike(40))
    ]
    dev, test = Corpus(records).split(dev=0.5, by="lang")
    assert len(dev.filter(lang="de")) == len(test.filter(lang="de")) == 4


@pytest.mark.parametrize("sizes", [{}, {"dev": 5}, {"dev": 2, "test": 3}, {"test": -1}])
def test_a_split_that_cannot_be_made_is_a_sentence(sizes):
    with pytest.raises(SetupError, match="split"):
        Corpus(unlike(4)).split(**sizes)


def test_an_empty_corpus_can_be_parted_and_shown():
    corpus = Corpus([])
    assert [len(part) for part in corpus.split(dev=0.5)] == [0, 0]
    assert list(corpus.to_df().columns) == ["record_id", "content"]
    assert corpus._repr_html_()


def test_texts_in_scripts_without_spaces_can_be_near_duplicates():
    one = "他走了，没有人知道他去了哪里，也没有人问起他。"
    records = [Record(content=one), Record(content=one + "真的。"), Record(content="今天天气很好，我们去公园散步吧。")]
    assert group_related_records(records) == [[0, 1], [2]]


any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
lively = st.text(st.sampled_from('ab A.!?…。！？।؟\n\r\t"”» 他ा'), max_size=80)


@settings(max_examples=100, deadline=None)
@given(any_text | lively, st.sampled_from(["sentence", "paragraph", r"\n", r"[ab]+", "x*"]))
def test_pieces_stand_where_they_say_in_order_and_whole(text, by):
    spans = list(segment_spans(text, by))
    assert all(0 <= a < b <= len(text) and text[a:b] == text[a:b].strip() for a, b in spans)
    assert all(b <= c for (_, b), (c, _) in itertools.pairwise(spans))
    if by in ("sentence", "paragraph"):
        assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())


@settings(max_examples=50, deadline=None)
@given(any_text.filter(str.strip), st.sampled_from(["sentence", "paragraph"]))
def test_a_segment_is_the_text_of_its_parent_at_its_place(text, by):
    parent = Record(
        record_id="p", content=text, outlet="The Bell", ground_truth={"*": "yes"}, labels={"kf": {"*": "no"}}
    )
    pieces = Corpus([parent]).segment(by)
    assert all(parent.content[p.start_offset : p.end_offset] == p.content for p in pieces)
    assert all((p.parent_id, p.cluster, p.metadata) == ("p", "p", {"outlet": "The Bell"}) for p in pieces)
    assert not any(p.ground_truth or p.labels for p in pieces)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Dr. Wu came. He left!", ["Dr. Wu came.", "He left!"]),
        ("J. S. Bach lived. Then?", ["J. S. Bach lived.", "Then?"]),
        ("It cost 3.50 in all. Fine.", ["It cost 3.50 in all.", "Fine."]),
        ("“Go.” He went.", ["“Go.”", "He went."]),
        ("Wait... what?!  Yes…", ["Wait...", "what?!", "Yes…"]),
        ("他走了。“你呢？”我问。", ["他走了。", "“你呢？”", "我问。"]),
        ("वह गया। क्यों?", ["वह गया।", "क्यों?"]),
        ("لماذا؟ لا أعرف.", ["لماذا؟", "لا أعرف."]),
    ],
)
def test_sentences_end_where_their_script_ends_them(text, pieces):
    assert [text[a:b] for a, b in segment_spans(text, "sentence")] == pieces


def test_a_long_row_of_dots_is_cut_at_once():
    assert list(segment_spans("." * 200_000 + "x", "sentence")) == [(0, 200_001)]


def test_a_cut_that_is_no_regular_expression_is_a_sentence():
    with pytest.raises(SetupError, match=r"by \(`paragraph`, `sentence` or a regular expression\)"):
        Corpus(unlike(1)).segment("(")


def test_the_frame_shows_the_text_also_where_a_column_is_called_content():
    record = Record(
        record_id="a", content="One.", metadata={"content": "other", "year": 1990}, ground_truth={"*": "no", "b": 4}
    )
    frame = Corpus([record]).to_df()
    assert frame.to_dict("records") == [
        {"record_id": "a", "content": "One.", "metadata_content": "other", "year": 1990, "truth": "no", "truth_b": 4}
    ]
