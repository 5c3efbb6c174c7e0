"""A long text is redacted, read and parsed on a thread, so that the loop goes on with progress and Ctrl-C meanwhile."""

from __future__ import annotations

import threading

import pytest
import yaml

import buttermilk_nb as bm
from buttermilk_nb._internal import event_loop
from buttermilk_nb.agents.judge import parse_scores
from buttermilk_nb.llm import completion as completions
from buttermilk_nb.llm.providers import litellm as litellm_models
from buttermilk_nb.llm.providers.offline import models as offline_models

LONG = event_loop.LONG_TEXT
CALM = bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["vermin"]})
FLOW = bm.Flow("tone", [bm.Judge("judge", criteria=CALM)])
SENTENCE = "they are vermin, said some, and others said nothing. "
MALFORMED = {
    "cut off": '{"criteria": {"calm": {"reasons": ["' + "It says so. " * 8_000,
    "unescaped quotes": '{"criteria": {"calm": {"reasons": ["' + '"it", it says ' * 8_000 + '"answer": "no"',
    "apostrophes": "{'criteria': {'calm': {'reasons': ['" + "it's so, " * 8_000 + "'], 'answer': 'no'}}}",
    "no commas": '{"criteria": {"calm": {"reasons": [' + '"It" "says" ' * 8_000 + '], "answer": "no"}}}',
    "brackets": '{"criteria": {"calm": [' + '{"reasons": [' * 8_000,
    "many objects": '{"reasons": "so"} ' * 8_000,
    "prose": "I think { that this is } not " * 8_000,
}


def texts(n, characters):
    body = SENTENCE * (characters // len(SENTENCE) + 1)
    return bm.Corpus([bm.Record(record_id=f"r{i}", content=f"{i}: {body}"[:characters]) for i in range(n)])


@pytest.fixture
def threads(monkeypatch):
    """The threads on which long texts were processed, by the function that did it."""
    seen = {}

    def watch(module, name, text_of):
        original = getattr(module, name)

        def watched(*args, **kwargs):
            if len(text_of(*args)) > LONG:
                seen.setdefault(name, set()).add(threading.current_thread().name)
            return original(*args, **kwargs)

        monkeypatch.setattr(module, name, watched)

    watch(completions, "redact_known", lambda text: text)
    watch(litellm_models, "read_response", lambda response, latency_s, body: body or "")
    watch(parse_scores, "parse_json", lambda completion, expected_keys, shown: completion.text)
    return seen


@pytest.fixture
def remote(tmp_path, server):
    """A project whose model is that server."""
    folder = tmp_path / "remote"
    folder.mkdir()
    toy = {"model": "hosted_vllm/toy", "api_base": server.base}
    settings = {"name": "remote", "sets": {"judges": ["toy"]}, "models": {"toy": toy}, "backoff_s": 0.02}
    (folder / "buttermilk.yaml").write_text(yaml.safe_dump(settings))
    return bm.init("remote", path=folder)


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_long_malformed_answer_never_meets_the_loop_s_thread(threads, remote, server, kind):
    server.reply = lambda body: server.answer(body, text=MALFORMED[kind])
    run = FLOW.run(texts(2, 30))
    assert run.counts == {"invalid": 2}
    assert run.calls().response.str.len().min() > LONG
    assert set(threads) >= {"redact_known", "read_response", "parse_json"}
    loop_thread = event_loop._thread.name
    assert [name for name, names in threads.items() if loop_thread in names] == []


def test_short_answers_need_no_thread(threads, remote, server):
    assert FLOW.run(texts(2, 30)).counts == {"ok": 2}
    assert threads == {}


def test_an_offline_model_reads_a_long_text_on_a_thread(monkeypatch, make_project):
    make_project("offline/strict")
    seen = []
    original = offline_models.DictionaryModel.answer

    def answer(self, record, criterion, replicate):
        seen.append((len(record.content) > LONG, threading.current_thread().name))
        return original(self, record, criterion, replicate)

    monkeypatch.setattr(offline_models.DictionaryModel, "answer", answer)
    corpus = bm.Corpus([*texts(2, 3 * LONG), bm.Record(record_id="short", content="Some are vermin.")])
    assert FLOW.run(corpus).counts == {"ok": 3}
    loop_thread = event_loop._thread.name
    answers = [(is_long, name == loop_thread) for is_long, name in seen]
    assert (True, False) in answers
    assert (False, True) in answers
    assert [name for is_long, name in seen if is_long and name == loop_thread] == []


def test_what_is_watched_here_is_what_the_package_calls():
    assert completions.redact_known.__module__ == "buttermilk_nb._internal.secret_redaction"
    assert parse_scores.parse_json.__module__ == "buttermilk_nb.llm.answers.parse_json"
