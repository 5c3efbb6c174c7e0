"""The examples run as they stand."""

from __future__ import annotations

import subprocess
import sys

from support.paths import ROOT

import buttermilk_nb as bm
from buttermilk_nb.config.api_keys import Keys
from buttermilk_nb.project import session

STUDY = ROOT / "examples" / "press_tone"


def test_the_script_runs_from_any_folder_and_asks_nothing_the_second_time(tmp_path):
    for state in ("160 new", "160 cached"):
        done = subprocess.run(
            [sys.executable, str(STUDY / "study.py")], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "160 answers (160 ok)" in done.stdout
        assert state in done.stderr


def test_the_script_is_ten_lines():
    code = [line for line in (STUDY / "study.py").read_text().splitlines() if line.strip() and '"""' not in line]
    assert len(code) <= 10


def test_the_flow_file_says_the_same_as_the_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        bm.init("same", path=tmp_path / "same")
        articles = bm.load(ROOT / "data" / "articles.csv", content="body", record_id="id")
        judge = bm.Judge("judge", criteria=[ROOT / "data" / "criteria" / f"{n}.md" for n in ("respect", "accuracy")])
        by_hand = bm.Flow("press-tone", [judge]).run(articles)
        by_file = bm.Flow.from_yaml(STUDY / "flow.yaml").run(articles)
        assert by_hand.scores().equals(by_file.scores())
        assert bm.sql("select count(distinct digest) as n from runs").n.item() == 1
    finally:
        session.close()


def test_the_command_line_runs_the_flow(tmp_path):
    command = [
        sys.executable, "-m", "buttermilk_nb", "run", str(STUDY / "flow.yaml"), str(ROOT / "data" / "articles.csv"),
        "--content", "body", "--record-id", "id", "--truth", "respect=expert", "--project", "press", "--out", "s.csv",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "press" / "traces.duckdb").exists()
    assert len((tmp_path / "s.csv").read_text().splitlines()) > 240


def test_the_example_of_a_file_of_keys_is_read_and_its_blanks_are_no_keys(tmp_path):
    text = (ROOT / "examples" / "env.example").read_text(encoding="utf-8")
    (tmp_path / "keys.env").write_text(text.replace("MISTRAL_API_KEY=", "MISTRAL_API_KEY=a-key-that-is-none"))
    (tmp_path / "keys.env").chmod(0o600)
    keys = Keys(tmp_path, "keys.env")
    key = keys.find([], "mistral")
    assert key is not None
    assert (key.name, key.value) == ("MISTRAL_API_KEY", "a-key-that-is-none")
    assert keys.find([], "openrouter") is None
