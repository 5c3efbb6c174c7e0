"""Nothing leaves without leave: consent, records and projects that stay local, redaction, and the egress view."""

import json

import pytest
from support.chat_server import messages_text

import buttermilk_nb as bm

REMOTE = {"local": False, "prices": {"input": 1.0, "output": 1.0}}


def flow(**fields):
    return bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"), **fields)])


def texts(n, **fields):
    return bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"Text {i}.", **fields) for i in range(n)])


def test_a_text_does_not_leave_before_somebody_allows_it(server, make_study):
    make_study(toy=REMOTE)
    with pytest.raises(bm.ConsentError, match=r'bm\.allow\("hosted_vllm"\)'):
        flow().run(texts(2))
    assert server.received == []
    assert bm.sql("select count(*) as n from runs").n.item() == 0


def test_leave_is_given_once_and_remembered(server, make_study, tmp_path):
    make_study(toy=REMOTE)
    bm.allow("hosted_vllm")
    assert flow().run(texts(2)).counts == {"ok": 2}
    bm.init("study", path=tmp_path / "study")
    assert flow().run(texts(3)).counts == {"ok": 3}
    assert "allow" in (tmp_path / "study" / "buttermilk.yaml").read_text()
    log = (tmp_path / "study" / "logs" / "events.jsonl").read_text().splitlines()
    assert any("hosted_vllm" in line and "allow" in line for line in log)


def test_what_is_cached_needs_no_leave(server, make_study):
    make_study(toy=REMOTE, allow=["hosted_vllm"])
    flow().run(texts(2))
    make_study(toy=REMOTE)
    assert flow().run(texts(2)).counts == {"ok": 2}
    assert len(server.received) == 2


def test_a_server_of_one_s_own_needs_no_leave(server, make_study):
    make_study()
    assert flow().run(texts(2)).counts == {"ok": 2}
    assert not bm.sql("select remote from calls").remote.any()


def test_a_step_that_reads_others_is_refused_when_it_would_be_sent(server, make_study):
    make_study(toy=REMOTE)
    first = bm.Judge(
        "first", criteria=bm.Criteria("calm", "Is it calm?", flag="no", cues={"no": ["x"]}), models="offline/strict"
    )
    second = bm.Agent("second", prompt="Sum up: {{ inputs.first }} {{ record.content }}", models="toy")
    with pytest.raises(bm.ConsentError):
        bm.Flow("two", [first, bm.Step(second, needs="first")]).run(texts(1))
    assert server.received == []


def test_a_local_record_is_skipped_and_said(server, make_study):
    make_study(toy=REMOTE, allow=["hosted_vllm"])
    records = [*texts(2).records, bm.Record(record_id="private", content="A private text.", local_only=True)]
    run = flow().run(bm.Corpus(records))
    assert run.counts == {"ok": 2, "skipped": 1}
    assert any("local_only" in remark for remark in run.remarks)
    assert not any("private text" in json.dumps(body) for body in server.received)


def test_a_corpus_that_stays_local_is_refused_before_anything_is_sent(server, make_study):
    make_study(toy=REMOTE, allow=["hosted_vllm"])
    with pytest.raises(bm.ConsentError, match="local_only"):
        flow().run(texts(2, local_only=True))


def test_a_project_that_stays_local_sends_nothing_to_remote_models(server, make_study):
    make_study(toy=REMOTE, allow=["hosted_vllm"], local_only=True)
    with pytest.raises(bm.ConsentError, match="local: true"):
        flow().run(texts(2))
    assert flow(models="offline/strict").run(texts(2)).planned == 2


def test_a_local_record_may_go_to_a_server_of_one_s_own(server, make_study):
    make_study()
    assert flow().run(texts(1, local_only=True)).counts == {"ok": 1}


def test_the_egress_view_says_which_text_left_to_whom_and_when(server, make_study):
    make_study(toy=REMOTE, allow=["hosted_vllm"])
    run = flow().run(texts(2))
    flow().run(texts(2))  # from the cache: nothing leaves again
    left = bm.sql("select * from egress order by record_id")
    assert left.record_id.tolist() == ["r0000", "r0001"]
    assert left.provider.unique().tolist() == ["hosted_vllm"]
    assert left.run_id.unique().tolist() == [run.run_id]
    assert left.asked_at.notna().all()


def test_what_a_pattern_finds_does_not_leave_and_what_stood_there_stays_here(server, make_study):
    make_study(toy=REMOTE, allow=["hosted_vllm"], redact={"e-mail": r"\w+@\w+\.\w+"})
    corpus = bm.Corpus([bm.Record(record_id="a", content="Write to kim@post.example, or ask kim@post.example again.")])
    run = flow().run(corpus)
    assert run.counts == {"ok": 1}
    assert "kim@post" not in json.dumps(server.received)
    assert json.dumps(server.received).count("[e-mail 1]") == 2
    call = run.calls().iloc[0]
    assert call.redaction.startswith("e-mail (rx1-")
    assert "kim@post" not in call.request
    kept = bm.sql("select placeholder, original from redactions")
    assert kept.iloc[0].tolist() == ["[e-mail 1]", "kim@post.example"]


def test_a_function_finds_what_no_pattern_can(server, make_study):
    project = make_study(toy=REMOTE, allow=["hosted_vllm"])

    def person(text):
        return [name for name in ("Kim Lund", "Ola Berg") if name in text]

    project.redaction = bm.Redaction(find=person)
    flow().run(bm.Corpus([bm.Record(record_id="a", content="Kim Lund met Ola Berg. Kim Lund left.")]))
    sent = json.dumps(server.received)
    assert "Lund" not in sent
    assert "[person 1] met [person 2]. [person 1] left." in sent


def test_another_policy_is_another_design_and_another_request(server, make_study):
    project = make_study(toy=REMOTE, allow=["hosted_vllm"])
    corpus = bm.Corpus([bm.Record(record_id="a", content="Kim met Ola.")])
    plain = flow().run(corpus).scores().design_id.item()
    project.redaction = bm.Redaction({"name": "Kim|Ola"})
    redacted = flow().run(corpus).scores().design_id.item()
    assert plain != redacted
    assert len(server.received) == 2


def test_a_local_model_reads_the_whole_text(server, make_study):
    make_study(redact={"name": "Kim"})
    flow().run(bm.Corpus([bm.Record(record_id="a", content="Kim met Ola.")]))
    assert "Kim met Ola." in json.dumps(server.received)


@pytest.mark.parametrize("pattern", ["(", "["])
def test_a_pattern_that_is_none_is_a_sentence(pattern):
    with pytest.raises(bm.SetupError, match="not a regular expression"):
        bm.Redaction({"x": pattern})


def test_a_pattern_that_never_ends_is_a_sentence_and_does_not_hang():
    with pytest.raises(bm.SetupError, match="write a simpler one"):
        bm.Redaction({"slow": r"(a|aa)+$"}).apply(["a" * 5000 + "b"])


def test_a_model_of_last_resort_needs_leave_before_the_first_call(server, make_study):
    make_study(models={"far": {"model": "hosted_vllm/far", "api_base": server.base, "local": False}})
    with pytest.raises(bm.ConsentError, match="`far`"):
        flow(fallback="far").run(texts(1))
    assert server.received == []


def test_a_local_corpus_may_name_a_remote_model_of_last_resort(server, make_study):
    make_study(
        models={"far": {"model": "hosted_vllm/far", "api_base": server.base, "local": False}}, allow=["hosted_vllm"]
    )
    corpus = bm.Corpus([bm.Record(record_id="a", content="One text.", local_only=True)])
    run = flow(fallback="far").run(corpus)
    assert run.counts == {"ok": 1}
    assert "1 record must stay here" in str(run.remarks)


def test_what_stands_in_for_itself_is_a_mistake(make_study):
    make_study()
    with pytest.raises(bm.SetupError, match="would count twice"):
        flow(fallback="toy").check(texts(1))


def test_a_placeholder_keeps_its_meaning_when_a_model_is_asked_again(server, make_study):
    make_study(toy={"local": False}, allow=["hosted_vllm"], redact={"name": "Ann|Bob|Cyd"})
    asked = []

    def reply(body):
        asked.append(messages_text(body))
        return server.answer(body, text="Cyd or Ann, who knows?" if len(asked) == 1 else None)

    server.reply = reply
    run = flow().run(bm.Corpus([bm.Record(record_id="a", content="Ann met Bob.")]), yes=True)
    assert run.counts == {"ok": 1}
    assert "[name 1] met [name 2]." in asked[1]
    assert "[name 3] or [name 1], who knows?" in asked[1]


def test_cells_that_are_asked_again_count_as_new(server, make_study):
    make_study(toy=REMOTE, allow=["hosted_vllm"], confirm_above=2)
    server.reply = lambda body: server.answer(body, text="Who knows?")
    flow(reask=False).run(texts(3), yes=True)
    flow(reask=False).run(texts(3))  # what is cached needs no leave
    with pytest.raises(bm.errors.UnconfirmedError, match="3 new"):
        flow(reask=False).run(texts(3), retry=["invalid"])
    assert len(server.received) == 3


def test_leave_for_a_provider_is_not_leave_for_a_gateway(make_study, monkeypatch):
    far = {"model": "openai/toy", "api_base": "https://gateway.example.org/v1"}
    project = make_study(models={"far": far}, allow=["openai"])
    with pytest.raises(bm.ConsentError, match=r'bm.allow\("gateway.example.org"\)'):
        flow(models="far").run(texts(1))
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    assert project.model("openai/toy").recipient == "openai"
    monkeypatch.setenv("OPENAI_API_BASE", "https://elsewhere.example.org/v1")
    assert project.model("openai/toy").recipient == "elsewhere.example.org"
    bm.allow("gateway.example.org")
    with pytest.raises(bm.SetupError, match="first part of a model's full name, or the host"):
        bm.allow("gateway.example.com")
