"""Where answers diverge: what a reading must say to be believed, and whose positions they are."""

import json
import re

import pytest
from support.chat_server import messages_text

import buttermilk_nb as bm

VOICES = ("ana", "ben", "cy")
HOSTILE = "<script>alert(1)</script>'; drop table scores; -- {{ 7 * 7 }} «判»"


def differences(**options):
    return bm.Differences("differences", **{"of": "judge", "models": "scripted/reader", **options})


def topic(name, **positions):
    return {"topic": name, "positions": [{"position": text, "answers": held} for text, held in positions.items()]}


def line(record_id, *topics, conclusion="It turns on the door.", replicate=0):
    answer = {"conclusion": conclusion, "divergences": list(topics)}
    known = {"task": "differences", "record_id": record_id, "criteria": "calm", "replicate": replicate}
    return {**known, "answer": answer}


def shown(text):
    """What stands under each mark in a request."""
    parts = re.split(r"^(A\d+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


# --- whose positions they are ------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["shuffled", "planned"])
def test_a_position_belongs_to_the_answer_that_was_shown_under_its_name(
    run_judges, calm, verdict, step_messages, order
):
    ids = [f"x{i}" for i in range(12)]
    judges = {
        v: [verdict(i, "yes", f"{v}/{n} on {i} says so.", replicate=n) for i in ids for n in (0, 1)] for v in VOICES
    }
    first, second = ["ana/0", "ben/1", "cy/1"], ["cy/0", "ana/1"]
    reader = [line(i, topic("the door", slammed=first, closed=second)) for i in ids]
    records = [bm.Record(record_id=i, content=f"Text {i}.") for i in ids]
    run = run_judges(calm, judges, records, differences(order=order), readers={"reader": reader}, replicates=2)
    told = {record_id: shown(text) for record_id, text in step_messages(run, "differences")}
    rows = run.divergences()
    assert len(rows) == 12 * 5
    for row in rows.to_dict("records"):
        voice = f"{row['model'].removeprefix('scripted/')}/{row['replicate']}"
        assert f"{voice} on {row['record_id']} says so." in told[row["record_id"]][row["answer"]]
        assert row["position"] == ("slammed" if voice in first else "closed")
        assert row["judge"] == "judge"
    n_orders = len({tuple(rows[rows.record_id == i].answer) for i in ids})
    assert n_orders == 1 if order == "planned" else n_orders > 6
    traced = bm.sql("select trace_id as input_trace_id, model, replicate, record_id from traces where step = 'judge'")
    assert len(rows.merge(traced, on=["input_trace_id", "model", "replicate", "record_id"])) == len(rows)


def test_a_model_that_knows_only_the_marks_is_mapped_back_to_who_said_it(run_three_judges, server):
    def reply(body):
        marks = shown(body["messages"][-1]["content"])
        slams = [mark for mark, text in marks.items() if "slammed" in text]
        found = [topic("the door", loud=slams, quiet=[m for m in marks if m not in slams])] if slams else []
        return server.answer(body, json.dumps({"conclusion": "So.", "divergences": found}))

    server.reply = reply
    run = run_three_judges(differences(models="hosted_vllm/toy", replicates=3))
    rows = run.divergences()
    assert len(rows) == 3 * 3
    assert rows.reader_replicate.nunique() == 3
    assert set(rows[rows.position == "loud"].model) == {"scripted/cy"}
    assert sorted(rows[rows.position == "quiet"].model.unique()) == ["scripted/ana", "scripted/ben"]
    assert len(set(rows[rows.position == "loud"].answer)) > 1, "it is not always shown at the same place"
    assert run.comparisons().set_index(["record_id", "reader_replicate"]).n_topics.to_dict() == {
        **{("r0", n): 1 for n in range(3)},
        **{("r1", n): 0 for n in range(3)},
    }


def test_one_answer_may_hold_a_position_on_each_of_several_topics(run_three_judges):
    topics = (
        topic("the door", slammed=["cy/0"], closed=["ana/0"]),
        topic("voices", low=["cy/0", "ben/0"], none=["ana/0"]),
    )
    rows = run_three_judges(differences(), reader=[line("r0", *topics)]).divergences()
    assert list(zip(rows.topic, rows.position, rows.model.str[9:], strict=True)) == [
        ("the door", "slammed", "cy"),
        ("the door", "closed", "ana"),
        ("voices", "low", "ben"),
        ("voices", "low", "cy"),
        ("voices", "none", "ana"),
    ]


def test_several_readers_stand_beside_each_other(run_three_judges):
    run = run_three_judges(
        differences(models=["scripted/reader", "offline/strict"]),
        reader=[line("r0", topic("it", a=["cy/0"], b=["ben/0"]))],
    )
    rows = run.divergences()
    assert rows.groupby("reader").size().to_dict() == {"offline/strict": 3, "scripted/reader": 2}
    assert run.comparisons().reader.tolist() == ["offline/strict", "scripted/reader", "offline/strict"]


# --- what a reading must say -------------------------------------------------------------------------

UNREAD = {
    "an id that was not shown": (
        [topic("t", p=["A1"], q=["A7"])],
        "topic `t` names the answer `A7`, which was not shown",
    ),
    "a voice in place of an id": ([topic("t", p=["ana/0"])], "topic `t` names the answer `ana/0`, which was not shown"),
    "an id in two positions": ([topic("t", p=["A1"], q=["A2", "A1"])], "the answer `A1` has two positions"),
    "an id twice in a position": ([topic("t", p=["A2", "A2"])], "the answer `A2` has two positions"),
    "a topic without positions": ([{"topic": "t", "positions": []}], "topic `t` has no `positions`"),
    "positions that are no list": ([{"topic": "t", "positions": "A1"}], "topic `t` has no `positions`"),
    "a position without answers": ([topic("t", p=["A1"], q=[])], "topic `t`: a position has no `answers`"),
    "a position that is a word": ([{"topic": "t", "positions": ["p"]}], "topic `t`: a position has no `answers`"),
    "answers that are no list": ([topic("t", p="A1")], "topic `t`: a position has no `answers`"),
    "a topic without a name": ([{"positions": [{"position": "p", "answers": ["A1"]}]}], "a divergence has no `topic`"),
    "a topic that is a word": (["the door"], "a divergence has no `topic`"),
    "no list at all": ({"topic": "t"}, "`divergences` is not a list"),
    "nothing": (None, "`divergences` is not a list"),
}


@pytest.mark.parametrize(("given", "why"), UNREAD.values(), ids=UNREAD)
def test_what_cannot_be_read_is_invalid_with_a_sentence_and_its_raw_text(run_three_judges, server, given, why):
    text = json.dumps({"conclusion": "Raw and unread.", "divergences": given})
    server.reply = lambda body: server.answer(body, text)
    run = run_three_judges(differences(models="hosted_vllm/toy"))
    rows = run.errors()
    assert rows.status.tolist() == ["invalid", "invalid"]
    assert all(why in message for message in rows.error_message)
    assert rows.raw_text.tolist() == [text, text]
    assert run.divergences().empty
    assert run.comparisons().empty
    assert len(server.received) == 4, "each was asked once more"
    objections = [messages_text(body) for body in server.received if "could not be read" in messages_text(body)]
    assert len(objections) == 2
    assert all("Raw and unread." in said for said in objections), "and told what it had said"


def test_the_second_answer_counts_where_it_can_be_read(run_three_judges, server):
    good = json.dumps({"conclusion": "Mended.", "divergences": []})
    server.reply = lambda body: server.answer(
        body, good if "could not be read" in messages_text(body) else '{"divergences": 1}'
    )
    run = run_three_judges(differences(models="hosted_vllm/toy"))
    assert run.comparisons().conclusion.tolist() == ["Mended.", "Mended."]
    assert (run.calls().step == "differences").sum() == 4


@pytest.mark.parametrize("given", ["none", {"topic": "t"}, ["t"], [{"topic": "t", "positions": "p"}]])
def test_a_written_answer_of_another_form_is_invalid_too(run_three_judges, given):
    entry = {"task": "differences", "record_id": "r0", "criteria": "calm", "answer": {"divergences": given}}
    row = run_three_judges(differences(reask=False), reader=[entry]).errors().set_index("record_id").loc["r0"]
    assert (row.status, row.error_type) == ("invalid", "InvalidAnswer")
    assert json.loads(row.raw_text) == {"divergences": given}


def test_hostile_topics_are_stored_as_they_came_and_do_nothing(run_three_judges):
    held = {HOSTILE: ["cy/0"], "{% raw %}": ["ana/0", "ben/0"]}
    run = run_three_judges(differences(), reader=[line("r0", topic(HOSTILE, **held), conclusion=HOSTILE)])
    rows = run.divergences()
    assert set(rows.topic) == {HOSTILE}
    assert rows.groupby("position").model.agg(list).to_dict() == {
        HOSTILE: ["scripted/cy"],
        "{% raw %}": ["scripted/ana", "scripted/ben"],
    }
    assert run.comparisons().set_index("record_id").loc["r0", "conclusion"] == HOSTILE
    assert len(run.scores()) == 6
    html = run.side_by_side("r0")._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_lone_surrogate_in_a_topic_costs_nothing_else(run_three_judges):
    run = run_three_judges(differences(), reader=[line("r0", topic("bad \ud800 letter", p=["cy/0"], q=["ana/0"]))])
    (name,) = run.divergences().topic.unique()
    assert name.startswith("bad ")
    assert name.encode("utf-8")


# --- where there is nothing to compare ---------------------------------------------------------------


def test_a_record_with_one_answer_is_skipped_and_says_why(run_judges, calm, verdict):
    run = run_judges(
        calm,
        {"ana": [verdict("r0", "yes", "Quiet.")], "ben": [verdict("nobody", "yes")]},
        [bm.Record(record_id="r0", content="A door.")],
        differences(),
        readers={"reader": [line("r0", topic("t", p=["ana/0"]))]},
    )
    row = run.errors().set_index("step").loc["differences"]
    assert row.status == "skipped"
    assert row.error_message == "there is only one answer, so there is nothing to compare."
    assert "differences" not in set(run.calls().step), "and nothing was asked"
    assert run.comparisons().empty


def test_where_the_answers_do_not_diverge_there_are_no_topics(run_three_judges):
    run = run_three_judges(
        differences(), reader=[line("r0", conclusion="They agree."), line("r1", conclusion="They agree.")]
    )
    found = run.comparisons()
    assert found.n_topics.tolist() == [0, 0]
    assert found.conclusion.tolist() == ["They agree.", "They agree."]
    assert run.divergences().empty
    assert "They agree." in run.side_by_side("r0")._repr_html_()


def test_a_run_without_it_has_empty_frames_with_their_columns(run_three_judges):
    run = run_three_judges()
    assert run.divergences().empty
    assert run.comparisons().empty
    assert {"topic", "position", "judge", "model", "replicate", "answer"} <= set(run.divergences())
    assert {"record_id", "conclusion", "n_topics"} <= set(run.comparisons())


def test_offline_it_groups_the_verdicts_the_larger_group_first(run_three_judges):
    run = run_three_judges(differences(models="offline/strict"))
    rows = run.divergences()
    assert rows.topic.unique().tolist() == ["the answer on calm"]
    assert [(p.partition(":")[0], m) for p, m in zip(rows.position, rows.model, strict=True)] == [
        ("yes", "scripted/ana"),
        ("yes", "scripted/ben"),
        ("no", "scripted/cy"),
    ]
    assert run.comparisons().n_topics.tolist() == [1, 0]


def test_naming_a_step_twice_shows_its_answers_once(run_three_judges, step_messages):
    run = run_three_judges(differences(of=["judge", "judge"], models="offline/strict"))
    assert {tuple(sorted(shown(text))) for _, text in step_messages(run, "differences")} == {("A1", "A2", "A3")}


def test_a_flow_file_holds_it_and_reads_it_back(run_three_judges):
    run = run_three_judges(differences(reask=False, order="planned"), reader=[line("r0")])
    again = bm.Flow.from_yaml(run.definition.to_yaml())
    assert again.flow_hash == run.definition.flow_hash
    agent = again.steps[1].agent
    assert (type(agent), agent.of, agent.reask, agent.order) == (bm.Differences, ("judge",), False, "planned")
