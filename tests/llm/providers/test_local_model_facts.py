"""What local servers say of their models: loopback servers that follow their published APIs."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import ValidationError

from buttermilk_nb.llm.providers import local_model_facts
from buttermilk_nb.llm.providers.local_model_facts import UNVERIFIABLE, LocalFacts, identify_local_model

DIGEST = "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72"
LLAMA = {
    "parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"], "parameter_size": "3.2B",
    "quantization_level": "Q4_K_M",
}  # fmt: skip
LISTED = {"name": "llama3.2:latest", "model": "llama3.2:latest", "size": 2019393189, "digest": DIGEST, "details": LLAMA}
PROPS = {
    "default_generation_settings": {"id": 0, "n_ctx": 1024},
    "total_slots": 1,
    "model_path": "/home/someone/models/Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf",
    "chat_template": "...",
    "build_info": "b6123-79c1160b",
}


def saying(body, status=200):
    async def handler(request):
        return web.json_response(body, status=status)

    return handler


def listing(owner, *names, **more):
    entries = [{"id": name, "object": "model", "created": 1, "owned_by": owner, **more} for name in names]
    return saying({"object": "list", "data": entries})


def ollama(**more):
    async def show(request):
        body = await request.json()
        if body["model"].partition(":")[0] != "llama3.2":
            return web.json_response({"error": f"model '{body['model']}' not found"}, status=404)
        return web.json_response({"modelfile": "FROM x", "template": "...", "details": LLAMA, "model_info": {}, **more})

    return {
        "POST /api/show": show,
        "GET /api/tags": saying(
            {"models": [{**LISTED, "name": "other:1b", "model": "other:1b", "digest": "0" * 64}, LISTED]}
        ),
        "GET /api/version": saying({"version": "0.12.3"}),
    }


@pytest.fixture
def ask(serve_routes):
    """The facts that a server with these routes gives."""

    def asked(routes, provider="hosted_vllm", model="toy", path="/v1", file=None, timeout_s=10.0):
        async def main():
            async with serve_routes(routes) as base:
                return await identify_local_model(provider, model, f"{base}{path}", file, timeout_s)

        return asyncio.run(main())

    return asked


@pytest.mark.parametrize("model", ["llama3.2", "llama3.2:latest", "ollama_chat/llama3.2"])
def test_ollama_tells_the_digest_of_what_it_runs(ask, model):
    found = ask(ollama(), "ollama_chat", model, path="")
    assert found == LocalFacts(
        server="ollama 0.12.3", digest=DIGEST, quantization="Q4_K_M", family="llama", parameter_size="3.2B"
    )
    assert found.fingerprint == "ollama 0.12.3 sha256:a80c4f17acd5 Q4_K_M"


def test_ollama_is_recognised_behind_its_other_api(ask):
    routes = {**ollama(), "GET /v1/models": listing("library", "llama3.2:latest")}
    assert ask(routes, "openai", "llama3.2").digest == DIGEST


def test_a_model_that_ollama_has_not_pulled_is_a_note(ask):
    found = ask(ollama(), "ollama_chat", "mistral", path="")
    assert found.digest is None
    assert found.note == "Ollama does not list `mistral`: ollama pull mistral"


def test_a_model_that_ollama_runs_elsewhere_is_said_so(ask):
    found = ask(ollama(remote_host="https://ollama.com:443", remote_model="big"), "ollama", "llama3.2", path="/")
    assert found.elsewhere == "https://ollama.com:443"
    assert found.fingerprint.endswith("Q4_K_M at https://ollama.com:443")
    assert found.note == "Ollama passes texts on to https://ollama.com:443: this model does not run here"


def test_llama_cpp_tells_its_build_and_the_file_but_not_where_it_lies(ask):
    routes = {
        "GET /props": saying(PROPS),
        "GET /v1/models": listing("llamacpp", PROPS["model_path"], meta={"n_params": 8030261312}),
    }
    found = ask(routes, "openai", "whatever")
    assert found.fingerprint == "llama.cpp b6123-79c1160b Q4_K_M"
    assert found.parameter_size == "8.0B"
    assert found.note == (
        "llama.cpp loaded `Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf`; name the weights' file (`file:` in "
        "buttermilk.yaml) to record its hash"
    )
    assert "someone" not in repr(found)


@pytest.mark.parametrize("path", [r"C:\Users\someone\q\tiny-BF16.gguf", "../someone/tiny-BF16.gguf"])
def test_paths_of_any_system_are_cut_to_the_files_name(ask, path):
    found = ask({"GET /props": saying({**PROPS, "model_path": path})}, "llamafile")
    assert found.quantization == "BF16"
    assert "`tiny-BF16.gguf`" in found.note
    assert "someone" not in found.note


def test_vllm_tells_its_version_and_what_it_was_started_with(ask):
    routes = {
        "GET /v1/models": listing("vllm", "toy", "lora", root="meta-llama/Llama-3.1-8B-Instruct", max_model_len=4096),
        "GET /version": saying({"version": "0.28.0"}),
    }
    found = ask(routes)
    assert found.fingerprint == "vllm 0.28.0"
    assert found.digest is None
    assert found.note.startswith("vLLM serves `meta-llama/Llama-3.1-8B-Instruct` and does not say which version")


def test_lm_studio_tells_the_quantization(ask):
    described = {
        "id": "toy",
        "object": "model",
        "type": "llm",
        "arch": "llama",
        "quantization": "Q4_K_M",
        "state": "loaded",
    }
    routes = {
        "GET /v1/models": listing("organization_owner", "toy", "other"),
        "GET /api/v0/models": saying({"object": "list", "data": [described]}),
    }
    for provider in ("lm_studio", "openai"):
        found = ask(routes, provider)
        assert (found.fingerprint, found.family) == ("lm-studio Q4_K_M", "llama")
        assert "does not say which weights" in found.note


def test_a_server_that_only_repeats_the_name_verifies_nothing(ask):
    assert ask({"GET /v1/models": listing("me", "toy")}) == LocalFacts(server="me", note=UNVERIFIABLE)
    assert ask({}).note == f"{UNVERIFIABLE}: it lists no models"
    assert ask({}).fingerprint is None
    assert ask({}, "ollama_chat", path="").note == f"{UNVERIFIABLE}: it does not answer as Ollama does"


def test_a_server_that_wants_a_key_says_nothing(ask):
    refusing = saying({"error": "Unauthorized"}, status=401)
    assert ask({"GET /v1/models": refusing}).note == f"{UNVERIFIABLE}: it does not answer without a key"


@pytest.mark.parametrize(
    "base",
    [
        "http://127.0.0.1:9/v1",
        "http://127.0.0.1:99999/v1",
        "localhost:11434",
        "ftp://127.0.0.1/v1",
        "http://[::bad",
        "http://no such host/v1",
        "not an address",
    ],
)
@pytest.mark.parametrize("provider", ["ollama_chat", "hosted_vllm"])
def test_an_address_where_nobody_answers_is_a_note(base, provider):
    found = asyncio.run(identify_local_model(provider, "toy", base, None, 2.0))
    assert found.note.startswith(f"{UNVERIFIABLE}: it could not be asked (")
    assert found.fingerprint is None


def test_a_password_in_the_address_is_in_no_note():
    found = asyncio.run(identify_local_model("openai", "toy", "htp://someone:open-sesame@127.0.0.1/v1", None, 2.0))
    assert "sesame" not in repr(found)


def test_the_time_limit_holds_for_a_server_that_hangs_and_for_one_that_dribbles(ask):
    async def hang(request):
        await asyncio.sleep(30)
        return web.json_response({})

    async def dribble(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(300):
            await response.write(b" ")
            await asyncio.sleep(0.1)
        return response

    for handler in (hang, dribble):
        started = time.monotonic()
        found = ask({"GET /v1/models": handler}, timeout_s=0.3)
        assert found.note == f"{UNVERIFIABLE}: it did not answer within 0.3 s"
        assert time.monotonic() - started < 20


def test_an_answer_without_end_is_not_read_to_its_end(ask):
    sent = []

    async def pour(request):
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while len(sent) < 200:
                sent.append(1)
                await response.write(b" " * 1_000_000)
        finally:  # what nobody reads any more would keep the connection open
            if request.transport:
                request.transport.abort()
        return response

    assert ask({"GET /v1/models": pour}).note == f"{UNVERIFIABLE}: it lists no models"
    assert len(sent) < 50


def test_a_proxy_is_not_asked(ask, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert ask({"GET /v1/models": listing("vllm", "toy")}).server == "vllm"


def test_redirects_are_not_followed(ask):
    seen = []

    async def away(request):
        raise web.HTTPFound("/elsewhere")

    async def elsewhere(request):
        seen.append(request.path)
        return web.json_response({"data": [{"id": "toy", "owned_by": "vllm"}]})

    assert ask({"GET /v1/models": away, "GET /elsewhere": elsewhere}).fingerprint is None
    assert seen == []


@pytest.mark.parametrize(
    "body",
    [
        b"<html>", b"[]", b"null", b'{"data": 3}', b'{"data": [3, null]}', b"[" * 100_000, b"\xff\xfe\x00", b"",
        b'{"data": [{"id": "toy", "owned_by": {"a": 1}}]}', b'{"models": "x", "model_path": ["x"], "details": 3}',
        b'{"build_info": 1, "model_path": null, "data": [{"id": "x", "meta": {"n_params": 1' + b"0" * 400 + b"}}]}",
        b'{"version": "' + b"9" * 5_000_000 + b'"}', b'{"version": "\\ud800", "digest": 4}',
    ],
    ids=range(13),
)  # fmt: skip
def test_nonsense_from_a_server_does_no_harm(ask, body):
    async def say(request):
        return web.Response(body=body, content_type="application/json")

    paths = ["GET /v1/models", "GET /props", "GET /api/tags", "GET /api/version", "GET /version", "POST /api/show"]
    for provider in ("openai", "ollama_chat", "lm_studio"):
        found = ask(dict.fromkeys([*paths, "GET /api/v0/models"], say), provider)
        assert found.digest is None
        assert len(found.note) < 500
        assert len(found.fingerprint or "") < 200
        found.model_dump_json()


def test_where_no_address_is_known_nobody_is_asked():
    assert "its address is not known" in asyncio.run(identify_local_model("hosted_vllm", "toy", None, None, 1.0)).note


def test_the_weights_file_is_hashed(ask, tmp_path):
    weights = tmp_path / "Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf"
    weights.write_bytes(os.urandom(3_000_000))
    sha = hashlib.sha256(weights.read_bytes()).hexdigest()
    found = ask({"GET /props": saying(PROPS)}, "openai", file=str(weights))
    assert found.file_sha256 == sha
    assert found.fingerprint == f"llama.cpp b6123-79c1160b Q4_K_M file sha256:{sha[:12]}"
    assert found.note is None, "the server says that it loaded a file of that name"


def test_a_file_that_the_server_did_not_load_is_said_so(ask, tmp_path):
    (tmp_path / "other.gguf").write_bytes(b"weights")
    found = ask({"GET /props": saying(PROPS)}, "openai", file=str(tmp_path / "other.gguf"))
    assert found.note.endswith("Q4_K_M.gguf`, but the settings name the file `other.gguf`")


@pytest.mark.parametrize("file", ["missing.gguf", ".", "null\0byte", "~nobody-of-that-name/x.gguf"])
def test_a_file_that_cannot_be_read_is_a_note(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = asyncio.run(identify_local_model("hosted_vllm", "toy", None, file, 1.0))
    assert found.file_sha256 is None
    assert "cannot be read" in found.note


def test_a_file_is_hashed_again_only_when_it_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(local_model_facts, "_hashes", {})
    made = []
    sha256 = hashlib.sha256
    monkeypatch.setattr(hashlib, "sha256", lambda: made.append(1) or sha256())
    weights = tmp_path / "weights.gguf"

    def hashed():
        return asyncio.run(identify_local_model("hosted_vllm", "toy", None, str(weights), 1.0)).file_sha256

    weights.write_bytes(b"first")
    assert hashed() == hashed() == sha256(b"first").hexdigest()
    assert len(made) == 1
    weights.write_bytes(b"other")
    os.utime(weights, ns=(1, 1))
    assert hashed() == sha256(b"other").hexdigest()
    assert len(made) == 2


def test_hashing_holds_up_neither_the_loop_nor_a_run_that_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(local_model_facts, "_hashes", {})
    pipe = Path(tmp_path / "endless.gguf")
    os.mkfifo(pipe)

    async def main():
        task = asyncio.create_task(identify_local_model("hosted_vllm", "toy", None, str(pipe), 1.0))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(
            pipe.write_bytes, b"x" * 10
        )  # the thread reads on, sees that it is not wanted, and ends
        return task.cancelled()

    assert asyncio.run(main()) is True
    assert local_model_facts._hashes == {}


def test_facts_are_frozen_and_take_no_unknown_fields():
    with pytest.raises(ValidationError):
        LocalFacts(server="x").server = "y"
    with pytest.raises(ValidationError):
        LocalFacts(weights="x")
