"""A folder from somebody else decides nothing about texts and keys until this user has confirmed it."""

from __future__ import annotations

import json
import shutil
import socket
import sys

import pytest
from support.embedding_server import EmbeddingServer
from support.study import corpus

import buttermilk_nb as bm
from buttermilk_nb._internal import notebook_hooks
from buttermilk_nb.config.confirmed_settings import confirmations_file
from buttermilk_nb.project import session

CALM = bm.Criteria("calm", "Is it calm?", flag="no")
SECRET = "AKIA-planted-0123456789"


def ask(name, n):
    return bm.Flow("study", [bm.Judge("judge", criteria=CALM, models=name)]).run(corpus(n))


@pytest.fixture
def open_foreign(tmp_path, server, monkeypatch):
    """Open a folder from somebody else, whose settings ask a server with one of this user's keys."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-0123456789")

    def open_it(lines=None, folder="foreign"):
        lines = lines or (
            "allow: [openai]\nsets: {judges: [m]}\n"
            f"models: {{m: {{model: openai/toy, api_base: '{server.base}', key: 'env:AWS_SECRET_ACCESS_KEY'}}}}\n"
        )
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "buttermilk.yaml").write_text(f"name: study\n{lines}")
        return bm.init("study", path=tmp_path / folder)

    return open_it


def test_nothing_is_sent_and_the_message_names_the_address_and_the_variable(open_foreign, server):
    open_foreign()
    with pytest.raises(bm.ConsentError) as raised:
        ask("m", 2)
    message = str(raised.value)
    assert f"`m` (openai/toy) is asked at `{server.base}` with the key from `env:AWS_SECRET_ACCESS_KEY`" in message
    assert message.endswith("If you want it, write bm.trust() once; if not, correct buttermilk.yaml.")
    assert server.received == []
    assert bm.sql("select count(*) as n from runs").n.item() == 0


def test_once_confirmed_it_is_asked_with_that_key(open_foreign, server, capsys):
    project = open_foreign()
    bm.trust()
    assert "is asked at" in capsys.readouterr().out
    assert ask("m", 2).counts == {"ok": 2}
    assert {headers["Authorization"] for headers in server.headers} == {f"Bearer {SECRET}"}
    bm.trust()
    assert capsys.readouterr().out.endswith("Nothing needs to be confirmed.\n")
    assert project.client.consent.unconfirmed == ()


@pytest.mark.parametrize(
    "lines",
    [
        "models: {m: {model: openai/toy, api_base: BASE}}",
        "models: {openai/toy: {api_base: BASE}}",
        "models: {m: {model: openai/toy, api_base: BASE, local: true}}",
        "models: {m: {model: hosted_vllm/toy, api_base: BASE, key: 'env:OPENAI_API_KEY'}}",
        "models: {m: {model: openai/toy, local: true}}",
        "models: {m: {model: openai/toy, key: 'gcp:projects/p/secrets/s'}}",
        "models: {m: {model: openai/toy, key: 'keyring:ANTHROPIC_API_KEY'}}",
        "allow: [another-host]\nmodels: {m: {model: hosted_vllm/toy, api_base: 'http://another-host/v1', local: true}}",
        "allow: [openai]\nmodels: {m: {model: openai/toy, api_base: 'http://another-host/v1'}}",
        "allow: [openai]\nmodels: {m: {model: openai/toy}}",
        "allow: [openai]\ndotenv: ../../.env\nmodels: {m: {model: openai/toy}}",
    ],
)
def test_every_line_that_decides_about_texts_or_keys_must_be_confirmed(open_foreign, server, lines):
    project = open_foreign(lines.replace("BASE", f"'{server.base}'"))
    name = next(iter(project.settings.models))
    with pytest.raises(bm.ConsentError, match=r"bm\.trust\(\)"):
        ask(name, 1)
    assert server.received == []


@pytest.mark.parametrize(
    "lines",
    [
        "models: {m: {model: hosted_vllm/toy, api_base: BASE}}",
        "models: {m: {model: hosted_vllm/toy, api_base: BASE, params: {temperature: 1}}}",
    ],
)
def test_a_server_on_this_machine_that_gets_no_key_of_a_provider_needs_nothing(open_foreign, server, lines):
    open_foreign(lines.replace("BASE", f"'{server.base}'"))
    assert ask("m", 1).counts == {"ok": 1}


def test_a_provider_s_own_key_from_a_usual_place_needs_only_the_consent(open_foreign):
    open_foreign("models: {m: {model: openai/toy, key: 'env:OPENAI_API_KEY'}}")
    with pytest.raises(bm.ConsentError, match=r'bm\.allow\("openai"\)'):
        ask("m", 1)


def test_the_table_of_models_asks_no_server_and_reads_no_key_of_an_unconfirmed_model(open_foreign, server):
    project = open_foreign()
    row = project.models().set_index("name").loc["m"]
    assert not row.usable
    assert "confirm that with bm.trust()" in row.why_not
    assert row.isna()["key"]
    assert not row.allowed
    bm.trust()
    assert project.models().set_index("name").loc["m"].usable


def test_a_value_that_changes_is_asked_about_again(open_foreign, server):
    open_foreign()
    bm.trust()
    open_foreign(f"models: {{m: {{model: openai/toy, api_base: '{server.base}', key: 'env:OPENAI_API_KEY'}}}}")
    with pytest.raises(bm.ConsentError, match="env:OPENAI_API_KEY"):
        ask("m", 1)
    open_foreign()  # as it was confirmed
    assert ask("m", 1).counts == {"ok": 1}


def test_a_copy_of_the_folder_is_another_folder(open_foreign, server, tmp_path):
    open_foreign()
    bm.trust()
    session.close()
    shutil.copytree(tmp_path / "foreign", tmp_path / "copy")
    bm.init("study", path=tmp_path / "copy")
    with pytest.raises(bm.ConsentError, match=r"bm\.trust\(\)"):
        ask("m", 1)


def test_what_is_cached_needs_no_confirmation(open_foreign, server, tmp_path):
    open_foreign()
    bm.trust()
    ask("m", 2)
    confirmations_file().unlink()
    session.close()
    bm.init("study", path=tmp_path / "foreign")
    asked = len(server.received)
    assert ask("m", 2).counts == {"ok": 2}
    assert len(server.received) == asked


@pytest.mark.parametrize(("answer", "sent"), [(True, 2), (False, 0), (None, 0)])
def test_a_notebook_asks_once_in_words(open_foreign, server, monkeypatch, answer, sent):
    questions = []
    monkeypatch.setitem(notebook_hooks._registry, "confirm", lambda question: questions.append(question) or answer)
    open_foreign()
    if answer:
        assert ask("m", 2).counts == {"ok": 2}
        ask("m", 3)
        sent += 1
    else:
        with pytest.raises(bm.ConsentError):
            ask("m", 2)
    assert len(server.received) == sent
    assert len(questions) == 1
    assert "env:AWS_SECRET_ACCESS_KEY" in questions[0]
    assert questions[0].endswith("Is that what you want?")


def test_what_this_user_wrote_in_python_is_confirmed(tmp_path):
    project = bm.init("mine", path=tmp_path / "mine", allow=["openai"], dotenv="keys.env")
    assert (project.client.consent.recipients, project.client.consent.unconfirmed) == ({"openai"}, ())
    bm.allow("anthropic")
    session.close()
    consent = bm.init("mine", path=tmp_path / "mine").client.consent
    assert (consent.recipients, consent.unconfirmed) == ({"openai", "anthropic"}, ())


def test_embedding_asks_no_unconfirmed_server(tmp_path, monkeypatch):
    with EmbeddingServer() as embedding_server:
        (tmp_path / "v").mkdir()
        (tmp_path / "v" / "buttermilk.yaml").write_text(
            f"name: v\nmodels: {{vec: {{model: openai/toy, api_base: '{embedding_server.base}', key: 'env:HOME'}}}}\n"
        )
        project = bm.init("v", path=tmp_path / "v")
        monkeypatch.setattr(socket, "create_connection", lambda *a, **k: pytest.fail("the server was asked"))
        with pytest.raises(bm.ConsentError, match="with the key from `env:HOME`"):
            project.embed(["a text"], model="vec")
        assert embedding_server.received == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"FOLDER": "x"}', '{"FOLDER": [1, null]}', "[" * 9000])
def test_a_damaged_file_of_confirmations_confirms_nothing(open_foreign, tmp_path, content):
    file = confirmations_file()
    file.parent.mkdir(parents=True)
    file.write_text(content.replace("FOLDER", str(tmp_path / "foreign")))
    assert open_foreign().client.consent.unconfirmed
    bm.trust()
    assert json.loads(file.read_text())[str(tmp_path / "foreign")]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_only_this_user_can_read_and_change_the_confirmations(open_foreign):
    open_foreign()
    bm.trust()
    file = confirmations_file()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert SECRET not in file.read_text()
    assert list(file.parent.iterdir()) == [file]


def test_confirmations_that_cannot_be_kept_are_one_sentence(open_foreign, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    open_foreign()
    with pytest.raises(bm.SetupError, match="the confirmation cannot be kept in"):
        bm.trust()
