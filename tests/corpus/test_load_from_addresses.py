"""A corpus from an address: what fsspec can open, `load` can read."""

import json

import fsspec
import pytest

import buttermilk_nb as bm


def test_a_corpus_is_loaded_from_an_address():
    with fsspec.open("memory://study/articles.jsonl", "wt") as handle:
        handle.write("\n".join(json.dumps({"id": f"a{i}", "text": f"Text {i}."}) for i in range(3)))
    found = bm.load("memory://study/articles.jsonl", content="text", record_id="id")
    assert [record.record_id for record in found] == ["a0", "a1", "a2"]
    assert found.provenance["address"] == "memory://study/articles.jsonl"


def test_an_address_with_a_local_file_reads_the_same(tmp_path):
    (tmp_path / "a.csv").write_text("id,text\n1,One.\n2,Two.\n")
    near = bm.load(tmp_path / "a.csv", content="text", record_id="id")
    far = bm.load((tmp_path / "a.csv").as_uri(), content="text", record_id="id")
    assert far.hash == near.hash


def test_an_address_that_needs_another_package_says_which():
    with pytest.raises(bm.SetupError, match=r"buttermilk-nb\[gs\]|gcsfs"):
        bm.load("gs://no-bucket/articles.csv", content="text")
