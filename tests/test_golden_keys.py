"""The recipes of keys and hashes, pinned.

A changed literal here means that every cached answer and every stored design of every study is orphaned.
Where that is meant, raise the tag of the recipe (`k1`, `c1`, ...) and say so in the CHANGELOG.
"""

import pytest
from support.study import flow, judge

import buttermilk_nb as bm
from buttermilk_nb.flows.plan import Plan
from buttermilk_nb.llm.message import Message
from buttermilk_nb.llm.model import Request
from buttermilk_nb.llm.offline_input import OfflineInput
from buttermilk_nb.llm.params import Params
from buttermilk_nb.llm.registry import make_model

RECORD = bm.Record(record_id="g1", content="They are vermin — 判决书.")
CRITERIA = bm.Criteria("golden", "Is it respectful?", flag="no", cues={"no": ["vermin"]})
MESSAGES = [Message("system", "Be brief."), Message("user", "Read: über")]


def request(model, **fields):
    return Request(
        make_model(model),
        MESSAGES,
        **{"schema_hash": "t1-0", "offline_input": OfflineInput(RECORD, CRITERIA), **fields},
    )


@pytest.mark.parametrize(
    ("model", "fields", "key"),
    [
        ("offline/strict", {}, "k1-f74b31c3a4dfdc0838af34d2b3b18099"),
        ("double/answer", {}, "k1-02a697e7864440aa880220ff6e536dae"),
        (
            "hosted_vllm/golden",
            {"params": Params.for_model(make_model("double/answer"), {})._replace(
                sent={"temperature": 0.7, "max_tokens": 50}), "replicate": 2},
            "k1-d2dd084cb291d30e93025b47a10e922a",
        ),
        ("hosted_vllm/golden", {"schema_hash": "", "offline_input": None}, "k1-91e9bc15fb34f310237a94faa9ea3e12"),
    ],
    ids=["dictionary", "double", "parameters and replicate", "bare"],
)  # fmt: skip
def test_the_cache_key_of_a_fixed_request_never_changes(model, fields, key):
    assert request(model, **fields).key == key


def test_the_body_of_a_request_is_one_canonical_text():
    assert request("hosted_vllm/golden").body.body == (
        '{"messages":[{"content":"Be brief.","role":"system"},{"content":"Read: über","role":"user"}],'
        '"model":"hosted_vllm/golden"}'
    )


def test_the_teaching_model_has_the_truth_in_its_key():
    keys = {
        request(
            "offline/teaching?seed=2",
            offline_input=OfflineInput(RECORD.model_copy(update={"ground_truth": {"golden": truth}}), CRITERIA),
        ).key
        for truth in ("yes", "no", None)
    }
    assert len(keys) == 3


@pytest.mark.parametrize("changed", ["messages", "model", "params", "schema", "replicate"])
def test_each_part_of_a_request_belongs_to_its_key(changed):
    made = {
        "messages": Request(make_model("hosted_vllm/golden"), MESSAGES[1:], schema_hash="t1-0"),
        "model": request("hosted_vllm/other", offline_input=None),
        "params": request("hosted_vllm/golden", params=Params({"seed": 1}, {}, '{"seed":1}', "{}"), offline_input=None),
        "schema": request("hosted_vllm/golden", schema_hash="t1-1", offline_input=None),
        "replicate": request("hosted_vllm/golden", replicate=1, offline_input=None),
    }
    assert made[changed].key != request("hosted_vllm/golden", offline_input=None).key


def test_what_a_remote_model_never_reads_is_not_in_its_key():
    assert request("hosted_vllm/golden").key == request("hosted_vllm/golden", offline_input=None).key


@pytest.mark.parametrize(
    ("found", "golden"),
    [
        (RECORD.record_hash, "r1-b79301700222cdb8ed8e983ce1e1f674"),
        (CRITERIA.criteria_hash, "c1-a627f74d96703490ced1ca6585505779"),
        (CRITERIA.cues_hash, "q1-5ed8a090d3de85eda8e6878cfe1b55f6"),
        (
            bm.Prompt(system="Be brief.", user="{{ record.content }}").prompt_hash,
            "p1-fae0ad2668c42b4e390a78b4c27d19f6",
        ),
    ],
    ids=["record", "criteria", "cues", "prompt"],
)
def test_the_hash_of_a_fixed_thing_never_changes(found, golden):
    assert found == golden


def test_the_design_of_a_fixed_cell_never_changes(make_project):
    project = make_project("offline/strict")
    prompt = "{{ criteria }} {{ record.content }} {{ record.metadata.page }} {{ answer_format }}"
    record = bm.Record(record_id="g1", content=RECORD.content, page=3)
    steps = flow(judge(CRITERIA, prompt=prompt)).steps
    found = [design for _, _, design in Plan(steps, bm.Corpus([record]), project).designs(record)]
    assert found == ["d1-9fd4067cc29e6316d2c9bc5c6fe0ca31"]
