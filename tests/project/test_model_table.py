"""The table of models: what can be used now, and why not, without asking anybody who was not named."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest
from support.embedding_server import EmbeddingServer

import buttermilk_nb as bm
from buttermilk_nb.project.model_table import model_table


@pytest.fixture
def listener():
    """A server that accepts connections, and can tell how many there were and what they said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def port(server):
    return server.getsockname()[1]


def visits(server):
    """What each visitor said before it went."""
    found = []
    while True:
        try:
            visitor, _ = server.accept()
        except TimeoutError:
            return found
        with visitor:
            visitor.settimeout(1)
            found.append(visitor.recv(1000))


def row(table, name):
    return table[table.name == name].iloc[0]


def test_every_model_that_the_project_names_has_one_row_and_those_that_need_nothing_follow(make_project):
    project = make_project(
        "offline/strict", "double/answer", settings="models: {near: {model: 'offline/teaching?accuracy=.8'}}"
    )
    assert model_table(project).name.tolist() == [
        "offline/strict", "double/answer", "near", "offline/lenient", "offline/teaching", "offline/hashing",
    ]  # fmt: skip


def test_a_table_of_offline_models_loads_no_litellm_and_opens_no_socket(tmp_path):
    code = """
import json, socket, sys
def refuse(*args, **kwargs):
    raise AssertionError("a socket was opened")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import buttermilk_nb as bm
from buttermilk_nb.project.model_table import model_table
found = model_table(bm.init("offline", path="offline"))
print(json.dumps([found.usable.tolist(), found.makes.tolist(), "litellm" in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [[True] * 4, ["answers"] * 3 + ["vectors"], False]


def test_it_says_where_a_key_was_found_and_never_the_key(make_project, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-planted-0123456789")
    table = model_table(make_project("anthropic/claude-sonnet-4-5"))
    assert row(table, "anthropic/claude-sonnet-4-5").key == "environment (ANTHROPIC_API_KEY)"
    assert row(table, "anthropic/claude-sonnet-4-5").usable
    assert "planted" not in table.to_csv()


def test_a_missing_key_is_named_with_the_line_that_mends_it(make_project, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    found = row(model_table(make_project("openai/gpt-4o")), "openai/gpt-4o")
    assert not found.usable
    assert 'bm.set_key("openai")' in found.why_not
    assert "OPENAI_API_KEY" in found.why_not


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gpt4", "`gpt4` is not a model: write `family/model`"),
        ("offline/strickt", "did you mean `offline/strict`"),
        ("antropic/claude", "did you mean `anthropic`"),
        ("hosted_vllm/toy", "has no address: write `api_base:`"),
    ],
)
def test_a_name_that_no_model_has_is_a_row_that_says_so(make_project, monkeypatch, name, why):
    monkeypatch.delenv("HOSTED_VLLM_API_BASE", raising=False)
    project = make_project("offline/strict", settings=f"sets: {{judges: [offline/strict], others: ['{name}']}}")
    found = row(model_table(project), name)
    assert not found.usable
    assert why in found.why_not
    assert found.sets == "others"


def test_a_server_on_this_machine_is_usable_while_it_listens(make_project, listener):
    project = make_project(
        settings=f"models: {{near: {{model: ollama_chat/toy, api_base: 'http://127.0.0.1:{port(listener)}'}}}}"
    )
    assert row(model_table(project), "near").usable
    assert visits(listener) == [b""], "a connection, and not one request"
    listener.close()
    found = row(model_table(project), "near")
    assert not found.usable
    assert f"nothing listens at http://127.0.0.1:{port_of(project)}" in found.why_not
    assert found.local


def port_of(project):
    return project.settings.models["near"].api_base.rpartition(":")[2]


def test_a_server_on_this_machine_is_not_asked_what_it_runs(tmp_path):
    server = EmbeddingServer()
    server.start()
    code = """
import json
import buttermilk_nb as bm
from buttermilk_nb.project.model_table import model_table
found = model_table(bm.init("near", path="near", models=["ollama/toy"])).iloc[0]
print(json.dumps([bool(found.usable), found.price_in, found.price_out]))
"""  # in a process of its own, because litellm remembers whom it has asked
    env = {**os.environ, "OLLAMA_API_BASE": server.root}
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, env=env
        )
    finally:
        server.stop()
    assert server.other_paths == []
    assert json.loads(done.stdout.splitlines()[-1]) == [True, 0.0, 0.0]


def test_nobody_knocks_at_a_remote_server(make_project, listener):
    project = make_project(
        settings=f"models: {{far: {{model: openai/gpt-4o, local: false, "
        f"api_base: 'http://127.0.0.1:{port(listener)}/v1', key: 'env:PATH'}}}}"
    )
    assert row(model_table(project), "far").usable
    assert visits(listener) == []


def test_servers_that_do_not_answer_are_waited_for_all_at_once(make_project):
    with ExitStack() as stack:
        silent = [stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0)) for _ in range(6)]
        for server in silent:  # its queue is full, so that the next connection waits
            for _ in range(4):
                visitor = stack.enter_context(socket.socket())
                visitor.setblocking(False)
                visitor.connect_ex(server.getsockname())
        entries = ", ".join(
            f"m{n}: {{model: hosted_vllm/toy, api_base: 'http://127.0.0.1:{port(server)}/v1'}}"
            for n, server in enumerate(silent)
        )
        project = make_project(settings=f"models: {{{entries}}}")
        model_table(project, timeout_s=0.01)  # loads litellm
        began = time.monotonic()
        table = model_table(project, timeout_s=2.0)
        took = time.monotonic() - began
    assert not table[table.model == "hosted_vllm/toy"].usable.any()
    assert 2.0 <= took < 6 * 2.0


def test_consent_is_shown_as_it_stands(make_project, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-0123456789")
    project = make_project("openai/gpt-4o", "offline/strict")
    assert model_table(project).set_index("name").allowed[["openai/gpt-4o", "offline/strict"]].tolist() == [False, True]
    bm.allow("openai")
    assert row(model_table(project), "openai/gpt-4o").allowed


def test_in_a_project_that_stays_local_no_remote_model_is_allowed(make_project):
    project = make_project("openai/gpt-4o", local_only=True, allow=["openai"])
    assert not row(model_table(project), "openai/gpt-4o").allowed


def test_prices_limits_and_what_is_known_of_a_model(make_project):
    project = make_project(
        "openai/gpt-4o",
        settings="models: {vec: {model: openai/text-embedding-3-small, limits: {requests_per_minute: 60}}, "
        "own: {model: hosted_vllm/toy, api_base: 'http://127.0.0.1:9/v1', prices: {input: 1, output: 2}}}",
    )
    table = model_table(project).set_index("name")
    assert table.loc["openai/gpt-4o", ["price_in", "price_out", "context"]].tolist() == [2.5, 10.0, 128_000]
    assert table.loc["openai/gpt-4o", ["json_schema", "batch", "makes"]].tolist() == [True, True, "answers"]
    assert table.loc["vec", ["makes", "batch", "requests_per_minute"]].tolist() == ["vectors", False, 60]
    assert table.loc["own", ["price_in", "price_out"]].tolist() == [1.0, 2.0]
    assert table.loc["own", ["context"]].isna().all()


def test_what_is_not_known_is_missing_and_never_zero(make_project):
    project = make_project(settings="models: {own: {model: hosted_vllm/toy, api_base: 'http://127.0.0.1:9/v1'}}")
    found = row(model_table(project), "own")
    assert found[["price_in", "price_out", "context", "requests_per_minute", "tokens_per_minute"]].isna().all()
