"""Odd parameters cost a clear sentence or nothing; what is on record is what was sent."""

import json

import pytest

import buttermilk_nb as bm

PRICED = {"local": False, "prices": {"input": 1.0, "output": 1.0}}
OBJECT = {"type": "json_object"}


def flow(**params):
    return bm.Flow("tone", [bm.Judge("judge", criteria=bm.Criteria("calm", "Is it calm?", flag="no"), params=params)])


def texts(n=1):
    return bm.Corpus([bm.Record(record_id=f"r{i:04}", content=f"Text {i}.") for i in range(n)])


@pytest.mark.parametrize("most", ["20", "many", -1, 0, None, [20]])
def test_a_max_tokens_that_is_no_number_is_the_provider_s_to_judge(server, make_study, most):
    project = make_study(toy=PRICED, allow=["hosted_vllm"], budget_usd=1.0)
    run = flow(max_tokens=most).run(texts())
    assert run.counts == {"ok": 1}
    assert server.received[0].get("max_tokens") == most
    assert 0 < project.spent_usd < 1.0


def test_what_the_provider_says_of_it_is_in_the_row(server, make_study):
    server.reply = lambda _: server.failure(400, "max_tokens must be an integer")
    make_study(toy=PRICED, allow=["hosted_vllm"])
    run = flow(max_tokens="many").run(texts())
    assert run.counts == {"error": 1}
    assert "max_tokens must be an integer" in run.errors().error_message.item()


def test_a_text_cannot_make_a_call_seem_to_cost_nothing(server, make_study):
    """Such a call is thought to be as long as any other, so that the budget still holds."""
    dear = {"local": False, "prices": {"input": 0.0, "output": 1000.0}}
    make_study(toy=dear, allow=["hosted_vllm"], budget_usd=0.5)
    with pytest.raises(bm.errors.BudgetReached, match=r"the next call might cost \$1\.0000"):
        flow(max_tokens="20").run(texts())
    assert server.received == []


@pytest.mark.parametrize("name", ["max_retries", "num_retries"])
def test_how_often_a_call_is_repeated_is_not_said_in_params(server, make_study, name):
    server.reply = lambda _: server.failure(500)
    make_study(toy={"params": {name: 3}}, retries=1)
    run = flow(**{name: 3}).run(texts())
    assert run.counts == {"error": 1}
    assert run.calls().status.tolist() == ["error", "error"]  # as often as `retries` says, and each on record
    assert len(server.received) == 2


@pytest.mark.parametrize("name", ["max_retries", "num_retries"])
def test_what_is_not_sent_is_said_and_is_no_part_of_the_stored_request(server, make_study, name):
    make_study()
    run = flow(temperature=0.2, **{name: 3}).run(texts())
    assert run.counts == {"ok": 1}
    assert name not in json.loads(run.calls().request.item())
    assert f"`toy` ignores `{name}`." in run.remarks


@pytest.mark.parametrize("schema", [True, False])
def test_a_form_of_one_s_own_is_sent_and_stored_in_place_of_ours(server, make_study, schema):
    make_study(toy={"json_schema": schema})
    run = flow(response_format=OBJECT).run(texts())
    assert run.counts == {"ok": 1}
    assert server.received[0]["response_format"] == OBJECT
    assert json.loads(run.calls().request.item())["response_format"] == OBJECT


def test_another_form_is_another_request(server, make_study):
    make_study(toy={"json_schema": True})
    flow(temperature=0).run(texts())
    flow(temperature=0, response_format=OBJECT).run(texts())
    assert [body["response_format"]["type"] for body in server.received] == ["json_schema", "json_object"]


def test_a_form_that_there_is_not_costs_its_cells_a_sentence(server, make_study):
    make_study(retries=0)
    run = flow(response_format="json").run(texts())
    assert run.counts == {"error": 1}
    assert "response_format" in run.errors().error_message.item()
    assert "TypeError" not in run.errors().error_message.item()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("messages", [{"role": "user", "content": "another question"}]),
        ("model", "a-dearer-model"),
        ("n", 8),
        ("max_tokens", 99_999),
        ("tools", [{"type": "mcp", "server_url": "https://example.org"}]),
        ("store", True),
    ],
)
def test_an_extra_body_cannot_replace_the_request(server, make_study, field, value):
    make_study(toy={"params": {"extra_body": {field: value}}})
    with pytest.raises(bm.SetupError, match=f"`extra_body` of `toy` may not have the field `{field}`"):
        flow().run(texts())
    assert server.received == []


def test_an_extra_body_with_other_fields_is_sent(server, make_study):
    make_study()
    assert flow(extra_body={"guided_decoding": "x"}).run(texts()).counts == {"ok": 1}
    assert server.received[0]["guided_decoding"] == "x"


@pytest.mark.parametrize("name", ["tools", "functions", "web_search_options", "store", "stream", "modalities", "audio"])
def test_a_parameter_that_lets_a_text_go_on_is_dropped_and_said(server, make_study, name):
    value = [{"type": "mcp", "server_url": "https://example.org"}] if name in ("tools", "functions") else True
    make_study()
    run = flow(**{name: value}).run(texts())
    assert run.counts == {"ok": 1}
    assert name not in server.received[0]
    assert run.calls().params_dropped.str.contains(f'"{name}"').all()
