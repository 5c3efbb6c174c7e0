"""Corpora as they are distributed. They are not part of this project; where they are absent, the tests skip."""

import csv
import json
from collections import Counter

import pytest
from support.paths import SHARED

from buttermilk_nb.codebook.check_codes import code_problems
from buttermilk_nb.codebook.criteria import Criteria
from buttermilk_nb.corpus.load import load
from buttermilk_nb.corpus.segments import segment_spans


@pytest.fixture
def data():
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not here; it is used for checking with real corpora only")
    return SHARED


@pytest.fixture
def cases(data):
    return data / "hatecheck" / "test_suite_cases.csv"


def test_hatecheck_has_its_cases_and_its_labels(cases):
    values = {"hateful": "yes", "non-hateful": "no"}
    corpus = load(cases, content="test_case", record_id="case_id", truth="label_gold", truth_values=values)
    assert (len(corpus), len(corpus.rejected)) == (3728, 0)
    assert Counter(record.truth_for("hostile") for record in corpus) == {"yes": 2563, "no": 1165}


def test_hatecheck_without_truth_values_gives_one_sentence_with_the_counts(cases):
    corpus = load(cases, content="test_case", record_id="case_id", truth="label_gold")
    problems = code_problems(corpus, [Criteria("hostile", "Is it hateful?", flag="yes")])
    assert len(problems) == 1
    assert "`hateful` (2,563), `non-hateful` (1,165)" in problems[0]


def test_davidson_rows_that_span_lines_are_one_record_each(data):
    file = data / "davidson" / "labeled_data.csv"
    corpus = load(file, content="tweet", record_id="column 1", truth="class")
    with file.open(encoding="utf-8", newline="") as handle:
        spanning = sum("\n" in row["tweet"] for row in csv.DictReader(handle))
    assert (len(corpus), len(corpus.rejected)) == (24_783, 0)
    assert sum("\n" in record.content for record in corpus) == spanning == 917


@pytest.mark.parametrize("name", ["", "US_Inaugural_Addresses.zip"])
def test_the_58_speeches_come_from_the_folder_and_from_the_zip(data, name):
    pattern = "[0-9]*.txt"
    corpus = load(data / "inaugural" / name, pattern=pattern)
    assert (len(corpus), len(corpus.rejected)) == (58, 0)
    assert not any("\ufffd" in record.content for record in corpus)


def test_messy_texts_are_read_without_damage(data):
    corpus = load(data / "texts_messy")
    names = [record.record_id for record in corpus]
    assert "FR_1865_Dumas,Alexandre_LEFILSDUFORÇAT_Novel" in names
    for record in corpus:  # the French novel has one replacement character of its own
        file = data / "texts_messy" / record.metadata["file"]
        assert record.content == file.read_bytes().decode("utf-8-sig")
    assert "Яблони" in corpus["ru"].content
    assert "同胞" in corpus["zh"].content


def test_chinese_is_cut_at_its_own_full_stops(data):
    corpus = load(data / "texts_messy").filter(lambda record: record.record_id == "zh")
    pieces = corpus.segment("sentence")
    text = corpus["zh"].content
    assert len(pieces) > 5
    assert all(text[piece.start_offset : piece.end_offset] == piece.content for piece in pieces)


@pytest.mark.parametrize("by", ["sentence", "paragraph"])
def test_a_novel_is_cut_without_losing_a_letter(data, by):
    text = load(data / "texts_messy")["The-Yellow-Wallpaper"].content
    assert "".join("".join(text[a:b] for a, b in segment_spans(text, by)).split()) == "".join(text.split())


def test_a_table_of_films_is_read_in_full(data):
    file = data / "texts_messy" / "biopics.csv"
    corpus = load(file, content="title")
    assert len(corpus) + len(corpus.rejected) > 700
    assert json.dumps(corpus[0].metadata)
