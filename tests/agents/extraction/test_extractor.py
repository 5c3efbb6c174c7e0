"""Rows in declared columns, and what is done with answers that are none."""

import json

import pytest

import buttermilk_nb as bm
from buttermilk_nb.agents.extraction.parse_rows import _parse_reply
from buttermilk_nb.errors import InvalidAnswer
from buttermilk_nb.llm.completion import Completion
from buttermilk_nb.llm.model import Model
from buttermilk_nb.schema import now

COLUMNS = {"claim": "the claim", "source": ("named", "none"), "quote": "its words"}


class Telling(Model):
    """Says what a test has written down; the requests that it got are kept."""

    remote = False
    in_process = True

    def __init__(self, answers):
        super().__init__("local/telling")
        self.answers = answers
        self.seen = []

    async def complete(self, request):
        self.seen.append(request)
        text = self.answers[min(len(self.seen), len(self.answers)) - 1]
        return Completion(text=text, finish_reason="stop", answered_at=now(), raw=text)


@pytest.fixture
def extract_from_reply(project, monkeypatch):
    """Run an extractor on one text with a model that answers so."""

    def run(*answers, extractor=None):
        model = Telling([one if isinstance(one, str) else json.dumps(one) for one in answers])
        monkeypatch.setattr(type(project), "model", lambda self, name: model)
        step = extractor or bm.Extractor("claims", "List the claims.", columns=COLUMNS)
        record = bm.Record(record_id="r", content="“The tide is late,” said Orr. Nobody asked.")
        found = bm.Flow("x", step).run(bm.Corpus([record]))
        found.model = model
        return found

    return run


def test_every_row_is_a_row_of_the_frame_and_its_words_are_looked_up(extract_from_reply):
    rows = [
        {"claim": "The tide is late.", "source": "Named", "quote": "the tide is late"},
        {"claim": "It was asked.", "source": "none", "quote": "everybody asked"},
    ]
    frame = extract_from_reply({"rows": rows}).extractions("claims")
    assert frame.source.tolist() == ["named", "none"], "as it was offered"
    assert frame.verified.tolist() == [True, False]
    assert frame[["start", "end"]].iloc[0].tolist() == [1, 17]
    assert frame.row.tolist() == [0, 1]


def test_the_prompt_says_the_columns_and_shows_the_text(extract_from_reply):
    run = extract_from_reply({"rows": []})
    asked = run.model.seen[0].text
    assert "List the claims." in asked
    assert '"source": one of named, none' in asked
    assert "The tide is late" in asked
    assert len(run.extractions("claims")) == 0
    assert run.counts == {"ok": 1}


def test_an_answer_that_does_not_fit_is_asked_for_once_more_and_then_invalid(extract_from_reply):
    good = {"rows": [{"claim": "c", "source": "none", "quote": "q"}]}
    assert extract_from_reply({"rows": [{"claim": "c"}]}, good).counts == {"ok": 1}
    other = bm.Extractor("claims", "List all claims.", columns=COLUMNS)
    run = extract_from_reply({"rows": [{"claim": "c"}]}, "nothing to see", extractor=other)
    assert run.counts == {"invalid": 1}
    assert run.errors().raw_text.item() == '{"rows": [{"claim": "c"}]}'
    assert "row 1 has no `source`" in run.errors().error_message.item()


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"rows": "none"}, "`rows` is not a list"),
        ({}, "`rows` is not a list"),
        ({"rows": ["a"]}, "row 1 is not an object"),
        ({"rows": [{"claim": "a", "quote": "b"}]}, "row 1 has no `source`"),
        (
            {"rows": [{"claim": "a", "quote": "b", "source": "some"}]},
            "`source` is `some`, which is not one of the offered values",
        ),
    ],
)
def test_what_is_wrong_is_named(found, why):
    with pytest.raises(InvalidAnswer, match=why):
        _parse_reply(found, COLUMNS)


def test_offline_models_extract_by_rule(project, short_texts):
    run = bm.Flow("x", bm.Extractor.framing("frames")).run(short_texts)
    assert run.counts == {"ok": 3}
    assert run.extractions("frames").verified.all()


def test_an_unknown_step_is_named_with_the_nearest(project, short_texts):
    run = bm.Flow("x", bm.Extractor.framing("frames")).run(short_texts)
    with pytest.raises(bm.SetupError, match="no extractor `frame`.*did you mean `frames`"):
        run.extractions("frame")


def test_rule_findings_take_their_rules_from_the_criteria_and_show_them(extract_from_reply):
    rules = bm.Criteria(
        "desk",
        "House rules.",
        criteria={
            "names": {"question": "Are people named?", "definition": "By the name they use."},
            "sources": {"question": "Is there a source?"},
        },
    )
    found = {"rule": "sources", "violated": "no", "quote": "said Orr", "reason": "Orr is named."}
    run = extract_from_reply({"rows": [found]}, extractor=bm.Extractor.rule_findings("rules", criteria=rules))
    assert "By the name they use." in run.model.seen[0].text
    assert run.extractions("rules").loc[0, ["rule", "violated", "verified"]].tolist() == ["sources", "no", True]
    assert bm.sql("select count(*) as n from texts where kind = 'criteria'").n.item() == 1


@pytest.mark.parametrize("make", [bm.Extractor.framing, bm.Extractor.hidden_meanings])
def test_the_ready_made_ones_come_back_from_a_flow_file(make, project):
    flow = bm.Flow("x", make("step"))
    again = bm.Flow.from_yaml(flow.to_yaml())
    assert again.flow_hash == flow.flow_hash
    assert again.steps[0].agent.columns == flow.steps[0].agent.columns


def test_rules_come_back_from_a_flow_file(tmp_path):
    rules = bm.Criteria("desk", "House rules.", criteria={"names": {"question": "Are people named?"}})
    flow = bm.Flow("x", bm.Extractor.rule_findings("rules", criteria=rules))
    assert bm.Flow.from_yaml(flow.to_yaml()).flow_hash == flow.flow_hash


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"columns": {}}, "needs columns"),
        ({"columns": {"a": "b"}, "instruction": " "}, "needs an instruction"),
        ({"columns": {"a": "b"}, "quote": "words"}, "`words` is not one of the columns"),
    ],
)
def test_what_is_declared_wrongly_is_a_setup_error(options, why):
    with pytest.raises(bm.SetupError, match=why):
        bm.Extractor("x", **{"instruction": "Look.", **options})


@pytest.mark.parametrize("name", ["record_id", "model", "replicate", "row", "verified", "start", "end"])
def test_columns_that_the_frame_has_itself_are_refused(name):
    with pytest.raises(bm.SetupError, match=f"`{name}` is already a column of the frame"):
        bm.Extractor("x", "Look.", columns={name: "something"})
