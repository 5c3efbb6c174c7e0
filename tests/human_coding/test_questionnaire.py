"""Several documents of criteria in one form, one sheet and one import: each answer belongs to its own document."""

import openpyxl
import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb.human_coding.open_form import coding_form
from buttermilk_nb.human_coding.questionnaire import Questionnaire
from buttermilk_nb.human_coding.session.coding_session import CodingSession
from buttermilk_nb.human_coding.spreadsheets import workbook
from buttermilk_nb.human_coding.spreadsheets.columns import code_columns
from buttermilk_nb.notebook.coding_form import make_coding_form

TONES = "labels: angry | sad"
NEWS = bm.Criteria(
    "news",
    "Read as an editor does.",
    criteria={
        "fair": {"question": "Is it fair to them?", "flag": "no"},
        "tone": {"question": "Which?", "scale": TONES},
    },
)
SATIRE = bm.Criteria("satire", "Read as a reader does.", criteria={"fair": {"question": "Is it fair game?"}})
WARMTH = bm.Criteria("warmth", "How warm is it?", scale="1-5")
KEYS = ("news: fair", "tone", "satire: fair", "warmth")
ANSWERS = {"news: fair": "no", "tone": ["sad"], "satire: fair": "yes", "warmth": 4}
STORED = {
    ("news", "fair"): "no", ("news", "tone"): '["sad"]', ("satire", "fair"): "yes", ("warmth", "warmth"): "4",
}  # fmt: skip


@pytest.fixture
def texts(offline_project):
    return bm.Corpus([bm.Record(record_id=f"r{n}", content=f"Text {n}.") for n in range(3)])


@pytest.fixture
def session(texts, offline_project):
    return CodingSession(offline_project, texts, Questionnaire([NEWS, SATIRE, WARMTH]), "kf", order="corpus")


def stored(record_id="r0", in_round="1"):
    labels = bm.labels(coder="kf").query("record_id == @record_id and status == 'coded' and round == @in_round")
    return {(label.criteria_set, label.criterion): label.category for label in labels.itertuples()}


def fill_in(sheet, answers):
    """Write answers in the first row of texts that a coding sheet has."""
    book = openpyxl.load_workbook(sheet)
    codes = book[workbook.CODES]
    places = {cell.value: cell.column for cell in codes[1]}
    for header, answer in answers.items():
        codes.cell(2, places[header], answer)
    book.save(sheet)
    return codes.cell(2, 1).value


def test_a_name_that_two_documents_use_gets_the_name_of_its_document():
    questionnaire = Questionnaire([NEWS, SATIRE, WARMTH])
    assert questionnaire.keys == KEYS
    assert Questionnaire([NEWS, WARMTH]).keys == ("fair", "tone", "warmth")
    assert questionnaire["satire: fair"].document is SATIRE
    with pytest.raises(bm.SetupError, match="did you mean `news: fair`"):
        questionnaire["news: fare"]


def test_two_wordings_of_one_document_are_refused(texts, offline_project):
    other = bm.Criteria("warmth", "How warm is it, all in all?", scale="1-5")
    with pytest.raises(bm.SetupError, match="two of the criteria are called `warmth`"):
        bm.coding_sheet(texts, [WARMTH, other], coder="kf")


def test_a_form_stores_each_answer_under_its_own_document(session):
    for key, answer in ANSWERS.items():
        session.answer(key, answer)
    assert stored() == STORED
    assert session.is_complete
    assert {label.criteria_hash for label in session.labels()} == set(session.questionnaire.hashes)
    flags = bm.labels().set_index(["criteria_set", "criterion"]).flagged
    assert flags["news", "fair"]
    assert pd.isna(flags["satire", "fair"])


def test_a_text_is_done_when_every_document_is_answered_and_coding_goes_on_there(session, texts, offline_project):
    for key in KEYS[:-1]:
        session.answer(key, ANSWERS[key])
    assert not session.is_complete
    again = CodingSession(offline_project, texts, session.questionnaire, "kf", order="corpus")
    assert again.navigation.place == 0
    assert again.draft("satire: fair").answer == "yes"
    again.answer("warmth", 2)
    third = CodingSession(offline_project, texts, session.questionnaire, "kf", order="corpus")
    assert (third.navigation.place, third.progress.coded) == (1, 1)


def test_codes_of_a_form_for_one_document_count_in_a_form_for_several(texts, offline_project):
    alone = CodingSession(offline_project, texts, NEWS, "kf", order="corpus")
    alone.answer("fair", "yes")
    both = CodingSession(offline_project, texts, Questionnaire([SATIRE, NEWS]), "kf", order="corpus")
    assert both.draft("news: fair").answer == "yes"
    assert not both.draft("satire: fair").is_saved


def test_skip_and_undo_reach_every_document(session):
    session.answer("news: fair", "no")
    session.skip()
    assert session.navigation.place == 1
    assert bm.labels().status.value_counts().to_dict() == {"skipped": 3, "coded": 1}
    session.undo()
    assert session.navigation.place == 0
    assert stored() == {("news", "fair"): "no"}
    assert len(bm.labels()) == 1
    session.undo()
    assert bm.labels().empty


def test_the_page_shows_the_prose_and_the_questions_under_their_documents(session):
    form = make_coding_form(session)
    assert form.view["criteria_texts"] == [[d.name, d.text] for d in (NEWS, SATIRE, WARMTH)]
    assert [(view["name"], view["document"]) for view in form.questions] == [
        ("news: fair", "news"), ("tone", "news"), ("satire: fair", "satire"), ("warmth", "warmth"),
    ]  # fmt: skip
    form.actions["answer"]("satire: fair", "no")
    form.actions["toggle"]("tone", "angry")
    assert form.page_view()["drafts"]["satire: fair"]["selected"] == ["no"]
    assert form.page_view()["drafts"]["tone"]["selected"] == ["angry"]
    assert not form.page_view()["drafts"]["news: fair"]["is_saved"]
    assert "4 questions" in form.saved_text
    assert len(form.saved_rows()) == 2


def test_two_criteria_of_one_name_are_two_rows_to_download(session):
    form = make_coding_form(session)
    form.actions["answer"]("satire: fair", "no")
    form.actions["answer"]("news: fair", "yes")
    assert len(form.saved_rows()) == 2


def test_the_models_answers_are_beside_their_own_questions(texts, offline_project):
    judge = bm.Judge("judge", criteria=[NEWS, SATIRE], models=["double/answer"])
    bm.Flow("fair", [judge]).run(texts)
    session = CodingSession(
        offline_project, texts, Questionnaire([NEWS, SATIRE]), "kf", order="corpus", blind=False
    )  # fmt: skip
    for key in KEYS[:-1]:
        session.answer(key, ANSWERS[key])
    assert {answer.criterion for answer in session.model_answers()} == set(KEYS[:-1])
    assert bm.labels().blind.tolist() == [True, True, True]


def test_the_codes_count_for_the_judges_of_each_document(texts, offline_project):
    judge = bm.Judge("judge", criteria=[NEWS, SATIRE], models=["double/answer"])
    run = bm.Flow("fair", [judge]).run(texts)
    session = CodingSession(offline_project, texts, Questionnaire([NEWS, SATIRE]), "kf", order="corpus")
    for key in KEYS[:-1]:
        session.answer(key, ANSWERS[key])
    people = run.ratings().query("kind == 'human'")
    assert sorted(zip(people.criteria_set, people.criterion, strict=True)) == [
        ("news", "fair"), ("news", "tone"), ("satire", "fair"),
    ]  # fmt: skip


def test_the_form_takes_a_list_with_paths(texts, tmp_path, monkeypatch):
    file = tmp_path / "warmth.md"
    file.write_text(WARMTH.to_markdown(), encoding="utf-8")
    monkeypatch.setattr("buttermilk_nb._internal.hooks.get_hook", lambda name: lambda session, note: session)
    session = coding_form(texts, criteria=[NEWS, file], coder="kf")
    assert session.questionnaire.keys == ("fair", "tone", "warmth")


# --- sheets and imports ------------------------------------------------------------------------------------------


HEADERS = ["news: fair", "tone: angry", "tone: sad", "satire: fair", "warmth"]


def test_a_sheet_has_the_columns_and_the_codebook_of_all_documents(texts, tmp_path):
    sheet = bm.coding_sheet(texts, [NEWS, SATIRE, WARMTH], coder="kf")
    assert sheet.name == "coding-news-satire-warmth-kf.xlsx"
    book = openpyxl.load_workbook(sheet)
    assert [cell.value for cell in book[workbook.CODES][1]] == ["record_id", "text", *HEADERS, "notes"]
    codebook = [cell.value for row in book[workbook.CODEBOOK].iter_rows() for cell in row if cell.value]
    for document in (NEWS, SATIRE, WARMTH):
        assert document.name in codebook
        assert document.text in codebook
    assert set(KEYS) <= set(codebook)
    assert bm.coding_sheet(texts, [NEWS, SATIRE, WARMTH], coder="kf") == sheet, "an empty sheet is written again"
    with pytest.raises(bm.SetupError, match="is not an empty sheet"):
        bm.coding_sheet(texts, [NEWS, SATIRE], coder="kf", path=sheet)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_a_sheet_comes_back_whole(texts, order):
    documents = [NEWS, SATIRE, WARMTH]
    sheet = bm.coding_sheet(texts, documents, coder="kf")
    record_id = fill_in(sheet, dict(zip(HEADERS, ["no", "no", "yes", "yes", 4], strict=True)))
    done = bm.import_labels(sheet, texts, [documents[i] for i in order])
    assert (done.n_new, len(done.rejected), done.criteria) == (4, 0, tuple(sorted(KEYS)))
    assert stored(record_id) == STORED
    assert bm.import_labels(sheet, texts, documents).n_new == 0, "the same codes are not written twice"


def test_one_document_of_a_sheet_can_be_imported_alone(texts):
    sheet = bm.coding_sheet(texts, [NEWS, SATIRE], coder="kf")
    record_id = fill_in(sheet, {"news: fair": "no", "satire: fair": "yes"})
    done = bm.import_labels(sheet, texts, SATIRE)
    assert done.n_new == 1
    sentence = f"not imported: codes on `{NEWS.name}` in {sheet.name}. To import them, name these criteria too"
    assert sentence in str(done)
    assert "codes on" in done._repr_html_()
    assert stored(record_id) == {("satire", "fair"): "yes"}
    assert not bm.import_labels(sheet, texts, [NEWS, SATIRE]).other_documents


def test_sheets_of_single_documents_are_imported_together(texts, tmp_path):
    sheets = [bm.coding_sheet(texts, document, coder="kf") for document in (NEWS, SATIRE)]
    ids = [fill_in(sheet, {"fair": answer}) for sheet, answer in zip(sheets, ("no", "yes"), strict=True)]
    assert bm.import_labels(sheets, texts, [SATIRE, NEWS]).n_new == 2
    assert stored(ids[0])["news", "fair"] == "no"
    assert stored(ids[1])["satire", "fair"] == "yes"


def test_a_sheet_of_another_document_is_refused(texts):
    sheet = bm.coding_sheet(texts, WARMTH, coder="kf")
    with pytest.raises(bm.SetupError, match="made for criteria `warmth`, not for `news, satire`"):
        bm.import_labels(sheet, texts, [NEWS, SATIRE])


def test_a_sheet_with_one_document_in_another_wording_is_refused_as_a_whole(texts):
    earlier = bm.Criteria("warmth", "How warm is it, all in all?", scale="1-5")
    sheet = bm.coding_sheet(texts, [NEWS, earlier], coder="kf")
    fill_in(sheet, {"fair": "no", "warmth": 2})
    with pytest.raises(bm.SetupError, match="`warmth` in another wording"):
        bm.import_labels(sheet, texts, [NEWS, WARMTH])
    assert bm.labels().empty
    assert bm.import_labels(sheet, texts, NEWS).n_new == 1


def test_a_table_of_labels_comes_back_under_the_documents_that_it_names(session, texts):
    for key, answer in ANSWERS.items():
        session.answer(key, answer)
    done = bm.import_labels(bm.labels(), texts, [NEWS, SATIRE, WARMTH], round="2")
    assert (done.n_new, len(done.rejected)) == (4, 0)
    assert stored(in_round="2") == STORED


def test_columns_of_a_table_of_ones_own_are_named_by_key(texts):
    frame = pd.DataFrame({"record_id": ["r0"], "a": ["no"], "b": ["yes"]})
    columns = {"kf": {"news: fair": "a", "satire: fair": "b"}}
    assert bm.import_labels(frame, texts, [NEWS, SATIRE], columns=columns).n_new == 2
    assert stored() == {("news", "fair"): "no", ("satire", "fair"): "yes"}
    with pytest.raises(bm.SetupError, match="asks 3 questions"):
        bm.import_labels(frame, texts, [NEWS, SATIRE])


def test_a_name_that_is_not_clear_is_rejected(texts):
    frame = pd.DataFrame([{"record_id": "r0", "coder": "kf", "criterion": "fair", "category": "no"}])
    done = bm.import_labels(frame, texts, [NEWS, SATIRE])
    assert done.n_new == 0
    assert "has no criterion `fair`; there are `news: fair`, `tone`, `satire: fair`" in done.rejected.problem[0]


def test_columns_are_distinct():
    headers = [column.header for column in code_columns(Questionnaire([NEWS, SATIRE, WARMTH]))]
    assert headers == HEADERS


# --- names that get in each other's way --------------------------------------------------------------------------


def document(name, *criteria, scale="yes/no"):
    return bm.Criteria(name, "?", criteria={each: {"question": f"{each}?", "scale": scale} for each in criteria})


def test_questions_that_cannot_be_told_apart_are_a_sentence(texts):
    with pytest.raises(bm.SetupError, match="two questions of criteria `a, z` would be called `a: b`"):
        bm.coding_sheet(texts, [document("a", "b"), document("z", "a: b", "b")], coder="kf")


def test_columns_that_cannot_be_told_apart_are_a_sentence(texts):
    labelled, plain = document("a", "tone", scale="labels: warm | cold"), document("b", "tone: warm")
    for order in ([labelled, plain], [plain, labelled]):
        with pytest.raises(bm.SetupError, match="two columns of a sheet would be called `tone: warm`"):
            bm.coding_sheet(texts, order, coder="kf")


@pytest.mark.parametrize(
    "names", [("notes", "text", "record_id"), ("notes", "notes (code)", "Notes"), ("=1+1", "a\nb", "é")]
)
@pytest.mark.parametrize("is_csv", [False, True])
def test_odd_names_come_back_whatever_the_order_of_the_documents(texts, tmp_path, names, is_csv):
    documents = [document(name, name) for name in names]
    try:
        sheet = bm.coding_sheet(texts, documents, coder="kf")
    except bm.SetupError as error:
        assert "would be called" in str(error)  # noqa: PT017
        return
    columns = [column.header for column in code_columns(Questionnaire(documents))]
    record_id = fill_in(sheet, dict(zip(columns, ("yes", "no", "yes"), strict=True)))
    if is_csv:
        frame = pd.read_excel(sheet, dtype=str)
        sheet = tmp_path / "codes.csv"
        frame.to_csv(sheet, index=False)
    bm.import_labels(sheet, texts, documents[::-1], coder="kf")
    answers = dict(zip(((name, name) for name in names), ("yes", "no", "yes"), strict=True))
    assert stored(record_id) == answers


def test_a_sheet_whose_coder_was_deleted_does_not_name_a_coder(texts):
    sheet = bm.coding_sheet(texts, WARMTH, coder="kf")
    fill_in(sheet, {"warmth": 3})
    book = openpyxl.load_workbook(sheet)
    for row in book[workbook.FACTS].iter_rows(max_row=5):
        if row[0].value == "coder":
            row[1].value = None
    book.save(sheet)
    with pytest.raises(bm.SetupError, match="does not name the coder"):
        bm.import_labels(sheet, texts, WARMTH)
    assert bm.import_labels(sheet, texts, WARMTH, coder="kf").coders == ("kf",)
