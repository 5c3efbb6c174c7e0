"""JSON, workbooks, Parquet, dataframes, folders, zips and lists."""

import datetime as dt
import json
import os
import sys
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest

from buttermilk_nb.corpus.corpus import Corpus
from buttermilk_nb.corpus.load import load
from buttermilk_nb.corpus.record import Record
from buttermilk_nb.errors import SetupError


def test_dotted_names_reach_into_nested_objects(tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_text('{"post": {"id": 7, "text": "One."}, "meta": {"lang": "en", "gold": "no"}}\n')
    record = load(file, content="post.text", record_id="post.id", truth="meta.gold")[0]
    assert (record.record_id, record.content, record.ground_truth) == ("7", "One.", {"*": "no"})


def test_the_truth_is_taken_out_of_nested_metadata(tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_text('{"text": "One.", "meta": {"lang": "en", "gold": "secret", "why": "secret"}}\n')
    record = load(file, content="text", truth="meta.gold", reasons="meta.why")[0]
    assert record.metadata == {"meta": {"lang": "en"}}


def test_the_truth_is_taken_out_of_metadata_that_was_chosen():
    rows = [{"t": "One.", "meta": {"gold": "secret", "year": 1990}}]
    assert load(rows, content="t", truth="meta.gold", metadata=["meta"])[0].metadata == {"meta": {"year": 1990}}


def test_the_truth_cannot_be_metadata_as_well():
    with pytest.raises(SetupError, match="`gold` contains codes or reasons"):
        load([{"t": "One.", "gold": "no"}], content="t", truth="gold", metadata=["gold"])


def test_bad_lines_are_rejected_by_number(tmp_path):
    file = tmp_path / "x.jsonl"
    deep = "[" * 100_000
    file.write_text(f'{{"t": "One."}}\n\n{{"t": \n"not an object"\n[1]\n{deep}\n{{"t": "Two."}}\r\n')
    corpus = load(file, content="t")
    assert [record.content for record in corpus] == ["One.", "Two."]
    assert corpus.rejected.line.tolist() == [3, 4, 5, 6]


def test_lone_surrogates_in_json_are_replaced(tmp_path):
    file = tmp_path / "x.jsonl"
    file.write_text('{"t": "a\\ud800b", "id": "\\udfff", "m": ["\\ud800"], "g": "\\ud800", "c": "\\ud800"}\n')
    record = load(file, content="t", record_id="id", truth="g", cluster="c")[0]
    assert record.model_dump_json().encode()
    assert record.content == "a\ufffdb"


def test_a_json_file_that_holds_its_list_under_a_name_says_which(tmp_path):
    file = tmp_path / "x.json"
    file.write_text('{"data": {"items": [{"t": "One."}]}}')
    assert len(load(file, content="t", at="data.items")) == 1
    with pytest.raises(SetupError, match="no `item` .*did you mean `items`"):
        load(file, content="t", at="data.item")


def test_one_object_hints_at_the_list_inside(tmp_path):
    file = tmp_path / "x.json"
    file.write_text('{"items": [{"t": "One."}]}')
    with pytest.raises(SetupError, match="Write at='items'"):
        load(file, content="t")


def test_json_lines_named_json_are_recognised(tmp_path):
    file = tmp_path / "x.json"
    file.write_text('{"t": "One."}\n{"t": "Two."}\n')
    with pytest.raises(SetupError, match=r"give it the ending .jsonl"):
        load(file, content="t")


def workbook(tmp_path, *rows, name="x.xlsx"):
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / name)
    return tmp_path / name


def test_a_workbook_keeps_dates_and_whole_numbers(tmp_path):
    file = workbook(
        tmp_path, ["id", "text", "day", "n"], ["007", "One.", dt.date(2024, 2, 6), 3.0], [8, "Two.", None, 2.5]
    )
    corpus = load(file, content="text", record_id="id")
    assert corpus[0].metadata == {"day": "2024-02-06T00:00:00", "n": 3}
    assert [record.record_id for record in corpus] == ["007", "8"]


def test_empty_rows_at_the_end_of_a_sheet_are_nothing_and_those_between_are_counted(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["text"], ["One."], [None], ["Two."]):
        book.active.append(row)
    book.active.cell(9, 1).number_format = "0.00"
    book.save(tmp_path / "x.xlsx")
    corpus = load(tmp_path / "x.xlsx", content="text")
    assert (len(corpus), corpus.rejected.line.tolist()) == (2, [3])


def test_an_unknown_sheet_names_the_nearest(tmp_path):
    with pytest.raises(SetupError, match="no sheet `Shet`; did you mean `Sheet`"):
        load(workbook(tmp_path, ["text"], ["One."]), content="text", sheet="Shet")


def test_a_workbook_with_two_columns_of_one_name_is_refused(tmp_path):
    with pytest.raises(SetupError, match="two columns called `text`"):
        load(workbook(tmp_path, ["text", "text"], ["a", "b"]), content="text")


def test_a_sheet_that_declares_a_wrong_size_is_read_whole(tmp_path):
    file = workbook(tmp_path, ["id", "text"], ["1", "One."], ["2", "Two."])
    other = tmp_path / "wrong.xlsx"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        for member in old.namelist():
            new.writestr(member, old.read(member).replace(b'ref="A1:B3"', b'ref="A1"'))
    assert len(load(other, content="text", record_id="id")) == 2


def test_a_file_that_is_no_workbook_is_a_sentence(tmp_path):
    (tmp_path / "x.xlsx").write_text("no")
    with pytest.raises(SetupError, match="cannot be read as an Excel workbook"):
        load(tmp_path / "x.xlsx", content="text")


def parquet(path, select):
    import duckdb

    with duckdb.connect() as con:
        con.sql(select).write_parquet(str(path))
    return path


def test_parquet_keeps_lists_structs_and_times_with_zones(tmp_path):
    select = "select 'One.' t, ['a', 'b'] tags, {'lang': 'en'} meta, timestamptz '2024-02-06 12:00:00+02' posted"
    record = load(parquet(tmp_path / "x.parquet", select), content="t")[0]
    assert record.metadata == {"tags": ["a", "b"], "meta": {"lang": "en"}, "posted": "2024-02-06 10:00:00+00"}


def test_a_parquet_file_with_brackets_in_its_name_is_one_file(tmp_path):
    assert len(load(parquet(tmp_path / "x[1].parquet", "select 'One.' t"), content="t")) == 1


def test_bytes_are_not_text(tmp_path):
    corpus = load(parquet(tmp_path / "x.parquet", "select 'One.'::blob t"), content="t")
    assert corpus.rejected.reason.tolist() == ["`t` contains a value of type `bytes`, not text"]


def test_a_file_that_is_no_parquet_is_a_sentence(tmp_path):
    (tmp_path / "x.parquet").write_text("no")
    with pytest.raises(SetupError, match="cannot be read as Parquet"):
        load(tmp_path / "x.parquet", content="t")


def test_missing_cells_of_a_dataframe_are_nothing():
    frame = pd.DataFrame({"id": [1.0, 2.0, None], "t": ["One.", None, "Three."], "n": [np.nan, 1, 2]})
    corpus = load(frame, content="t", record_id="id")
    assert (corpus[0].record_id, corpus[0].metadata) == ("1", {"n": None})
    assert corpus.rejected.reason.tolist() == ["no text in `t`", "no id in `id`"]


def test_arrays_in_a_dataframe_are_lists():
    frame = pd.DataFrame({"t": ["One."], "tags": [np.array(["a", "b"])], "codes": [np.array(["x", "y"])]})
    record = load(frame, content="t", truth="codes")[0]
    assert (record.metadata, record.ground_truth) == ({"tags": ["a", "b"]}, {"*": ["x", "y"]})


def test_a_dataframe_with_two_columns_of_one_name_is_refused():
    with pytest.raises(SetupError, match="the dataframe has two columns called `t`"):
        load(pd.DataFrame([["a", "b"]], columns=["t", "t"]), content="t")


def test_a_dataframe_is_not_changed_by_loading_it():
    frame = pd.DataFrame({"t": ["One."], "n": [np.nan]})
    before = frame.copy()
    load(frame, content="t")
    pd.testing.assert_frame_equal(frame, before)


def test_a_folder_gives_one_record_a_file_named_by_its_path(tmp_path):
    (tmp_path / "sub").mkdir()
    for name, text in {"b.txt": "B.", "sub/a.txt": "A.", ".hidden.txt": "no", "c.log": "no", "e.txt": " "}.items():
        (tmp_path / name).write_text(text)
    corpus = load(tmp_path)
    assert [record.record_id for record in corpus] == ["b", "sub/a"]
    assert corpus.rejected.reason.tolist() == ["no text in `text`"]
    assert str(tmp_path.parent) not in repr(corpus.provenance)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows such a name")
def test_a_file_name_that_is_no_text_can_still_be_stored(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("One.")
    assert load(tmp_path)[0].model_dump_json().encode()


def test_a_folder_without_a_match_says_so(tmp_path):
    with pytest.raises(SetupError, match="contains no document and no image; give another"):
        load(tmp_path)


def test_a_zip_is_read_without_the_forks_of_macos(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in ("c/one.txt", "__MACOSX/c/._one.txt", "c/._one.txt", "../two.txt", "c/three.log"):
            archive.writestr(name, f"Text of {name}.")
    assert [record.record_id for record in load(tmp_path / "x.zip")] == ["c/one"]


@pytest.mark.parametrize("harm", ["no zip", "cut off", "damaged"])
def test_a_zip_that_cannot_be_read_is_a_sentence(tmp_path, harm):
    file = tmp_path / "x.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.txt", "One. " * 500)
    data = bytearray(file.read_bytes())
    data[40:44] = b"\xff\xff\xff\xff"
    file.write_bytes({"no zip": b"no", "cut off": bytes(data[:50]), "damaged": bytes(data)}[harm])
    with pytest.raises(SetupError, match="cannot be read as a zip"):
        load(file)


def test_records_are_taken_as_they_are():
    records = [Record(record_id="a", content="One."), Record(record_id="b", content="Two.")]
    assert list(load(records)) == records


def test_dictionaries_go_through_the_same_mapping_and_records_among_them_are_rejected():
    corpus = Corpus.from_records([{"t": "One.", 5: "five"}, Record(content="Two."), "three"], content="t")
    assert corpus[0].metadata == {"5": "five"}
    assert corpus.rejected.reason.tolist() == ["this is not a mapping but Record", "this is not a mapping but str"]


@pytest.mark.parametrize("nothing", [None, "", " \n", float("nan")])
def test_nothing_is_no_text_and_no_id(nothing):
    corpus = (
        load([{"id": "a", "t": nothing}, {"id": nothing, "t": "Two."}], content="t", record_id="id")
        if nothing != "x"
        else 0
    )
    assert (len(corpus), len(corpus.rejected)) == (0, 2)


def test_words_of_the_data_become_words_of_the_scale():
    rows = [{"t": str(i), "g": code} for i, code in enumerate([1, 1.0, "1", " 1 ", True, None, "", "  ", "n/a"])]
    corpus = load(rows, content="t", truth="g", truth_values={1: "yes", "True": "si", "n/a": None})
    assert [record.ground_truth.get("*") for record in corpus] == ["yes"] * 4 + ["si"] + [None] * 4


def test_each_label_of_a_list_is_translated():
    record = load([{"t": "One.", "g": ["m", "z"]}], content="t", truth="g", truth_values={"m": "mockery"})[0]
    assert record.ground_truth == {"*": ["mockery", "z"]}


def test_coders_are_kept_by_name_and_criterion_and_leave_the_metadata():
    row = {"t": "One.", "kf": "no", "as": "", "kf_tone": 4, "outlet": "The Bell"}
    coders = {"kf": {"respect": "kf", "tone": "kf_tone"}, "as": "as"}
    record = load([row], content="t", coders=coders)[0]
    assert record.labels == {"kf": {"respect": "no", "tone": 4}}
    assert record.metadata == {"outlet": "The Bell"}


@pytest.mark.parametrize("given", ["Insult. | Mockery.", "Insult.\r\nMockery.\n", ["Insult.", " Mockery. ", None, ""]])
def test_reasons_are_parted_at_bars_and_lines(given):
    record = load([{"t": "One.", "why": given}], content="t", reasons={"respect": "why"})[0]
    assert record.expert_reasons == {"respect": ("Insult.", "Mockery.")}


def test_missing_reasons_are_none():
    assert load([{"t": "One.", "why": float("nan")}], content="t", reasons="why")[0].expert_reasons == {}


def test_the_cluster_is_text_and_stays_in_the_metadata():
    rows = [{"t": "One.", "author": 7.0}, {"t": "Two.", "author": None}]
    corpus = load(rows, content="t", cluster="author")
    assert [record.cluster for record in corpus] == ["7", None]
    assert corpus[0].metadata == {"author": 7.0}


@pytest.mark.parametrize("chosen", [["outlet"], "outlet"])
def test_metadata_can_be_chosen(chosen):
    record = load([{"t": "One.", "outlet": "The Bell", "note": "x"}], content="t", metadata=chosen)[0]
    assert record.metadata == {"outlet": "The Bell"}


def test_no_metadata_can_be_chosen():
    assert load([{"t": "One.", "note": "x"}], content="t", metadata=[])[0].metadata == {}


def test_loading_gives_no_warning(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps([{"t": "One."}]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        corpus = load(tmp_path / "x.json", content="t")
    assert [str(warning.message) for warning in caught] == []
    assert [record.content for record in corpus] == ["One."]
