"""The answers written for teaching: every cell is there once, and what each says of text and answers is true."""

import json
import re
from collections import Counter
from itertools import product
from statistics import multimode

import pytest
from support.paths import DATA

import buttermilk_nb as bm

FOLDER = DATA / "panel"
JUDGES = ("careful", "brisk", "formal")
REPLICATES = (0, 1, 2)
NINE = [f"{judge}/{replicate}" for judge, replicate in product(JUDGES, REPLICATES)]
CRITERIA = {name: bm.Criteria.from_file(DATA / "criteria" / f"{name}.md") for name in ("respect", "accuracy")}
IDS = json.loads((FOLDER / "articles.json").read_text("utf-8"))
SHEET = (FOLDER / "datasheet.md").read_text("utf-8")
VERDICT = "verdict: "


def rows(name, task):
    lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row["task"] == task]


ANSWERS = {
    (row["record_id"], row["criteria"], f"{name}/{row['replicate']}"): row["answer"]["criteria"]
    for name, task in [*((judge, "judge") for judge in JUDGES), ("reader", "synthesise")]
    for row in rows(name, task)
}
COMPARED = {(row["record_id"], row["criteria"]): row["answer"] for row in rows("reader", "differences")}
MATCHED = {(row["record_id"], row["of"]): row["answer"]["assessments"] for row in rows("reader", "match")}


@pytest.fixture(scope="module")
def articles():
    corpus = bm.load(
        DATA / "articles.csv",
        content="body",
        record_id="id",
        truth={"respect": "expert", "sourced": "expert_accuracy"},
        reasons={"respect": "expert_reasons"},
        coders={coder: {"respect": coder} for coder in ("coder_a", "coder_b")},
    )
    return {record.record_id: record for record in corpus}


def texts():
    """Every sentence that may quote an article: where it stands, and its words."""
    for (record_id, _, who), answer in ANSWERS.items():
        for entry in answer.values():
            yield from ((record_id, who, text) for text in [*entry["reasons"], entry["conclusion"]])
    for (record_id, _), answer in COMPARED.items():
        yield record_id, "differences", answer["conclusion"]
    for (record_id, of), assessments in MATCHED.items():
        yield from ((record_id, of, found["feedback"]) for found in assessments)


def verdicts(record_id, criteria, criterion):
    return {who: ANSWERS[record_id, criteria, who][criterion]["answer"] for who in NINE}


def test_the_articles_are_ten_in_english_with_an_expert_s_reasons(articles):
    assert len(IDS) == len(set(IDS)) == 10
    assert all(articles[record_id].metadata["language"] == "en" for record_id in IDS)
    assert all(articles[record_id].reasons_for("respect") for record_id in IDS)


@pytest.mark.parametrize("judge", JUDGES)
def test_a_judge_answers_each_article_on_both_standards_three_times_in_order(judge):
    lines = [json.loads(line) for line in (FOLDER / f"{judge}.jsonl").read_text("utf-8").splitlines()]
    assert {tuple(row) for row in lines} == {("task", "record_id", "criteria", "replicate", "answer")}
    found = [(row["task"], row["record_id"], row["criteria"], row["replicate"]) for row in lines]
    assert found == list(product(["judge"], IDS, CRITERIA, REPLICATES))


def test_the_reader_reconciles_compares_and_matches_each_once():
    lines = [json.loads(line) for line in (FOLDER / "reader.jsonl").read_text("utf-8").splitlines()]
    found = [tuple(row[key] for key in row if key != "answer") for row in lines]
    assert found == [
        *product(["synthesise"], IDS, CRITERIA, [0]),
        *product(["differences"], IDS, CRITERIA, [0]),
        *product(["match"], IDS, ["respect"], [*NINE, "reader/0"], [0]),
    ]


def test_every_answer_speaks_to_each_criterion_in_the_form_asked_for_and_on_its_scale():
    for (_, name, who), answer in ANSWERS.items():
        assert list(answer) == [criterion.name for criterion in CRITERIA[name]], who
        for criterion in CRITERIA[name]:
            entry = answer[criterion.name]
            assert list(entry) == ["reasons", "conclusion", "answer", "uncertainty"]
            assert criterion.parse(entry["answer"]).category == entry["answer"]
            assert entry["uncertainty"] in ("low", "medium", "high")
            assert entry["conclusion"].endswith(".")


def test_one_to_three_reasons_of_ten_to_twenty_five_words_and_no_reason_twice():
    entries = [entry for answer in ANSWERS.values() for entry in answer.values()]
    assert {len(entry["reasons"]) for entry in entries} <= {1, 2, 3}
    reasons = [reason for entry in entries for reason in entry["reasons"]]
    assert [reason for reason in reasons if not 10 <= len(reason.split()) <= 25] == []
    assert [reason for reason, times in Counter(reasons).items() if times > 1] == []


def test_the_words_between_quotation_marks_stand_in_the_article(articles):
    quoted = [(where, who, words) for where, who, text in texts() for words in re.findall("“([^”]*)”", text)]
    assert len(quoted) > 200
    assert [found for found in quoted if found[2] not in articles[found[0]].content] == []


def test_quotation_marks_are_the_typographic_ones_and_come_in_pairs():
    for _, who, text in texts():
        assert '"' not in text, (who, text)
        assert re.sub("[^“”]", "", text) == "“”" * text.count("“"), (who, text)


def test_an_answer_holds_one_position_per_topic_and_a_topic_parts_at_least_two():
    for where, compared in COMPARED.items():
        assert list(compared) == ["conclusion", "divergences"]
        topics = [divergence["topic"] for divergence in compared["divergences"]]
        assert len(topics) == len(set(topics)), where
        for divergence in compared["divergences"]:
            held = [who for position in divergence["positions"] for who in position["answers"]]
            assert len(divergence["positions"]) > 1, (where, divergence["topic"])
            assert all(position["answers"] for position in divergence["positions"])
            assert len(held) == len(set(held)), (where, divergence["topic"])
            assert set(held) <= set(NINE), (where, divergence["topic"])


def test_a_topic_named_after_the_verdict_sorts_all_nine_and_stands_where_verdicts_differ():
    for (record_id, name), compared in COMPARED.items():
        stated = {
            divergence["topic"].removeprefix(VERDICT): {
                who: position["position"] for position in divergence["positions"] for who in position["answers"]
            }
            for divergence in compared["divergences"]
            if divergence["topic"].startswith(VERDICT)
        }
        given = {criterion.name: verdicts(record_id, name, criterion.name) for criterion in CRITERIA[name]}
        differing = {criterion: found for criterion, found in given.items() if len(set(found.values())) > 1}
        assert stated == differing, (record_id, name)


def test_each_of_the_expert_s_reasons_has_one_assessment(articles):
    for (record_id, of), assessments in MATCHED.items():
        expected = [f"R{place}" for place, _ in enumerate(articles[record_id].reasons_for("respect"), start=1)]
        assert [found["reason"] for found in assessments] == expected, (record_id, of)
        assert {tuple(found) for found in assessments} == {("reason", "matched", "matched_by", "feedback")}


def test_what_a_reason_is_matched_by_exists_and_nothing_matches_an_unmatched_one():
    for (record_id, of), assessments in MATCHED.items():
        given = range(1, len(ANSWERS[record_id, "respect", of]["respect"]["reasons"]) + 1)
        for found in assessments:
            assert isinstance(found["matched"], bool)
            assert found["feedback"].endswith(".")
            assert len(found["matched_by"]) == len(set(found["matched_by"]))
            assert set(found["matched_by"]) <= set(given), (record_id, of)
            assert found["matched"] or found["matched_by"] == [], (record_id, of)


def test_the_judges_differ_as_they_are_described(articles):
    def right(judge):
        modes = [multimode(verdicts(i, "respect", "respect")[f"{judge}/{n}"] for n in REPLICATES) for i in IDS]
        return sum(mode == [articles[i].truth_for("respect")] for i, mode in zip(IDS, modes, strict=True))

    def matched(judge):
        return sum(found["matched"] for (_, of), all_ in MATCHED.items() if of.startswith(judge) for found in all_)

    assert {judge: right(judge) for judge in JUDGES} == {"careful": 9, "brisk": 5, "formal": 8}
    assert matched("careful") > matched("formal") > matched("brisk")


@pytest.mark.parametrize("judge", JUDGES)
def test_each_judge_wavers_on_a_few_articles_only(judge):
    cells = [
        {verdicts(record_id, name, criterion.name)[f"{judge}/{replicate}"] for replicate in REPLICATES}
        for record_id, name in product(IDS, CRITERIA)
        for criterion in CRITERIA[name]
    ]
    assert sum(len(cell) > 1 for cell in cells) == 3


def test_the_table_of_the_datasheet_is_what_was_answered(articles):
    letters = {"yes": "y", "no": "n", "cannot tell": "?", "not applicable": "-"}
    for record_id in IDS:
        cells = [f"`{record_id}`"]
        for name, criterion in (("respect", "respect"), ("accuracy", "sourced")):
            given = verdicts(record_id, name, criterion)
            cells.append(letters[articles[record_id].truth_for(criterion)])
            cells += [" ".join(letters[given[f"{judge}/{n}"]] for n in REPLICATES) for judge in JUDGES]
            cells.append(letters[ANSWERS[record_id, name, "reader/0"][criterion]["answer"]])
        assert f"| {' | '.join(cells)} |" in SHEET


def test_the_reader_is_sometimes_in_the_minority_and_the_datasheet_says_where():
    minority = []
    for record_id, name in product(IDS, CRITERIA):
        for criterion in CRITERIA[name]:
            counts = Counter(verdicts(record_id, name, criterion.name).values())
            own = ANSWERS[record_id, name, "reader/0"][criterion.name]["answer"]
            if counts[own] < max(counts.values()):
                minority.append((record_id, criterion.name))
    assert minority == [("a009", "respect"), ("a024", "respect"), ("a024", "sourced")]
    assert "on `a024`, on both standards, and on `respect` of `a009` it sides with the minority" in SHEET
