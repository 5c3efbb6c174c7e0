"""To BigQuery and from it, with Google's own client against a server of this machine."""

import datetime as dt
import sys

import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus.loaders import bigquery
from buttermilk_nb.schema import ROWS
from buttermilk_nb.store.exporters.bigquery import _file_schema, export_to_bigquery, table_schema
from buttermilk_nb.store.exporters.export import earlier_exports
from buttermilk_nb.store.exporters.files import TableFile
from buttermilk_nb.store.exporters.selection import table_columns

# --- out ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [model.table for model in ROWS])
def test_the_schema_from_the_row_model_is_that_of_the_table(judged_store, table):
    with judged_store.reading() as con:
        columns = table_columns(con, table)
    made = {field["name"]: field for field in table_schema(table)}
    found = {field["name"]: field for field in _file_schema(TableFile(table, None, 0, columns))}
    assert made == found


def test_a_schema_says_types_modes_and_meanings():
    fields = {field["name"]: field for field in table_schema("scores")}
    assert fields["value"]["type"] == "FLOAT"
    assert fields["replicate"]["type"] == "INTEGER"
    assert fields["flagged"]["type"] == "BOOLEAN"
    assert (fields["reasons"]["type"], fields["reasons"]["mode"]) == ("STRING", "REPEATED")
    assert fields["status"]["type"] == "STRING"
    assert {field["mode"] for field in fields.values()} == {"NULLABLE", "REPEATED"}
    assert {field["name"]: field["type"] for field in table_schema("runs")}["started_at"] == "TIMESTAMP"
    assert all(field["description"] for field in fields.values())


def test_the_schema_of_nothing_is_answered_with_the_nearest():
    with pytest.raises(bm.SetupError, match="no table `score`; did you mean `scores`"):
        table_schema("score")


def test_every_table_is_loaded_with_its_schema(judged_store, bigquery_server, bigquery_client):
    loaded = export_to_bigquery(judged_store, "our-project.study", client=bigquery_client, location="EU")
    assert {"records", "calls", "scores", "latest_scores", "judge_scores"} <= set(loaded)
    assert (loaded["scores"], loaded["runs"]) == (3, 1)
    assert bigquery_server.datasets["our-project.study"]["location"] == "EU"
    load = bigquery_server.tables["our-project.study.scores"]["load"]
    assert load["sourceFormat"] == "PARQUET"
    assert load["parquetOptions"]["enableListInference"] is True
    assert load["schema"]["fields"] == table_schema("scores")
    assert "autodetect" not in load


def test_the_rows_that_are_loaded_are_those_of_the_store(judged_store, bigquery_server, bigquery_client):
    export_to_bigquery(judged_store, "our-project.study", tables=["scores", "runs"], client=bigquery_client)
    with judged_store.reading() as con:
        wanted = con.execute("select columns(*)::varchar from scores order by all").fetchall()
        started = con.execute("select started_at from runs").fetchone()[0]
    assert sorted(bigquery_server.rows("our-project.study.scores"), key=str) == sorted(wanted, key=str)
    row = bigquery_server.rows("our-project.study.runs")[0]
    assert dt.datetime.fromisoformat(row[5]) == started.replace(tzinfo=dt.UTC)


def test_the_words_of_a_local_only_record_are_not_loaded(hostile_store, bigquery_server, bigquery_client):
    export_to_bigquery(hostile_store, "study", tables=["records"], client=bigquery_client)
    assert "SECRET" not in str(bigquery_server.rows("our-project.study.records"))
    export_to_bigquery(hostile_store, "study2", tables=["records"], client=bigquery_client, with_local_only=True)
    assert "SECRET" in str(bigquery_server.rows("our-project.study2.records"))


def test_a_second_export_is_refused_as_a_whole_unless_it_may_replace(judged_store, bigquery_server, bigquery_client):
    export_to_bigquery(judged_store, "our-project.study", tables=["runs"], client=bigquery_client)
    before = len(bigquery_server.jobs)
    with pytest.raises(bm.SetupError, match=r"`our-project.study` already has `runs`"):
        export_to_bigquery(judged_store, "our-project.study", tables=["cells", "runs"], client=bigquery_client)
    assert len(bigquery_server.jobs) == before
    loaded = export_to_bigquery(
        judged_store, "our-project.study", tables=["cells", "runs"], client=bigquery_client, replace=True
    )
    assert loaded == {"cells": 3, "runs": 1}


def test_the_store_remembers_the_dataset(judged_store, bigquery_client):
    export_to_bigquery(judged_store, "study", tables=["runs"], client=bigquery_client)
    assert earlier_exports(judged_store) == ["bigquery://our-project.study"]


def test_what_google_refuses_is_one_sentence(judged_store, bigquery_server, bigquery_client):
    bigquery_server.refusal = (403, "Access Denied: Dataset our-project:study")
    with pytest.raises(bm.SetupError, match=r"^BigQuery refuses: .*Access Denied: Dataset our-project:study\.$"):
        export_to_bigquery(judged_store, "our-project.study", client=bigquery_client)
    assert earlier_exports(judged_store) == []


def test_what_is_no_dataset_is_said(judged_store, bigquery_client):
    with pytest.raises(bm.SetupError, match="`a.b.c.d e` is not a dataset"):
        export_to_bigquery(judged_store, "a.b.c.d e", client=bigquery_client)


def test_without_the_package_the_command_is_named(judged_store, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("google.cloud.bigquery")] or ["google.cloud.bigquery"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delattr("google.cloud.bigquery", raising=False)
    with pytest.raises(bm.SetupError, match=r"`pip install buttermilk-nb\[bigquery\]`"):
        export_to_bigquery(judged_store, "our-project.study")


# --- in ----------------------------------------------------------------------------------------------

FIELDS = [
    {"name": "id", "type": "INTEGER", "mode": "NULLABLE"},
    {"name": "text", "type": "STRING", "mode": "NULLABLE"},
    {"name": "day", "type": "DATE", "mode": "NULLABLE"},
    {"name": "tags", "type": "STRING", "mode": "REPEATED"},
    {
        "name": "by",
        "type": "RECORD",
        "mode": "NULLABLE",
        "fields": [{"name": "name", "type": "STRING", "mode": "NULLABLE"}],
    },
]


def cells(*values):
    return {"f": [{"v": value} for value in values]}


DATA = [
    cells("7", "One.", "2026-05-01", [{"v": "a"}, {"v": "b"}], {"f": [{"v": "Ada"}]}),
    cells("8", "Two.", None, [], None),
]


def test_a_table_is_read_without_a_query(bigquery_server, bigquery_client):
    bigquery_server.answers["our-project.press.articles"] = (FIELDS, DATA)
    source = bigquery.read("press.articles", client=bigquery_client)
    assert [row.fields for row in source.rows] == [
        {"id": 7, "text": "One.", "day": "2026-05-01", "tags": ["a", "b"], "by": {"name": "Ada"}},
        {"id": 8, "text": "Two.", "day": None, "tags": [], "by": None},
    ]
    assert source.description["bigquery"] == {"table": "our-project.press.articles"}
    assert bigquery_server.queries == []


def test_rows_become_records_through_the_same_mapping_as_a_file(bigquery_server, bigquery_client):
    bigquery_server.answers["our-project.press.articles"] = (FIELDS, DATA)
    source = bigquery.read("our-project.press.articles", client=bigquery_client)
    corpus = bm.Corpus.from_records([row.fields for row in source.rows], content="text", record_id="id")
    assert [(record.record_id, record.content) for record in corpus] == [("7", "One."), ("8", "Two.")]
    assert corpus["7"].metadata["by"] == {"name": "Ada"}


def test_a_query_is_sent_with_its_values_and_its_limit(bigquery_server, bigquery_client):
    bigquery_server.answers["query"] = (FIELDS, DATA)
    source = bigquery.read(
        "select * from press.articles where outlet = @outlet and year > @year",
        params={"outlet": "The Bell'; drop", "year": 2020},
        client=bigquery_client,
    )
    assert len(source.rows) == 2
    sent = bigquery_server.queries[0]
    assert sent["maximumBytesBilled"] == str(bigquery.MAX_BYTES_BILLED)
    assert "The Bell" not in sent["query"]
    assert [(p["name"], p["parameterType"]["type"], p["parameterValue"]["value"]) for p in sent["queryParameters"]] == [
        ("outlet", "STRING", "The Bell'; drop"),
        ("year", "INT64", "2020"),
    ]


def test_what_was_read_has_a_hash(bigquery_server, bigquery_client):
    bigquery_server.answers["our-project.press.articles"] = (FIELDS, DATA)
    first = bigquery.read("press.articles", client=bigquery_client).description["sha256"]
    assert bigquery.read("press.articles", client=bigquery_client).description["sha256"] == first
    bigquery_server.answers["our-project.press.articles"] = (FIELDS, DATA[:1])
    assert bigquery.read("press.articles", client=bigquery_client).description["sha256"] != first


def test_a_table_that_there_is_not_is_one_sentence(bigquery_client):
    with pytest.raises(bm.SetupError, match=r"BigQuery refuses: .*Not found: Table our-project\.press\.nothing"):
        bigquery.read("press.nothing", client=bigquery_client)
