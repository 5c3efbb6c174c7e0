"""A changed copy of what has a hash has another hash: criteria, prompts, records, images."""

import pytest

import buttermilk_nb as bm
from buttermilk_nb.corpus.image import Image

CRITERIA = bm.Criteria("calm", "Is it calm?", flag="no", cues={"yes": ["calm"]})
PROMPT = bm.Prompt(name="ask", user="Judge {{ record.content }} by {{ criteria }}.")
RECORD = bm.Record(record_id="r1", content="One.")
GIF = "47494638396101000100800000000000ffffff2c00000000010001000002024401003b"
IMAGE = Image.from_bytes(bytes.fromhex(GIF), name="dot.gif")

CASES = [
    (CRITERIA, "criteria_hash", {"text": "Is it loud?"}),
    (CRITERIA, "rules_hash", {"criteria": bm.Criteria("calm", "Is it calm?", flag="yes").criteria}),
    (CRITERIA, "cues_hash", {"criteria": bm.Criteria("calm", "Is it calm?", flag="yes").criteria}),
    (PROMPT, "prompt_hash", {"user": "Look at {{ record.content }}."}),
    (PROMPT, "names", {"user": "Look at {{ record.content }}."}),
    (RECORD, "record_hash", {"content": "Two."}),
    (RECORD, "annotations_hash", {"cluster": "d"}),
    (IMAGE, "sha256", {"data": bytes.fromhex(GIF) + b"more"}),
]


@pytest.mark.parametrize(("model", "name", "update"), CASES, ids=[case[1] for case in CASES])
def test_a_changed_copy_computes_it_anew(model, name, update):
    before = getattr(model, name)
    assert getattr(model.model_copy(update=update), name) != before
    assert getattr(model.model_copy(), name) == before == getattr(model, name)


def test_a_changed_copy_of_criteria_is_stored_with_its_own_text():
    CRITERIA.to_markdown()
    copied = CRITERIA.model_copy(update={"text": "Is it loud?"})
    assert "Is it loud?" in copied.to_markdown()
    assert {row.text_hash for row in copied.to_rows()}.isdisjoint({CRITERIA.criteria_hash})
    assert all("Is it loud?" in row.body for row in copied.to_rows())


@pytest.mark.parametrize("model", [PROMPT, RECORD, IMAGE], ids=lambda model: type(model).__name__)
def test_its_fields_are_listed_without_what_is_computed(model):
    for name in {case[1] for case in CASES if case[0] is model}:
        getattr(model, name)
    assert dict(model).keys() == type(model).model_fields.keys()
