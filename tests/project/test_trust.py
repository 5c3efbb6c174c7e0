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
from buttermilk_nb._internal import hooks
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
    monkeypatch.setitem(hooks._registry, "confirm", lambda question: questions.append(question) or answer)
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


LIMITS = [
    ("budget_usd: 1000000", r"the project may spend up to \$1,000,000\.00"),
    ("budget_usd: null", "the project may spend without a limit"),
    ("confirm_above: 1000000", "runs of up to 1,000,000 new calls start without a question"),
    ("concurrency: 200", "up to 200 calls are in flight when a budget is reached"),
    (
        "models: {openai/toy: {prices: {input: 0, output: 0.5}}}",
        r"`openai/toy` costs \$0 per million tokens that it reads, and \$0.5 per million that it writes",
    ),
]


@pytest.mark.parametrize(("line", "sentence"), LIMITS)
def test_limits_that_somebody_else_has_loosened_are_asked_about_before_a_paid_call(open_foreign, line, sentence):
    open_foreign(line)
    bm.allow("openai")
    with pytest.raises(bm.ConsentError, match=f"{sentence}.*nothing was sent.*bm.trust"):
        ask("openai/toy", 1)
    offline = ["offline/strict", "offline/lenient"]
    assert ask(offline, 1).status == "finished", "models that cost nothing need nothing"
    bm.trust()
    assert session.current().client.consent.unconfirmed == ()


@pytest.mark.parametrize(
    "line", ["budget_usd: 0.5", "confirm_above: 3", "concurrency: 4", "data_folder: here", "local_only: true"]
)
def test_limits_that_are_stricter_than_usual_need_nothing(open_foreign, line):
    assert open_foreign(line).client.consent.unconfirmed == ()


@pytest.mark.parametrize(("line", "sentence"), LIMITS)
def test_limits_in_a_folder_that_was_made_here_are_the_user_s_own(tmp_path, line, sentence):
    project = bm.init("study", path=tmp_path / "study")
    session.close()
    with (project.folder / "buttermilk.yaml").open("a") as file:
        file.write(f"{line}\n")
    assert bm.init("study", path=project.folder).client.consent.unconfirmed == ()


def test_somebody_else_s_folder_does_not_move_the_data_before_that_is_confirmed(open_foreign, tmp_path):
    elsewhere = tmp_path / "synced" / "for everybody"
    with pytest.raises(bm.SetupError, match="cache and traces are kept in .*so the project was not opened") as raised:
        open_foreign(f"data_folder: {elsewhere}")
    assert str(elsewhere) in str(raised.value)
    assert not elsewhere.exists()
    project = bm.init("study", path=tmp_path / "foreign", data_folder=str(elsewhere))  # what the message says
    assert project.store.path.parent == elsewhere
    session.close()
    assert bm.init("study", path=tmp_path / "foreign").store.path.parent == elsewhere


def test_the_user_s_own_data_folder_needs_no_question(tmp_path):
    project = bm.init("study", path=tmp_path / "study")
    session.close()
    with (project.folder / "buttermilk.yaml").open("a") as file:
        file.write(f"data_folder: {tmp_path / 'fast disk'}\n")
    assert bm.init("study", path=project.folder).store.path.parent == tmp_path / "fast disk"
