"""Rows and typed answers of the offline models: rules that are stated, and never more than a rule can tell."""

from __future__ import annotations

import enum
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings, strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field

import buttermilk_nb as bm
from buttermilk_nb.agents.typed_output.output_form import OutputForm
from buttermilk_nb.llm.providers.offline.fill_schema import fill_schema
from buttermilk_nb.llm.providers.offline.sentences import sentence_at

TEXT = "It rained. They are vermin! Nobody called the guests vermin. “The dregs of the port,” he wrote.\nSo it was."
RULES = bm.Criteria(
    "desk",
    "House rules.",
    criteria={
        "respect": {"question": "Is it respectful?", "flag": "no", "cues": {"no": ["vermin", "dregs"]}},
        "calm": {"question": "Is it calm?", "flag": "no", "cues": {"no": ["furious"], "yes": ["rained"]}},
    },
)


def extract(extractor, text=TEXT):
    frame = extractor(text)
    return frame.drop(columns=["record_id", "content", "model", "replicate"], errors="ignore")


def test_sentences_with_cues_are_rows_and_their_words_are_in_the_text(project):
    rows = extract(bm.Extractor.rule_findings("rules", criteria=RULES, models="offline/strict"))
    assert rows.quote.tolist() == ["They are vermin!", "“The dregs of the port,” he wrote.", "It rained."]
    assert rows.rule.tolist() == ["respect", "respect", "calm"]
    assert rows.violated.tolist() == ["yes", "yes", "no"]
    assert rows.verified.all()
    assert rows.reason[0] == "The cue 'vermin' of respect."


def test_a_lenient_model_leaves_out_what_is_quoted(project):
    rows = extract(bm.Extractor.rule_findings("rules", criteria=RULES, models="offline/lenient"))
    assert rows.quote.tolist() == ["They are vermin!", "It rained."]


def test_without_cues_the_first_sentence_is_the_one_row(project):
    rows = extract(bm.Extractor.framing("frames", models="offline/strict"))
    assert rows.quote.tolist() == ["It rained."]
    assert rows.frame.tolist() == ["not answered"]
    assert rows.function.tolist() == ["problem"]


def test_a_text_without_a_cue_has_no_row(project):
    rows = extract(bm.Extractor.rule_findings("rules", criteria=RULES, models="offline/strict"), "The choir sang.")
    assert len(rows) == 0
    assert bm.last_run().counts == {"ok": 1}


def test_the_teaching_model_has_no_rule_for_it(project):
    bm.Extractor.framing("frames", models="offline/teaching")(TEXT)
    assert bm.last_run().counts == {"skipped": 1}


@given(st.text(max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_a_sentence_stands_in_its_text(text, start, end):
    start, end = sorted((min(start, len(text)), min(end, len(text))))
    assert sentence_at(text, start, end) in text


class Colour(enum.Enum):
    RED = "red"
    UNKNOWN = "unknown"


class Inner(BaseModel):
    word: Annotated[str, Field(min_length=20)]
    level: Annotated[int, Field(gt=3, lt=9)]
    share: Annotated[float, Field(ge=0.5, le=1)]


class Outer(BaseModel):
    colour: Colour
    kind: Literal["a", "b"]
    inner: Inner
    two: Annotated[list[Inner], Field(min_length=2)]
    pair: tuple[int, str]
    choice: int | str
    nothing: int | None
    left_out: int = 7


def test_the_emptiest_object_fits_and_says_nothing():
    form = OutputForm(Outer)
    filled = fill_schema(form.schema)
    assert form.parse(filled)["left_out"] == 7
    assert (filled["colour"], filled["nothing"], filled["inner"]["level"]) == ("unknown", None, 4)


def schemas():
    leaves = st.one_of(
        st.builds(lambda low: {"type": "integer", "minimum": low}, st.integers(-5, 5)),
        st.builds(lambda n: {"type": "string", "minLength": n}, st.integers(0, 30)),
        st.builds(lambda values: {"enum": values}, st.lists(st.text(max_size=4), min_size=1, max_size=3, unique=True)),
        st.just({"type": "boolean"}),
        st.just({"anyOf": [{"type": "string"}, {"type": "null"}]}),
        st.just({"type": "string", "format": "date"}),
    )

    def grow(inner):
        objects = st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=3).map(
            lambda fields: {"type": "object", "properties": fields, "required": list(fields)}
        )
        lists = st.builds(lambda items, n: {"type": "array", "items": items, "minItems": n}, inner, st.integers(0, 2))
        return objects | lists

    return st.recursive(leaves, grow, max_leaves=8)


@settings(max_examples=200, deadline=None)
@given(schemas())
def test_it_fits_any_schema(schema):
    Draft202012Validator(schema).validate(fill_schema(schema))


@pytest.mark.parametrize("schema", [{"type": "object", "properties": {"me": {"$ref": "#"}}, "required": ["me"]}])
def test_a_schema_without_an_end_ends(schema):
    assert fill_schema(schema)["me"]
