"""`LitellmModel`: any model that litellm supports, remote or local.

Keys are checked before anything is sent, because litellm reports a missing key as a server error.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

from ..._internal.addresses import host_of, is_this_machine
from ..._internal.event_loop import process_text
from ...codebook.criteria import Criteria
from ...config.api_keys import Keys
from ...config.key_sources import Key
from ...config.model_settings import LOCAL_FAMILIES, SELF_HOSTED_FAMILIES, ModelSettings
from ...errors import AuthenticationError, ModelError, SetupError, nearest
from ..calls.consent import check_server_location
from ..completion import Completion
from ..model import Model, Request
from ..offline_input import OfflineInput
from .endpoints import bypass_proxies, is_listening, local_only_client
from .listed_price import listed_price
from .litellm_response import has_tokens, listed_cost, read_rejected_answer, read_response
from .load_litellm import SERVER_LOOKUP_FAMILIES, load_litellm, warm_up
from .local_model_facts import DEFAULT_BASES, identify_local_model
from .map_errors import empty_answer_error, failed_answer_error, map_error
from .prompt_cut import check_prompt_was_read
from .response_errors import RawResponse

_ADDRESS_PARAMS = frozenset(
    {"api_key", "api_base", "base_url", "api_version", "extra_headers", "organization", "vertex_credentials"}
)
"""Address and key of a call: they are never part of a stored request."""
_SAMPLING_PARAMS = frozenset(
    {
        "frequency_penalty", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "presence_penalty",
        "prompt_cache_key", "response_format", "safety_identifier", "seed", "service_tier", "stop", "temperature",
        "top_logprobs", "top_p", "user", "verbosity",
    }
)  # fmt: skip
"""The parameters of OpenAI's API that may be sent, where the model supports them.

All others are dropped: some send texts on (`tools`, `web_search_options`), some pay for answers that are not read
(`n`), and some repeat a call without a record (`max_retries`).
"""
_PROVIDER_PARAMS = frozenset(
    {
        "extra_body", "keep_alive", "min_p", "mirostat", "num_ctx", "reasoning_effort", "repeat_penalty",
        "repetition_penalty", "safety_settings", "thinking", "top_k", "typical_p",
    }
)  # fmt: skip
"""Parameters that other APIs than OpenAI's have; litellm passes them on."""
_NOT_IN_EXTRA_BODY = frozenset(
    {
        "best_of", "functions", "input", "max_completion_tokens", "max_tokens", "messages", "model", "models", "n",
        "plugins", "prompt", "response_format", "store", "stream", "tool_choice", "tools", "web_search_options",
    }
)  # fmt: skip
"""Fields of a request that would replace the question, the model or the limits of a call."""
_FAMILIES_WITH_TOKENIZER = frozenset({"azure", "openai", "text-completion-openai"})
"""Families whose tokenizers litellm includes."""


class LitellmModel(Model):
    """A remote or local model behind litellm.

    Parameters
    ----------
    name
        The name that litellm uses (`anthropic/...`, `openai/...`, `hosted_vllm/...`, `ollama_chat/...`), or a name of
        your own; `settings.model` then holds litellm's name.
    settings
        The project's settings for this model.
    keys
        Looks up the API key; by default in the working folder and the environment.
    """

    description = "called through litellm"
    call_type: ClassVar[Literal["chat", "embedding"]] = "chat"

    def __init__(self, name: str, settings: ModelSettings | None = None, keys: Keys | None = None) -> None:
        super().__init__(name, settings)
        self._keys = keys or Keys(Path.cwd(), None)
        self._key: Key | None = None
        self._key_checked = False
        self.fingerprint: str | None = None
        """Identifies the weights that a local server runs; None if they are not known."""

    def preload(self) -> None:
        threading.Thread(target=load_litellm, name="buttermilk_nb-litellm", daemon=True).start()

    @property
    def remote(self) -> bool:  # type: ignore[override]  # depends on the address
        if self.provider not in LOCAL_FAMILIES:
            return True
        if self.settings.local is not None:
            return not self.settings.local
        return not (self.base and is_this_machine(self.base))

    @property
    def base(self) -> str | None:
        """The address of the server; None for the provider's own."""
        prefix = self.provider.upper()
        variables = [os.environ.get(f"{name}_API_BASE") for name in (prefix, prefix.removesuffix("_CHAT"))]
        return self.settings.api_base or next(filter(None, variables), None) or DEFAULT_BASES.get(self.provider)

    @property
    def is_local_server(self) -> bool:
        return bool(self.base) and not self.remote

    @property
    def recipient(self) -> str:
        base = None if self.provider in SELF_HOSTED_FAMILIES else self.base
        return (host_of(base) if base else "") or self.provider  # consent for a provider does not cover a gateway

    @cached_property
    def takes_schema(self) -> bool:  # type: ignore[override]  # litellm is asked once
        if self.settings.json_schema is not None:
            return self.settings.json_schema
        if self.provider in SERVER_LOOKUP_FAMILIES:
            return False
        return bool(load_litellm().supports_response_schema(self.full_name))

    def design_parts(self, criteria: Criteria | None) -> dict[str, str]:  # noqa: ARG002  # remote models read no cues
        return self.key_parts(None)

    def key_parts(self, offline_input: OfflineInput | None) -> dict[str, str]:  # noqa: ARG002  # as above
        server = self.settings.served_as or self.settings.api_base
        return {"server": server} if server else {}

    def validate(self, criteria: Criteria | None) -> list[str]:  # noqa: ARG002  # as above
        litellm = load_litellm()
        try:
            litellm.get_llm_provider(self.full_name)
        except litellm.exceptions.BadRequestError:
            providers = [str(getattr(p, "value", p)) for p in litellm.provider_list]
            family = self.provider
            return [
                f"there is no model family `{family}` (of `{self.full_name}`); "
                f"{nearest(family, ['offline', *providers])}"
            ]
        return []

    def unavailable_reasons(self, wait_s: float) -> list[str]:
        bypass_proxies()
        try:
            self._key, self._key_checked = self.key(), True
        except SetupError as error:
            return list(error.problems)
        if self.is_local_server and self.base and not is_listening(self.base, wait_s):
            return [
                f"nothing listens at {self.base}, the address of `{self.name}`: start its server, or correct "
                "`api_base` in buttermilk.yaml."
            ]
        return []

    def key(self) -> Key | None:
        """The key for calls; None if litellm finds the credentials itself, or if no key is needed.

        Raises
        ------
        SetupError
            The provider requires a key, and there is none.
        """
        if self.settings.key:
            return self._keys.find([], self.provider, self.settings.key)
        missing = load_litellm().validate_environment(self.full_name).get("missing_keys") or []
        variables = [name for name in missing if name.endswith(("KEY", "TOKEN", "SECRET"))]
        key = self._keys.find(variables, self.provider)
        if key is None and variables and not self.is_local_server and not self.settings.api_base:
            raise SetupError(self._keys.missing_key_message(variables, self.provider, self.name))
        return key

    def split_params(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        misplaced = sorted(_ADDRESS_PARAMS & set(params))
        if misplaced:
            raise SetupError(
                f"`{misplaced[0]}` does not belong in params, which are stored; write `api_base:` or `key:` under "
                f"`models: {self.name}:` in buttermilk.yaml, or set {self.provider.upper()}_API_BASE or "
                f"{self.provider.upper()}_API_KEY in the environment."
            )
        extra_body = params.get("extra_body")
        replaced = sorted(_NOT_IN_EXTRA_BODY.intersection(extra_body if isinstance(extra_body, Mapping) else ()))
        if replaced:
            raise SetupError(
                f"`extra_body` of `{self.name}` may not have the field `{replaced[0]}`, which belongs to the request "
                "itself; remove it, or write it as a parameter of its own if it is one."
            )
        litellm = load_litellm()
        supported = _SAMPLING_PARAMS.intersection(litellm.get_supported_openai_params(self.full_name) or ())
        sent = {
            key: value
            for key, value in params.items()
            if key in _PROVIDER_PARAMS or (key in supported and self._accepts(key, value))
        }
        return sent, {key: value for key, value in params.items() if key not in sent}

    def _accepts(self, key: str, value: Any) -> bool:
        """Whether the model accepts this value; some accept a parameter (temperature) only at its default."""
        litellm = load_litellm()
        try:
            model, provider, _, _ = litellm.get_llm_provider(self.full_name)
            litellm.utils.get_optional_params(model=model, custom_llm_provider=provider, **{key: value})
        except litellm.exceptions.UnsupportedParamsError:
            return False
        except Exception:  # noqa: BLE001  # if the value is wrong in another way, the provider reports it
            return True
        return True

    def price(self) -> tuple[float, float] | None:
        if self.settings.prices is None:
            return self._listed_price
        price = self.settings.prices.per_token
        return price if any(price) or not self.remote else None  # a remote model that costs nothing is not believed

    @cached_property
    def _listed_price(self) -> tuple[float, float] | None:
        return None if self.provider in SERVER_LOOKUP_FAMILIES else listed_price(self.full_name)

    @property
    def own_tokenizer(self) -> bool:
        return self.provider in _FAMILIES_WITH_TOKENIZER

    def count_tokens(self, text: str) -> int:
        if not self.own_tokenizer:
            return super().count_tokens(text)
        return int(load_litellm().token_counter(model=self.full_name, text=text))

    async def identify(self, timeout_s: float) -> dict[str, Any]:
        await asyncio.to_thread(warm_up, self.full_name)
        info = self.info()
        if not self.remote:
            arguments = (self.provider, self.full_name, self.base, self.settings.file, timeout_s)
            # in a thread, because its imports would block the event loop
            facts = await asyncio.to_thread(lambda: asyncio.run(identify_local_model(*arguments)))
            self.fingerprint = facts.fingerprint
            check_server_location(self, facts.elsewhere)
            info["verified"] = facts.model_dump(exclude_none=True)
        return info

    async def complete(self, request: Request) -> Completion:
        litellm = load_litellm()
        started, received = time.perf_counter(), RawResponse()
        try:
            with self._local_client(request) as client:
                response = await litellm.acompletion(
                    model=self.full_name,
                    messages=[message.as_dict() for message in request.messages],
                    logger_fn=received,
                    **await self._address_and_key(request),
                    **client,
                    **{
                        **({} if request.schema is None else {"response_format": _response_format(request.schema)}),
                        **request.params.sent,
                        "max_retries": 0,
                        "num_retries": 0,
                    },
                )
            latency_s = time.perf_counter() - started
            completion = await process_text(received.length, self._read_response, response, latency_s, received.text)
        except ModelError:
            raise
        except Exception as error:  # noqa: BLE001  # litellm may raise anything if a response is malformed
            response, latency_s = None, time.perf_counter() - started
            answer = await process_text(received.length, read_rejected_answer, error, latency_s, received.text)
            if answer is None:
                raise map_error(error, self.name, provider=self.provider, body=received.text) from None
            completion = answer
        await check_prompt_was_read(self.name, request.messages, completion.tokens_in)
        fingerprint = completion.fingerprint or self.fingerprint
        return completion.model_copy(update={"cost_usd": self._cost(completion, response), "fingerprint": fingerprint})

    def _read_response(self, response: Any, latency_s: float, body: str | None) -> Completion:
        if error := empty_answer_error(response, self.name, provider=self.provider, body=body):
            raise error
        if (completion := read_response(response, latency_s, body)).finish_reason == "error":
            raise failed_answer_error(self.name, provider=self.provider, body=body)
        return completion

    def _local_client(self, request: Request) -> AbstractContextManager[dict[str, Any]]:
        """Arguments that restrict a local model's call to this machine, or to the server marked `local: true`."""
        if request.remote or not self.base:
            return nullcontext({})
        return local_only_client(self.name, self.provider, self.base if self.settings.local else None, self.call_type)

    async def _address_and_key(self, request: Request) -> dict[str, Any]:
        """Address and key of a call. A local model is asked at the address that made it count as local."""
        if not self._key_checked:  # a call without a planned run; in a thread, because a keyring may be slow
            bypass_proxies()
            try:
                self._key, self._key_checked = await asyncio.to_thread(self.key), True
            except SetupError as error:
                raise AuthenticationError(str(error)) from None
        key = self._key
        base = self.base if self.settings.api_base or not request.remote else None
        arguments: dict[str, Any] = {"api_base": base} if base else {}
        if key is not None:
            arguments["api_key"] = key.value
        elif base or self.base:
            arguments["api_key"] = "none"  # clients require a key, self-hosted servers do not
        return arguments

    def _cost(self, completion: Completion, response: Any) -> float | None:
        if (price := self.price()) is None or completion.tokens_in is None or completion.tokens_out is None:
            return None
        if self.settings.prices is None and has_tokens(response, completion):
            return listed_cost(response)
        return completion.tokens_in * price[0] + completion.tokens_out * price[1]


def _response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": dict(schema), "strict": True}}
