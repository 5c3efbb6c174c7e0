"""A planted key, a server that repeats it wherever it can, and a search of everything that is left behind."""

from __future__ import annotations

import getpass
import sqlite3
import traceback

import duckdb
import pytest
from support.confirmed import confirm_settings

import buttermilk_nb as bm
from buttermilk_nb._internal import event_loop
from buttermilk_nb.llm.message import Message
from buttermilk_nb.llm.model import Request
from buttermilk_nb.project import session

KEY = "sk-planted/7Q+x=Vw93kZt~canary"  # with characters that JSON, addresses and HTML write in their own way
TELLTALE = "canary"  # a part of the key that stands nowhere else, however the rest is written
CALM = bm.Criteria("calm", "Is the text calm?", flag="no")


def in_environment(monkeypatch, folder, memory_keyring):
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", KEY)
    return ""


def in_dotenv(monkeypatch, folder, memory_keyring):
    (folder / "keys.env").write_text(f"HOSTED_VLLM_API_KEY='{KEY}'\n", encoding="utf-8")
    (folder / "keys.env").chmod(0o600)
    return "dotenv: keys.env\n"


def in_memory(monkeypatch, folder, memory_keyring):
    monkeypatch.setattr(getpass, "getpass", lambda prompt: KEY)
    bm.set_key("hosted_vllm")
    return ""


def in_keyring(monkeypatch, folder, memory_keyring):
    memory_keyring.entries["buttermilk_nb", "HOSTED_VLLM_API_KEY"] = KEY
    return ""


PLACES = [in_environment, in_dotenv, in_memory, in_keyring]


@pytest.fixture
def make_leaking_study(tmp_path, monkeypatch, memory_keyring, leaking_server):
    """A project that asks the server that gives keys away; its own lies in one of the places."""

    def make(place):
        folder = tmp_path / "study"
        folder.mkdir()
        settings = place(monkeypatch, folder, memory_keyring)
        (folder / "buttermilk.yaml").write_text(
            f"name: study\nretries: 0\nallow: [hosted_vllm]\nsets: {{judges: [hosted_vllm/toy]}}\n{settings}",
            encoding="utf-8",
        )
        confirm_settings(folder)
        return bm.init("study", path=folder)

    return make


@pytest.fixture
def leaking_study(make_leaking_study):
    return make_leaking_study(in_dotenv)


def run_flow(**options):
    texts = bm.load([{"id": f"r{i}", "text": f"Text {i}."} for i in range(2)], content="text", record_id="id")
    return bm.Flow("gossip", [bm.Judge("judge", criteria=CALM)]).run(texts, **options)


def in_files(folder):
    """Where the key stands in a file, name included; the file that is there to hold keys excepted."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "keys.env"]
    return [str(path) for path in files if TELLTALE in str(path) or TELLTALE.encode() in path.read_bytes()]


def in_databases(folder):
    """Where it stands in a table: a database may compress what it writes, so that its bytes do not show it."""
    found = []
    for path in folder.rglob("*.duckdb"):
        with duckdb.connect(str(path), read_only=True) as store:
            found += _in_tables(path, store, "select table_name from duckdb_tables()")
    for path in folder.rglob("*.db"):
        cache = sqlite3.connect(path)
        found += _in_tables(path, cache, "select name from sqlite_master where type = 'table'")
        cache.close()
    return found


def _in_tables(path, database, listing):
    names = [name for (name,) in database.execute(listing).fetchall()]
    assert names, f"{path} holds no tables, so that there is nothing to search"
    rows = {name: database.execute(f'select * from "{name}"').fetchall() for name in names}
    return [f"{path.name}: {name}" for name, found in rows.items() if TELLTALE in repr(found)]


def in_what_is_shown(study, run):
    """Where it stands in what a notebook, a terminal or a script shows of the project and its run."""
    shown = {
        "project": [study, study.summary(), study._repr_html_(), vars(study), vars(study.keys)],
        "models": [study.model("hosted_vllm/toy"), vars(study.model("hosted_vllm/toy"))],
        "run": [run, run._repr_html_(), run.counts],
        "frames": [frame.to_csv() for frame in (run.scores(), run.calls(), run.errors())],
        "log": [bm.sql("select * from events").to_csv()],
    }
    return [name for name, things in shown.items() if any(TELLTALE in f"{thing!r} {thing!s}" for thing in things)]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("how", ["answer", "chatter", "error", "page"])
def test_a_key_that_the_server_repeats_is_in_no_file_row_frame_repr_or_output(
    make_leaking_study, place, leaking_server, how, capfd, caplog
):
    study, leaking_server.how = make_leaking_study(place), how
    run = run_flow()
    assert set(leaking_server.shown) == {KEY}, "the key must have arrived, or nothing is tested"
    assert run.counts == {{"answer": "ok", "chatter": "invalid"}.get(how, "error"): 2}
    assert in_what_is_shown(study, run) == []
    session.close()
    assert in_databases(study.folder) == []
    assert in_files(study.folder) == []
    out, err = capfd.readouterr()
    assert TELLTALE not in out
    assert TELLTALE not in err
    assert TELLTALE not in caplog.text


@pytest.mark.parametrize("how", ["error", "page"])
def test_a_traceback_of_a_failed_call_does_not_show_the_key(leaking_study, leaking_server, how):
    leaking_server.how = how
    model = leaking_study.model("hosted_vllm/toy")
    with pytest.raises(bm.errors.ModelError) as caught:
        event_loop.submit(model.complete(Request(model, [Message(role="user", content="Hello.")]))).result(20)
    assert leaking_server.shown == [KEY]
    rendered = "".join(traceback.format_exception(caught.value))
    assert "hosted_vllm/toy" in rendered
    assert TELLTALE not in rendered
    assert TELLTALE not in repr(caught.value)


def test_an_answer_from_the_cache_does_not_show_it_either(leaking_study, leaking_server):
    run_flow()
    again = run_flow()
    assert len(leaking_server.shown) == 2, "the second run asked nobody"
    assert in_what_is_shown(leaking_study, again) == []


def test_the_answer_is_otherwise_kept_to_the_letter(leaking_study, leaking_server):
    leaking_server.how = "chatter"
    assert run_flow().errors().raw_text.tolist() == ["I was called with [key]!"] * 2


def test_a_wrong_key_is_said_without_the_key(leaking_study, leaking_server):
    leaking_server.how = "error"
    message = run_flow().errors().error_message.iloc[0]
    assert "[key]" in message
    assert TELLTALE not in message


def test_a_key_in_the_settings_is_refused_without_repeating_it(tmp_path):
    (tmp_path / "buttermilk.yaml").write_text(
        f"name: study\nmodels: {{openai/toy: {{key: {KEY}}}}}\ndotenv: keys.env\n", encoding="utf-8"
    )
    with pytest.raises(bm.SetupError, match="never the key itself") as caught:
        bm.init("study", path=tmp_path)
    assert TELLTALE not in "".join(traceback.format_exception(caught.value))
