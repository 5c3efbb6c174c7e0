"""Vectors without a language model: the same everywhere, honest about themselves, and without a network."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, strategies as st

import buttermilk_nb as bm
from buttermilk_nb.config.model_settings import ModelSettings
from buttermilk_nb.llm.embeddings.embedding_registry import make_embedder
from buttermilk_nb.llm.embeddings.hashing import hash_vector
from buttermilk_nb.llm.embeddings.vectors import EmbeddingRequest, decode_vector, encode_vector
from buttermilk_nb.llm.message import Message
from buttermilk_nb.llm.model import Request
from buttermilk_nb.llm.params import Params
from buttermilk_nb.project.embed import embed

RECORD = bm.Record(record_id="g1", content="They are vermin — 判决书.")


def cosine(one: str, other: str) -> float:
    return math.fsum(a * b for a, b in zip(hash_vector(one, 256), hash_vector(other, 256), strict=True))


@pytest.mark.parametrize(
    ("model", "params", "key"),
    [
        ("offline/hashing", {}, "ke1-d2a2afc8a6b9a9c8239e0729876d6902"),
        ("hosted_vllm/golden", {}, "ke1-2cf7b1739b5ac1bdc6377ad3d54159a0"),
        ("hosted_vllm/golden", {"dimensions": 64}, "ke1-f33e6ac688b5708e7199bd5a8873ce44"),
    ],
    ids=["offline", "bare", "parameters"],
)
def test_the_key_of_a_fixed_text_never_changes(model, params, key):
    made = make_embedder(model)
    assert EmbeddingRequest(made, RECORD, params=Params.for_model(made, params)).key == key


def test_where_a_server_stands_belongs_to_the_key_and_whose_text_it_is_does_not():
    entries = {"vec": ModelSettings(model="hosted_vllm/golden", api_base="http://127.0.0.1:1/v1")}
    bare, placed = make_embedder("hosted_vllm/golden"), make_embedder("vec", entries)
    assert EmbeddingRequest(bare, RECORD).key != EmbeddingRequest(placed, RECORD).key
    other = bm.Record(record_id="other", content=RECORD.content)
    assert EmbeddingRequest(bare, RECORD).key == EmbeddingRequest(bare, other).key


def test_the_vector_of_a_fixed_text_never_changes():
    assert encode_vector(np.asarray(hash_vector(RECORD.content, 16), dtype="float32")) == (
        "sUpGvlnb8j4qtn2+KrZ9vkvS+r0AAAAArfkRPb43Wb6nj70+GMORvRjDkb3r2aG+vjdZPsYmtD78ZUY+keehvg=="
    )
    assert encode_vector(np.asarray(hash_vector("The sea, the SEA! ﬁne", 8), dtype="float32")) == (
        "6tqxPvEyAj4tThE/YvTyPv+LCz0AAAAA4oLhPurasb4="
    )


@given(st.text(min_size=1).filter(str.strip), st.sampled_from([8, 64, 1000]))
def test_every_text_has_a_vector_of_length_one(text, dims):
    vector = hash_vector(text, dims)
    assert len(vector) == dims
    assert math.fsum(x * x for x in vector) == pytest.approx(1.0)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_a_vector_comes_back_from_its_text_bit_by_bit(numbers):
    vector = np.asarray(numbers, dtype=np.float32)
    assert decode_vector(encode_vector(vector)).tobytes() == vector.tobytes()


@pytest.mark.parametrize("text", ["", "!", "AAAA", "AAAAAA=", "AADAfw==", "AACAfw==", "é"])
def test_what_is_no_vector_is_none(text):
    assert decode_vector(text) is None


def test_texts_with_the_same_words_are_near_each_other():
    near = cosine("The ferry was late again.", "Again, the ferries were late!")
    far = cosine("The ferry was late again.", "Parliament votes on Tuesday")
    assert near > 0.5 > far
    assert cosine("判决书今天公布", "判决书昨天公布") > cosine("判决书今天公布", "天气很好")
    assert cosine("Straße", "STRASSE") == pytest.approx(1.0)


def test_capital_letters_and_line_breaks_make_no_difference():
    assert hash_vector("Calm  sea", 32) == hash_vector("calm\nSEA", 32)


def test_a_very_long_word_is_hashed_like_any_other():
    assert cosine("x" * 5000, "x" * 5001) > 0.6


def test_it_says_what_it_is():
    assert repr(make_embedder("offline/hashing")) == (
        "<model offline/hashing: counts hashed words; not a language model>"
    )


def test_a_project_embeds_offline_and_the_table_joins_by_record(project):
    corpus = bm.Corpus([bm.Record(record_id=f"r{i}", content=f"Text {i}") for i in range(3)])
    found = embed(project, corpus, model="offline/hashing?dims=64")
    assert found.shape == (3, 64)
    assert found.index.tolist() == ["r0", "r1", "r2"]
    assert np.allclose(np.linalg.norm(found.to_numpy(), axis=1), 1.0)


def test_what_is_made_in_this_process_leaves_no_rows(project):
    embed(project, ["a", "b"], model="offline/hashing")
    assert bm.sql("select (select count(*) from runs) + (select count(*) from calls) as n").n.item() == 0
    assert len(project.cache) == 2


def test_records_that_stay_local_are_embedded_here(project):
    corpus = bm.Corpus([bm.Record(record_id="mine", content="Between us.", local_only=True)])
    assert embed(project, corpus, model="offline/hashing").shape == (1, 256)


def test_a_model_under_a_name_of_ones_own(make_embedding_project):
    project = make_embedding_project("models: {near: {model: 'offline/hashing?dims=32'}}")
    assert embed(project, ["a"], model="near").shape == (1, 32)


def test_a_model_that_makes_vectors_answers_no_question():
    for name in ("offline/hashing", "hosted_vllm/toy"):
        model = make_embedder(name)
        with pytest.raises(bm.errors.SkippedCell, match="answers no questions"):
            asyncio.run(model.complete(Request(model, [Message("user", "Is it calm?")])))


OFFLINE = """
import json, socket, sys
def refuse(*args, **kwargs):
    raise AssertionError("a socket was opened")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import buttermilk_nb as bm
from buttermilk_nb.project.embed import embed
project = bm.init("offline", path="offline")
found = embed(project, ["A calm sea.", "Goats"], model="offline/hashing")
print(json.dumps([found.shape, "litellm" in sys.modules, found.tobytes().hex()]))
"""


def test_no_socket_is_opened_and_litellm_is_not_loaded(tmp_path):
    runs = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", OFFLINE], cwd=tmp_path / name, capture_output=True, text=True, check=True,
                env={"PYTHONHASHSEED": seed, "HOME": str(tmp_path)},
            ).stdout.splitlines()[-1]
        )
        for name, seed in (("one", "1"), ("two", "2")) if (tmp_path / name).mkdir() is None
    ]  # fmt: skip
    assert runs[0][:2] == [[2, 256], False]
    assert runs[0] == runs[1], "the same bytes, whatever the seed of hash()"
