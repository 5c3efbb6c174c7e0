"""What the notebook adds: magics, card, estimate, progress, explorer."""

from __future__ import annotations

import pandas as pd
import pytest

import buttermilk_nb as bm
from buttermilk_nb._internal import hooks

OPEN = "bm.init('press', models=['offline/strict', 'offline/lenient'])"
LOAD = "articles = bm.load(DATA / 'articles.csv', content='body', record_id='id', truth={'respect': 'expert'})"
ASK = "respect = bm.Criteria.from_file(DATA / 'criteria' / 'respect.md')"
RUN = f"{OPEN}\n{LOAD}\n{ASK}\nrun = bm.Flow('press', [bm.Judge('judge', criteria=respect)]).run(articles)"


def test_a_criteria_cell_defines_a_variable_of_that_name(shell):
    shell.run('%%criteria calm-tone --scale 1-5 --flag ">= 4" --non-answers "cannot tell"\nHow heated is it?')
    made = shell.space["calm_tone"]
    assert made == bm.Criteria("calm-tone", "How heated is it?", scale="1-5", flag=">= 4", non_answers=["cannot tell"])
    assert "calm-tone" in shell.shown()


def test_a_criteria_cell_may_be_a_whole_document(shell):
    shell.run("%%criteria tone\n---\nscale: 1-3\ncriteria:\n  heat:\n    question: How hot?\n---\nRead it aloud.")
    assert shell.space["tone"]["heat"].scale.shorthand == "1-3"
    assert shell.space["tone"].name == "tone"


def test_cues_on_the_line_are_read_with_their_spaces(shell):
    shell.run('%%criteria calm --flag no --cues "no=dregs, these people" --cues "yes=thanks"\nIs it calm?')
    assert shell.space["calm"]["calm"].cues == {"no": ("dregs", "these people"), "yes": ("thanks",)}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%criteria calm --scale 1to\nIs it calm?", "is not a scale"),
        ("%%criteria calm --cues dregs\nIs it calm?", "ANSWER=WORDS"),
        ('%%criteria calm --cues "no=dregs\nIs it calm?', "quotation"),
        ("%judge j --criteria respekt", "did you mean `respect`"),
        ("%judge j --criteria respect --run article", "did you mean `articles`"),
        ("%judge j --criteria none.md", "no file"),
        ("%bmsql select * from latest_score", "did you mean `latest_scores`"),
        ("%bmsql delete from scores", "one SELECT"),
        ("%%bmsql\nselect * from scores where record_id = $wich", "did you mean `which`"),
    ],
)
def test_mistakes_in_a_magic_are_one_sentence(shell, cell, said):
    shell.run(f"{OPEN}\n{LOAD}\n{ASK}\nwhich = 'a001'")
    with pytest.raises(bm.SetupError, match=said):
        shell.run(cell)


def test_a_judge_line_defines_and_with_run_it_leaves_a_dataframe(shell):
    shell.run(f"{OPEN}\n{LOAD}\n{ASK}")
    shell.run("%judge first --criteria respect --models offline/strict --replicates 2 --temperature 0.5")
    made = shell.space["first"]
    assert (made.models, made.replicates, made.params) == ("offline/strict", 2, {"temperature": 0.5})
    shell.run("%judge second -c respect -m offline/strict,offline/lenient --run articles --limit 3")
    assert len(shell.space["second_scores"]) == 6
    assert "6 answers (6 ok)" in shell.shown()
    shell.run("%judge third -c respect -m offline/strict --run articles --limit 2 --into mine")
    assert len(shell.space["mine"]) == 2


def test_the_cell_of_a_judge_is_its_prompt(shell):
    shell.run(f"{OPEN}\n{LOAD}\n{ASK}")
    shell.run(
        "%%judge brief -c respect\n## system\n{{ criteria.text }}\n{{ answer_format }}\n## user\n{{ record.content }}"
    )
    assert shell.space["brief"].prompt.system.startswith("{{ criteria.text }}")


def test_sql_takes_variables_and_can_leave_a_dataframe(shell):
    shell.run(RUN)
    shell.run("wanted = 'a007'")
    shell.run(
        "%%bmsql --into found\nselect model, category from latest_scores where record_id = $wanted order by model"
    )
    assert shell.space["found"].category.tolist() == ["yes", "no"]
    result = shell.run("%bmsql select count(*) as n from latest_scores")
    assert isinstance(result, pd.DataFrame)
    assert result.n.item() == 80


@pytest.mark.parametrize("name", ["criteria", "judge", "bmsql", "bm"])
def test_each_magic_has_help(shell, name):
    kind = "cell" if name == "criteria" else "line"
    magic = shell.ip.find_magic(name, kind)
    assert magic.__doc__
    assert "%" in magic.__doc__


def test_the_status_line_shows_project_models_and_cache(shell):
    shell.run(OPEN)
    shell.run("%bm models")
    assert "counts cue words; not a language model" in shell.stdout
    shell.run("%bm cache")
    assert "0 answers in" in shell.stdout
    shell.run("%bm")
    assert "Project('press'" in shell.shown()


def test_opening_a_project_shows_one_card_and_its_saved_form_has_no_path(shell, tmp_path):
    shell.run(OPEN)
    cards = [output.data for output in shell.outputs if "Project" in output.data.get("text/plain", "")]
    assert len(cards) == 1
    assert "application/vnd.jupyter.widget-view+json" in cards[0]
    assert str(tmp_path) not in cards[0]["text/plain"] + cards[0]["text/html"]


def test_an_estimate_saves_the_calls_but_not_what_is_cached(shell):
    shell.run(RUN)
    shell.run("bm.Flow('press', [bm.Judge('judge', criteria=respect)]).estimate(articles)")
    (shown,) = [output.data for output in shell.outputs]
    assert shown["text/plain"] == "Estimate: 80 calls for 80 answers"
    assert "cached" not in shown["text/html"]


def test_a_run_shows_its_progress_in_a_widget(shell):
    shell.run(RUN)
    (shown,) = [output.data for output in shell.outputs if output.data.get("text/plain") == "press: 80 answers"]
    assert "application/vnd.jupyter.widget-view+json" in shown


def test_the_explorer_lists_records_and_shows_text_beside_reasons(shell):
    shell.run(RUN)
    explorer = shell.run("run.explore()")
    assert [row["model"] for row in explorer.heat["rows"]] == ["offline/lenient", "offline/strict"]
    chosen = {"judge": "judge", "model": "offline/strict", "criteria_set": "respect", "criterion": "respect"}
    explorer.cell = chosen
    assert explorer.records["total"] == 40
    explorer.cell = {**chosen, "only": "flagged"}
    assert explorer.records["total"] == 18
    explorer.cell = {**chosen, "only": "split"}
    assert [row["record_id"] for row in explorer.records["rows"]] == ["a007", "a009", "a040"]
    explorer.cell = {**chosen, "only": "problems"}
    assert explorer.records["total"] == 0
    explorer.cell = {**chosen, "search": "A01"}
    assert explorer.records["total"] == 10
    explorer.record = "a007"
    assert "riff-raff" in explorer.detail["content"]
    assert explorer.detail["truth"] == "yes"
    assert [judge["answer"] for judge in explorer.detail["judges"]] == ["yes", "no"]
    assert explorer.detail["judges"][1]["reasons"]


def test_the_explorer_has_a_static_form_where_widgets_cannot_show(shell):
    shell.run(RUN)
    explorer = shell.run("run.explore()")
    bundle = explorer._repr_mimebundle_()
    assert "45% (40)" in bundle["text/plain"]
    assert "<td" in bundle["text/html"]
    shell.run("%unload_ext buttermilk_nb")
    assert hooks.get_hook("explorer") is None
    assert "45% (40)" in repr(shell.run("run.explore()"))
    shell.run("%load_ext buttermilk_nb")


def test_a_setup_error_in_a_cell_prints_one_paragraph(shell):
    with pytest.raises(bm.SetupError):
        shell.run("bm.load('nowhere.csv', content='x')")
    try:
        bm.load("nowhere.csv", content="x")
    except bm.SetupError as error:
        (line,) = error._render_traceback_()
        assert line.startswith("SetupError: there is no file `nowhere.csv`")


def test_loading_the_extension_twice_changes_nothing(shell):
    shell.run("%load_ext buttermilk_nb")
    shell.run("%reload_ext buttermilk_nb")
    shell.run(OPEN)
    assert shell.shown().count("Project('press'") == 1
