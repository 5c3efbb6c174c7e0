"""Answers of a declared type: what is sent, what is taken, what is invalid, and what frames and traces show."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
from decimal import Decimal
from typing import Literal

import pandas as pd
import pytest
from pydantic import BaseModel, Field, field_validator
from typing_extensions import TypedDict

import buttermilk_nb as bm
from buttermilk_nb.agents.typed_output.output_form import OutputForm

TEXTS = bm.Corpus([bm.Record(record_id=f"r{i}", content=f"Text {i}.") for i in range(2)])


class Side(enum.Enum):
    FOR = "for"
    AGAINST = "against"


class Person(BaseModel):
    name: str
    office: str | None = None


class Speech(BaseModel):
    """A speech in a debate."""

    speaker: Person
    side: Side
    held_on: dt.date | None
    minutes: int = Field(ge=0)
    is_long: bool
    others: list[Person] = []


GOOD = {
    "speaker": {"name": "Ana"},
    "side": "for",
    "held_on": "2024-05-01",
    "minutes": 12,
    "is_long": False,
    "others": [{"name": "Ben", "office": "chair"}],
}


def agent(**options):
    return bm.Agent("who", **{"prompt": "Who speaks?\n{{ record.content }}", "output": Speech, **options})


def replies(server, *answers):
    """The server gives these answers in turn, and then the last one again and again."""
    texts = [one if isinstance(one, str) else json.dumps(one) for one in answers]
    server.reply = lambda body: server.answer(body, text=texts.pop(0) if len(texts) > 1 else texts[0])


def test_a_typed_answer_is_a_row_with_typed_columns_and_an_object(server, make_study):
    make_study()
    replies(server, GOOD)
    frame = agent()(TEXTS)
    assert list(frame.columns) == [
        "record_id", "content", "model", "replicate", "status",
        "speaker", "side", "held_on", "minutes", "is_long", "others",
    ]  # fmt: skip
    assert pd.api.types.is_datetime64_any_dtype(frame.held_on)
    assert (str(frame.minutes.dtype), str(frame.is_long.dtype)) == ("Int64", "boolean")
    assert frame.speaker[0] == {"name": "Ana", "office": None}
    speech = bm.last_run().trace("r0").output
    assert isinstance(speech, Speech)
    assert (speech.side, speech.held_on, speech.others[0].office) == (Side.FOR, dt.date(2024, 5, 1), "chair")
    assert "Ana" in bm.last_run().trace("r0")._repr_html_()


def test_a_run_of_another_session_has_the_data_and_the_same_columns(server, make_study):
    make_study()
    replies(server, GOOD)
    frame = agent()(TEXTS)
    stored = bm.run("latest")
    assert stored.trace("r0").output["speaker"] == {"name": "Ana", "office": None}
    assert stored.outputs("who").dtypes.drop("record_id").equals(frame.drop(columns="content").dtypes.drop("record_id"))


def test_the_form_is_asked_for_in_words_and_as_a_schema_where_the_model_takes_one(server, make_study):
    make_study(toy={"json_schema": True})
    replies(server, GOOD)
    agent()(TEXTS)
    body = server.received[0]
    sent = body["response_format"]["json_schema"]["schema"]
    assert sent["required"] == list(sent["properties"]) == list(GOOD)
    assert sent["additionalProperties"] is False
    assert sent["$defs"]["Person"]["required"] == ["name", "office"]
    assert '"default"' not in json.dumps(sent)
    text = body["messages"][-1]["content"]
    assert text.startswith("Who speaks?\nText ")
    assert text.index('"speaker"') < text.index('"side"') < text.index('"others"')
    assert "A speech in a debate." in text


def test_a_prompt_says_where_the_form_stands(server, make_study):
    make_study()
    replies(server, GOOD)
    agent(prompt="## system\n{{ answer_format }}\n## user\n{{ record.content }}")(TEXTS)
    system, user = server.received[0]["messages"]
    assert "JSON schema" in system["content"]
    assert user["content"].startswith("Text ")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"minutes": "12"}, '`minutes`: input should be a valid integer, not "12".'),
        ({"minutes": 12.5}, "`minutes`"),
        ({"minutes": -1}, "`minutes`: input should be greater than or equal to 0"),
        ({"is_long": "no"}, "`is_long`: input should be a valid boolean"),
        ({"is_long": 0}, "`is_long`"),
        ({"side": "For"}, "`side`: input should be 'for' or 'against'"),
        ({"side": "both"}, "`side`"),
        ({"held_on": "1 May"}, "`held_on`"),
        ({"held_on": "2024-02-31"}, "`held_on`"),
        ({"speaker": "Ana"}, "`speaker`"),
        ({"speaker": {"office": "chair"}}, "`speaker.name`: field required"),
        ({"others": {"name": "Ben"}}, "`others`"),
        ({"others": [{"name": 7}]}, "`others.0.name`"),
    ],
)
def test_what_does_not_fit_is_invalid_with_its_text_and_asked_for_once_more(server, make_study, changed, sentence):
    make_study()
    wrong = json.dumps({**GOOD, **changed})
    replies(server, wrong)
    frame = agent()(TEXTS.head(1))
    assert frame.status.tolist() == ["invalid"]
    assert len(server.received) == 2
    assert "does not fit the schema" in server.received[1]["messages"][-1]["content"]
    error = bm.last_run().errors()
    assert sentence in error.error_message.item()
    assert error.raw_text.item() == wrong
    assert bm.last_run().trace("r0").output == wrong


def test_a_second_answer_that_fits_counts(server, make_study):
    make_study()
    replies(server, {"speaker": "Ana"}, GOOD)
    frame = agent()(TEXTS.head(1))
    assert frame.status.tolist() == ["ok"]
    assert frame.minutes.tolist() == [12]


def test_valid_and_invalid_rows_stand_in_one_frame(server, make_study):
    make_study()
    server.reply = lambda body: server.answer(
        body, text=json.dumps(GOOD) if "Text 0" in body["messages"][0]["content"] else "I do not know who speaks."
    )
    frame = agent(reask=False)(TEXTS)
    assert frame.status.tolist() == ["ok", "invalid"]
    assert frame.minutes.tolist() == [12, pd.NA]
    assert frame.speaker.tolist()[1] is None


def test_a_rerun_reads_the_cache_and_a_changed_type_is_another_design(server, make_study):
    make_study()
    replies(server, GOOD)
    agent()(TEXTS)
    agent()(TEXTS)
    assert len(server.received) == 2

    class Shorter(BaseModel):
        speaker: Person

    agent(output=Shorter)(TEXTS)
    assert len(server.received) == 4


@dataclasses.dataclass
class Point:
    x: float
    label: Literal["a", "b"] = "a"


class Price(TypedDict):
    amount: Decimal


SCHEMA = {
    "title": "Height",
    "type": "object",
    "properties": {"metres": {"type": "number", "minimum": 0}, "seen_on": {"type": "string", "format": "date"}},
    "required": ["metres"],
}


@pytest.mark.parametrize(
    ("declared", "reply", "stored"),
    [
        (Point, {"x": 1}, {"x": 1.0, "label": "a"}),
        (Price, {"amount": "1.10"}, {"amount": "1.10"}),
        (SCHEMA, {"metres": 3, "seen_on": "2024-05-01"}, {"metres": 3, "seen_on": "2024-05-01"}),
    ],
)
def test_dataclasses_typed_dictionaries_and_schemas_are_types_too(declared, reply, stored):
    assert OutputForm(declared).parse(reply) == stored


@pytest.mark.parametrize(
    ("declared", "reply"),
    [
        (Point, {"x": "1"}),
        (Point, {"x": 1, "label": "c"}),
        (Price, {"amount": "much"}),
        (SCHEMA, {"metres": -1}),
        (SCHEMA, {"metres": True}),
        (SCHEMA, {"seen_on": "2024-05-01"}),
        (SCHEMA, {"metres": 1, "seen_on": "May"}),
    ],
)
def test_they_are_checked_as_exactly(declared, reply):
    with pytest.raises(bm.errors.InvalidAnswer):
        OutputForm(declared).parse(reply)


def test_a_class_that_contains_itself_has_its_fields_at_the_top():
    class Part(BaseModel):
        name: str
        parts: list[Part] = []

    Part.model_rebuild(_types_namespace={"Part": Part})
    form = OutputForm(Part)
    assert form.fields == ("name", "parts")
    assert form.sent_schema["type"] == "object"
    assert form.parse({"name": "a", "parts": [{"name": "b"}]})["parts"][0]["name"] == "b"


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        (int, "has no named fields"),
        (list[Person], "has no named fields"),
        (dict[str, int], "has no named fields"),
        ({"type": "array"}, "has no named fields"),
        ({"type": "objekt"}, "is no JSON schema"),
        ({**SCHEMA, "properties": {"a": {"$ref": "https://example.org/a.json"}}}, "nothing is read from elsewhere"),
        (print, "has no JSON schema"),
        ("__import__('os').getcwd()", "is a text"),
        (lambda: 1, "has no"),
    ],
)
def test_what_is_no_type_of_an_answer_is_one_sentence(declared, sentence):
    with pytest.raises(bm.SetupError, match=sentence):
        agent(output=declared)


def test_a_check_of_the_class_itself_can_say_no_or_fail(server, make_study):
    class Careful(BaseModel):
        n: int

        @field_validator("n")
        @classmethod
        def _check(cls, value):
            if value == 1:
                raise ValueError("one is too few")
            return 10 // value

    assert OutputForm(Careful).parse({"n": 5}) == {"n": 2}
    with pytest.raises(bm.errors.InvalidAnswer, match="one is too few"):
        OutputForm(Careful).parse({"n": 1})
    with pytest.raises(bm.errors.InvalidAnswer, match="ZeroDivisionError"):
        OutputForm(Careful).parse({"n": 0})


def test_a_map_of_any_keys_is_asked_for_in_words_alone_and_the_run_says_so(server, make_study):
    class Counts(BaseModel):
        n_by_name: dict[str, int]

    make_study(toy={"json_schema": True})
    replies(server, {"n_by_name": {"Ana": 2}})
    frame = agent(output=Counts)(TEXTS)
    assert "response_format" not in server.received[0]
    assert frame.n_by_name[0] == {"Ana": 2}
    assert any("only asked for in words" in remark for remark in bm.last_run().remarks)


def test_later_steps_read_the_fields(server, make_study):
    make_study()
    replies(server, GOOD, GOOD, "He was for it.")
    gist = bm.Agent("gist", prompt="{{ inputs.who.speaker.name }} was {{ inputs.who.side }} it?")
    run = bm.Flow("two", [bm.Step(agent()), bm.Step(gist, needs="who")]).run(TEXTS.head(1))
    assert run.counts == {"ok": 2}
    assert "Ana was for it?" in server.received[-1]["messages"][0]["content"]


def test_a_flow_file_keeps_the_schema_and_the_design(server, make_study, tmp_path):
    make_study()
    replies(server, GOOD)
    flow = bm.Flow("speeches", [agent()])
    first = flow.run(TEXTS)
    flow.to_yaml(tmp_path / "speeches.yaml")
    again = bm.Flow.from_yaml(tmp_path / "speeches.yaml").run(TEXTS)
    assert len(server.received) == 2
    assert set(first.traces().design_id) == set(again.traces().design_id)
    assert again.outputs("who").minutes.tolist() == [12, 12]


def test_offline_models_fill_the_form_and_say_nothing(make_study):
    make_study()
    frame = agent(models="offline/strict")(TEXTS)
    assert frame.status.tolist() == ["ok", "ok"]
    assert frame.speaker[0] == {"name": "not answered", "office": None}
    assert frame.held_on.isna().all()
    assert frame.others.tolist() == [[], []]
    assert any("a rule fills the form with the emptiest values" in remark for remark in bm.last_run().remarks)


def test_other_agents_take_no_output():
    with pytest.raises(bm.SetupError, match="no argument `output`"):
        bm.Extractor("x", "List.", columns={"a": "b"}, output=Speech)


def test_columns_have_the_declared_types_also_without_a_value(make_study):
    class Loose(BaseModel):
        share: float
        is_named: bool | None
        seen_at: dt.datetime | None
        text: str
        either: int | str
        status: str

    make_study()
    frame = agent(output=Loose, models="offline/strict")(TEXTS)
    types = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    assert (types["share"], types["is_named"], types["text"], types["output.status"]) == (
        "Float64", "boolean", "string", "string",
    )  # fmt: skip
    assert types["seen_at"].startswith("datetime64")


def test_an_empty_object_counts_if_every_field_has_a_default(offline_project):
    class Facts(BaseModel):
        tags: list[str] = []

    run = bm.Flow("facts", [bm.Agent("facts", prompt="{{ record.content }}", output=Facts)]).run(["One."])
    assert set(run.outputs("facts").status) == {"ok"}
    assert run.trace(run.traces().trace_id[0]).output == Facts()
