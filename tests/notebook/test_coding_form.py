"""The coding form and adjudication as widgets: what a page is told, what it may ask for, and what a notebook saves."""

from __future__ import annotations

import json

import pytest

import buttermilk_nb as bm
from buttermilk_nb.human_coding.open_form import coding_form
from buttermilk_nb.notebook.form_page import options

SETUP = """
bm.init('coding', models=['offline/strict'])
words = ['They are vermin.', 'A calm day.', 'Dull <b>x</b>.']
texts = bm.load([{'id': f'a{i}', 'text': t} for i, t in enumerate(words)], content='text', record_id='id')
tone = bm.Criteria('tone', 'How a text speaks.', criteria={
    'respect': {'question': 'Is it respectful?', 'flag': 'no', 'cues': ['calm'], 'definition': 'Names are fair.'},
    'means': {'question': 'By which means?', 'scale': 'labels: mockery | appeal', 'cues': {'mockery': ['vermin']}}})
from buttermilk_nb.human_coding.open_form import coding_form
from buttermilk_nb.human_coding.adjudication import adjudicate
"""


def ask(form, what, **more):
    """What the page does when a person presses something."""
    content = {"action": what, "n": form.view["n_handled"] + 1, "place": form.view["place"], **more}
    form._handle_custom_msg(content, [])
    assert form.view["n_handled"] == content["n"], "the page waits for an answer to each message"
    return form.view


@pytest.fixture
def opened(shell):
    shell.run(SETUP)

    def make(more=""):
        return shell.run(f"coding_form(texts, criteria=tone, coder='kf', order='corpus'{more})")

    return make


def kept(shell):
    found = shell.run("bm.sql('select record_id, criterion, category, status from labels order by coded_at, label_id')")
    return [tuple(row) for row in found.astype(object).where(found.notna(), None).to_numpy()]


def test_an_answer_of_the_page_is_on_disk_and_drawn(shell, opened):
    form = opened()
    assert form.view["content"] == "They are vermin."
    view = ask(form, "answer", criterion="respect", value="no")
    assert kept(shell) == [("a0", "respect", "no", "coded")]
    assert view["drafts"]["respect"]["selected"] == ["no"]
    assert view["can_undo"]
    view = ask(form, "undo")
    assert (view["drafts"]["respect"]["selected"], view["can_undo"]) == ([], False)


def test_labels_are_pressed_one_by_one_and_none_is_an_answer(shell, opened):
    form = opened()
    ask(form, "toggle", criterion="means", value="mockery")
    ask(form, "toggle", criterion="means", value="appeal")
    view = ask(form, "toggle", criterion="means", value="mockery")
    assert view["drafts"]["means"]["selected"] == ["appeal"]
    view = ask(form, "answer", criterion="means", value="[]")
    assert view["drafts"]["means"]["selected"] == ["[]"]
    assert [json.loads(row[2]) for row in kept(shell)] == [["mockery"], ["appeal", "mockery"], ["appeal"], []]
    view = ask(form, "toggle", criterion="means", value="mockery")
    assert view["drafts"]["means"]["selected"] == ["mockery"]


def test_words_and_marks_wait_for_the_answer_and_the_page_says_so(shell, opened):
    form = opened()
    ask(form, "mark", criterion="respect", start=9, end=15)
    view = ask(form, "reasons", criterion="respect", value="an animal\n\n a curse ")
    assert view["drafts"]["respect"]["state"] == "will be saved with your answer"
    assert kept(shell) == []
    ask(form, "note", criterion="respect", value="at once")
    view = ask(form, "answer", criterion="respect", value="no")
    own = view["drafts"]["respect"]
    assert (own["state"], own["reasons"], own["notes"]) == ("", "an animal\na curse", "at once")
    assert own["spans"] == [{"start": 9, "end": 15, "text": "vermin"}]


def test_the_way_through_the_texts(opened):
    form = opened()
    assert form.view["line"] == "text 1 of 3 · 0 coded · 3 left"
    assert (form.view["is_first"], form.view["is_last"]) == (True, False)
    view = ask(form, "skip")
    assert view["line"] == "text 2 of 3 · 0 coded · 1 skipped · 2 left"
    view = ask(form, "next")
    assert (view["record_id"], view["is_last"]) == ("a2", True)
    assert ask(form, "back")["record_id"] == "a1"
    ask(form, "skip")
    view = ask(form, "skip")
    assert view["status"].startswith("All 3 texts are done")


def test_a_message_about_another_text_changes_nothing(shell, opened):
    form = opened()
    ask(form, "answer", place=1, criterion="respect", value="no")
    ask(form, "forget everything")
    assert kept(shell) == []


def test_what_is_wrong_is_one_sentence_on_the_page(shell, opened):
    form = opened()
    view = ask(form, "answer", criterion="respect", value="both")
    assert "is not one of the answers" in view["message"]
    view = ask(form, "mark", criterion="respect", start=0, end=999)
    assert "does not exist: the text has" in view["message"]
    assert ask(form, "next")["message"] == ""


def test_a_sensitive_text_is_not_sent_to_the_page_until_it_is_asked_for(opened):
    form = opened(", sensitive='It is about <i>war</i>.'")
    assert "vermin" not in json.dumps(form.get_state())
    assert form.view["content_note"] == "It is about <i>war</i>."
    assert "show the text first" in ask(form, "answer", criterion="respect", value="no")["message"]
    assert ask(form, "show_text")["content"] == "They are vermin."
    assert ask(form, "next")["content"] == ""


def test_a_blind_page_is_told_nothing_of_models_and_an_open_one_only_afterwards(shell, opened):
    shell.run(SETUP)
    shell.run("_ = bm.Flow('f', [bm.Judge('judge', criteria=tone)]).run(texts)")
    said = [("means", '["mockery"]'), ("respect", "no")]
    for more, expected in (("", []), (", blind=False", said)):
        form = opened(more)
        form.session.navigation.back()
        ask(form, "answer", criterion="respect", value="yes")
        assert form.view["other_answers"] == []
        assert "offline" not in json.dumps(form.get_state())
        view = ask(form, "answer", criterion="means", value="[]")
        assert [(answer["criterion"], answer["answer"]) for answer in view["other_answers"]] == expected
        ask(form, "undo")
        assert form.view["other_answers"] == []
        ask(form, "undo")


def test_a_page_that_opens_gets_every_code_and_later_only_what_changed(opened):
    form = opened()
    ask(form, "answer", criterion="respect", value="no")
    ask(form, "answer", criterion="means", value="[]")
    (changed,) = form.codes
    assert changed[0] == '["a0","tone","means"]'
    codes = dict(form.get_state()["codes"])
    assert set(codes) == {'["a0","tone","respect"]', '["a0","tone","means"]'}
    row = dict(zip(form.columns, codes['["a0","tone","respect"]'], strict=True))
    assert (row["record_id"], row["coder"], row["criterion"], row["category"]) == ("a0", "kf", "respect", "no")
    ask(form, "undo")
    assert form.codes == [['["a0","tone","means"]', None]]
    again = opened()
    assert list(dict(again.get_state()["codes"])) == ['["a0","tone","respect"]']


def test_a_saved_form_holds_no_id_time_path_or_text(shell, opened, tmp_path):
    bundle = opened()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == "Coding form: 3 records, tone (2 questions), blind"
    assert "vermin" not in bundle["text/html"]
    assert str(tmp_path) not in bundle["text/html"]


def test_without_widgets_one_sentence_names_the_spreadsheet(shell):
    shell.run(SETUP)
    shell.run("%unload_ext buttermilk_nb")
    with pytest.raises(bm.SetupError, match=r"bm\.coding_sheet\(corpus, criteria, coder=\"kf\"\) writes a spreadsheet"):
        shell.run("coding_form(texts, criteria=tone, coder='kf')")
    shell.run("_ = bm.Flow('f', [bm.Judge('judge', criteria=tone)]).run(texts)")
    assert type(shell.run("adjudicate(tone)")).__name__ == "Adjudication"
    shell.run("%load_ext buttermilk_nb")


def test_criteria_may_be_a_file(shell, tmp_path):
    shell.run(SETUP)
    (tmp_path / "fair.md").write_text("---\nscale: 1-3\n---\nIs it fair?")
    form = shell.run("coding_form(texts, criteria='fair.md', coder='kf')")
    assert [question["question"] for question in form.questions] == ["Is it fair?"]


# --- keys ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "non_answers", "keys"),
    [
        ("yes/no", ["cannot tell"], {"yes": "1", "no": "2", "cannot tell": "3"}),
        ("1-5", ["cannot tell"], {"1": "1", "2": "2", "3": "3", "4": "4", "5": "5", "cannot tell": "6"}),
        ("-1-1", [], {"-1": "", "0": "0", "1": "1"}),
        ("0..1", ["cannot tell"], {"cannot tell": ""}),
        ("labels: mockery | appeal", [], {"mockery": "1", "appeal": "2", "[]": "3"}),
        ("2 | 3 | many", [], {"2": "2", "3": "3", "many": ""}),
        (" | ".join("abcdefghijk"), [], dict(zip("abcdefghijk", [*"1234567890", ""], strict=True))),
    ],
)
def test_a_digit_is_the_key_of_the_answer_that_it_says(scale, non_answers, keys):
    found = options(bm.Criterion(name="a", question="?", scale=scale, non_answers=non_answers))
    assert {option["answer"]: option["key"] for option in found} == keys


# --- adjudication ----------------------------------------------------------------------------------


@pytest.fixture
def cases(shell):
    shell.run(SETUP)
    shell.run("fair = bm.Criteria('fair', 'Is it fair?', flag='no', cues={'no': ['vermin', 'dull']})")
    shell.run("_ = bm.Flow('f', [bm.Judge('judge', criteria=fair)]).run(texts)")
    shell.run("mine = coding_form(texts, criteria=fair, coder='ana', order='corpus')")
    for _ in range(3):
        ask(shell.space["mine"], "answer", criterion="fair", value="yes")
        ask(shell.space["mine"], "next")
    return shell.run("adjudicate(fair, by='kf')")


def test_a_decision_is_kept_when_it_has_an_answer_and_a_reason(shell, cases):
    assert cases.view["line"] == "case 1 of 2 · 0 decided · 2 left"
    assert [(vote["coder"], vote["answer"]) for vote in cases.view["other_answers"]] == [
        ("ana", "yes"),
        ("judge · offline/strict", "no"),
    ]
    view = ask(cases, "answer", criterion="fair", value="no")
    assert (view["drafts"]["fair"]["state"][:15], view["message"]) == ("not decided yet", "")
    assert len(kept(shell)) == 3
    ask(cases, "mark", criterion="fair", start=9, end=15)
    view = ask(cases, "reasons", criterion="fair", value="It names\npeople as animals.")
    assert kept(shell)[-1] == ("a0", "fair", "no", "coded")
    assert view["drafts"]["fair"]["state"] == ""
    assert view["drafts"]["fair"]["spans"][0]["text"] == "vermin"
    view = ask(cases, "next")
    assert (view["record_id"], view["done"], view["drafts"]["fair"]["selected"]) == ("a2", 1, [])
    ask(cases, "back")
    view = ask(cases, "undo")
    assert (view["done"], view["can_undo"]) == (0, False)
    assert kept(shell)[-1][3] == "withdrawn"


def test_a_half_decision_is_dropped_by_undo_and_the_kept_one_stays(shell, cases):
    ask(cases, "reasons", criterion="fair", value="Because.")
    ask(cases, "answer", criterion="fair", value="no")
    view = ask(cases, "reasons", criterion="fair", value="")
    assert view["drafts"]["fair"]["state"].startswith("not decided yet")
    view = ask(cases, "undo")
    assert (view["drafts"]["fair"]["reasons"], view["done"]) == ("Because.", 1)


def test_a_saved_adjudication_is_one_line(cases):
    assert cases._repr_mimebundle_()["text/plain"] == "Adjudication of fair: 2 contested cases"


def test_the_function_is_what_the_notebook_calls(shell):
    shell.run(SETUP)
    assert shell.run("coding_form") is coding_form
