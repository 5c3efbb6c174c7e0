"""Labels: how a person's answer is read, that it is kept at once, and what is listed of it."""

import json

import pytest
from support.study import corpus, desk, respect

import buttermilk_nb as bm
from buttermilk_nb.human_coding.coders import coders, describe_coder
from buttermilk_nb.human_coding.labels import keep_labels, labels, make_label
from buttermilk_nb.store import Store
from buttermilk_nb.store.connection import FileLocked

RECORDS = corpus(3)
RESPECT = respect()


def made(answer, record=RECORDS[0], criteria=RESPECT, criterion=None, coder="kf", **fields):
    question = criteria[criterion or criteria.criteria[0].name]
    return make_label(question, criteria, record, coder=coder, answer=answer, **{"source": "form", **fields})


def kept(project, *given, criteria=RESPECT):
    keep_labels(project, list(given), records=list(RECORDS), documents=[criteria])


# --- reading an answer -------------------------------------------------------------------------------


def test_an_answer_is_read_on_the_criterion_s_own_scale():
    label = made(" No ")
    assert (label.category, label.value, label.flagged, label.status) == ("no", 0.0, True, "coded")
    assert (label.record_hash, label.criteria_hash) == (RECORDS[0].record_hash, RESPECT.criteria_hash)
    heat = made(4, criteria=desk(), criterion="heat")
    assert (heat.category, heat.value, heat.flagged) == ("4", 4.0, True)


def test_several_labels_and_numbers_are_answers_too():
    tone = bm.Criteria("tone", "?", criteria={"marks": {"question": "?", "scale": "labels: warm | cold"},
                                              "share": {"question": "?", "scale": "0..1"}})  # fmt: skip
    assert made([], criteria=tone, criterion="marks").category == "[]"
    assert json.loads(made(["warm", "cold"], criteria=tone, criterion="marks").category) == ["cold", "warm"]
    share = made("0.25", criteria=tone, criterion="share")
    assert (share.category, share.value, share.status) == (None, 0.25, "coded")


@pytest.mark.parametrize(("answer", "status"), [("not applicable", "not_applicable"), ("Cannot tell", "cannot_tell")])
def test_a_person_may_always_say_that_there_is_no_answer(answer, status):
    label = made(answer)
    assert (label.status, label.category, label.value, label.flagged) == (status, answer.lower(), None, None)
    assert made(None, status=status).category == answer.lower()


@pytest.mark.parametrize("status", ["skipped", "withdrawn"])
def test_what_is_skipped_or_withdrawn_has_no_answer(status):
    label = made(None, status=status)
    assert (label.status, label.category, label.value, label.flagged) == (status, None, None, None)
    with pytest.raises(bm.errors.InvalidAnswer, match=f"the status `{status}` has no answer, but 'no' was"):
        made("no", status=status)


@pytest.mark.parametrize("answer", ["perhaps", "", 7, ["no", "yes"], "yes and no"])
def test_an_answer_that_is_not_offered_is_refused(answer):
    with pytest.raises(bm.errors.InvalidAnswer, match="is not one of the answers"):
        made(answer)


def test_no_answer_is_not_taken_for_one():
    with pytest.raises(
        bm.errors.InvalidAnswer, match='no answer on `respect`; if the coder skipped it, write status="skipped"'
    ):
        made(None)
    with pytest.raises(bm.errors.InvalidAnswer, match="status `cannot_tell` means the answer `cannot tell`"):
        made("no", status="cannot_tell")


def test_a_label_has_a_coder():
    with pytest.raises(bm.SetupError, match="a label needs a coder"):
        made("no", coder="  ")
    assert made("no", coder=" kf ").coder == "kf"


# --- keeping -----------------------------------------------------------------------------------------


def test_a_label_is_on_disk_with_its_record_its_criteria_and_its_coder(project):
    kept(project, made("no"))
    again = Store(project.store.path)
    assert again.df("select coder, category, source from labels").values.tolist() == [["kf", "no", "form"]]
    assert again.df("select coder, kind, groups from coders").values.tolist() == [["kf", "human", "{}"]]
    body = again.df("select body from texts where text_hash = ?", [RESPECT.criteria_hash]).body.item()
    assert bm.Criteria.from_markdown(body).criteria_hash == RESPECT.criteria_hash
    assert len(again.df("select * from records")) == 3


def test_a_judge_keeps_the_same_text_of_the_criteria_as_a_person_does(project):
    bm.Flow("study", [bm.Judge("judge", criteria=RESPECT)]).run(RECORDS)
    before = project.store.df("select * from texts where kind = 'criteria' order by text_hash")
    kept(project, made("no"))
    after = project.store.df("select * from texts where kind = 'criteria' order by text_hash")
    assert after.equals(before)
    assert sorted(before.text_hash) == sorted([RESPECT.criteria_hash, RESPECT.cues_hash])


def test_everything_that_is_said_of_a_label_is_kept(project):
    said = {
        "reasons": ["She is named.", "\ud800"],
        "notes": "a note",
        "blind": False,
        "saw_trace_ids": ["t1"],
        "round": "2",
        "sample_id": "s1",
        "inclusion_p": 0.25,
        "seconds": 3.5,
    }
    kept(project, made("no", quotes=[{"start": 0, "end": 4, "text": "They"}], **said))
    row = labels(history=True).iloc[0]
    assert json.loads(row.quotes) == [{"start": 0, "end": 4, "text": "They"}]
    assert (list(row.reasons), list(row.saw_trace_ids)) == (["She is named.", "\ufffd"], ["t1"])
    plain = {name: value for name, value in said.items() if name not in ("reasons", "saw_trace_ids")}
    assert {name: row[name] for name in plain} == plain


def test_nothing_is_written_where_there_is_nothing_to_write(project):
    kept(project)
    assert len(project.store.df("select * from texts")) == 0


def test_a_coder_is_met_once_and_what_was_said_of_them_stays(project):
    describe_coder("kf", profession="teacher")
    kept(project, made("no"), made("yes", RECORDS[1], coder="ab"))
    kept(project, made("no", RECORDS[2]))
    assert project.store.df("select coder from coders order by 1").coder.tolist() == ["ab", "kf"]
    assert coders().set_index("coder").profession.to_dict()["kf"] == "teacher"


def test_the_second_label_of_a_coder_is_kept_without_reading(project, monkeypatch):
    kept(project, made("no"))

    def held(*_):
        raise FileLocked("another process has the file")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "reading", held)
        kept(project, made("yes", RECORDS[1]))
    assert len(labels()) == 2


def test_labels_wait_in_the_spool_while_another_process_has_the_file(project, monkeypatch):
    kept(project, made("no"))

    def held(*_):
        raise FileLocked("another process has the file")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "_write_or_repair", held)
        said = made(
            "yes", RECORDS[1], reasons=["He said: \ud800.", ""], quotes=[{"start": 0, "text": "é"}], seconds=2.5
        )
        kept(project, said)
        assert project.store.spooled() > 0
    assert labels().category.tolist() == ["no", "yes"]
    found = labels(history=True).iloc[1]
    assert (list(found.reasons), found.quotes, found.seconds) == (["He said: \ufffd.", ""], said.quotes, 2.5)
    assert found.coded_at == said.coded_at


# --- listing -----------------------------------------------------------------------------------------


def test_the_newest_code_counts_and_history_has_them_all(project):
    kept(project, made("no"))
    kept(project, made("yes"))
    assert labels().category.tolist() == ["yes"]
    assert labels(history=True).category.tolist() == ["no", "yes"]


def test_a_withdrawn_code_is_listed_in_the_history_alone(project):
    kept(project, made("no"))
    kept(project, made(None, status="withdrawn"))
    assert labels().empty
    assert labels(history=True).status.tolist() == ["coded", "withdrawn"]
    kept(project, made("no"))
    assert labels().category.tolist() == ["no"]


def test_rounds_wordings_and_versions_of_a_text_stand_beside_each_other(project):
    other = respect("Does the text respect people?")
    longer = RECORDS[0].model_copy(update={"content": "They are vermin, he said."})
    kept(project, made("no"), made("no", round="2"), made("yes", longer))
    kept(project, made("yes", criteria=other), criteria=other)
    assert len(labels()) == 4
    assert len(labels(criteria="respect")) == 4
    assert len(labels(criteria=RESPECT)) == 3


def test_labels_are_chosen_by_coder_and_criteria(project):
    kept(project, made("no"), made("yes", coder="ab"), made("yes", coder="cd"))
    assert labels(coder="ab").category.tolist() == ["yes"]
    assert labels(coder=["kf", "cd"]).coder.tolist() == ["cd", "kf"]
    assert labels(coder="'; drop table labels; --").empty
    assert labels(criteria="other").empty


def test_what_a_notebook_shows_is_the_same_on_every_run(project, tmp_path):
    kept(project, made("no"), made("yes", RECORDS[1]))
    first = labels()
    bm.init("again", path=tmp_path / "again")
    kept(bm.project.session.current(), made("no"), made("yes", RECORDS[1]))
    assert labels().equals(first)
    assert not {"label_id", "coded_at", "saw_trace_ids"} & set(first.columns)
    assert {"label_id", "coded_at", "saw_trace_ids"} <= set(labels(history=True).columns)


# --- coders ------------------------------------------------------------------------------------------


def test_coders_are_listed_with_what_is_said_of_them_and_what_they_did(project):
    kept(project, made("no"), made(None, RECORDS[1], status="skipped"), made("no", coder="ab"))
    describe_coder("kf", profession="teacher", language="de")
    describe_coder("zz", profession="editor")
    found = coders().astype(object)
    assert found.where(found.notna(), None).values.tolist() == [
        ["ab", "human", 1, 1, None, None],
        ["kf", "human", 1, 1, "de", "teacher"],
        ["zz", "human", 0, 0, None, "editor"],
    ]
    assert list(found.columns) == ["coder", "kind", "n_records", "n_labels", "language", "profession"]


def test_what_is_said_of_a_coder_last_counts(project):
    describe_coder("kf", profession="teacher", language="de")
    describe_coder("kf", profession="editor")
    found = coders()
    assert found.profession.tolist() == ["editor"]
    assert "language" not in found.columns


def test_a_coder_is_declared_with_a_name_and_something_to_say():
    with pytest.raises(bm.SetupError, match="describe `kf`"):
        describe_coder("kf")
    with pytest.raises(bm.SetupError, match="name the coder"):
        describe_coder(" ", profession="teacher")
    with pytest.raises(bm.SetupError, match="`kind` is already a column of the frame of coders"):
        describe_coder("kf", kind="teacher")


def test_a_project_without_coders_lists_none(project):
    assert coders().empty
    assert labels().empty
