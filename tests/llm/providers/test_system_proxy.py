"""A proxy that the system names never sees what is asked on this machine."""

import os
import socketserver
import threading

import pytest

import buttermilk_nb as bm

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def flow():
    return bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"))])


class Noted(socketserver.BaseRequestHandler):
    """Keeps what a connection says first, and closes it."""

    def handle(self):
        self.server.heard.append(self.request.recv(10_000))


@pytest.fixture
def system_proxy(monkeypatch):
    """A proxy that passes nothing on; the environment is put back as it was."""
    for name in (*VARIABLES, *map(str.lower, VARIABLES)):
        monkeypatch.setenv(name, "")  # so that it is put back, also where it was not set
        monkeypatch.delenv(name)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Noted) as listening:
        listening.daemon_threads = True
        listening.heard = []
        listening.address = "http://{}:{}".format(*listening.server_address)
        thread = threading.Thread(target=listening.serve_forever, args=[0.02], daemon=True)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join(10)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("family", ["hosted_vllm", "openai", "lm_studio", "ollama_chat"])
def test_a_local_model_is_asked_past_the_proxy(server, make_study, monkeypatch, system_proxy, variable, family):
    monkeypatch.setenv(variable, system_proxy.address)
    base = server.base.removesuffix("/v1") if family == "ollama_chat" else server.base
    make_study(toy={"model": f"{family}/toy", "api_base": base, "timeout_s": 2}, retries=0, probe_s=0.5)
    flow().run(bm.Corpus([bm.Record(record_id="a", content="One text.")]))
    assert "One text." in str(server.received)
    assert system_proxy.heard == []


def test_exceptions_that_the_system_names_stay_exceptions(server, make_study, monkeypatch, system_proxy):
    monkeypatch.setenv("HTTP_PROXY", system_proxy.address)
    monkeypatch.setenv("no_proxy", "archive.example, intern.example")
    make_study(toy={"timeout_s": 2}, retries=0, probe_s=0.5)
    flow().run(bm.Corpus([bm.Record(record_id="a", content="One text.")]))
    assert os.environ["no_proxy"] == "archive.example,intern.example,localhost,127.0.0.1,::1"


def test_a_model_elsewhere_is_asked_through_the_proxy(server, make_study, monkeypatch, system_proxy):
    """So that the tests above can fail."""
    monkeypatch.setenv("HTTP_PROXY", system_proxy.address)
    far = {"model": "hosted_vllm/far", "api_base": "http://far.example/v1", "timeout_s": 2}
    make_study(models={"far": far}, sets={"judges": ["far"]}, allow=["hosted_vllm"], retries=0)
    assert flow().run(bm.Corpus([bm.Record(record_id="a", content="One text.")]), yes=True).counts == {"error": 1}
    assert system_proxy.heard[0].startswith(b"POST http://far.example/v1/chat/completions")
