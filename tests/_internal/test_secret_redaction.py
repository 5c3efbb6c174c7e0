"""Known keys are taken out of everything, however they are written; what only looks like one, of messages."""

from __future__ import annotations

import html
import json
import os
import re
import time
from urllib.parse import quote, quote_plus, unquote

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from buttermilk_nb._internal import secret_redaction
from buttermilk_nb._internal.secret_redaction import redact, redact_known, register_secret

PRINTABLE = st.characters(min_codepoint=33, max_codepoint=126)
KEYS = st.text(PRINTABLE, min_size=8, max_size=60).filter(secret_redaction.is_secret)
TEXTS = st.text(max_size=200)
quickly = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def knowing(*keys):
    """Know these keys and no others."""
    secret_redaction._registered.clear()
    for key in keys:
        register_secret(key)


@quickly
@given(key=KEYS, before=TEXTS, between=TEXTS, after=TEXTS)
def test_a_known_key_is_in_no_text_that_was_redacted(key, before, between, after):
    knowing(key)
    text = before + key + between + key + after
    assert key not in redact_known(text)
    assert key not in redact(text)


@quickly
@given(keys=st.lists(KEYS, min_size=2, max_size=4, unique=True), text=TEXTS, data=st.data())
def test_of_several_keys_none_is_left_whatever_closes_up_around_the_marks(keys, text, data):
    knowing(*keys)
    pieces = data.draw(st.lists(st.sampled_from([*keys, *(key[:4] for key in keys), text, "[key]"]), max_size=10))
    said = redact_known("".join(pieces))
    assert [key for key in keys if key in said] == []


def test_a_key_that_only_closes_up_around_a_mark_is_found_too():
    knowing("0123456789", "]and-the-longer-rest")
    assert redact_known("0123456789and-the-longer-rest") == "[key[key]"


@pytest.mark.parametrize(
    "written",
    [
        lambda key: json.dumps({"said": key}),
        lambda key: json.dumps({"said": f"é {key}"}, ensure_ascii=False),
        lambda key: json.dumps({"body": json.dumps({"said": key})}),
        lambda key: json.dumps({"said": key}).replace("/", "\\/"),
        lambda key: repr({"said": key}),
        lambda key: html.escape(f"<b>{key}</b>"),
        lambda key: f"?key={quote(key, safe='')}",
        lambda key: f"/{quote(key)}/",
        lambda key: "?key=" + re.sub("%..", lambda found: found[0].lower(), quote_plus(key)),
        lambda key: quote(key, safe="!'()*"),
        lambda key: quote(quote(key, safe=""), safe=""),
        lambda key: re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(key)),
    ],
    ids=[
        "json",
        "json-unicode",
        "json-in-json",
        "json-slashes",
        "repr",
        "html",
        "query",
        "path",
        "lower-case",
        "javascript",
        "twice",
        "go",
    ],
)
@quickly
@given(key=KEYS)
def test_a_known_key_is_found_as_formats_write_it(written, key):
    knowing(key)
    text = written(key)
    said = redact_known(text)
    assert said != text
    for undone in (said, unquote(said), html.unescape(said), said.replace("\\/", "/")):
        assert key not in undone


@quickly
@given(key=KEYS, text=st.text(st.characters(min_codepoint=160) | st.sampled_from("[] \n\t"), max_size=200))
def test_evidence_without_a_known_key_stays_to_the_letter(key, text):
    knowing(key)
    almost = f"{text}{key[:-1]}\u2003{key[1:]}{text}"
    if key[1:] != key[:-1]:
        assert redact_known(text) == text
        assert redact_known(almost) == almost


def test_evidence_that_only_looks_like_a_key_stays_to_the_letter():
    text = "My code was sk-abcdef1234567890, wrote the poster; AKIAIOSFODNN7EXAMPLE too."
    assert redact_known(text) == text
    assert redact(text) == "My code was [key], wrote the poster; [key] too."


@pytest.mark.parametrize(
    "shape",
    [
        "sk-abcdef123456",
        "sk-ant-api03-AbC_dEf-0123456789AbCdEf",
        "sk-proj-AbC_dEf-0123456789AbCdEf",
        "sk-or-v1-0123456789abcdef0123456789abcdef",
        "sk-abcd********wxyz",
        "pk-lf-01234567-89ab-cdef-0123-456789abcdef",
        "AIzaSyA0123456789abcdefghijklmnopqrstuv",
        "ya29.a0AfH6SMB0123456789-abc",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "github_pat_11ABCDEFG0123456789_abcdef",
        "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
        "gsk_0123456789abcdefghijABCDEFGHIJ",
        "xai-0123456789abcdefghijABCDEFGHIJ",
        "pplx-0123456789abcdefghijABCDEFGHIJ",
        "glpat-0123456789abcdefghij",
        "xoxb-123456789012-abcdefghij",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
        "Bearer 0123456789abcdef",
        "bearer AbCdEf.0123456789",
        "Basic dXNlcjpwYXNzd29yZA==",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEF\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\\nMIIEvQIBADANBgkqh\\n",
    ],
)
def test_the_shapes_of_the_providers_keys_are_taken_out_of_messages(shape):
    assert redact(f"refused: {shape}") == "refused: [key]"
    assert shape not in redact(json.dumps({"error": f"line one\n{shape}"}))
    assert shape not in redact(f"GET /x?q=%22{shape}%22")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("api_key=0123456789abcdef0123456789abcdef&x=1", "api_key=[key]&x=1"),
        ('{"api-key": "0123456789abcdef0123456789abcdef"}', '{"api-key": "[key]"}'),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = [key]"),
        ("GET https://host/v1?key=abcdef0123456789", "GET https://host/v1?key=[key]"),
        ("http://user:letmein@127.0.0.1:8000/v1", "http://[key]@127.0.0.1:8000/v1"),
    ],
)
def test_what_is_labelled_as_a_key_is_taken_out_and_its_label_stays(message, said):
    assert redact(message) == said


@pytest.mark.parametrize(
    "message",
    [
        "`anthropic/claude-sonnet-4-5-20250929` failed: model not found.",
        "there is no `hf-internal-testing/tiny-random-gpt2` or sk-learn-contrib here",
        "xai/grok-code-fast-1-0825, deepseek/deepseek-r1-0528, hf_transfer_enabled",
        "model needs a key: set the environment variable OPENAI_API_KEY and start again.",
        "Basic authentication is required; bearer authentication is not.",
        "requests per minute: 50, tokens: 200000, request id 0199d0f2-5c5f-7d5c-9d2e-1f0a2b3c4d5e",
        "sha256:8934d96d3f08982e95922b2b7a2c626a1fe873d7c3b06e8e56d7bc0a1fef9246",
        "http://127.0.0.1:8000/v1 at 12:30, see ftp://host/file:1@2",
        "the digest 0123456789abcdef0123456789abcdef is not a key that anyone knows",
    ],
)
def test_messages_without_a_key_stay_as_they_are(message):
    assert redact(message) == message


def test_a_key_that_has_no_shape_is_taken_out_once_it_is_known():
    azure, longer = "0123456789abcdef0123456789abcdef", "Ab0" * 28
    said = f"refused {azure} and {longer}"
    assert redact(said) == said
    register_secret(azure)
    register_secret(longer)
    assert redact(said) == "refused [key] and [key]"


def test_secrets_of_the_environment_are_known_by_their_names(monkeypatch):
    monkeypatch.setenv("SOME_PASSWORD", "open-sesame-42")
    monkeypatch.setenv("OPENAI_API_KEY_FOR_TEACHING", "the-teaching-one")
    monkeypatch.setenv("QUOTED_TOKEN", ' "in-quotes-42" ')
    monkeypatch.setenv("FAVOURITE_COLOUR", "turquoise-blue")
    secret_redaction._read_at = float("-inf")
    assert (
        redact_known("open-sesame-42 the-teaching-one in-quotes-42 turquoise-blue")
        == "[key] [key] [key] turquoise-blue"
    )


def test_a_key_set_while_the_notebook_runs_is_known_within_a_second(monkeypatch):
    redact_known("read the environment now")
    monkeypatch.setenv("LATE_API_KEY", "set-a-moment-ago")
    monkeypatch.setattr(secret_redaction, "_read_at", secret_redaction._read_at - 1.01)  # a second later
    assert redact_known("set-a-moment-ago") == "[key]"


@pytest.mark.parametrize("value", ["", "short", "not-needed", "lm-studio", "EMPTY"])
def test_what_protects_nothing_is_left_in_texts(value, monkeypatch):
    register_secret(value)
    monkeypatch.setenv("STAND_IN_API_KEY", value)
    secret_redaction._read_at = float("-inf")
    assert redact_known(f"It is not needed: {value}.") == f"It is not needed: {value}."


def test_an_environment_with_bytes_that_are_no_text_does_no_harm(monkeypatch):
    monkeypatch.setitem(os.environ, "ODD_TOKEN", os.fsdecode(b"odd-\xff-bytes"))
    secret_redaction._read_at = float("-inf")
    assert redact_known(os.fsdecode(b"said odd-\xff-bytes")) == "said [key]"


def test_an_answer_without_a_key_is_searched_with_the_patterns_of_the_answers_before(monkeypatch):
    for number in range(20):
        register_secret(f"one-of-twenty-keys-{number:02d}/with+signs")
    text = "An answer of a usual length that contains no key. " * 40
    assert redact_known(text) is text
    monkeypatch.setattr(secret_redaction, "_FRESH_S", float("inf"))
    for name in ("_in_environment", "_form"):
        monkeypatch.setattr(secret_redaction, name, lambda *args: pytest.fail("the keys were read again"))
    for pattern in ("before", "pattern"):
        monkeypatch.setattr(secret_redaction._EncodedKey, pattern, "no text without its letters is searched for a key")
    for _ in range(1000):
        assert redact_known(text) is text


@pytest.mark.parametrize(
    "hostile",
    ["sk-" * 100_000, "eyJabcdefgh-" * 30_000, "-----BEGIN PRIVATE KEY-----" * 10_000, "api_key=" * 40_000,
     "://a:" * 60_000, "Bearer " * 40_000, "AIza" * 70_000, "hf_" * 100_000],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_a_hostile_error_page_does_not_hold_up_the_run(hostile):
    started = time.perf_counter()
    redact(hostile)
    assert time.perf_counter() - started < 5
