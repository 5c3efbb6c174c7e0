"""Models behind litellm: whatever it can name, asked through one function.

litellm takes 1.7 s to import, so it is imported on first use, with the switches that keep it quiet and
offline set before. Keys are checked before anything is sent, because litellm reports a missing one as a server error.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from ..._internal.event_loop import process_text
from ...codebook.criteria import Criteria
from ...config.api_keys import Keys
from ...config.key_sources import Key
from ...config.model_settings import ModelSettings
from ...errors import AuthenticationError, ModelError, SetupError, nearest
from ..calls.consent import check_server_location
from ..completion import Completion
from ..model import Model, Request
from ..offline_input import OfflineInput
from .endpoints import bypass_proxies, close_transports, host_of, is_listening, is_this_machine, local_only_client
from .litellm_response import read_response
from .local_model_facts import USUAL_BASE, facts as verified
from .map_errors import empty_answer, mapped
from .response_errors import RawResponse

_lock = threading.Lock()
_log = logging.getLogger(__name__)
_loaded: Any = None
_NOT_SAMPLING = frozenset(
    {"api_key", "api_base", "base_url", "api_version", "extra_headers", "organization", "vertex_credentials"}
)
"""Whom to ask and with which key: never part of a stored request."""
_OURS = frozenset({"max_retries", "num_retries"})
"""How often a call is sent again is `retries` in buttermilk.yaml, so that each attempt is on record."""
_PROVIDERS_OWN = frozenset(
    {
        "extra_body", "keep_alive", "min_p", "mirostat", "num_ctx", "reasoning_effort", "repeat_penalty",
        "repetition_penalty", "safety_settings", "thinking", "top_k", "typical_p",
    }
)  # fmt: skip
"""Parameters that OpenAI's API does not have and others do; litellm hands them on."""
_ASKED_ABROAD = frozenset({"ollama", "ollama_chat"})
"""Families of whose models litellm knows nothing without asking their server."""
_ANYWHERE = frozenset(
    {
        "azure", "custom_openai", "docker_model_runner", "hosted_vllm", "litellm_proxy", "llamafile", "lm_studio",
        "ollama", "ollama_chat", "oobabooga", "openai_like", "vllm", "xinference",
    }
)  # fmt: skip
"""Families of servers that stand where whoever runs them has put them; the others have an address of their own."""
_TOKENIZED = frozenset({"azure", "openai", "text-completion-openai"})
"""Families whose own tokenizers litellm brings along."""


def load_litellm() -> Any:
    """litellm, quiet and without a network call of its own."""
    global _loaded
    with _lock:
        if _loaded is None:
            os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            os.environ.setdefault("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "True")  # else it fetches a file
            os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
            # litellm's own types make pydantic warn in the middle of a call, into the reader's notebook
            warnings.filterwarnings("ignore", message="Items? '.*' on TypedDict class", category=UserWarning)
            import litellm

            litellm.suppress_debug_info = True
            litellm.telemetry = False
            litellm.drop_params = False
            litellm.DEFAULT_MAX_RETRIES = 0  # where 0 is asked for, it takes this
            everybodys = litellm.module_level_aclient  # what it asks Ollama for vectors with
            everybodys.follow_redirects = everybodys.client.follow_redirects = False
            _loaded = litellm
        return _loaded


class LitellmModel(Model):
    """A remote or local model behind litellm.

    Parameters
    ----------
    name
        litellm's name for it (`anthropic/...`, `openai/...`, `hosted_vllm/...`, `ollama_chat/...`), or a name of
        your own that `settings.model` explains.
    settings
        What the project says about it.
    keys
        Where its key is found.
    """

    description = "called through litellm"
    makes: ClassVar[Literal["chat", "embedding"]] = "chat"

    def __init__(self, name: str, settings: ModelSettings | None = None, keys: Keys | None = None) -> None:
        super().__init__(name, settings)
        self._keys = keys or Keys(Path.cwd(), None)
        self._key: Key | None = None
        self._looked = False
        self.fingerprint: str | None = None
        """What is known of the weights that a local server runs."""

    def preload(self) -> None:
        threading.Thread(target=load_litellm, name="buttermilk_nb-litellm", daemon=True).start()

    @property
    def remote(self) -> bool:  # type: ignore[override]  # known only once the address is
        if self.settings.local is not None:
            return not self.settings.local
        return not (self.base and is_this_machine(self.base))

    @property
    def base(self) -> str | None:
        """The address that is asked, where it is not the provider's own."""
        own = self.provider.upper()
        told = [os.environ.get(f"{name}_API_BASE") for name in (own, own.removesuffix("_CHAT"))]
        return self.settings.api_base or next(filter(None, told), None) or USUAL_BASE.get(self.provider)

    @property
    def is_local_server(self) -> bool:
        return bool(self.base) and not self.remote

    @property
    def recipient(self) -> str:
        base = None if self.provider in _ANYWHERE else self.base
        return (host_of(base) if base else "") or self.provider  # leave given to a provider is not a gateway's

    @cached_property
    def takes_schema(self) -> bool:  # type: ignore[override]  # asked of litellm once
        if self.settings.json_schema is not None:
            return self.settings.json_schema
        if self.provider in _ASKED_ABROAD:
            return False
        return bool(load_litellm().supports_response_schema(self.full_name))

    def design_parts(self, criteria: Criteria | None) -> dict[str, str]:  # noqa: ARG002  # remote models read no cues
        return self.key_parts(None)

    def key_parts(self, aside: OfflineInput | None) -> dict[str, str]:  # noqa: ARG002  # as above
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
            self._key, self._looked = self.key(), True
        except SetupError as error:
            return list(error.problems)
        if self.is_local_server and self.base and not is_listening(self.base, wait_s):
            return [
                f"nothing listens at {self.base}, where `{self.name}` should be: start its server, or mend `api_base` "
                "in buttermilk.yaml."
            ]
        return []

    def key(self) -> Key | None:
        """The key that calls are made with; None where litellm finds what it needs, or none is needed.

        Raises
        ------
        SetupError
            There is none, and the provider wants one.
        """
        if self.settings.key:
            return self._keys.find([], self.provider, self.settings.key)
        missing = load_litellm().validate_environment(self.full_name).get("missing_keys") or []
        wanted = [name for name in missing if name.endswith(("KEY", "TOKEN", "SECRET"))]
        found = self._keys.find(wanted, self.provider)
        if found is None and wanted and not self.is_local_server and not self.settings.api_base:
            raise SetupError(self._keys.missing_key_message(wanted, self.provider, self.name))
        return found

    def split_params(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        misplaced = sorted(_NOT_SAMPLING & set(params))
        if misplaced:
            raise SetupError(
                f"`{misplaced[0]}` does not belong in params, which are stored; write `api_base:` or `key:` under "
                f"`models: {self.name}:` in buttermilk.yaml, or set {self.provider.upper()}_API_BASE or "
                f"{self.provider.upper()}_API_KEY in the environment."
            )
        litellm = load_litellm()
        supported = set(litellm.get_supported_openai_params(self.full_name) or ())
        sent = {
            key: value
            for key, value in params.items()
            if key in _PROVIDERS_OWN or (key in supported - _OURS and self._takes(key, value))
        }
        return sent, {key: value for key, value in params.items() if key not in sent}

    def _takes(self, key: str, value: Any) -> bool:
        """Whether the model takes this value; some take a parameter at its default only (temperature)."""
        litellm = load_litellm()
        try:
            model, provider, _, _ = litellm.get_llm_provider(self.full_name)
            litellm.utils.get_optional_params(model=model, custom_llm_provider=provider, **{key: value})
        except litellm.exceptions.UnsupportedParamsError:
            return False
        except Exception:  # noqa: BLE001  # whatever else is wrong with it, the provider will say
            return True
        return True

    def price(self) -> tuple[float, float] | None:
        return self.settings.prices.per_token if self.settings.prices else self._listed_price

    @cached_property
    def _listed_price(self) -> tuple[float, float] | None:
        if self.provider in _ASKED_ABROAD:
            return None
        try:
            entry = load_litellm().get_model_info(self.full_name)
        except Exception:  # noqa: BLE001  # litellm's way to say that it knows no price
            return None
        reads, writes = entry.get("input_cost_per_token"), entry.get("output_cost_per_token")
        return None if reads is None or writes is None else (float(reads), float(writes))

    @property
    def own_tokenizer(self) -> bool:
        return self.provider in _TOKENIZED

    def count_tokens(self, text: str) -> int:
        if not self.own_tokenizer:
            return super().count_tokens(text)
        return int(load_litellm().token_counter(model=self.full_name, text=text))

    async def identify(self, timeout_s: float) -> dict[str, Any]:
        await asyncio.to_thread(_rehearsed, self.full_name)
        facts = self.info()
        if not self.remote:
            asked = (self.provider, self.full_name, self.base, self.settings.file, timeout_s)
            found = await asyncio.to_thread(lambda: asyncio.run(verified(*asked)))  # its imports would block the loop
            self.fingerprint = found.fingerprint
            check_server_location(self, found.elsewhere)
            facts["verified"] = found.model_dump(exclude_none=True)
        return facts

    async def complete(self, request: Request) -> Completion:
        litellm = load_litellm()
        started, received = time.perf_counter(), RawResponse()
        try:
            with self._kept(request) as door:
                response = await litellm.acompletion(
                    model=self.full_name,
                    messages=[message.as_dict() for message in request.messages],
                    logger_fn=received,
                    **await self._address(request),
                    **door,
                    **{
                        **({} if request.schema is None else {"response_format": _told(request.schema)}),
                        **request.params.sent,
                        "max_retries": 0,
                        "num_retries": 0,
                    },
                )
            latency_s = time.perf_counter() - started
            length = len(received.text or "")
            completion = await process_text(length, self._read, response, latency_s, received.text)
        except ModelError:
            raise
        except Exception as error:  # noqa: BLE001  # on a malformed response litellm may raise anything
            raise mapped(error, self.name, provider=self.provider, body=received.text) from None
        fingerprint = completion.fingerprint or self.fingerprint
        return completion.model_copy(update={"cost_usd": self._cost(completion, response), "fingerprint": fingerprint})

    def _read(self, response: Any, latency_s: float, body: str | None) -> Completion:
        if error := empty_answer(response, self.name, provider=self.provider, body=body):
            raise error
        return read_response(response, latency_s, body)

    def _kept(self, request: Request) -> AbstractContextManager[dict[str, Any]]:
        """What keeps a call to a local model on this machine, or on the server that was called one's own."""
        if request.remote or not self.base:
            return nullcontext({})
        return local_only_client(self.name, self.provider, self.base if self.settings.local else None, self.makes)

    async def _address(self, request: Request) -> dict[str, Any]:
        """Whom to ask, and with which key; what was found to be local is asked where it was found."""
        if not self._looked:  # whoever asks without a plan has not looked; a keyring may take its time
            bypass_proxies()
            try:
                self._key, self._looked = await asyncio.to_thread(self.key), True
            except SetupError as error:
                raise AuthenticationError(str(error)) from None
        key = self._key
        at = self.base if self.settings.api_base or not request.remote else None
        address: dict[str, Any] = {"api_base": at} if at else {}
        if key is not None:
            address["api_key"] = key.value
        elif at or self.base:
            address["api_key"] = "none"  # clients insist on one, servers of one's own want none
        return address

    def _cost(self, completion: Completion, response: Any) -> float | None:
        if self.price() is None:
            return None
        if self.settings.prices is None:
            hidden = getattr(response, "_hidden_params", None) or {}
            return hidden.get("response_cost")  # litellm worked it out already, cached tokens and all
        reads, writes = self.settings.prices.per_token
        if completion.tokens_in is None or completion.tokens_out is None:
            return None
        return completion.tokens_in * reads + completion.tokens_out * writes


@lru_cache(maxsize=64)
def _rehearsed(target: str) -> None:
    """Let litellm import what a call needs, which takes long enough to hold up a loop. Nothing is sent."""
    if target.partition("/")[0] in _ASKED_ABROAD:  # of whose models it would ask their server
        return
    try:
        load_litellm().completion(
            model=target, messages=[{"role": "user", "content": "x"}], mock_response="x", api_key="none"
        )
    except Exception as error:  # noqa: BLE001  # only a rehearsal: what is wrong will show in the call itself
        _log.debug("the rehearsal of %s failed: %r", target, error)


async def close_clients() -> None:
    """Close the pooled connections of this loop."""
    await close_transports()
    if _loaded is not None:
        await _loaded.close_litellm_async_clients()


def _told(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": dict(schema), "strict": True}}
