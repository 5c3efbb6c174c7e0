"""`flow.check` lists what a run would stop for, and `estimate` counts a request once: nothing is sent for either."""

import pytest
import yaml
from support.loopback_server import free_port

import buttermilk_nb as bm


def flow(**fields):
    return bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"), **fields)])


def texts(n):
    return bm.Corpus([bm.Record(record_id=f"r{i}", content=f"Text {i}.") for i in range(n)])


@pytest.fixture
def open_project(tmp_path):
    """Open a project with these settings, which this user has made."""

    def make(judge, **settings):
        return bm.init("study", path=tmp_path / "project", models=[judge], **settings)

    return make


def test_a_flow_without_obstacles_has_none(open_project):
    open_project("offline/strict")
    checked = flow(models="offline/strict").check(texts(2))
    assert checked.needs == ()
    assert "1 per record). No problem was found." in repr(checked)


def test_a_key_and_a_consent_that_are_missing_are_listed(open_project, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    open_project("anthropic/claude-sonnet-4-5")
    checked = flow(models="anthropic/claude-sonnet-4-5").check(texts(2))
    assert len(checked.needs) == 2
    assert "ANTHROPIC_API_KEY" in checked.needs[0]
    assert 'bm.allow("anthropic")' in checked.needs[1]
    assert "The flow is ready, but a run needs something first:\n- " in repr(checked)


def test_a_misspelt_model_has_no_price_and_the_nearest_name_is_offered(open_project, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-planted-key-123")
    project = open_project("anthropic/claude-sonet-4-5")
    project.allow("anthropic")
    (need,) = flow(models="anthropic/claude-sonet-4-5").check(texts(2)).needs
    assert "(did you mean `anthropic/claude-sonnet-4" in need
    assert "is not known, so the budget cannot be kept" in need
    assert flow(models="anthropic/claude-sonet-4-5").estimate(texts(2)).cost_usd is None


def test_many_calls_to_remote_models_need_a_yes(open_project, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted-key-123")
    project = open_project("openai/gpt-4o-mini", confirm_above=3)
    project.allow("openai")
    (need,) = flow(models="openai/gpt-4o-mini").check(texts(5)).needs
    assert need == "5 calls to remote models are more than `confirm_above` (3): write run(..., yes=True)."


def test_a_server_that_does_not_run_is_named(make_study):
    make_study(models={"here": {"model": "hosted_vllm/here", "api_base": f"http://127.0.0.1:{free_port()}/v1"}})
    (need,) = flow(models="here").check(texts(2)).needs
    assert "nothing listens" in need


def test_an_unconfirmed_folder_needs_trust(open_project):
    project = open_project("offline/strict")
    file = project.folder / "buttermilk.yaml"
    settings = yaml.safe_load(file.read_text())
    there = {"model": "openai/x", "api_base": "http://elsewhere.example/v1", "key": "env:AWS_SECRET_ACCESS_KEY"}
    file.write_text(yaml.safe_dump({**settings, "allow": ["openai"], "models": {"there": there}}))
    bm.init("study", path=project.folder)
    needs = flow(models="there").check(texts(2)).needs
    assert "bm.trust()" in needs[0]
    assert "elsewhere.example" in needs[0]
    assert "AWS_SECRET_ACCESS_KEY" in needs[0]


def test_what_is_cached_needs_nothing(server, make_study, monkeypatch):
    make_study(toy={"local": False, "prices": {"input": 1, "output": 1}}, allow=["hosted_vllm"])
    flow().run(texts(2))
    monkeypatch.delenv("HOSTED_VLLM_API_KEY")
    assert flow().check(texts(2)).needs == ()


def test_repeats_within_a_run_are_not_called_cached(make_study):
    make_study(toy={})
    criteria = bm.Criteria("calm", "Is it calm?", flag="no")
    twins = bm.Flow("tone", [bm.Judge("a", criteria=criteria), bm.Judge("b", criteria=criteria)])
    estimate = twins.estimate(texts(3))
    assert (estimate.calls, estimate.cached, estimate.repeated, estimate.new) == (6, 0, 3, 3)
    assert str(estimate).startswith("6 calls: 0 cached, 3 new, 3 the same as another one")
    assert "<th>repeated</th>" in estimate.to_html()
    assert twins.run(texts(3)).counts == {"ok": 6}
    after = twins.estimate(texts(3))
    assert (after.cached, after.repeated, after.new) == (6, 0, 0)
    assert "repeated" not in after.to_html()


QUIET = """
import sys
import buttermilk_nb as bm
bm.init("study", path=sys.argv[1])
corpus = bm.Corpus([bm.Record(record_id="a", content="A text.")])
criteria = bm.Criteria("calm", "Is it calm?", flag="no")
for name in ("anthropic/claude-opus-9", "gemini/gemini-9-pro", "openai/o99", "bedrock/anthropic.claude-9"):
    flow = bm.Flow("tone", [bm.Judge("judge", criteria=criteria, models=[name])])
    assert flow.estimate(corpus).cost_usd is None, name
    assert any("is not known" in need for need in flow.check(corpus).needs), name
"""


def test_the_model_library_prints_no_warnings(start_preloaded, tmp_path):
    process = start_preloaded(QUIET, tmp_path / "project")
    out, problems = process.communicate()
    assert process.returncode == 0, problems
    assert "LiteLLM" not in out + problems
