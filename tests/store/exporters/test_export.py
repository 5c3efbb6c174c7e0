"""Exports that a colleague can open: files, their formats, and where they go."""

import csv
import json
import re
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from support.study import flow

import buttermilk_nb as bm
from buttermilk_nb.store.exporters import excel
from buttermilk_nb.store.exporters.export import earlier_exports, export
from buttermilk_nb.store.exporters.files import FORMATS, escape_formula, unescape_formula
from buttermilk_nb.store.write_batch import WriteBatch


def names(files):
    return [Path(file).name for file in files]


def read(path):
    """What a file of any format holds, as DuckDB reads it."""
    with duckdb.connect() as con:
        if str(path).endswith(".jsonl"):
            return con.execute("from read_json(?)", [str(path)]).df()
        return con.execute(f"from '{path}'").df()


# --- formats -----------------------------------------------------------------------------------------


def test_a_folder_gets_one_csv_a_table_and_a_dictionary(judged_store, tmp_path):
    files = export(judged_store, tmp_path / "out")
    assert names(files) == [
        "records.csv", "texts.csv", "runs.csv", "cells.csv", "traces.csv", "trace_inputs.csv", "calls.csv",
        "scores.csv", "assessments.csv", "labels.csv", "coders.csv", "samples.csv", "events.csv",
        "latest_scores.csv", "judge_scores.csv", "data-dictionary.csv",
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names(files))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_every_format_holds_the_rows_of_the_store(judged_store, tmp_path, kind):
    export(judged_store, tmp_path / "out", format=kind)
    for table in ("records", "cells", "traces", "calls", "scores", "judge_scores"):
        assert len(read(tmp_path / "out" / f"{table}.{kind}")) == 3, table
    found = read(tmp_path / "out" / f"scores.{kind}").sort_values("record_id")
    wanted = judged_store.df("select * from scores order by record_id")
    for column in ("trace_id", "design_id", "criterion", "status"):
        assert found[column].astype(str).tolist() == wanted[column].tolist()


def test_lists_stay_lists_in_parquet_and_json_lines_and_are_json_in_csv(judged_store, tmp_path):
    for kind in ("csv", "jsonl", "parquet"):
        export(judged_store, tmp_path / kind, format=kind, tables=["scores"])
    reasons = judged_store.df("select reasons from scores order by trace_id").reasons.iloc[0].tolist()
    assert reasons
    assert read(tmp_path / "parquet" / "scores.parquet").reasons.iloc[0].tolist() == reasons
    lines = (tmp_path / "jsonl" / "scores.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["reasons"] == reasons
    assert json.loads(pd.read_csv(tmp_path / "csv" / "scores.csv").reasons.iloc[0]) == reasons


def test_json_columns_are_objects_in_json_lines(judged_store, tmp_path):
    export(judged_store, tmp_path / "out", format="jsonl", tables=["runs"])
    row = json.loads((tmp_path / "out" / "runs.jsonl").read_text(encoding="utf-8"))
    assert row["manifest"]["flow"]


def test_what_is_no_json_stays_text_in_json_lines(judged_store, tmp_path):
    with judged_store.writing() as con:
        con.execute("update records set metadata = 'not json'")
    export(judged_store, tmp_path / "out", format="jsonl", tables=["records"])
    lines = (tmp_path / "out" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["metadata"] for line in lines} == {"not json"}


def test_an_empty_text_and_a_missing_one_differ_in_csv(judged_store, tmp_path):
    with judged_store.writing() as con:
        con.execute("update records set cluster = '', uri = null")
    export(judged_store, tmp_path / "records.csv", tables=["records"])
    with duckdb.connect() as con:
        query = (
            "select distinct cluster, uri from read_csv('records.csv', allow_quoted_nulls = false, all_varchar = true)"
        )
        assert con.execute(query).fetchall() == [("", None)]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_one_table_may_go_to_one_file(judged_store, tmp_path, kind):
    files = export(judged_store, tmp_path / f"ours.{kind}", tables="latest_scores")
    assert names(files) == [f"ours.{kind}", "ours-data-dictionary.csv"]
    assert len(read(files[0])) == 3


def test_several_tables_do_not_fit_one_csv(judged_store, tmp_path):
    with pytest.raises(bm.SetupError, match=r"`all.csv` can contain one table.*format='csv'"):
        export(judged_store, tmp_path / "all.csv")


def test_an_ending_and_a_format_must_agree(judged_store, tmp_path):
    with pytest.raises(bm.SetupError, match=r"ends in \.csv, but format='parquet'"):
        export(judged_store, tmp_path / "a.csv", format="parquet", tables=["runs"])


def test_an_unknown_format_is_answered_with_the_nearest(judged_store, tmp_path):
    with pytest.raises(
        bm.SetupError, match=r"format='parket' must be one of csv, jsonl, parquet, xlsx; did you mean `parq"
    ):
        export(judged_store, tmp_path / "out", format="parket")


# --- Excel -------------------------------------------------------------------------------------------


def test_a_workbook_has_a_sheet_a_table_and_the_dictionary(judged_store, tmp_path):
    export(judged_store, tmp_path / "study.xlsx")
    book = openpyxl.load_workbook(tmp_path / "study.xlsx", read_only=True)
    assert book.sheetnames[:3] == ["records", "texts", "runs"]
    assert book.sheetnames[-1] == "data-dictionary"
    rows = list(book["scores"].iter_rows(values_only=True))
    book.close()
    assert len(rows) == 4
    assert rows[0][0] == "trace_id"
    assert isinstance(rows[1][rows[0].index("reasons")], str)


def test_excel_gets_text_where_a_text_looks_like_a_formula(hostile_store, tmp_path):
    export(hostile_store, tmp_path / "study.xlsx", tables=["records"])
    book = openpyxl.load_workbook(tmp_path / "study.xlsx")
    cells = [cell for row in book["records"].iter_rows() for cell in row]
    book.close()
    assert {cell.data_type for cell in cells} <= {"s", "n", "d", "b"}  # f would be a formula
    wanted = next(cell for cell in cells if str(cell.value).startswith("=HYPERLINK"))
    assert (wanted.data_type, wanted.quotePrefix) == ("s", True)


def test_a_text_too_long_for_a_cell_is_cut_with_a_sentence(judged_store, tmp_path):
    with judged_store.writing() as con:
        con.execute("update records set content = repeat('é𝄞', 30000) where record_id = 'r0'")
    export(judged_store, tmp_path / "study.xlsx", tables=["records"])
    book = openpyxl.load_workbook(tmp_path / "study.xlsx", read_only=True)
    texts = [str(cell) for row in book["records"].iter_rows(values_only=True) for cell in row]
    book.close()
    cut = next(text for text in texts if text.startswith("é𝄞"))
    assert len(cut.encode("utf-16-le")) // 2 <= 32_767
    assert cut.endswith("[cut here: Excel allows 32,767 characters per cell, this text has 60,000; csv has all of it]")


def test_a_table_longer_than_a_sheet_is_refused_before_anything_is_written(judged_store, tmp_path, monkeypatch):
    monkeypatch.setattr(excel, "MAX_ROWS", 2)
    with pytest.raises(bm.SetupError, match=r"`records` has 3 rows, but an Excel sheet can have 2: export it as csv"):
        export(judged_store, tmp_path / "study.xlsx")
    assert not (tmp_path / "study.xlsx").exists()
    assert not list(tmp_path.glob(".*partial*"))


def test_what_xml_cannot_hold_is_replaced(judged_store, tmp_path):
    with judged_store.writing() as con:
        con.execute("update records set content = 'a' || chr(1) || 'b' where record_id = 'r0'")
    export(judged_store, tmp_path / "study.xlsx", tables=["records"])
    assert "a\ufffdb" in pd.read_excel(tmp_path / "study.xlsx", sheet_name="records").content.tolist()


# --- formulas in CSV ---------------------------------------------------------------------------------


def test_csv_puts_an_apostrophe_before_what_a_spreadsheet_would_run(hostile_store, tmp_path):
    export(hostile_store, tmp_path / "records.csv", tables=["records"], with_local_only=True)
    with Path("records.csv").open(encoding="utf-8", newline="") as handle:
        found = {row["record_id"]: row["content"] for row in csv.DictReader(handle)}
    assert found == {"r0": '\'=HYPERLINK("http://x")', "r1": "SECRET", "r2": 'line one\nline, "two"; three'}
    assert unescape_formula(found["r0"]) == '=HYPERLINK("http://x")'


@pytest.fixture(scope="module")
def marking():
    with duckdb.connect() as con:
        yield lambda text: con.execute(
            f"select {escape_formula('t')} from (select ?::varchar as t)", [text]
        ).fetchone()[0]


@given(st.text(alphabet="'=+-@\t\r＝＋1.5eE ab\n", max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_marking_is_undone_exactly_and_leaves_nothing_that_runs(marking, text):
    marked = marking(text)
    assert unescape_formula(marked) == text
    assert not re.match(r"[=+\-@\t\r＝＋－＠]", marked) or float(marked) is not None


@pytest.mark.parametrize("text", ["-1", "+2", "-0.5", "-1e-5", "3"])
def test_numbers_written_as_text_are_left_alone(marking, text):
    assert marking(text) == text


# --- the dictionary ----------------------------------------------------------------------------------


def test_the_dictionary_explains_every_column_that_is_exported(judged_store, tmp_path):
    export(judged_store, tmp_path / "out")
    found = pd.read_csv(tmp_path / "out" / "data-dictionary.csv", keep_default_na=False)
    assert list(found.columns) == ["table", "column", "type", "meaning"]
    unexplained = found[found.meaning == ""]
    assert unexplained.empty, "say in the row model (the text under the field) what it means"
    for table in found.table.unique():
        header = pd.read_csv(tmp_path / "out" / f"{table}.csv", nrows=0).columns.tolist()
        assert found[found.table == table].column.tolist() == header


# --- what leaves -------------------------------------------------------------------------------------


def test_only_the_chosen_runs_leave(judged_store, tmp_path):
    flow().run(bm.Corpus([bm.Record(record_id="other", content="Another text.")]))
    first = judged_store.df("select run_id from runs order by run_id").run_id.iloc[0]
    export(judged_store, tmp_path / "out", run_ids=[first])
    for table in ("records", "cells", "traces", "calls", "scores", "judge_scores"):
        assert len(read(tmp_path / "out" / f"{table}.csv")) == 3, table
    assert read(tmp_path / "out" / "runs.csv").run_id.tolist() == [first]
    assert not (tmp_path / "out" / "latest_scores.csv").exists(), "the newest may be another run's"
    events = read(tmp_path / "out" / "events.csv")
    assert set(events.transaction_id.str.split("/").str[0]) == {first}
    texts = read(tmp_path / "out" / "texts.csv")
    assert not texts.body.str.contains("Another text").any()
    assert {"prompt", "criteria", "schema", "request", "response"} == set(texts.kind)


def test_a_run_that_there_is_not_is_named(judged_store, tmp_path):
    with pytest.raises(bm.SetupError, match="there is no run `nonsense`"):
        export(judged_store, tmp_path / "out", run_ids="nonsense")


def test_a_table_that_there_is_not_is_answered_with_the_nearest(judged_store, tmp_path):
    with pytest.raises(bm.SetupError, match=r"no table `score` to export; did you mean `scores`"):
        export(judged_store, tmp_path / "out", tables=["score"])


def test_what_was_redacted_never_leaves(judged_store, tmp_path):
    with pytest.raises(bm.SetupError, match="`redactions` contains the texts that were redacted"):
        export(judged_store, tmp_path / "out", tables=["redactions"])


def everything(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.fixture
def marked_local(judged_store, secret_unit):
    """One record says SECRET wherever a text can stand, and must not leave."""
    run = judged_store.df("select run_id from runs").run_id.item()
    judged_store.write(WriteBatch(units=[secret_unit(run, "r1", secret="SECRET")]))
    with judged_store.writing() as con:
        con.execute(
            "update records set local_only = true, content = 'SECRET', metadata = ?, media = ? where record_id = 'r1'",
            ['{"a":"SECRET"}', '["t1-picture"]'],
        )
        con.execute("insert into texts values ('t1-picture', 'media', null, null, 'SECRET')")
        con.execute(
            "insert into labels (record_id, coder, category, reasons, notes, quotes) "
            "values ('r1', 'kf', 'no', ['SECRET'], 'SECRET', 'SECRET')"
        )
        con.execute(
            "insert into assessments (record_id, reason, feedback, matched) values ('r1', 'SECRET', 'SECRET', true)"
        )
        con.execute(
            "insert into events values ('e1', 'ErrorEvent', ?, null, 'judge', ?, now()::timestamp)",
            [f"{run}/r1", '{"message":"SECRET"}'],
        )
    return judged_store


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_the_words_of_a_local_only_record_stay_here_and_its_answers_leave(marked_local, tmp_path, kind):
    export(marked_local, tmp_path / "out", format=kind)
    every = [
        "latest_labels",
        "latest_records",
        "latest_traces",
        "judgements",
        "calls_full",
        "costs",
        "call_timing",
        "egress",
    ]
    export(marked_local, tmp_path / "more", format=kind, tables=every)
    with duckdb.connect() as con:
        for path in [*(tmp_path / "out").glob(f"*.{kind}"), *(tmp_path / "more").glob(f"*.{kind}")]:
            rows = read(path) if kind != "parquet" else con.execute(f"from '{path}'").df()
            assert "SECRET" not in rows.astype(str).to_csv(), path.name
    scores = read(tmp_path / "out" / f"scores.{kind}")
    assert scores.category.notna().all()
    assert scores.record_id[scores.conclusion.notna()].tolist() == ["r0", "r2"]
    assert sorted(scores.record_id) == ["r0", "r1", "r1", "r2"]
    assert read(tmp_path / "out" / f"labels.{kind}").category.notna().tolist() == [True]
    assert read(tmp_path / "out" / f"assessments.{kind}").matched.tolist() == [True]


def test_they_leave_where_that_is_asked_for(marked_local, tmp_path):
    export(marked_local, tmp_path / "out", with_local_only=True)
    assert everything(tmp_path / "out").count(b"SECRET") >= 5


PLAIN = """
agent answer answer_note assessed_trace_id cache_key call_ids call_id category
cluster coder correlation_id corpus_hash criteria_hash criteria_set
criterion design_id details_hash digest chain error_code error_type event_id finish_reason fingerprint flow flow_hash
ground_truth groups input_trace_id judge judge_criteria judge_model judge_role judge_template kind label label_id labels
manifest method mime model model_requested model_served name params params_dropped params_sent parent_id prompt_hash
provider reader record_hash record_id redaction request_hash request_id response_hash role round run_id sample_id
saw_trace_ids scorer scorer_call_id
scoring_model scoring_template source status step stratum text_hash trace_id transaction_id type uncertainty version
what
"""


def test_each_column_of_text_is_known_to_hold_words_or_not(judged_store):
    """A new column that can quote a record must be named in `selection.TEXT_COLUMNS`; any other is listed here."""
    from buttermilk_nb.store.exporters.selection import MORE_TABLES, TABLES, TEXT_COLUMNS, table_columns

    plain = set(PLAIN.split())
    with judged_store.reading() as con:
        found = {
            column.name
            for table in (*TABLES, *MORE_TABLES)
            for column in table_columns(con, table)
            if column.kind in ("VARCHAR", "VARCHAR[]") and f"{table}.{column.name}" not in TEXT_COLUMNS
        }
    assert found - TEXT_COLUMNS - plain == set()


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_two_exports_of_one_store_are_the_same(judged_store, tmp_path, kind):
    flow().run(bm.Corpus([bm.Record(record_id="other", content="Another text.")]))
    export(judged_store, tmp_path / "one", format=kind)
    export(judged_store, tmp_path / "two", format=kind)
    assert read(tmp_path / "one" / f"scores.{kind}").trace_id.astype(str).is_monotonic_increasing
    for path in (tmp_path / "one").iterdir():
        other = tmp_path / "two" / path.name
        same = read(path).equals(read(other)) if kind == "parquet" else path.read_bytes() == other.read_bytes()
        assert same, path.name


# --- places ------------------------------------------------------------------------------------------


def test_a_folder_that_holds_something_is_not_written_over(judged_store, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(bm.SetupError, match=r"out` contains a file already: choose another path.*replace=True"):
        export(judged_store, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_replacing_leaves_other_files_alone_and_no_table_of_the_earlier_export(judged_store, tmp_path):
    export(judged_store, tmp_path / "out", format="parquet")
    (tmp_path / "out" / "mine.txt").write_text("mine")
    export(judged_store, tmp_path / "out", tables=["scores"], replace=True)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "data-dictionary.csv", "mine.txt", "scores.csv",
    ]  # fmt: skip


def test_a_file_is_not_written_over_and_its_neighbours_do_not_matter(judged_store, tmp_path):
    export(judged_store, tmp_path / "a.csv", tables=["runs"])
    export(judged_store, tmp_path / "b.csv", tables=["runs"])
    with pytest.raises(bm.SetupError, match=r"contains `a.csv` already"):
        export(judged_store, tmp_path / "a.csv", tables=["runs"])
    export(judged_store, tmp_path / "a.csv", tables=["scores"], replace=True)
    assert len(read(tmp_path / "a.csv")) == 3


def test_an_export_that_fails_leaves_nothing_behind(judged_store, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr("buttermilk_nb.store.exporters.export._write_dictionary", fail)
    with pytest.raises(OSError, match="the disk is full"):
        export(judged_store, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"project"}


def test_a_path_that_is_a_file_is_no_folder(judged_store, tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(bm.SetupError, match="is a file, not a folder"):
        export(judged_store, tmp_path / "out")


def test_the_store_is_free_while_a_workbook_is_written(judged_store, tmp_path, monkeypatch):
    seen = []

    def while_writing(staged, meanings, path):
        with duckdb.connect(str(judged_store.path)) as con:
            seen.append(con.execute("select count(*) from scores").fetchone())
        path.write_bytes(b"")

    monkeypatch.setattr("buttermilk_nb.store.exporters.export.write_workbook", while_writing)
    export(judged_store, tmp_path / "study.xlsx")
    assert seen == [(3,)]


def test_the_store_remembers_where_exports_went_and_does_not_export_that(judged_store, tmp_path):
    export(judged_store, tmp_path / "one", tables=["events"])
    export(judged_store, tmp_path / "two", tables=["events"])
    assert earlier_exports(judged_store) == [str(tmp_path / "one"), str(tmp_path / "two")]
    assert "exported" not in (tmp_path / "two" / "events.csv").read_text(encoding="utf-8")


def test_paths_are_what_the_user_wrote_even_with_quotes_and_spaces(judged_store, tmp_path):
    files = export(judged_store, tmp_path / 'it\'s "mine" ünd', tables=["runs"])
    assert all(Path(file).exists() for file in files)


# --- other file systems ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FORMATS)
def test_an_export_may_go_to_any_address(judged_store, kind):
    import fsspec

    files = export(judged_store, f"memory://bucket-{kind}/study", format=kind)
    system = fsspec.filesystem("memory")
    assert sorted(Path(name).name for name in system.ls(f"/bucket-{kind}/study", detail=False)) == sorted(names(files))
    assert all(file.startswith(f"memory://bucket-{kind}/study/") for file in files)
    assert earlier_exports(judged_store) == [f"memory://bucket-{kind}/study"]


def test_an_address_that_holds_something_is_not_written_over(judged_store):
    import fsspec

    export(judged_store, "memory://twice/study", tables=["runs"])
    with pytest.raises(bm.SetupError, match=r"`memory://twice/study` contains 2 files already"):
        export(judged_store, "memory://twice/study", tables=["runs"])
    export(judged_store, "memory://twice/study", tables=["scores"], format="jsonl", replace=True)
    found = fsspec.filesystem("memory").ls("/twice/study", detail=False)
    assert sorted(Path(name).name for name in found) == ["data-dictionary.csv", "scores.jsonl"]


def test_a_failing_upload_leaves_no_half_file(judged_store, monkeypatch):
    import fsspec

    def fail(system, path, source):
        with system.open(path, "wb") as handle:
            handle.write(b"half")
        raise OSError("the line was cut")

    monkeypatch.setattr("buttermilk_nb.store.exporters.destinations.upload", fail)
    with pytest.raises(bm.SetupError, match=r"`memory://cut/study` cannot be written to: the line was cut\."):
        export(judged_store, "memory://cut/study", tables=["runs"])
    assert fsspec.filesystem("memory").find("/cut") == []


def test_a_file_address_is_a_folder_of_this_machine(judged_store, tmp_path):
    files = export(judged_store, f"file://{tmp_path}/out", tables=["runs"])
    assert files[0] == str(tmp_path / "out" / "runs.csv")
    assert Path(files[0]).exists()


@pytest.mark.parametrize(("protocol", "extra"), [("gs", "gs"), ("s3", "s3")])
def test_a_missing_package_is_named_with_the_command(judged_store, protocol, extra):
    try:
        __import__({"gs": "gcsfs", "s3": "s3fs"}[protocol])
    except ImportError:
        with pytest.raises(bm.SetupError, match=rf"`pip install buttermilk-nb\[{extra}\]`"):
            export(judged_store, f"{protocol}://bucket/study")
    else:
        pytest.skip(f"the package for {protocol}:// is installed here")


def test_an_unknown_kind_of_address_is_answered_with_the_nearest(judged_store):
    with pytest.raises(bm.SetupError, match=r"the protocol `memry://` is not known; did you mean `memory`"):
        export(judged_store, "memry://bucket/study")


def test_a_secret_in_an_address_is_neither_shown_nor_stored(judged_store):
    from buttermilk_nb.corpus.loaders.remote_files import display_address

    assert display_address("https://key:secret@host/a/b.csv?sig=secret#x") == "https://host/a/b.csv"
    assert "secret" not in display_address("s3://key:secret@bucket/a?b=secret")
