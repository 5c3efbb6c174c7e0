"""What providers send when they do not answer, through litellm, from a server on loopback that speaks as they do."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings, strategies as st
from support.paths import SHARED

from buttermilk_nb import errors
from buttermilk_nb.llm.providers.load_litellm import load_litellm
from buttermilk_nb.llm.providers.map_errors import empty_answer_error, map_error
from buttermilk_nb.llm.providers.response_errors import RawResponse, filter_category
from buttermilk_nb.llm.providers.retry_after import retry_after_s

RECORDED = SHARED / "provider_errors" / "errors.jsonl"
KEY = "sk-planted-key-123456"
MODELS = {
    "anthropic": "anthropic/claude-sonnet-4-5",
    "azure": "azure/some-deployment",
    "google": "gemini/gemini-2.0-flash",
    "ollama": "ollama_chat/some-model",
    "openai": "openai/gpt-4o-mini",
    "vllm": "hosted_vllm/toy",
}
PATHS = {
    "anthropic": "/v1/messages",
    "azure": "/openai/deployments/some-deployment/chat/completions",
    "google": "/v1beta/models/gemini-2.0-flash:generateContent",
    "ollama": "/api/chat",
    "openai": "/v1/chat/completions",
    "vllm": "/v1/chat/completions",
}
SPEAKERS = ("anthropic", "google", "openai", "vllm")
BASES = {"google": "/v1beta", "openai": "/v1", "vllm": "/v1"}


class Provider:
    """A server that sends one prepared response, wherever a provider would be asked."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.prepared = web.Response()
        self.asked = ""
        self.wait_s = 0.0
        self.site = runner.run(self._start())
        self.base = f"http://127.0.0.1:{self.site._server.sockets[0].getsockname()[1]}"

    async def _start(self) -> web.TCPSite:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._reply)
        self.serving = web.AppRunner(app, access_log=None)
        await self.serving.setup()
        site = web.TCPSite(self.serving, "127.0.0.1", 0)
        await site.start()
        return site

    async def _reply(self, request: web.Request) -> web.Response:
        prepared = self.prepared  # of this request: a late one must not take the next one's
        await request.read()
        self.asked = request.path
        await asyncio.sleep(self.wait_s)
        return prepared

    def call(self, provider: str, base: str | None = None, timeout: float = 10) -> tuple[Any, RawResponse]:
        """One request through litellm, as the package sends it; the response or what it raised."""
        received = RawResponse()

        async def send() -> Any:
            return await load_litellm().acompletion(
                model=MODELS[provider],
                messages=[{"role": "user", "content": "Is it calm?"}],
                api_base=(self.base if base is None else base) + BASES.get(provider, ""),
                api_version="2024-10-21" if provider == "azure" else None,
                max_retries=0,
                num_retries=0,
                timeout=timeout,
                logger_fn=received,
            )

        try:
            return self.runner.run(send()), received
        except Exception as error:  # noqa: BLE001  # what comes is the subject
            return error, received

    def failure(self, provider: str, **call: Any) -> errors.ModelError:
        found, received = self.call(provider, **call)
        if isinstance(found, Exception):
            return map_error(found, MODELS[provider], body=received.text)
        failure = empty_answer_error(found, MODELS[provider], body=received.text)
        assert failure is not None, found
        return failure

    def close(self) -> None:
        self.runner.run(load_litellm().close_litellm_async_clients())
        self.runner.run(self.serving.cleanup())


@pytest.fixture(scope="module")
def provider_server() -> Iterator[Provider]:
    with asyncio.Runner() as runner:
        made = Provider(runner)
        yield made
        made.close()


@pytest.fixture
def provider(provider_server: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    for name in ("OPENAI", "ANTHROPIC", "GEMINI", "AZURE", "HOSTED_VLLM"):
        monkeypatch.setenv(f"{name}_API_KEY", KEY)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    provider_server.wait_s, provider_server.asked = 0.0, ""
    return provider_server


def response(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    text, kind = (body, "text/html") if isinstance(body, str) else (json.dumps(body), "application/json")
    return web.Response(status=status, text=text, content_type=kind, headers=headers)


@dataclasses.dataclass(frozen=True)
class Case:
    what: str
    provider: str
    status: int
    body: Any
    kind: str
    code: str | None
    wait: float | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


def said(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


def google(status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": 1, "status": status, "message": message, "details": list(details)}}


def quota(*ids: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": i} for i in ids]}


def retry_info(delay: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


USED = {"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}}
NOTHING = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": []}
PAGE = "<!DOCTYPE html><html><body>Please log in to the campus network</body></html>"
BUSY = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
WINDOW = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m2s"}
DATED = {"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}

CASES = [
    Case("an empty account", "openai", 429, said("No money.", type="insufficient_quota", code="insufficient_quota"),
         "QuotaError", "insufficient_quota"),
    Case("an empty account, said in a bad request", "anthropic", 400,
         {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low."}},
         "QuotaError", "invalid_request_error"),
    Case("payment required", "vllm", 402, said("Pay first.", code=402), "QuotaError", "402"),
    Case("a month's limit", "anthropic", 400, said("You reached your API usage limits.", type="invalid_request_error"),
         "QuotaError", "invalid_request_error"),
    Case("a day's quota", "google", 429,
         google("RESOURCE_EXHAUSTED", "Exceeded.", quota("RequestsPerDayPerModel-FreeTier"), retry_info("30s")),
         "QuotaError", "RESOURCE_EXHAUSTED"),
    Case("a minute's quota, worded like an empty account", "google", 429,
         google("RESOURCE_EXHAUSTED", "You exceeded your current quota, check your billing.",
                quota("RequestsPerMinutePerModel-FreeTier"), retry_info("37s")),
         "RateLimitError", "RESOURCE_EXHAUSTED", 37.0),
    Case("too fast, with seconds", "openai", 429, said("Slow down.", code="rate_limit_exceeded"),
         "RateLimitError", "rate_limit_exceeded", 12.0, {"retry-after": "12"}),
    Case("too fast, with milliseconds", "openai", 429, said("Slow down.", code="rate_limit_exceeded"),
         "RateLimitError", "rate_limit_exceeded", 1.5, {"retry-after": "2", "retry-after-ms": "1500"}),
    Case("too fast, with a date", "vllm", 429, said("Slow down."), "RateLimitError", "429", 30.0, DATED),
    Case("too fast, with a window that is used up", "openai", 429, said("Slow down.", code="requests"),
         "RateLimitError", "requests", 62.0, WINDOW),
    Case("too fast, with a window that is not", "openai", 429, said("Slow down.", code="requests"),
         "RateLimitError", "requests", None, {**WINDOW, "x-ratelimit-remaining-requests": "9"}),
    Case("too fast, with the time in words", "azure", 429, said("Busy. Please retry after 26 seconds.", code="429"),
         "RateLimitError", "429", 26.0),
    Case("too fast", "anthropic", 429, {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow."}},
         "RateLimitError", "rate_limit_error", 7.0, {"retry-after": "7"}),
    Case("one request above the limit of a minute", "openai", 429,
         said("Request too large for it on tokens per min: Limit 30000, Requested 50000.", code="rate_limit_exceeded"),
         "ContextTooLongError", "rate_limit_exceeded"),
    Case("overloaded", "anthropic", 529, BUSY, "OverloadedError", "overloaded_error"),
    Case("overloaded, elsewhere", "google", 503, google("UNAVAILABLE", "The model is overloaded."),
         "OverloadedError", "UNAVAILABLE"),
    Case("out of service", "openai", 503, said("Back soon.", type="server_error"),
         "UnavailableError", "server_error", 9.0, {"retry-after": "9"}),
    Case("a gateway's page", "vllm", 502, "<html><title>502 Bad Gateway</title></html>", "UnavailableError", "502"),
    Case("a gateway's time limit", "openai", 504, "upstream timed out", "ConnectionLostError", "504"),
    Case("a server's time limit", "anthropic", 408, said("Too slow.", type="timeout_error"),
         "ConnectionLostError", "timeout_error"),
    Case("a wrong key", "openai", 401, said(f"Incorrect API key provided: {KEY}.", code="invalid_api_key"),
         "AuthenticationError", "invalid_api_key"),
    Case("a key that may not", "anthropic", 403, said("No.", type="permission_error"),
         "AuthenticationError", "permission_error"),
    Case("a wrong key, as Google says it", "google", 400, google("INVALID_ARGUMENT", "API key not valid."),
         "AuthenticationError", "INVALID_ARGUMENT"),
    Case("a login page in the way", "openai", 403, PAGE, "BadRequestError", "403"),
    Case("an unknown model", "vllm", 404, said("The model `toy` does not exist.", type="NotFoundError", code=404),
         "BadRequestError", "NotFoundError"),
    Case("a model that was not pulled", "ollama", 404, {"error": "model 'some-model' not found"},
         "BadRequestError", "404"),
    Case("a wrong parameter", "openai", 400, said("Unsupported value.", code="unsupported_value"),
         "BadRequestError", "unsupported_value"),
    Case("a text too long", "openai", 400, said("The maximum context length is 100.", code="context_length_exceeded"),
         "ContextTooLongError", "context_length_exceeded"),
    Case("a text too long, as Anthropic says it", "anthropic", 400,
         said("prompt is too long", type="invalid_request_error"),
         "ContextTooLongError", "invalid_request_error"),
    Case("a text too long, as Google says it", "google", 400,
         google("INVALID_ARGUMENT", "The input token count exceeds the maximum."),
         "ContextTooLongError", "INVALID_ARGUMENT"),
    *(Case(f"a text too long, {words}", "vllm", 400, said(words, type="BadRequestError", code=400),
           "ContextTooLongError", "BadRequestError")
      for words in (
          "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens.",
          "prompt is too long: 210000 tokens > 200000 maximum",
          "Input tokens exceed the configured limit of 8192 tokens.",
          "the request exceeds the available context size, try increasing it",
          "Please reduce the length of the messages.",
          "Your input exceeds the context window of this model.", "Range of input length should be [1, 30720]",
          "The prompt (total length 5000) is too long to fit into the model (context length 4096).",
          "Too many input tokens: 9000 > 8192", "Prompt contains 9000 tokens and exceeds max_model_len",
      )),
    *(Case(f"a filter in other words, {words}", "vllm", status, said(words, type="invalid_request_error"),
           "ContentFilterError", "invalid_request_error")
      for status, words in (
          (403, "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"),
          (400, "Guardrail was enforced: the guardrail intervened."), (400, "The input contains sensitive content."),
          (422, "Request blocked by our moderation system."), (400, "The system detected potentially unsafe content."),
          (400, "Input data may contain inappropriate content."), (403, "This request violates our content policy."),
      )),
    Case("a word about a filter that is not one", "vllm", 400, said("Unknown parameter: safety_settings.", type="x"),
         "BadRequestError", "x"),
    Case("a limit of the answer, not of the text", "vllm", 400, said("max_tokens is too large: 99999.", type="x"),
         "BadRequestError", "x"),
    Case("a filtered prompt", "azure", 400,
         said("Filtered.", code="content_filter", innererror={"content_filter_result": {
             "hate": {"filtered": True}, "self-harm": {"filtered": True}, "violence": {"filtered": False}}}),
         "ContentFilterError", "content_filter:hate+self_harm"),
    Case("a filtered prompt without a category", "openai", 400,
         said("Our safety system.", code="content_policy_violation"),
         "ContentFilterError", "content_policy_violation"),
    Case("a blocked prompt", "google", 200,
         {"promptFeedback": {"blockReason": "SAFETY", "safetyRatings": [
             {"category": "HARM_CATEGORY_HATE_SPEECH", "probability": "HIGH", "blocked": True},
             {"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW"}]}, **USED},
         "ContentFilterError", "content_filter:hate_speech"),
    Case("a blocked prompt without token counts", "google", 200,
         {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
         "ContentFilterError", "content_filter:prohibited_content"),
    Case("no candidates", "google", 200, USED, "BadResponseError", None),
    Case("no choices", "openai", 200, NOTHING, "BadResponseError", None),
    Case("no choices, elsewhere", "vllm", 200, NOTHING, "BadResponseError", None),
    *(Case(f"a page instead of JSON, {name}", name, 200, PAGE, "BadResponseError", None)
      for name in SPEAKERS),
    *(Case(f"JSON that breaks off, {name}", name, 200, '{"id": "x", "choices": [{"ind', "BadResponseError", None)
      for name in SPEAKERS),
    *(Case(f"nothing, {name}", name, 200, "", "BadResponseError", None) for name in SPEAKERS),
    *(Case(f"an error in a 200, {name}", name, 200, said("Upstream broke.", code=502, type="server_error"),
           "UnavailableError", "server_error")
      for name in SPEAKERS),
    *(Case(f"JSON of another kind, {name}", name, 200, [], "BadResponseError", None)
      for name in SPEAKERS),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_each_failure_has_its_kind_code_and_time_to_wait(provider, case):
    provider.prepared = response(case.status, case.body, case.headers)
    failure = provider.failure(case.provider)
    assert provider.asked == PATHS[case.provider]
    assert (type(failure).__name__, failure.code, failure.retry_after_s) == (case.kind, case.code, case.wait), failure
    assert KEY not in str(failure)
    assert "Traceback" not in str(failure)
    assert len(str(failure)) < 700


@pytest.mark.parametrize(
    ("status", "body", "passes"),
    [
        (429, said("Slow down.", code="rate_limit_exceeded"), True),
        (529, BUSY, True),
        (503, said("Back soon."), True),
        (200, "<html>", True),
        (429, said("No money.", code="insufficient_quota"), False),
        (401, said("Wrong key."), False),
        (404, said("No such model."), False),
        (400, said("Filtered.", code="content_filter"), False),
        (400, said("prompt is too long"), False),
    ],
)
def test_what_will_not_pass_is_not_worth_sending_again(provider, status, body, passes):
    provider.prepared = response(status, body)
    assert provider.failure("openai").transient is passes


@pytest.mark.parametrize("name", list(MODELS))
def test_a_server_that_is_not_running_is_said_to_be_none(provider, name):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    failure = provider.failure(name, base=f"http://127.0.0.1:{port}")
    assert (type(failure), failure.code) == (errors.UnavailableError, None)
    assert "is the server running" in str(failure)
    assert "0x" not in str(failure), "no addresses in memory"


@pytest.mark.parametrize("name", list(MODELS))
def test_a_server_that_does_not_answer_in_time_is_a_timeout(provider, name):
    provider.wait_s, provider.prepared = 1.0, response(200, {})
    failure = provider.failure(name, timeout=0.2)
    assert isinstance(failure, errors.CallTimeout)
    assert (failure.status, failure.code) == ("timeout", None)
    assert "`timeout_s`" in str(failure)


@pytest.mark.parametrize("name", SPEAKERS)
def test_an_unknown_host_and_a_failed_certificate_are_told_apart(provider, name):
    failure = provider.failure(name, base="http://no-such-host.invalid")
    assert isinstance(failure, errors.UnavailableError)
    assert "online" in str(failure)
    failure = provider.failure(name, base=provider.base.replace("http:", "https:"))
    assert isinstance(failure, errors.UnavailableError)
    assert "SSL_CERT_FILE" in str(failure)


@pytest.mark.parametrize("name", SPEAKERS)
@pytest.mark.parametrize(
    "sent", [b"", b'HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{"id": "x"', b"SSH-2.0-Other\r\n"]
)
def test_a_connection_that_breaks_is_one_that_broke(provider, name, sent):
    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(sent)
        writer.close()

    serving = provider.runner.run(asyncio.start_server(broken, "127.0.0.1", 0))
    try:
        failure = provider.failure(name, base=f"http://127.0.0.1:{serving.sockets[0].getsockname()[1]}")
    finally:
        serving.close()
    assert isinstance(failure, errors.UnavailableError)
    assert "The connection broke" in str(failure)


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("google", {"candidates": [{"finishReason": "SAFETY", "safetyRatings": [
            {"category": "HARM_CATEGORY_HATE_SPEECH", "probability": "HIGH", "blocked": True}]}], **USED},
         "content_filter:hate_speech"),
        ("google", {"candidates": [{"finishReason": "RECITATION"}], **USED}, "content_filter:recitation"),
        ("azure", {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [
            {"index": 0, "finish_reason": "content_filter", "message": {"role": "assistant", "content": ""},
             "content_filter_results": {"hate": {"filtered": True, "severity": "high"}}}]}, "content_filter:hate"),
        ("anthropic", {"id": "x", "type": "message", "role": "assistant", "model": "m", "content": [],
                       "stop_reason": "refusal", "stop_details": {"type": "refusal", "category": "cyber"},
                       "usage": {"input_tokens": 1, "output_tokens": 1}}, "refusal:cyber"),
    ],
)  # fmt: skip
def test_an_answer_that_a_filter_stopped_is_an_answer_and_its_category_is_kept(provider, name, body, why):
    provider.prepared = response(200, body)
    found, received = provider.call(name)
    assert found.choices[0].finish_reason == "content_filter"
    assert empty_answer_error(found, MODELS[name], body=received.text) is None
    assert filter_category(json.loads(received.text)) == why


EXPECTED = {
    "anthropic_529": ("OverloadedError", "overloaded_error"),
    "anthropic_429": ("RateLimitError", "rate_limit_error"),
    "anthropic_500": ("UnavailableError", "api_error"),
    "anthropic_413": ("ContextTooLongError", "request_too_large"),
    "anthropic_stream_error_after_200": ("OverloadedError", "overloaded_error"),
    "openai_quota_not_retryable": ("QuotaError", "insufficient_quota"),
    "openai_credit_exhausted": ("QuotaError", "credit_balance_exhausted"),
    "openai_context_length": ("ContextTooLongError", "context_length_exceeded"),
    "azure_content_filter_prompt": ("ContentFilterError", "content_filter:hate+self_harm+violence"),
    "azure_content_filter_raw_newline": ("ContentFilterError", "content_filter"),
    "azure_jailbreak": ("ContentFilterError", "content_filter:violence+jailbreak"),
    "gemini_429_retryinfo": ("RateLimitError", "RESOURCE_EXHAUSTED"),
    "gemini_429_daily_quota": ("QuotaError", "RESOURCE_EXHAUSTED"),
    "gemini_prompt_blocked_200": ("ContentFilterError", "content_filter:dangerous_content"),
}


@pytest.mark.parametrize("which", list(EXPECTED))
def test_each_documented_payload_is_read_as_its_provider_means_it(provider, which):
    if not RECORDED.exists():
        pytest.skip("../shared/data/provider_errors is not here; it is used for checking with real payloads only")
    lines = map(json.loads, RECORDED.read_text(encoding="utf-8").splitlines())
    case = next(line for line in lines if line["id"] == which)
    text = case.get("raw") or case.get("sse") or json.dumps(case["body"])
    provider.prepared = web.Response(status=case["status"], text=text, content_type="application/json")
    failure = provider.failure(case["provider"])
    assert (type(failure).__name__, failure.code) == EXPECTED[which]
    assert failure.transient is case["retry"]
    assert failure.retry_after_s == (case.get("retry_after_s") if case["retry"] else None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("content_filter"),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["error", "code", "type", "status", "message", "details", "choices", "candidates", "finishReason", "detail",
             "finish_reason", "promptFeedback", "blockReason", "safetyRatings", "content_filter_result", "hate",
             "filtered", "quotaId", "retryDelay", "stop_reason", "stop_details", "category"]
        ),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_whatever_a_body_holds_it_becomes_an_error_of_ours(body):
    failure = map_error(ValueError("odd"), "openai/some-model", body=json.dumps(body))
    assert isinstance(failure, errors.ModelError)
    assert failure.code is None or isinstance(failure.code, str)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["retry-after", "Retry-After-Ms", "date", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"]
        ),
        st.text(max_size=8) | st.sampled_from(["0", "-1", "nan", "1e999", "1m2s", "Wed, 21 Oct 2026 07:28:30 GMT"]),
    ),
    st.text(max_size=20) | st.just("Try again in 99999999999999999999s"),
)
def test_a_time_to_wait_is_a_number_of_seconds_or_none(headers, message):
    found = retry_after_s(headers, {"retryDelay": message}, message)
    assert found is None or 0 <= found < float("inf")


def test_an_error_of_ours_stays_what_it_is():
    error = errors.QuotaError("empty")
    assert map_error(error, "openai/some-model") is error
