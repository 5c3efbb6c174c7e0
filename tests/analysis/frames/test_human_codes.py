"""People's labels beside the judges' answers and the codes that came with the data."""

import pytest
from support.study import corpus, desk, flow, judge, respect

import buttermilk_nb as bm
from buttermilk_nb.analysis.frames.ratings import COLUMNS
from buttermilk_nb.human_coding.labels import keep_labels, make_label

RECORDS = corpus(3)
RESPECT = respect()


def keep(project, answer, record=RECORDS[0], coder="kf", criteria=RESPECT, criterion=None, **fields):
    question = criteria[criterion or criteria.criteria[0].name]
    label = make_label(question, criteria, record, coder=coder, answer=answer, **{"source": "form", **fields})
    keep_labels(project, [label], records=[record], documents=[criteria])


def people(frame, *columns):
    rows = frame[frame.kind == "human"][["record_id", "coder", *columns]]
    return [tuple(row) for row in rows.astype(object).where(rows.notna(), None).to_numpy()]


def run_of(records=RECORDS, criteria=RESPECT):
    return flow(judge(criteria), models="offline/strict").run(bm.Corpus(records))


def test_a_label_stands_beside_the_judges_with_what_it_says_of_its_coder(offline_project):
    run = run_of()
    keep(offline_project, "no", blind=True, inclusion_p=0.25)
    keep(offline_project, "cannot tell", RECORDS[1])
    for found in (run.ratings(), bm.ratings()):
        assert tuple(found.columns) == COLUMNS
        assert people(found, "category", "value", "flagged", "status", "blind", "inclusion_p") == [
            ("r0", "kf", "no", 0.0, True, "ok", True, 0.25),
            ("r1", "kf", "cannot tell", None, None, "ok", None, None),
        ]
        mine = found[found.kind == "human"]
        assert set(mine.scale) == {"yes/no"}
        assert set(mine.replicate) == {0}
        assert (found.kind == "instrument").sum() == 3


def test_a_skipped_record_is_a_row_without_a_code(offline_project):
    run = run_of()
    keep(offline_project, None, status="skipped")
    assert people(run.ratings(), "category", "status") == [("r0", "kf", None, "skipped")]


def test_a_withdrawn_label_is_none(offline_project):
    run = run_of()
    keep(offline_project, "no")
    keep(offline_project, None, status="withdrawn")
    assert people(run.ratings()) == []


def test_the_last_round_counts(offline_project):
    run = run_of()
    keep(offline_project, "no")
    keep(offline_project, "yes", round="2")
    assert people(run.ratings(), "category") == [("r0", "kf", "yes")]


def test_a_label_under_another_wording_stays_out(offline_project):
    run = run_of()
    keep(offline_project, "no", criteria=respect("Is it kind?"))
    with pytest.warns(UserWarning, match="1 code by kf was made under another wording of `respect` and left out"):
        ratings = run.ratings()
    assert people(ratings) == []
    assert len(ratings.attrs["left_out"]) == 1
    assert people(bm.ratings(), "category") == [("r0", "kf", "no")]


def test_a_label_on_another_version_of_the_text_stays_out_of_the_run(offline_project):
    run = run_of()
    keep(offline_project, "yes", RECORDS[0].model_copy(update={"content": "They left."}))
    with pytest.warns(UserWarning, match="1 code by kf was made on an earlier version of its text and left out"):
        assert people(run.ratings()) == []


def test_a_label_on_a_record_that_the_run_has_not_stays_out_of_it(offline_project):
    run = run_of(RECORDS[:2])
    keep(offline_project, "yes", RECORDS[2])
    assert people(run.ratings()) == []
    assert people(bm.ratings(), "category") == [("r2", "kf", "yes")]


def test_the_label_of_a_coder_wins_over_their_code_in_the_data(offline_project):
    first = RECORDS[0].model_copy(update={"labels": {"kf": {"respect": "yes"}, "ab": {"respect": "yes"}}})
    run = run_of([first, *RECORDS[1:]])
    keep(offline_project, "no", first)
    assert people(run.ratings(), "category") == [("r0", "ab", "yes"), ("r0", "kf", "no")]


def test_who_has_a_code_in_the_data_has_not_skipped_the_record(offline_project):
    first = RECORDS[0].model_copy(update={"labels": {"kf": {"respect": "yes"}}})
    run = run_of([first, *RECORDS[1:]])
    keep(offline_project, None, first, status="skipped")
    assert people(run.ratings(), "category", "status") == [("r0", "kf", "yes", "ok")]


def test_what_was_decided_in_an_adjudication_is_no_independent_code_of_that_person(offline_project):
    run = run_of()
    keep(offline_project, "no")
    keep(offline_project, "yes", source="adjudication", round="adjudication")
    assert people(run.ratings(), "category") == [("r0", "kf", "no"), ("r0", "kf (adjudicated)", "yes")]


def test_codes_of_records_that_nobody_has_judged_are_in_the_project_s_ratings(offline_project):
    keep(offline_project, 4, criteria=desk(), criterion="heat")
    keep(offline_project, "no", RECORDS[1], criteria=desk())
    found = bm.ratings()
    assert people(found, "criterion", "category", "flagged") == [
        ("r0", "kf", "heat", "4", True),
        ("r1", "kf", "respect", "no", True),
    ]
    assert found.scale.tolist() == ["1-5", "yes/no"]


def test_a_project_in_which_nothing_happened_has_no_ratings(offline_project):
    found = bm.ratings()
    assert tuple(found.columns) == COLUMNS
    assert found.empty


def test_statistics_take_people_s_labels_as_they_take_judges(offline_project):
    run = run_of(corpus(5))
    mine, theirs = ["no", "yes", "yes", "yes", "yes"], ["no", "yes", "no", "yes", "yes"]
    for place, record in enumerate(corpus(5)):
        keep(offline_project, mine[place], record)
        keep(offline_project, theirs[place], record, coder="ab")
    found = bm.agreement(run.ratings(), n_boot=20)
    kappa = found[found.coefficient == "Cohen's kappa"].set_index("comparison").value
    assert kappa["ab ~ kf"] == pytest.approx((0.8 - 0.56) / (1 - 0.56))
    assert kappa["kf ~ judge · offline/strict"] == 1
    assert set(found.comparison_type) == {"mixed", "human-human", "judge-human"}


def test_a_record_that_taught_the_criteria_is_marked_and_left_out_of_statistics(offline_project):
    import datetime as dt

    from buttermilk_nb.codebook.edge_cases import EdgeCase, with_edge_case

    case = EdgeCase(dt.date(2026, 3, 1), "respect", "no", "A curse is a curse.", ("r0",))
    taught = with_edge_case(respect(), case)
    records = corpus(4)
    run = flow(judge(taught, models=["offline/strict", "offline/lenient"])).run(records)
    ratings = run.ratings()
    assert ratings[ratings.in_edge_cases].record_id.unique().tolist() == ["r0"]
    found = bm.agreement(ratings, coefficients=["percent_agreement"], n_boot=20).iloc[0]
    assert (found.n_units, found.n_excluded) == (3, 1)
    assert "Left out: 1 record that these criteria use as an edge case." in found.note
    before = flow(judge(respect(), models=["offline/strict", "offline/lenient"])).run(records).ratings()
    assert not before.in_edge_cases.any(), "under the earlier wording nobody had been taught"


def test_a_project_counts_the_newest_text_of_a_record_and_what_was_said_of_it(offline_project):
    def version(text, truth):
        return bm.Corpus([bm.Record(record_id="r0", content=text, ground_truth={"respect": truth})])

    old, new = version("They are vermin.", "no"), version("They are kind.", "yes")
    keep(offline_project, "no", record=old[0])
    for texts in (old, new):
        flow(judge(models=["offline/strict"])).run(texts)
    keep(offline_project, "yes", record=new[0], coder="ab")
    with pytest.warns(UserWarning, match="1 code by kf was made on an earlier version of its text and left out"):
        ratings = bm.ratings().set_index("coder")
    assert ratings.category.to_dict() == {"ab": "yes", "judge · offline/strict": "yes", "truth": "yes"}


@pytest.mark.parametrize("name", ["truth", "Truth", "judge · offline/strict", "kf (adjudicated)"])
def test_names_that_stand_for_something_else_are_no_coders(offline_project, name):
    with pytest.raises(bm.SetupError, match="cannot be a coder's name"):
        keep(offline_project, "yes", coder=name)
