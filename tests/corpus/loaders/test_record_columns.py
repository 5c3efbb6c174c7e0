"""Rows with the names of a record's own fields need no mapping, and never show a judge the answer."""

import json

import pytest

import buttermilk_nb as bm

ROW = {
    "record_id": "a",
    "content": "One text.",
    "cluster": "The Bell",
    "outlet": "bell",
    "ground_truth": {"calm": "yes", "heat": 2},
    "expert_reasons": {"calm": ["It is quiet."]},
    "labels": {"ana": {"calm": "no"}, "ben": {"calm": "yes", "heat": 3}},
}


@pytest.fixture
def load(tmp_path):
    def load(*rows, **mapping):
        file = tmp_path / "posts.jsonl"
        file.write_text("\n".join(json.dumps(row) for row in rows))
        return bm.load(file, **mapping)

    return load


def test_a_record_s_own_fields_are_what_they_say(load):
    (record,) = load(ROW)
    assert (record.record_id, record.content, record.cluster) == ("a", "One text.", "The Bell")
    assert record.ground_truth == ROW["ground_truth"]
    assert record.expert_reasons == {"calm": ("It is quiet.",)}
    assert record.labels == ROW["labels"]


def test_no_answer_becomes_metadata_even_where_another_column_holds_the_truth(load):
    (record,) = load({**ROW, "gold": "no"}, truth={"calm": "gold"})
    assert record.ground_truth == {"calm": "no"}
    assert not {"ground_truth", "labels", "expert_reasons", "gold"} & set(record.metadata)
    assert record.metadata["outlet"] == "bell"


def test_rows_without_codes_stand_beside_rows_with_them(load):
    with_codes, without = load(ROW, {"record_id": "b", "content": "Another."})
    assert with_codes.labels
    assert (without.labels, without.ground_truth) == ({}, {})


def test_what_is_said_counts_more_than_a_name(load):
    (record,) = load(ROW, cluster="outlet", record_id="outlet")
    assert (record.cluster, record.record_id) == ("bell", "bell")


def test_a_column_that_only_has_such_a_name_is_metadata(load):
    (record,) = load({"content": "One text.", "labels": "a, b"})
    assert record.metadata == {"labels": "a, b"}


def test_a_name_with_a_dot_is_a_sentence(load):
    with pytest.raises(bm.SetupError, match=r"`labels` contains the name `a.na`. A name with a dot"):
        load({**ROW, "labels": {"a.na": {"calm": "no"}}})
