"""`Model`, the base of all models, and `Request`, one question to one model.

The cache key of a request is made of everything that can change the answer, and of nothing else. The body (model,
messages, parameters, schema) is one canonical text: the same text is hashed and stored as *the request as sent*.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from .._internal.ids import canonical, digest
from .._internal.text import estimate_tokens, replace_surrogates
from ..codebook.criteria import Criteria
from ..config.model_settings import ModelSettings
from ..corpus.record import Record
from ..errors import SetupError, SkippedCell
from ..schema import TextRow
from .calls.redaction import Redaction
from .completion import Completion
from .message import Message, estimate_image_tokens
from .offline_input import OfflineInput
from .params import NO_PARAMS, Params

KEY_TAG = "k1"


class Request:
    """One question to one model.

    Parameters
    ----------
    model
        The model.
    messages
        The messages that the model reads.
    params
        Sampling parameters.
    schema_hash
        The hash of the JSON schema that an answer must have.
    schema
        That schema, if the provider gets it; it is dropped for models that take no schema.
    replicate
        The number of the replicate, from 0; part of the cache key.
    offline_input
        The input of an offline model.
    redaction
        The policy that redacts the messages if the model is remote.
    prior_placeholders
        The original text of each placeholder that is in the messages already.
    """

    def __init__(
        self,
        model: Model,
        messages: Sequence[Message],
        *,
        params: Params = NO_PARAMS,
        schema_hash: str = "",
        schema: Mapping[str, Any] | None = None,
        replicate: int = 0,
        offline_input: OfflineInput | None = None,
        redaction: Redaction | None = None,
        prior_placeholders: Mapping[str, str] | None = None,
    ) -> None:
        self.model = model
        self.params = params
        self.schema_hash = schema_hash
        self.schema = schema if model.takes_schema else None
        self.replicate = replicate
        self.offline_input = offline_input
        self.key_parts = model.key_parts(offline_input)
        self.remote = model.remote
        self.redaction = redaction if self.remote else None
        self.redacted: dict[str, str] = {}
        if self.redaction is not None:
            texts, self.redacted = self.redaction.apply([message.content for message in messages], prior_placeholders)
            messages = [message._replace(content=text) for message, text in zip(messages, texts, strict=True)]
        self.messages = messages
        self._body: TextRow | None = None  # no `cached_property`: in Python 3.11 it takes a lock, for each answer
        self._key: str | None = None

    @property
    def body(self) -> TextRow:
        """The request as sent, in canonical JSON; images and the schema are replaced by their hashes."""
        if self._body is None:
            self._body = self._body_with(self.params.sent)
        return self._body

    def _body_with(self, params: Mapping[str, Any]) -> TextRow:
        sent = {**params, "model": self.model.full_name}
        if self.schema is not None:
            sent.setdefault("response_format", {"type": "json_schema", "json_schema": self.schema_hash})
        messages = [message.as_stored() for message in self.messages]
        return TextRow.of("request", replace_surrogates(canonical({**sent, "messages": messages})))

    @property
    def text(self) -> str:
        """All messages as one text, for counting tokens."""
        return "".join(message.content for message in self.messages)

    @property
    def image_tokens(self) -> int:
        """The estimated number of tokens of all images."""
        return sum(estimate_image_tokens(image) for message in self.messages for image in message.images)

    @cached_property
    def estimated_tokens(self) -> int:
        """The estimated number of tokens that the model reads."""
        return estimate_tokens(self.text) + self.image_tokens

    def with_followup(self, answer: str, repair_message: str) -> Request:
        """The request that follows an answer that could not be parsed: the same conversation and a repair message."""
        messages = [*self.messages, Message("assistant", replace_surrogates(answer)), Message("user", repair_message)]
        return Request(
            self.model,
            messages,
            params=self.params,
            schema_hash=self.schema_hash,
            schema=self.schema,
            replicate=self.replicate,
            offline_input=self.offline_input,
            redaction=self.redaction,
            prior_placeholders=self.redacted,
        )

    @property
    def key(self) -> str:
        """The cache key."""
        if self._key is None:
            self._key = self._key_with(self.params.sent)
        return self._key

    @property
    def former_key(self) -> str | None:
        """The key under which an earlier version cached the answer, if that is another one."""
        former = self.params.former_sent
        return None if former is None else self._key_with(former)

    def _key_with(self, params: Mapping[str, Any]) -> str:
        body = self.body if params is self.params.sent else self._body_with(params)
        return digest(KEY_TAG, body.text_hash, self.schema_hash, str(self.replicate), *_flatten(self.key_parts))

    @property
    def parts(self) -> dict[str, str]:
        """The named hashes of the key's parts, and the record's hash, by which a person's answers can be erased."""
        return {
            "model": self.model.full_name,
            "params": digest("kp1", self.params.sent_json),
            "schema": self.schema_hash,
            "replicate": str(self.replicate),
            **{
                f"message {n} ({m.role})": digest("km1", canonical(m.as_stored()))
                for n, m in enumerate(self.messages, 1)
            },
            **({"record": self.offline_input.record.record_hash} if self.offline_input else {}),
            **self.key_parts,
        }


class Model(ABC):
    """Base of all models. A new family is one file that registers its prefix, and one test.

    Parameters
    ----------
    name
        The name as the researcher wrote it: `family/model`, or a short name from `buttermilk.yaml`.
    settings
        The settings of this model in that file.
    """

    remote: bool = True
    deterministic: bool = False
    needs_cues: bool = False
    takes_schema: bool = False
    """Whether the provider accepts a JSON schema of the answer."""
    in_process: bool = False
    """Whether it answers within this process, without rate limits."""
    shares_limits: bool = True
    """Whether all projects of this process share its rate limits."""
    backoff_s: float | None = None
    """Seconds before the first retry; None for the project's setting."""
    description: str = ""
    """One sentence for reprs and methods paragraphs."""

    def __init__(self, name: str, settings: ModelSettings | None = None) -> None:
        self.rename(name, settings or ModelSettings())

    def rename(self, name: str, settings: ModelSettings) -> None:
        """Set the name and the settings under that name; the model that is called stays the same.

        Raises
        ------
        SetupError
            The full name contains an address, to which some families would send texts, whatever is confirmed.
        """
        if "://" in (settings.model or name):
            raise SetupError(
                f"`{settings.model or name}` contains an address: write it as `api_base` of the model, under `models:` "
                "in buttermilk.yaml, and a name without it as `model`."
            )
        self.name = name
        self.settings = settings
        self.full_name = settings.model or name
        """The full name of the model; calls and cached answers use it."""
        self.provider = self.full_name.partition("/")[0]

    @property
    def rate_limit_key(self) -> str:
        """Models with the same key share rate limits: the full name and the address."""
        return f"{self.full_name} {self.settings.api_base or ''}".strip()

    def count_tokens(self, text: str) -> int:
        """The number of tokens in a text; an estimate unless `own_tokenizer` is true."""
        return estimate_tokens(text)

    @property
    def own_tokenizer(self) -> bool:
        """Whether `count_tokens` uses the model's own tokenizer instead of an estimate."""
        return False

    def split_params(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The parameters that are sent, and those that this model ignores."""
        return dict(params), {}

    def design_parts(self, criteria: Criteria | None) -> dict[str, str]:  # noqa: ARG002  # offline models need it
        """Named parts of a cell's design in addition to the full name: rules, cues, the address of a server."""
        return {}

    def skip_reason(self, offline_input: OfflineInput | None) -> SkippedCell | None:  # noqa: ARG002  # as above
        """Why this model cannot answer this input, found without a call; None if it can."""
        return None

    def extra_input(self, record: Record) -> str:  # noqa: ARG002  # as above
        """The part of a record that this model reads in addition to its text, as a text to hash."""
        return ""

    def key_parts(self, offline_input: OfflineInput | None) -> dict[str, str]:  # noqa: ARG002  # as above
        """Named hashes of everything that can change this answer in addition to the messages."""
        return {}

    def validate(self, criteria: Criteria | None) -> list[str]:  # noqa: ARG002  # as above
        """Reasons why this model cannot be used at all: unknown family, missing cues. Found before any paid call."""
        return []

    def unavailable_reasons(self, wait_s: float) -> list[str]:  # noqa: ARG002  # for models that need a key or a server
        """Reasons why this model cannot be called now: missing key, no server. Cached answers need neither."""
        return []

    def price(self) -> tuple[float, float] | None:
        """US dollars per input token and per output token; None if the price is not known."""
        return None

    @property
    def recipient(self) -> str:
        """The provider or host that receives the texts, as `bm.allow` names it."""
        return self.provider

    @property
    def is_local_server(self) -> bool:
        """Whether a server on this machine runs it, so that checking its availability needs a connection."""
        return False

    def info(self) -> dict[str, Any]:
        """Facts about the model that need no connection: full name, provider, and whether it is remote."""
        return {"model": self.full_name, "provider": self.provider, "remote": self.remote}

    async def identify(self, timeout_s: float) -> dict[str, Any]:  # noqa: ARG002  # for models with a server of their own
        """Facts for a run's manifest, verified with the server if there is one. Called before the first request."""
        return self.info()

    def preload(self) -> None:  # noqa: B027  # most models load nothing
        """Start loading slow libraries before they are needed."""

    @abstractmethod
    async def complete(self, request: Request) -> Completion:
        """Answer a request.

        Raises
        ------
        ModelError
            The call failed.
        SkippedCell
            This model cannot answer this input, for example because a criterion has no cues.
        """

    async def close(self) -> None:  # noqa: B027  # most models have no connection
        """Close connections."""

    def __repr__(self) -> str:
        return f"<model {self.name}{f': {self.description}' if self.description else ''}>"


def _flatten(parts: Mapping[str, str]) -> list[str]:
    return [text for pair in sorted(parts.items()) for text in pair]
