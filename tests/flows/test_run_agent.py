"""An agent that is called: a text, a frame, records or a corpus, without a flow of one's own."""

from __future__ import annotations

import pandas as pd
import pytest

import buttermilk_nb as bm

RESPECT = bm.Criteria("respect", "Is it respectful?", flag="no", cues={"no": ["scum"]})
TEXTS = ["They are scum.", "Hello there."]


@pytest.fixture(autouse=True)
def project(offline_project):
    return offline_project


def judge(**options):
    return bm.Judge("tone", criteria=RESPECT, models="offline/strict", **options)


RECORDS = [bm.Record(content=text) for text in TEXTS]


@pytest.mark.parametrize(
    "source",
    [
        TEXTS, RECORDS, bm.Corpus(RECORDS), pd.DataFrame({"text": TEXTS}),
        pd.DataFrame({"content": TEXTS, "n": [1, 2]}), [{"text": text} for text in TEXTS],
    ],
    ids=["texts", "records", "corpus", "frame with text", "frame with content", "dictionaries"],
)  # fmt: skip
def test_everything_that_holds_texts_is_judged(source):
    scores = judge()(source)
    assert scores.set_index("record_id").category.to_dict() == {RECORDS[0].record_id: "no", RECORDS[1].record_id: "yes"}
    assert (bm.last_run().flow, bm.last_run().counts) == ("tone", {"ok": 2})


def test_the_rows_are_in_the_order_of_the_texts_and_show_them():
    texts = [f"Text {n}." for n in range(9, 0, -1)]
    assert judge()(texts).content.tolist() == texts


def test_one_text_and_one_record_are_enough():
    assert judge()(TEXTS[0]).category.tolist() == ["no"]
    assert judge()(RECORDS[1]).category.tolist() == ["yes"]
    assert judge()({"text": "Scum!", "record_id": "own"}).record_id.tolist() == ["own"]


def test_a_call_shares_cache_and_design_with_a_flow():
    in_flow = bm.Flow("study", [judge()]).run(bm.load(TEXTS)).scores()
    called = judge()(TEXTS)
    assert sorted(called.design_id) == sorted(in_flow.design_id)
    assert bm.last_run().calls().cached.all()


def test_options_of_a_run_are_passed_on():
    assert len(judge()(TEXTS, limit=1)) == 1
    with pytest.raises(bm.SetupError, match="`tone` has no option `limt`; did you mean `limit`"):
        judge()(TEXTS, limt=1)


def test_a_flow_takes_a_frame_too():
    run = bm.Flow("study", [judge()]).run(pd.DataFrame({"text": TEXTS, "record_id": ["a", "b"]}))
    assert run.scores().record_id.tolist() == ["a", "b"]
    assert bm.Flow("study", [judge()]).estimate(TEXTS).calls == 2
    assert bm.Flow("study", [judge()]).check(TEXTS).cells == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("articles.csv", r"load the file: bm.load\('articles.csv'\)"),
        (pd.DataFrame({"body": TEXTS}), "column `text` or `content`; for another one, write bm.load"),
        (7, "needs a corpus, a dataframe, records or texts, not int"),
        (b"bytes", "not bytes"),
        (None, "not NoneType"),
        ([3], "needs texts, records or dictionaries, not int"),
        ([], "the list is empty"),
        (pd.DataFrame({"text": []}), "the frame has no rows"),
        ("  ", "text 1: it is blank"),
        (["Good.", " "], "text 2: it is blank"),
        (bm.Record(record_id="r", content=" "), "1 record without text or image: `r`"),
        (bm.Corpus([bm.Record(record_id="r", content="")]), "1 record without text or image: `r`"),
    ],
)
def test_what_holds_no_text_is_one_sentence(source, message):
    with pytest.raises(bm.SetupError, match=message):
        judge()(source)
    assert len(bm.runs()) == 0


def test_a_pair_without_a_question_is_no_blank_record():
    pair = bm.Record.pair("Thank you, come in.", "Get in.")
    compare = bm.Pairwise("compare", criteria=bm.Criteria("kinder", "Which is kinder?"), models="offline/strict")
    assert len(compare(pair)) == 2


def test_the_outputs_of_an_agent_that_returns_fields_are_columns():
    @bm.agent(version="1")
    def measure(record):
        return {"words": len(record.content.split()), "status": "own", "tags": ["a"]}

    outputs = bm.Flow("lengths", [measure]).run(TEXTS).outputs("measure")
    assert sorted(outputs.words) == [2, 3]
    assert outputs["output.status"].tolist() == ["own", "own"]
    assert outputs.status.tolist() == ["ok", "ok"]
    assert str(outputs.words.dtype) == "Int64"


def test_other_outputs_are_one_column():
    @bm.agent(version="1")
    def count(record):
        return len(record.content) if "scum" in record.content else {"n": 1}

    run = bm.Flow("lengths", [count]).run(TEXTS)
    assert sorted(map(str, run.outputs("count").output)) == ["14", "{'n': 1}"]
    with pytest.raises(bm.SetupError, match="no step `counts`; did you mean `count`"):
        run.outputs("counts")


def test_an_agent_that_reads_answers_is_run_in_a_flow():
    with pytest.raises(bm.SetupError, match="reads the answers of `judge`: run both in one flow"):
        bm.Panel("vote", of="judge")(TEXTS)


@pytest.mark.parametrize("method", ["outputs", "trace", "extractions", "side_by_side"])
def test_what_is_no_name_is_one_sentence(method):
    judge()(TEXTS[0])
    with pytest.raises(bm.SetupError, match="must be a text( or a whole number)?, not NoneType"):
        getattr(bm.last_run(), method)(None)


def test_what_a_list_cannot_hold_is_named():
    with pytest.raises(bm.SetupError, match="record 1: this is not a mapping but int"):
        bm.load([3])
    assert bm.load(["a", 3]).rejected.reason.tolist() == ["this is not a mapping but int"]


@pytest.mark.parametrize("text", ["\u200b", "\ufeff", " \u00ad\u2060 "])
def test_a_text_that_shows_nothing_is_blank(text):
    judge = bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", cues={"yes": []}), models="offline/strict")
    with pytest.raises(bm.SetupError, match=r"without text or image|no text"):
        judge([bm.Record(record_id="r1", content=text)])


def test_a_parameter_with_a_default_is_the_function_s_own(offline_project):
    @bm.agent(version="1")
    def count(record, word="dregs"):
        return record.content.count(word)

    run = bm.Flow("counts", [count]).run(["The dregs of the dregs."])
    assert run.outputs("count").output.tolist() == [2]


def test_a_question_in_place_of_criteria_says_how_it_is_written():
    with pytest.raises(bm.SetupError, match=r"is a question and no file; write criteria=bm.Criteria"):
        bm.Judge("judge", criteria="Does the text treat people with respect?")
