"""Where a model is asked is where it was thought to be when the question was whether texts may go there."""

import pytest
from support.chat_server import ChatServer

import buttermilk_nb as bm
from buttermilk_nb.config.model_settings import LOCAL_FAMILIES
from buttermilk_nb.config.settings import Settings


def flow(model):
    return bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"), models=model)])


def texts():
    return bm.Corpus([bm.Record(record_id="a", content="One text.")])


def test_an_address_in_the_environment_decides_whether_a_model_is_remote(make_study, monkeypatch):
    project = make_study()
    model = project.model("ollama_chat/toy")
    assert not model.remote
    monkeypatch.setenv("OLLAMA_API_BASE", "http://ollama.example.org:11434")
    assert model.remote
    assert model.base == "http://ollama.example.org:11434"


def test_a_text_does_not_follow_such_an_address_without_leave(server, make_study, monkeypatch):
    make_study()
    monkeypatch.setenv("OLLAMA_API_BASE", "http://ollama.example.org:11434")
    with pytest.raises(bm.SetupError, match="ollama_chat"):
        flow("ollama_chat/toy").run(texts())


@pytest.mark.parametrize(
    ("address", "remote"),
    [
        ("http://127.0.0.1:8000/v1", False),
        ("http://[::1]:8000", False),
        ("localhost:8000", False),
        ("http://127.0.0.1.example.org/v1", True),
        ("http://localhost.example.org/v1", True),
        ("http://user@127.0.0.1@example.org/", True),
        ("http://192.168.1.7:8000", True),
    ],
)
def test_only_this_machine_s_own_addresses_are_local_unless_said(make_study, address, remote):
    project = make_study(models={"x": {"model": "hosted_vllm/x", "api_base": address}})
    assert project.model("x").remote is remote


def test_a_server_of_one_s_own_elsewhere_is_local_when_that_is_said(make_study):
    project = make_study(models={"x": {"model": "hosted_vllm/x", "api_base": "http://10.0.0.7/v1", "local": True}})
    assert not project.model("x").remote


def test_a_record_takes_its_vectors_along_when_it_is_forgotten(server, make_study):
    project = make_study()
    corpus = texts()
    flow("toy").run(corpus)
    project.embed(corpus, model="offline/hashing")
    assert len(project.cache) == 2
    project.evidence.forget(record_id="a")
    assert len(project.cache) == 0


@pytest.fixture
def elsewhere():
    """A server that is reached by a name that is none of this machine's."""
    made = ChatServer()
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize("family", sorted(LOCAL_FAMILIES))
def test_a_local_server_cannot_send_a_text_on(server, elsewhere, make_study, family):
    there = f"http://0.0.0.0:{elsewhere.port}"
    server.reply = lambda _: server.failure(307, headers={"Location": f"{there}/v1/chat/completions"})
    base = server.base.removesuffix("/v1") if family.startswith("ollama") else server.base
    project = make_study(toy={"model": f"{family}/toy", "api_base": base}, local_only=True, retries=2)
    run = flow("toy").run(texts())
    assert run.counts == {"error": 1}
    assert elsewhere.received == []
    said = run.errors().error_message.item()
    assert "redirects calls to" in said
    assert "toy" in said
    assert len(server.received) == project.client.sent == 1  # asking again would not mend it


@pytest.mark.parametrize("family", ["replicate", "huggingface", "azure", "anthropic", "oobabooga", "maritalk"])
def test_a_family_whose_calls_cannot_be_kept_on_one_server_is_remote(server, make_study, family):
    project = make_study(models={"x": {"model": f"{family}/toy", "api_base": server.base}})
    assert project.model("x").remote
    with pytest.raises(bm.ConsentError):
        flow("x").run(texts(), yes=True)
    assert server.received == []
    with pytest.raises(bm.SetupError, match=f"the family `{family}` cannot be kept on one server"):
        Settings.from_dict({"name": "study", "models": {"x": {"model": f"{family}/toy", "local": True}}}, "it")


@pytest.mark.parametrize("name", ["oobabooga/http://example.org/v1", "huggingface/https://example.org", "openai/x://y"])
def test_a_name_that_contains_an_address_is_refused(server, make_study, name):
    project = make_study(models={"x": {"model": name, "api_base": server.base}})
    for ask in (lambda: flow("x").run(texts()), lambda: project.embed(["One text."], model="x")):
        with pytest.raises(bm.SetupError, match=r"contains an address: write it as `api_base`"):
            ask()
    assert "contains an address" in project.models().set_index("name").why_not["x"]
    assert server.received == []


def test_without_the_guard_the_text_would_go(server, elsewhere, make_study):
    """So that the test above can fail."""
    there = f"http://0.0.0.0:{elsewhere.port}"
    server.reply = lambda _: server.failure(307, headers={"Location": f"{there}/v1/chat/completions"})
    make_study(toy={"local": False}, allow=["hosted_vllm"])
    assert flow("toy").run(texts(), yes=True).counts == {"ok": 1}
    assert "One text." in str(elsewhere.received)


def test_a_local_server_may_send_a_text_on_to_this_machine(server, elsewhere, make_study):
    server.reply = lambda _: server.failure(307, headers={"Location": f"{elsewhere.base}/chat/completions"})
    make_study(toy={"model": "lm_studio/toy"})
    assert flow("toy").run(texts(), yes=True).counts == {"ok": 1}
    assert len(elsewhere.received) == 1
