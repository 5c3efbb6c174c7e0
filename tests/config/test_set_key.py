"""`bm.set_key`: a hidden prompt in a script, a notebook, and where there is nobody to ask."""

from __future__ import annotations

import subprocess
import sys
import traceback

import keyring
import pytest
from jupyter_client.manager import start_new_kernel

import buttermilk_nb as bm
from buttermilk_nb._internal import secret_redaction
from buttermilk_nb.config import key_sources
from buttermilk_nb.config.api_keys import Keys, set_key

TYPED = "typed-by-hand-0123456789"


@pytest.fixture
def prompts(monkeypatch):
    """What was asked; whoever is asked types the key, with the line end that pasting leaves."""
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or f"  {TYPED}\n")
    return asked


def test_a_typed_key_serves_every_project_of_the_process(prompts, tmp_path, capsys):
    assert set_key("anthropic") is None
    assert prompts == ["ANTHROPIC_API_KEY (hidden while you type): "]
    for folder in ("one", "other"):
        assert Keys(tmp_path / folder, None).find(["ANTHROPIC_API_KEY"], "anthropic").value == TYPED
    assert capsys.readouterr().out == (
        "The key ANTHROPIC_API_KEY is kept in this process's memory, and is gone when it ends.\n"
    )


def test_a_typed_key_is_taken_out_of_texts_from_then_on(prompts):
    set_key("anthropic")
    assert secret_redaction.redact_known(f"It was {TYPED}.") == "It was [key]."


def test_a_variable_can_be_named_instead_of_a_provider(prompts, tmp_path):
    set_key("MY_SPECIAL_TOKEN")
    assert Keys(tmp_path, None).find(["MY_SPECIAL_TOKEN"], "other").value == TYPED


def test_a_model_is_as_good_as_its_provider(prompts, tmp_path):
    set_key("openai/some-model")
    assert Keys(tmp_path, None).find([], "openai").name == "OPENAI_API_KEY"


def test_a_kept_key_is_in_the_keyring_too(prompts, tmp_path, memory_keyring, capsys):
    set_key("anthropic", keep=True)
    assert memory_keyring.entries == {("buttermilk_nb", "ANTHROPIC_API_KEY"): TYPED}
    key_sources._keys_in_memory.clear()
    assert Keys(tmp_path, None).find([], "anthropic").source == "the system's keyring"
    said = capsys.readouterr().out
    assert "and in the system's keyring" in said
    assert TYPED not in said


def test_without_a_keyring_nobody_is_asked_for_a_key_to_keep_there(prompts):
    with pytest.raises(bm.SetupError, match="no keyring"):
        set_key("anthropic", keep=True)
    assert prompts == []


def test_a_keyring_that_refuses_the_key_says_so_without_it(prompts, memory_keyring, monkeypatch):
    def refuse(service, username, password):
        raise keyring.errors.PasswordSetError(f"cannot store {password}")

    monkeypatch.setattr(memory_keyring, "set_password", refuse)
    with pytest.raises(bm.SetupError, match=r"PasswordSetError: cannot store \[key\]") as caught:
        set_key("anthropic", keep=True)
    assert TYPED not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("typed", ["", "   ", "''"])
def test_nothing_typed_is_an_error_and_leaves_an_earlier_key(typed, prompts, tmp_path, monkeypatch):
    set_key("anthropic")
    monkeypatch.setattr("getpass.getpass", lambda prompt: typed)
    with pytest.raises(bm.SetupError, match="nothing was typed"):
        set_key("anthropic")
    assert Keys(tmp_path, None).find([], "anthropic").value == TYPED


def test_a_key_given_instead_of_a_provider_is_not_repeated(prompts):
    with pytest.raises(bm.SetupError, match="looks like the key itself") as caught:
        set_key("sk-ant-api03-abcdefghij0123456789")
    assert "abcdefghij" not in str(caught.value)
    assert prompts == []


def test_a_script_that_nobody_types_into_is_told_where_else_to_put_the_key(tmp_path):
    code = "from buttermilk_nb.config.api_keys import set_key; set_key('anthropic')"
    done = subprocess.run(
        [sys.executable, "-c", code], input=TYPED, capture_output=True, text=True, cwd=tmp_path, start_new_session=True
    )
    assert done.returncode == 1
    assert "ANTHROPIC_API_KEY cannot be typed here" in done.stderr
    assert "set it in the environment" in done.stderr
    assert TYPED not in done.stdout + done.stderr


@pytest.fixture(scope="module")
def kernel():
    """A real kernel, and a client that does not answer prompts by itself."""
    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


ASK = "from buttermilk_nb.config.api_keys import Keys, set_key; from pathlib import Path; set_key('anthropic')"


def outcome(kernel, request):
    """The streams, results and errors of a request."""
    found = []
    while True:
        message = kernel.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") == request:
            found.append(message["content"])
            if message["content"].get("execution_state") == "idle":
                return found


def test_in_a_notebook_the_prompt_is_hidden_and_nothing_typed_is_shown(kernel):
    request = kernel.execute(ASK + "; print(Keys(Path('.'), None).find([], 'anthropic'))", allow_stdin=True)
    prompt = kernel.get_stdin_msg(timeout=60)["content"]
    assert prompt == {"prompt": "ANTHROPIC_API_KEY (hidden while you type): ", "password": True}
    kernel.input(TYPED)
    shown = repr(outcome(kernel, request))
    assert "<key ANTHROPIC_API_KEY from this process's memory>" in shown
    assert TYPED not in shown


def test_a_notebook_that_runs_by_itself_is_told_where_else_to_put_the_key(kernel):
    shown = repr(outcome(kernel, kernel.execute(ASK, allow_stdin=False)))
    assert "ANTHROPIC_API_KEY cannot be typed here" in shown
