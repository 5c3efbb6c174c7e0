"""`WireAnswer`: what a provider's own response says of an answer: how it ended, its tokens, its text.

litellm sums up a response, and drops or invents some of it: an answer that a gateway ended with an error becomes
`stop`, missing counts of tokens become its own, reasoning that a provider counts apart is lost. So the response as
received decides. It is read in the five forms that providers document (OpenAI's, Anthropic's, Google's, Ollama's and
Cohere's). A field that is missing or of another type is unknown.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Ending = Literal["finished", "cut off", "filtered", "refused", "tool call", "failed", "unknown"]

ENDINGS: dict[str, Ending] = {
    **dict.fromkeys(
        ("stop", "end_turn", "stop_sequence", "eos", "eos_token", "complete", "completed", "end", "finish_reason_stop"),
        "finished",
    ),
    **dict.fromkeys(
        ("length", "max_tokens", "max_output_tokens", "model_length", "token_limit", "max_length",
         "model_context_window_exceeded", "pause_turn", "contextlengthreached", "unfinished"),
        "cut off",
    ),
    **dict.fromkeys(
        ("content_filter", "content_filtered", "safety", "recitation", "blocklist", "prohibited_content", "spii",
         "model_armor", "image_safety", "guardrail_intervened", "sensitive", "moderation", "error_toxic", "flagged"),
        "filtered",
    ),
    "refusal": "refused",
    **dict.fromkeys(("tool_calls", "tool_use", "function_call", "tool_call"), "tool call"),
    **dict.fromkeys(
        ("error", "abort", "aborted", "cancelled", "canceled", "insufficient_system_resource", "network_error",
         "overloaded", "timeout", "user_cancel", "malformed_function_call", "unexpected_tool_call", "error_limit",
         "malformed_model_output", "malformed_response", "other"),
        "failed",
    ),
}  # fmt: skip
"""The documented words for the end of an answer, in lower case. Another word is `unknown`, and is stored as it came.

Sources: the API references of OpenAI, Azure, Anthropic, Google, Mistral, Cohere, DeepSeek, Zhipu, OpenRouter, Ollama,
vLLM and llama.cpp.
"""
_PLAIN_WORDS: dict[Ending, str] = {
    "finished": "stop", "cut off": "length", "filtered": "content_filter", "refused": "refusal",
    "tool call": "tool_calls", "failed": "error",
}  # fmt: skip
_MOST_TOKENS = 1e9


class WireAnswer(NamedTuple):
    """What a response says.

    Parameters
    ----------
    text
        The answer's text, its parts joined; the arguments of a single tool call if there is no text; None if the
        response has neither.
    reason
        The provider's word for how the answer ended; None if it gives none.
    refusal
        The provider's own text of a refusal.
    n_reasoning
        Characters of reasoning outside the answer.
    tokens_in, tokens_out
        Tokens read and written, reasoning included; None if they are not known.
    """

    text: str | None = None
    reason: str | None = None
    refusal: str | None = None
    n_reasoning: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None

    @property
    def ending(self) -> Ending:
        """How the answer ended.

        Examples
        --------
        >>> WireAnswer(reason="MAX_TOKENS").ending, WireAnswer(reason="moonlight").ending
        ('cut off', 'unknown')
        """
        return _ending(self.reason)

    @property
    def finish_reason(self) -> str | None:
        """The end of the answer in the words of OpenAI's API; an unknown word as it came."""
        return _PLAIN_WORDS.get(self.ending, self.reason)


def _ending(reason: str | None) -> Ending:
    word = (reason or "").lower()
    return ENDINGS.get(word) or ENDINGS.get(word.removeprefix("finish_reason_"), "unknown")


def read_wire_answer(data: Any) -> WireAnswer | None:
    """Read a parsed body; None if it has none of the documented forms.

    Examples
    --------
    >>> body = {"choices": [{"finish_reason": "length", "message": {"content": [{"type": "text", "text": "Half"}]}}]}
    >>> answer = read_wire_answer(body)
    >>> answer.text, answer.ending, answer.tokens_in
    ('Half', 'cut off', None)
    """
    if not isinstance(data, Mapping):
        return None
    if isinstance(data.get("choices"), list):
        return _openai(data)
    if isinstance(data.get("candidates"), list):
        return _google(data)
    if data.get("type") == "message" and isinstance(data.get("content"), list):
        return _anthropic(data)
    if "finish_reason" in data and isinstance(data.get("message"), Mapping):
        return _cohere(data)
    if "done_reason" in data or ("done" in data and isinstance(data.get("message"), Mapping)):
        return _ollama(data)
    return None


def _openai(data: Mapping[str, Any]) -> WireAnswer:
    choice = _mapping(_first(data["choices"]))
    message = _mapping(choice.get("message"))
    text, n_thoughts = _joined_parts(message.get("content"))
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    usage = _mapping(data.get("usage"))
    tokens_in = _with_cached(_count(usage, "prompt_tokens", "input_tokens"), usage)
    written = _count(usage, "completion_tokens", "output_tokens")
    total = _count(usage, "total_tokens")
    if total is not None and tokens_in is not None and total - tokens_in > (written or 0):
        written = total - tokens_in  # reasoning that is counted apart
    return WireAnswer(
        text=text or _tool_arguments(message) or text,
        reason=_worse(_word(choice.get("finish_reason")), _word(choice.get("native_finish_reason"))),
        refusal=_word(message.get("refusal")),
        n_reasoning=n_thoughts + (len(reasoning) if isinstance(reasoning, str) else 0),
        tokens_in=tokens_in,
        tokens_out=_written(written, text, tokens_in),
    )


def _anthropic(data: Mapping[str, Any]) -> WireAnswer:
    text, n_thoughts = _joined_parts(data["content"])
    usage = _mapping(data.get("usage"))
    parts = [_count(usage, f"{kind}input_tokens") for kind in ("", "cache_creation_", "cache_read_")]
    tokens_in = sum(part or 0 for part in parts) or None
    return WireAnswer(
        text=text,
        reason=_word(data.get("stop_reason")),
        n_reasoning=n_thoughts,
        tokens_in=tokens_in,
        tokens_out=_written(_count(usage, "output_tokens"), text, tokens_in),
    )


def _google(data: Mapping[str, Any]) -> WireAnswer:
    candidate = _mapping(_first(data["candidates"]))
    parts = _mapping(candidate.get("content")).get("parts")
    plain = [_mapping(part) for part in parts] if isinstance(parts, list) else []
    texts = [str(part.get("text") or "") for part in plain if not part.get("thought")]
    usage = _mapping(data.get("usageMetadata"))
    tokens_in = _count(usage, "promptTokenCount") or None
    written = [_count(usage, kind) for kind in ("candidatesTokenCount", "thoughtsTokenCount")]
    n_written = None if written == [None, None] else sum(count or 0 for count in written)
    text = "".join(texts) if plain else None
    return WireAnswer(
        text=text,
        reason=_word(candidate.get("finishReason")),
        n_reasoning=sum(len(str(part.get("text") or "")) for part in plain if part.get("thought")),
        tokens_in=tokens_in,
        tokens_out=_written(n_written, text, tokens_in),
    )


def _ollama(data: Mapping[str, Any]) -> WireAnswer:
    message = _mapping(data.get("message"))
    text, n_thoughts = _joined_parts(message.get("content") if message else data.get("response"))
    thinking = message.get("thinking") or data.get("thinking")
    tokens_in = _count(data, "prompt_eval_count") or None
    return WireAnswer(
        text=text,
        reason=_word(data.get("done_reason")) or ("unfinished" if data.get("done") is False else None),
        n_reasoning=n_thoughts + (len(thinking) if isinstance(thinking, str) else 0),
        tokens_in=tokens_in,
        tokens_out=_written(_count(data, "eval_count"), text, tokens_in),
    )


def _cohere(data: Mapping[str, Any]) -> WireAnswer:
    message = _mapping(data.get("message"))
    text, n_thoughts = _joined_parts(message.get("content"))
    usage = _mapping(data.get("usage"))
    tokens = _mapping(usage.get("tokens")) or _mapping(usage.get("billed_units"))
    tokens_in = _count(tokens, "input_tokens") or None
    return WireAnswer(
        text=text,
        reason=_word(data.get("finish_reason")),
        n_reasoning=n_thoughts,
        tokens_in=tokens_in,
        tokens_out=_written(_count(tokens, "output_tokens"), text, tokens_in),
    )


def _worse(reason: str | None, native: str | None) -> str | None:
    """The word of a gateway, or that of the provider behind it if that one says that the answer is not whole."""
    is_bad = _ending(native) in ("cut off", "filtered", "refused", "failed")
    return native if native and (not reason or (is_bad and _ending(reason) == "finished")) else reason


def _with_cached(tokens_in: int | None, usage: Mapping[str, Any]) -> int | None:
    """The tokens of a prompt; those from the provider's cache are added where they are counted apart."""
    cached = _count(usage, "cache_read_input_tokens") or _count(
        _mapping(usage.get("prompt_tokens_details")), "cached_tokens"
    )
    if tokens_in is not None and cached is not None and cached > tokens_in:
        return tokens_in + cached
    return tokens_in or None


def _joined_parts(content: Any) -> tuple[str | None, int]:
    """The text of a content that may be a list of parts, and the characters of the parts that are reasoning."""
    if isinstance(content, str):
        return content, 0
    if isinstance(content, Mapping):  # some servers send structured output as an object
        return json.dumps(content, ensure_ascii=False), 0
    if not isinstance(content, list):
        return None, 0
    texts, n_thoughts = [], 0
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, Mapping):
            if part.get("type") in ("text", "output_text", None) and isinstance(part.get("text"), str):
                texts.append(part["text"])
            else:
                thought = part.get("thinking") or part.get("reasoning") or part.get("text") or ""
                n_thoughts += len(thought) if isinstance(thought, str) else len(json.dumps(thought, default=str))
    return ("".join(texts) if texts or content else None), n_thoughts


def _tool_arguments(message: Mapping[str, Any]) -> str | None:
    """The arguments of a single tool call: some servers send a structured answer so."""
    calls = message.get("tool_calls")
    call = _mapping(calls[0]) if isinstance(calls, list) and len(calls) == 1 else {}
    arguments = _mapping(call.get("function") or message.get("function_call")).get("arguments")
    if isinstance(arguments, Mapping):
        return json.dumps(arguments, ensure_ascii=False)
    return arguments if isinstance(arguments, str) and arguments.strip().startswith("{") else None


def _written(count: int | None, text: str | None, tokens_in: int | None) -> int | None:
    """The number of tokens written; a text of no tokens does not exist, and neither does a count without a prompt."""
    return None if not count and (text or tokens_in is None) else count


def _count(usage: Mapping[str, Any], *names: str) -> int | None:
    """The first of these counts that can be true; None if there is none.

    Examples
    --------
    >>> _count({"prompt_tokens": -1, "input_tokens": 12}, "prompt_tokens", "input_tokens")
    12
    """
    for name in names:
        count = usage.get(name)
        if isinstance(count, int | float) and not isinstance(count, bool) and 0 <= count < _MOST_TOKENS:
            return math.ceil(count)
    return None


def _first(items: Any) -> Any:
    return items[0] if items else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
