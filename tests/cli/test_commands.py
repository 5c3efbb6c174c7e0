"""The commands: what they do, and how they fail."""

import csv
import subprocess
import sys

import pytest
from support.study import TEXTS

import buttermilk_nb as bm
from buttermilk_nb.cli import main
from buttermilk_nb.project import session

FLOW = """name: study
steps:
- agent: judge
  name: judge
  models: [MODEL]
  criteria: respect.md
"""


@pytest.fixture
def study_files(tmp_path):
    """A flow, its criteria and a corpus, as files."""
    (tmp_path / "respect.md").write_text(
        "---\nflag: no\ncues: {no: [vermin]}\n---\nIs it respectful?", encoding="utf-8"
    )
    (tmp_path / "flow.yaml").write_text(FLOW.replace("MODEL", "double/answer"), encoding="utf-8")
    with (tmp_path / "texts.csv").open("w", encoding="utf-8", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(["id", "text", "gold"])
        rows.writerows((f"r{i}", text, "bad" if "vermin" in text else "good") for i, text in enumerate(TEXTS))
    return tmp_path


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command in this process; gives exit status, output and errors."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["buttermilk-nb", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return left.value.code or 0, captured.out, captured.err

    return run


RUN = ("run", "flow.yaml", "texts.csv", "--content", "text", "--record-id", "id", "--project", "study")


def test_run_judges_a_corpus_and_says_where_the_results_are(command, study_files):
    status, out, _ = command(*RUN)
    assert status == 0
    assert "Run of 'study', finished: 5 answers (5 ok)" in out
    assert str(study_files / "study" / "traces.duckdb") in out


def test_run_again_asks_nothing(command, study_files):
    command(*RUN)
    command(*RUN)
    assert session.current().client.sent == 0


def test_run_writes_the_scores_to_a_file(command, study_files):
    status, out, _ = command(
        *RUN, "--out", "scores.csv", "--truth", "respect=gold", "--truth-value", "bad=no", "--truth-value", "good=yes"
    )
    assert status == 0
    assert str(study_files / "scores.csv") in out
    with (study_files / "scores.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["record_id"] for row in rows] == ["r0", "r1", "r2", "r3", "r4"]
    assert [row["truth"] for row in rows] == ["no", "yes", "no", "yes", "yes"]


def test_check_counts_and_sends_nothing(command, study_files):
    status, out, _ = command(*RUN, "--check")
    assert status == 0
    assert "5 answers (5 records; judge: 1 per record). No problem was found." in out
    assert "5 calls: 0 cached, 5 new" in out
    project = session.current()
    assert (project.client.sent, len(project.cache), len(bm.sql("select * from cells"))) == (0, 0, 0)


def test_limit_cache_and_retry_reach_the_run(command, study_files):
    (study_files / "flow.yaml").write_text(FLOW.replace("MODEL", "double/nonsense"), encoding="utf-8")
    command(*RUN, "--limit", "2")
    status, out, _ = command(*RUN, "--limit", "2", "--retry", "invalid")
    assert (status, session.current().client.sent) == (0, 2)
    assert "2 invalid" in out
    assert command(*RUN, "--cache", "only")[0] == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "nowhere.yaml", "texts.csv"), "there is no file `nowhere.yaml`"),
        (("run", "flow.yaml", "nowhere.csv"), "nowhere.csv"),
        ((*RUN[:4], "txt"), "did you mean `text`"),
        ((*RUN, "--limit", "0"), "--limit 0"),
        ((*RUN, "--retry", "invald"), "did you mean `invalid`"),
        ((*RUN, "--truth", "respect=gold"), "the data has `good` (3), `bad` (2)"),
        ((*RUN, "--truth-value", "bad"), "write WORD=ANSWER"),
        ((*RUN[:-2], "--path", "p"), "there is no file `p"),
        ((*RUN, "--cache", "only"), "not in the cache for record `r"),
        (("init", "a/b"), "cannot be a project's name"),
        (("init", "study", "--model", "offline/strct"), "did you mean `offline/strict`"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_and_exit_status_2(command, study_files, words, message):
    status, _, err = command(*words)
    assert status == 2
    assert message in err
    assert "Traceback" not in err
    assert err.splitlines()[0].startswith("Error: ") or "answers" in err.splitlines()[0]


def test_a_word_that_the_command_does_not_know_is_exit_status_2(command, study_files):
    assert command("run", "--nonsense")[0] == 2
    assert command("rnu")[0] == 2


def test_a_store_that_cannot_be_opened_is_exit_status_1(command, study_files):
    command(*RUN)
    (study_files / "study" / "traces.duckdb").write_text("not a database " * 100)
    status, _, err = command(*RUN)
    assert status == 1
    assert "cannot be opened" in err
    assert "Traceback" not in err


def test_rejected_rows_are_said(command, study_files):
    with (study_files / "texts.csv").open("a", encoding="utf-8") as handle:
        handle.write("r9,,good\n")
    _, out, err = command(*RUN)
    assert "1 row was rejected; the first, " in err
    assert "5 ok" in out


def test_init_makes_a_project_and_prints_its_card(command, study_files):
    status, out, _ = command("init", "press", "--model", "offline/strict", "--model", "offline/lenient")
    assert status == 0
    assert str(study_files / "press") in out
    assert bm.init("press").settings.sets["judges"] == ["offline/strict", "offline/lenient"]


def test_help_and_version_make_nothing(command, tmp_path):
    for words in (("--help",), ("run", "-h"), ("--version",)):
        assert command(*words)[0] == 0
    assert list(tmp_path.iterdir()) == []


def test_the_installed_command_fails_without_a_traceback_in_a_real_shell(study_files):
    code = "from buttermilk_nb.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "flow.yaml", "texts.csv", "--content", "txt"],
        capture_output=True, text=True, cwd=study_files, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert not (study_files / "buttermilk.yaml").exists()


def test_a_stopped_run_says_how_to_go_on_and_leaves_exit_status_130(command, study_files, monkeypatch):
    def stopped(*args, **options):
        raise bm.Interrupted("The run was stopped with 3 of 5 cells still to do.")

    monkeypatch.setattr(bm.Flow, "run", stopped)
    status, _, err = command(*RUN)
    assert "3 of 5 cells still to do" in err
    assert status == 130


def test_a_place_for_the_scores_that_is_not_there_is_found_before_the_run(command, study_files):
    status, _, err = command(*RUN, "--out", "nowhere/scores.csv")
    assert status == 2
    assert "nowhere" in err


def test_trust_shows_what_it_confirms_and_asks(command, tmp_path, monkeypatch):
    file = tmp_path / "buttermilk.yaml"
    file.write_text("name: foreign\nallow: [openai]\n", encoding="utf-8")
    monkeypatch.setattr("click.confirm", lambda question: False)
    status, out, _ = command("trust")
    assert (status, "- texts may be sent to `openai`" in out, "Confirmed." in out) == (0, True, False)
    assert bm.init("foreign", path=tmp_path).client.consent.recipients == set()
    assert command("trust", ".", "--yes")[1].endswith("Confirmed.\n")
    assert bm.init("foreign", path=tmp_path).client.consent.recipients == {"openai"}
    assert command("trust")[1] == "Nothing needs to be confirmed.\n"
    status, _, err = command("trust", "absent")
    assert (status, "there is no file" in err) == (2, True)


def people(folder):
    """A table with two people's codes, an expert's reasons and authors, in Latin-1 with semicolons."""
    rows = ["id;text;ana;ben_calm;why;author"]
    rows += [
        f"r{i};{text.replace(';', ',')} é;{'bad' if i % 2 else 'good'};good;because;a{i % 2}"
        for i, text in enumerate(TEXTS)
    ]
    (folder / "people.csv").write_text("\n".join(rows), encoding="latin-1")


def test_codes_reasons_clusters_and_the_form_of_the_file_are_options(command, study_files):
    people(study_files)
    words = ["run", "flow.yaml", "people.csv", *RUN[3:], "-o", "encoding=latin-1", "-o", "delimiter=;"]
    words += ["--coders", "ana=ana", "--coders", "ben:respect=ben_calm", "--reasons", "respect=why"]
    words += ["--cluster", "author", "--truth-value", "bad=no", "--truth-value", "good=yes"]
    status, _, err = command(*words)
    assert (status, "rejected" in err) == (0, False)
    codes = bm.run().ratings().query("kind == 'human'").pivot(index="record_id", columns="coder", values="category")
    assert codes.ana.tolist() == ["yes", "no", "yes", "no", "yes"]
    assert codes.ben.tolist() == ["yes"] * 5
    records = bm.sql("from records order by record_id")
    assert records.cluster.tolist() == ["a0", "a1", "a0", "a1", "a0"]
    assert records.content[0].endswith("é")
    assert "because" in records.expert_reasons[0]


def test_budget_confirmation_and_limits_reach_the_run(command, study_files, monkeypatch):
    given = {}
    monkeypatch.setattr(bm.Flow, "run", lambda *_, **options: given.update(options) or pytest.fail("far enough"))
    with pytest.raises(pytest.fail.Exception):
        command(*RUN, "--budget", "1.5", "--yes", "--time-limit", "9", "--concurrency", "3", "--batch")
    assert {name: given[name] for name in ("budget_usd", "yes", "time_limit_s", "concurrency", "batch")} == {
        "budget_usd": 1.5, "yes": True, "time_limit_s": 9.0, "concurrency": 3, "batch": True,
    }  # fmt: skip


def test_missing_answers_are_written_with_the_reason(command, study_files):
    (study_files / "flow.yaml").write_text(FLOW.replace("MODEL", "double/broken"), encoding="utf-8")
    status, out, _ = command(*RUN, "--errors", "errors.csv")
    assert status == 0
    assert "--errors FILE writes why" in out
    rows = list(csv.DictReader((study_files / "errors.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["status"] for row in rows] == ["invalid"] * 5
    assert "cut off" in rows[0]["error_message"]


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (("run", "flow.yaml", "texts.csv", "--project", "study"), None),
        (
            ("run", "flow.yaml", "texts.csv", "--project", "study", "--truth", "respect=gold"),
            "--truth-value 'bad'='...'",
        ),
        (
            ("run", "flow.yaml", "texts.csv", "--project", "study", "--cache", "only"),
            'Run the command with --cache "use"',
        ),
        (("run", "flow.yaml", "people.csv", "--content", "ana", "--project", "study", "-o", "colour=red"), "`colour`"),
    ],
)
def test_advice_is_what_one_writes_in_the_shell(command, study_files, words, advice):
    people(study_files)
    _, out, err = command(*words)
    if advice is None:
        assert '--record-id "id" uses it' in out
    else:
        assert advice in err
    assert "record_id=" not in out + err
    assert "notebook" not in out + err


def test_the_project_of_the_folder_is_said_in_the_words_of_the_shell(command, study_files, monkeypatch):
    monkeypatch.chdir(study_files)
    session.close()
    _, out, _ = command(*RUN[:3])
    assert "Without --project, I made a project called" in out
    assert "To use another, write --project NAME." in out
    assert "bm." not in out


def test_a_pair_without_a_sign_is_one_sentence(command, study_files):
    status, _, err = command(*RUN, "--coders", "ana")
    assert (status, "'ana' has no `=`" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-o", "content=text"), "-o is for options of the file: write --content text"),
        (("-o", "record_id=id"), "write --record-id id"),
        (("-o", "delimiter"), "such as -o encoding=utf-8."),
        (("-o", "colour=red"), ".csv has no option `colour`"),
        (("--budget", "-1"), "--budget -1"),
    ],
)
def test_an_option_in_the_wrong_place_is_one_sentence(command, study_files, words, sentence):
    status, _, err = command(*RUN, *words)
    assert (status, "Traceback" in err) == (2, False)
    assert sentence in err
    assert "-o -o" not in err


@pytest.mark.parametrize("project", [("--project", "typo"), ("--project", "x", "--path", "there"), ()])
def test_a_check_makes_no_project(command, study_files, monkeypatch, project):
    monkeypatch.chdir(study_files)
    before = sorted(study_files.rglob("*"))
    status, out, _ = command(*RUN[:-2], *project, "--check")
    assert status == 0
    assert "this check makes none" in out
    assert "5 calls" in out
    assert sorted(study_files.rglob("*")) == before
