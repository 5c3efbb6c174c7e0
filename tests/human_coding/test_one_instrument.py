"""People read what judges read: the criteria as their file is now, given as criteria or as a path, with the prose."""

import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb._internal import hooks
from buttermilk_nb.human_coding.open_form import coding_form
from buttermilk_nb.human_coding.spreadsheets import workbook
from buttermilk_nb.notebook.coding_form import make_coding_form

FILE = """---
name: respect
scale: yes/no
flag: "no"
---
Does the text treat people with respect? {more}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "respect.md"
    path.write_text(FILE.format(more="Irony counts."), encoding="utf-8")
    return path


@pytest.fixture
def texts(offline_project):
    return bm.Corpus([bm.Record(record_id=f"r{n}", content=f"Text {n}.") for n in range(3)])


@pytest.fixture
def open_form(monkeypatch):
    """Open the form without a notebook; returns its session."""
    forms = {"coding": lambda session, note: session}
    monkeypatch.setattr(hooks, "get_hook", forms.get)
    return lambda *args, **fields: coding_form(*args, **fields)


def test_the_form_and_the_sheet_read_the_file_again_as_a_run_does(open_form, texts, file, tmp_path):
    criteria = bm.Criteria.from_file(file)
    judge = bm.Judge("judge", criteria=criteria, models=["double/answer"])
    file.write_text(FILE.format(more="Quotations do not count."), encoding="utf-8")
    now = bm.Criteria.from_file(file)
    assert criteria.criteria_hash != now.criteria_hash
    session = open_form(texts, criteria=criteria, coder="kf")
    session.answer("respect", "yes")
    assert [label.criteria_hash for label in session.labels()] == [now.criteria_hash]
    sheet = bm.coding_sheet(texts, criteria, coder="ana", path=tmp_path / "ana.xlsx")
    assert workbook.read_facts(sheet).documents == {now.criteria_hash: "respect"}
    run = bm.Flow("tone", [judge]).run(texts)
    assert run.ratings().query("kind == 'human'").coder.tolist() == ["kf"], "the code counts for the run"


def test_a_path_is_as_good_as_criteria_everywhere(open_form, texts, file, tmp_path):
    assert open_form(texts, criteria=str(file), coder="kf").questionnaire.name == "respect"
    sheet = bm.coding_sheet(texts, file, coder="ana", path=tmp_path / "ana.xlsx")
    codes = [{"record_id": "r0", "coder": "ana", "criterion": "respect", "category": "no"}]
    assert bm.import_labels(pd.DataFrame(codes), texts, str(file)).n_new == 1
    assert sheet.exists()
    run = bm.Flow("tone", [bm.Judge("judge", criteria=file, models=["double/answer"])]).run(texts)
    assert len(bm.adjudicate(file, ratings=run).cases) <= 1


@pytest.mark.parametrize("wrong", [3, None, ["a.md", "b.md"], [], "no-such-file.md", {"name": "x"}])
def test_anything_else_is_a_sentence(open_form, texts, wrong, tmp_path):
    for use in (
        lambda: open_form(texts, criteria=wrong, coder="kf"),
        lambda: bm.coding_sheet(texts, wrong, coder="kf", path=tmp_path / "x.xlsx"),
        lambda: bm.import_labels([], texts, wrong),
        lambda: bm.adjudicate(wrong),
    ):
        with pytest.raises(bm.SetupError, match=r"criteria|there is no file"):
            use()


def test_the_form_shows_the_prose_that_judges_read(open_form, texts, file):
    form = make_coding_form(open_form(texts, criteria=file, coder="kf"))
    assert form.view["criteria_texts"] == [["respect", bm.Criteria.from_file(file).text]]
    assert "Irony counts." in form.view["criteria_texts"][0][1]


def test_the_end_of_a_form_names_the_texts_that_are_open(open_form, texts, file):
    session = open_form(texts, criteria=file, coder="kf", order="corpus")
    form = make_coding_form(session)
    session.navigation.go_to(1)
    assert form.page_view()["open"] == []
    session.navigation.go_to(2)
    session.answer("respect", "yes")
    assert form.page_view()["open"] == [0, 1]
    assert (
        form.page_view()["status"]
        == "This is the last text. 2 other texts are still without an answer to every question:"
    )
    form.actions["go_to"](0)
    assert session.navigation.place == 0
    for place in (0, 1):
        session.navigation.go_to(place)
        session.answer("respect", "no")
    session.navigation.go_to(2)
    assert form.page_view()["open"] == []
    assert "All 3 texts are done" in form.page_view()["status"]
