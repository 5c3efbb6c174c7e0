"""Projects: made, found again, and never opened in silence."""

import sys

import pytest
from support.study import corpus, flow

import buttermilk_nb as bm
from buttermilk_nb.config.settings import Settings
from buttermilk_nb.project import session


def notes(project):
    return [text for what, text in project.summary() if what == "note"]


def inside(folder):
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_init_makes_the_folder_and_everything_in_it(tmp_path):
    project = bm.init("press")
    assert project.folder == tmp_path / "press"
    assert inside(project.folder) == {"buttermilk.yaml", "cache", "logs", "exports", "traces.duckdb"}
    flow().run(corpus(1))
    assert inside(project.folder) == {"buttermilk.yaml", "cache", "logs", "exports", "traces.duckdb"}


def test_path_is_the_projects_folder_itself(tmp_path):
    assert bm.init("press", path="elsewhere").folder == tmp_path / "elsewhere"


def test_the_card_shows_absolute_paths_models_and_that_it_is_new(tmp_path):
    card = dict(bm.init("press", models=["offline/strict"]).summary())
    assert card["project folder"] == str(tmp_path / "press")
    assert card["traces (DuckDB)"] == str(tmp_path / "press" / "traces.duckdb")
    assert card["models: judges"] == "offline/strict"
    assert card["note"] == "this is a new project, its folder was just created"
    assert "0 answers, mode use" in card["cache"]


def test_a_repr_holds_no_path_and_no_count(tmp_path):
    project = bm.init("press")
    assert repr(project) == "Project('press', judges: offline/strict, offline/lenient)"
    assert str(tmp_path) not in project._repr_html_()


@pytest.mark.parametrize("below", ["notebooks", "notebooks/drafts"])
def test_a_project_is_found_again_by_name_from_a_folder_below(tmp_path, monkeypatch, below):
    made = bm.init("press", models=["offline/strict"])
    (made.folder / below).mkdir(parents=True)
    monkeypatch.chdir(made.folder / below)
    again = bm.init("press")
    assert (again.folder, again.settings, notes(again)) == (made.folder, made.settings, [])


def test_a_project_beside_the_working_folder_is_found(tmp_path, monkeypatch):
    made = bm.init("press")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert bm.init("press").folder == made.folder
    assert inside(tmp_path / "notebooks") == set()


def test_a_second_project_inside_another_says_so_on_its_card(tmp_path, monkeypatch):
    first = bm.init("press")
    monkeypatch.chdir(first.folder)
    second = bm.init("other")
    assert second.folder == first.folder / "other"
    assert (
        notes(second)[0] == "this folder is inside the project `press`; `other` is another project with its own cache"
    )


def test_a_folder_that_holds_another_project_is_refused(tmp_path):
    bm.init("press", path=tmp_path / "p")
    with pytest.raises(bm.SetupError, match="contains the project `press`; open it by that name"):
        bm.init("other", path=tmp_path / "p")


def test_models_of_an_existing_project_are_updated_with_a_note(tmp_path):
    bm.init("press", models=["offline/strict"])
    again = bm.init("press", models="offline/lenient")
    assert notes(again) == ["the set `judges` changed in buttermilk.yaml; it was offline/strict"]
    assert bm.init("press").settings.sets["judges"] == ["offline/lenient"]


def test_the_same_models_again_change_nothing(tmp_path):
    project = bm.init("press", models=["offline/strict"])
    file = project.folder / "buttermilk.yaml"
    before = file.stat().st_mtime_ns
    assert notes(bm.init("press", models=["offline/strict"])) == []
    assert file.stat().st_mtime_ns == before


def test_other_settings_survive_an_update_of_the_models(make_project):
    made = make_project(settings="concurrency: 3\nsets: {panel: [offline/lenient]}")
    again = make_project("offline/strict")
    assert (again.settings.concurrency, again.settings.sets["panel"]) == (3, ["offline/lenient"])
    assert made.settings.sets["judges"] == ["double/answer"]


def test_a_set_of_the_settings_can_be_named_by_a_judge(make_project):
    make_project(settings="sets: {panel: [offline/lenient, offline/strict]}")
    run = flow(models="panel").run(corpus(1))
    assert run.scores().model.tolist() == ["offline/lenient", "offline/strict"]


def test_a_misspelt_set_is_answered_with_the_nearest(make_project):
    make_project(settings="sets: {panel: [offline/lenient]}")
    with pytest.raises(bm.SetupError, match="`pannel` is neither a model .* did you mean `panel`"):
        flow(models="pannel").run(corpus(1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: test\nconcurency: 3", "`buttermilk.yaml`: there is no field `concurency`; did you mean `concurrency`"),
        ("name: test\nconcurrency: 0", "concurrency.*greater than or equal to 1"),
        ("name: test\ntimeout_s: soon", "timeout_s"),
        ("name: test\nsets: {judges: offline/strict}", "sets judges"),
        ("concurrency: 3", "`name` is missing"),
        ("- a list", "is not a list of `setting: value` lines"),
        ("name: [", "`buttermilk.yaml`, line 1 is not valid YAML"),
        ("name: test\nname: twice", "occurs twice"),
    ],
)
def test_a_mistake_in_the_settings_is_one_sentence(tmp_path, text, message):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "buttermilk.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(bm.SetupError, match=message):
        bm.init("test", path=tmp_path / "p")


def test_settings_that_are_the_default_are_not_written(tmp_path):
    Settings(name="a", grace_s=1).write(tmp_path / "s.yaml")
    text = (tmp_path / "s.yaml").read_text(encoding="utf-8")
    assert ("grace_s" in text, "timeout_s" in text) == (True, False)
    assert Settings.read(tmp_path / "s.yaml") == Settings(name="a", grace_s=1)


def test_the_settings_of_a_project_reach_its_parts(make_project):
    project = make_project(settings="timeout_s: 7\nlock_wait_s: 3")
    assert (project.client.sender._settings.timeout_s, project.store._lock_wait_s) == (7, 3)


@pytest.mark.parametrize("name", ["", "  ", ".", "..", "a/b", "a\\b", "a:b", "what?", "nul\0"])
def test_a_name_that_cannot_be_a_folder_is_refused(tmp_path, name):
    with pytest.raises(bm.SetupError, match="cannot be a project's name"):
        bm.init(name)
    assert inside(tmp_path) == set()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ["offline/strct"]}, "did you mean `offline/strict`"),
        ({"models": ["strict"]}, "write `family/model`"),
        ({"models": ["offline/teaching?acuracy=1"]}, "no option `acuracy`; did you mean `accuracy`"),
        ({"cache": "olny"}, "did you mean `only`"),
    ],
)
def test_a_failing_init_makes_nothing_and_leaves_the_open_project(tmp_path, make_project, options, message):
    opened = make_project()
    with pytest.raises(bm.SetupError, match=message):
        bm.init("press", **options)
    assert inside(tmp_path) == {"project"}
    assert session.current() is opened


def test_a_path_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(bm.SetupError, match="is a file; name the project's folder"):
        bm.init("press", path="file")


def test_a_folder_that_cannot_be_made_is_a_setup_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(bm.SetupError, match="cannot be created"):
        bm.init("press", path=tmp_path / "file" / "below")


def test_without_init_the_working_folder_is_used_and_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "my study").mkdir()
    monkeypatch.chdir(tmp_path / "my study")
    opened = session.current()
    assert (opened.name, opened.folder) == ("my study", tmp_path / "my study")
    assert "I made a project called `my study` in the working folder" in capsys.readouterr().out
    assert session.current() is opened
    assert capsys.readouterr().out == ""


def test_without_init_the_project_above_the_working_folder_is_used(tmp_path, monkeypatch, capsys):
    made = bm.init("press")
    (made.folder / "notebooks").mkdir()
    session.close()
    monkeypatch.chdir(made.folder / "notebooks")
    assert session.current().folder == made.folder
    assert "this is the project `press`" in capsys.readouterr().out


def test_a_closed_project_can_be_used_on(make_project):
    project = make_project()
    flow().run(corpus(1))
    session.close()
    assert flow().run(corpus(1), project=project).counts == {"ok": 1}
    assert project.client.sent == 1


def test_two_projects_share_nothing(make_project):
    one, two = make_project(folder="one"), make_project(folder="two")
    flow().run(corpus(2), project=one)
    assert (len(one.cache), len(two.cache)) == (2, 0)
    assert bm.sql("select count(*) as n from runs").n.item() == 0
    assert one.sql("select count(*) as n from runs").n.item() == 1


@pytest.mark.parametrize("line", ["concurrency: yes", "budget_usd: .inf", "retries: true", "backoff_s: .nan"])
def test_a_setting_that_is_no_number_is_a_mistake(tmp_path, line):
    (tmp_path / "buttermilk.yaml").write_text(f"name: study\n{line}\n")
    with pytest.raises(bm.SetupError, match=line.partition(":")[0]):
        bm.init("study", path=tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="these are folders of Linux and macOS")
@pytest.mark.parametrize("place", ["/dev/null/x", "/proc/no-such-folder"])
def test_a_data_folder_that_cannot_be_made_is_a_sentence(tmp_path, place):
    with pytest.raises(bm.SetupError, match="the data folder .* cannot be made.*`data_folder` in buttermilk.yaml"):
        bm.init("study", path=tmp_path / "study", data_folder=place)


def test_after_a_with_block_the_project_before_is_open_again(tmp_path):
    outer = bm.init("a", path=tmp_path / "a")
    with bm.init("b", path=tmp_path / "b"):
        assert bm.runs().empty
    assert session.current() is outer
    outer.close()


def test_a_project_that_was_closed_meanwhile_does_not_come_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outer, inner = bm.init("a", path=tmp_path / "a"), bm.init("b", path=tmp_path / "b")
    outer.close()
    inner.close()
    assert session._current is None


def test_reading_makes_no_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for read in (bm.runs, bm.run, bm.connect):
        with pytest.raises(bm.SetupError, match="no project is open, and there is none in the working folder"):
            read()
    assert list(tmp_path.iterdir()) == []


def test_a_project_in_the_working_folder_is_named_and_no_new_one_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bm.init("tone")
    session.close()
    for call in (bm.runs, lambda: bm.sql("select 1")):
        with pytest.raises(bm.SetupError, match=r"this folder has `tone`; open one, bm.init\('tone'\)"):
            call()
    assert [path.name for path in tmp_path.iterdir()] == ["tone"]
