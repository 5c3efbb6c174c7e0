"""CSV and its relatives, as researchers receive them."""

import hashlib

import pytest
from hypothesis import given, settings, strategies as st

from buttermilk_nb.corpus.load import load
from buttermilk_nb.errors import SetupError


def written(tmp_path, data, name="x.csv"):
    file = tmp_path / name
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return file


def ids(corpus):
    return [record.record_id for record in corpus]


@pytest.mark.parametrize("encoding", [None, "utf-8", "utf-8-sig"])
def test_a_bom_is_not_part_of_the_first_column_name(tmp_path, encoding):
    file = written(tmp_path, "\ufeffid,text\n1,One.\n")
    assert ids(load(file, content="text", record_id="id", encoding=encoding)) == ["1"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_encoding_is_detected(tmp_path, encoding):
    file = written(tmp_path, "id,text\n1,“Café,” she said – naïve.\n".replace(",” ", "” ").encode(encoding))
    corpus = load(file, content="text", record_id="id")
    assert corpus[0].content == "“Café” she said – naïve."


def test_a_western_byte_late_in_a_large_file_is_not_damaged(tmp_path):
    rows = "".join(f"{i},plain text in English\n" for i in range(12_000))
    file = written(tmp_path, f"id,text\n{rows}last,café\n{rows.replace(',', 'b,')}".encode("cp1252"))
    assert load(file, content="text", record_id="id")["last"].content == "café"


def test_an_encoding_that_does_not_fit_is_a_sentence(tmp_path):
    file = written(tmp_path, "id,text\n1,café\n".encode("cp1252"))
    with pytest.raises(SetupError, match=r"`x.csv` is not valid utf-8 \(byte 13\); leave out `encoding` to detect it"):
        load(file, content="text", encoding="utf-8")


def test_an_encoding_that_does_not_exist_is_a_sentence(tmp_path):
    with pytest.raises(SetupError, match="`utf-9` is not an encoding"):
        load(written(tmp_path, "text\na\n"), content="text", encoding="utf-9")


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(tmp_path, sign):
    file = written(tmp_path, f'id{sign}text\n1{sign}"One, two; three|four\tfive"\n')
    corpus = load(file, content="text")
    assert (corpus[0].content, corpus.provenance["delimiter"]) == ("One, two; three|four\tfive", sign)


def test_the_old_line_ends_of_a_mac_are_line_ends(tmp_path):
    corpus = load(written(tmp_path, "id;text\r1;a, b, c, d\r2;e, f\r"), content="text", record_id="id")
    assert [record.content for record in corpus] == ["a, b, c, d", "e, f"]


@pytest.mark.parametrize("delimiter", [";;", "\\t"])
def test_a_delimiter_of_two_signs_is_refused_in_a_sentence(tmp_path, delimiter):
    with pytest.raises(SetupError, match="cannot be read as a delimited file"):
        load(written(tmp_path, "id,text\n1,a\n"), content="text", delimiter=delimiter)


def test_ids_keep_their_zeros_and_cells_stay_text(tmp_path):
    corpus = load(written(tmp_path, "id,text,year\n007,A.,1990\n"), content="text", record_id="id")
    assert (corpus[0].record_id, corpus[0].metadata) == ("007", {"year": "1990"})


def test_newlines_in_quotes_belong_to_the_text(tmp_path):
    corpus = load(written(tmp_path, 'id,text\n1,"One.\nTwo ""three""."\n2,Four.\n'), content="text")
    assert [record.content for record in corpus] == ['One.\nTwo "three".', "Four."]


def test_a_row_of_the_wrong_length_is_rejected_with_the_line_where_it_starts(tmp_path):
    file = written(tmp_path, 'id,text\n1,"One.\nstill one."\n2,Two.,extra\n3\n4,Four.\n')
    corpus = load(file, content="text", record_id="id")
    assert ids(corpus) == ["1", "4"]
    assert corpus.rejected[["line", "reason"]].to_numpy().tolist() == [
        [4, "the row has 3 fields, but the header has 2"],
        [5, "the row has 1 field, but the header has 2"],
    ]


def test_a_quotation_mark_that_never_closes_does_not_swallow_the_file_in_silence(tmp_path):
    corpus = load(written(tmp_path, 'id,text\n1,One.\n2,"Two.\n3,Three.\n'), content="text", record_id="id")
    assert ids(corpus) == ["1"]
    assert corpus.rejected.line.tolist() == [3]
    assert "never closed" in corpus.rejected.reason[0]


def test_empty_rows_are_counted_and_left_out(tmp_path):
    corpus = load(written(tmp_path, "id,text\n\n1,One.\n,\n2,Two.\n"), content="text", record_id="id")
    assert ids(corpus) == ["1", "2"]
    assert corpus.rejected.line.tolist() == [2, 4]
    assert set(corpus.rejected.reason) == {"empty row"}


def test_the_second_of_two_equal_ids_is_rejected_and_names_the_first(tmp_path):
    corpus = load(written(tmp_path, "id,text\na,One.\nb,Two.\na,Three.\n"), content="text", record_id="id")
    assert ids(corpus) == ["a", "b"]
    assert corpus.rejected.reason.tolist() == ["the id `a` is already in line 2"]


def test_the_same_text_twice_without_ids_is_rejected_with_the_way_out(tmp_path):
    corpus = load(written(tmp_path, "text\nOne.\nOne.\n"), content="text")
    assert "name a column as `record_id` to keep both" in corpus.rejected.reason[0]


def test_two_columns_of_one_name_are_refused(tmp_path):
    with pytest.raises(SetupError, match="two columns called `text`"):
        load(written(tmp_path, "text,text\na,b\n"), content="text")


def test_columns_without_a_name_are_called_by_their_place(tmp_path):
    corpus = load(written(tmp_path, ",text,\n17,One.,note\n"), content="text", record_id="column 1")
    assert (corpus[0].record_id, corpus[0].metadata) == ("17", {"column 3": "note"})


def test_a_missing_column_names_the_nearest(tmp_path):
    with pytest.raises(SetupError, match="no column `contents`; did you mean `content`"):
        load(written(tmp_path, "id,content\n1,a\n"), content="contents")


def test_every_missing_column_is_named_at_once(tmp_path):
    with pytest.raises(SetupError) as raised:
        load(written(tmp_path, "id,text\n1,a\n"), content="txt", record_id="idd", truth="gold")
    assert len(raised.value.problems) == 3


def test_no_column_for_the_text_lists_the_columns(tmp_path):
    with pytest.raises(
        SetupError, match="say which column contains the text, content=...; the columns are `id`, `body`"
    ):
        load(written(tmp_path, "id,body\n1,a\n"))


def test_an_empty_file_is_a_sentence(tmp_path):
    with pytest.raises(SetupError, match="`x.csv` is empty"):
        load(written(tmp_path, ""), content="text")


def test_rejected_rows_can_stop_the_loading(tmp_path):
    with pytest.raises(SetupError, match=r"line 3: the row has 3 fields, but the header has 2\."):
        load(written(tmp_path, "id,text\n1,a\n2,b,c\n"), content="text", on_error="raise")


def test_on_error_takes_two_words_only(tmp_path):
    with pytest.raises(SetupError, match="write `keep`"):
        load(written(tmp_path, "text\na\n"), content="text", on_error="ignore")


def test_the_provenance_holds_name_and_hash_and_no_folder(tmp_path):
    file = written(tmp_path, "id,text\n1,a\n")
    facts = load(file, content="text").provenance
    assert (facts["file"], facts["sha256"]) == ("x.csv", hashlib.sha256(file.read_bytes()).hexdigest())
    assert str(tmp_path) not in repr(facts)


def test_rejected_is_a_frame_of_three_columns_also_when_nothing_was_rejected(tmp_path):
    corpus = load(written(tmp_path, "text\na\n"), content="text")
    assert list(corpus.rejected.columns) == ["line", "reason", "excerpt"]
    assert corpus.rejected.empty


def test_an_unknown_ending_lists_the_known_ones(tmp_path):
    with pytest.raises(SetupError, match=r"no loader for `.data`; you can load .csv, .*folders"):
        load(written(tmp_path, "x", "a.data"), content="text")


def test_a_misspelt_option_of_the_format_names_the_nearest(tmp_path):
    with pytest.raises(SetupError, match="no option `delimeter`; did you mean `delimiter`"):
        load(written(tmp_path, "text\na\n"), content="text", delimeter=";")


def test_an_option_of_another_format_is_refused(tmp_path):
    with pytest.raises(SetupError, match=".csv has no option `sheet`"):
        load(written(tmp_path, "text\na\n"), content="text", sheet="one")


def test_a_misspelt_role_of_a_column_names_the_nearest(tmp_path):
    with pytest.raises(SetupError, match=r"\.csv has no option `truht`; did you mean `truth`"):
        load(written(tmp_path, "text\na\n"), content="text", truht="x")


def test_a_missing_file_names_the_nearest_beside_it(tmp_path):
    written(tmp_path, "text\na\n", "articles.csv")
    with pytest.raises(SetupError, match="did you mean `articles.csv`"):
        load(tmp_path / "article.csv", content="text")


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=6), sign=st.sampled_from(",;\t|"))
def test_what_a_csv_writer_writes_is_what_the_loader_reads(tmp_path_factory, rows, sign):
    import csv

    file = tmp_path_factory.mktemp("csv") / "x.csv"
    with file.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, delimiter=sign, quoting=csv.QUOTE_ALL).writerows([("name", "text"), *rows])
    corpus = load(file, content="text")
    kept = {text for _, text in rows if text.strip()}
    assert {record.content for record in corpus} == kept
    assert len(corpus) + len(corpus.rejected) == len(rows)
