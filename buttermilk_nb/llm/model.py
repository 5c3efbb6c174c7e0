"""What a model is: something that turns a Request into a Completion, and says what else it reads.

A Request's cache key is made of everything that can change the answer and nothing else. The body
(model, messages, parameters, schema) is one canonical text, so that the text that is hashed is the
text that is stored as *the request as sent*.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from .._internal.ids import canonical, digest
from .._internal.text import estimate_tokens, replace_surrogates
from ..codebook.criteria import Criteria
from ..config.model_settings import ModelSettings
from ..corpus.record import Record
from ..errors import SkippedCell
from ..schema import TextRow
from .calls.redaction import Redaction
from .completion import Completion
from .message import Message
from .offline_input import OfflineInput

KEY_TAG = "k1"


class Params(NamedTuple):
    """Sampling parameters: those that are sent, those that the model ignores, and both as stored."""

    sent: dict[str, Any]
    dropped: dict[str, Any]
    sent_json: str
    dropped_json: str

    @classmethod
    def for_model(cls, model: Model, params: Mapping[str, Any]) -> Params:
        """Split once per slot, not once per call."""
        sent, dropped = model.split_params(params)
        return cls(sent, dropped, canonical(sent), canonical(dropped))


NO_PARAMS = Params({}, {}, "{}", "{}")


class Request:
    """One question to one model.

    Parameters
    ----------
    model
        The model.
    messages
        What it reads.
    params
        Sampling parameters.
    schema_hash
        The hash of the shape of answer that will be accepted.
    schema
        That shape, where the model is to be told it in the provider's own way.
    replicate
        Which of the repeated askings this is; part of the key.
    offline_input
        What an offline model reads.
    redaction
        What is taken out of the messages where the model is remote.
    earlier
        What placeholders that stand in the messages already stand for.
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

    @cached_property
    def body(self) -> TextRow:
        """The request as sent, in canonical JSON; images and the schema by their hashes."""
        sent = {**self.params.sent, "model": self.model.full_name}
        if self.schema is not None:
            sent.setdefault("response_format", {"type": "json_schema", "json_schema": self.schema_hash})
        messages = [message.as_stored() for message in self.messages]
        return TextRow.of("request", replace_surrogates(canonical({**sent, "messages": messages})))

    @property
    def text(self) -> str:
        """What the model reads, as one text: for counting."""
        return "".join(message.content for message in self.messages)

    def with_followup(self, answer: str, repair_message: str) -> Request:
        """The request that goes on from an answer that could not be read."""
        more = [*self.messages, Message("assistant", replace_surrogates(answer)), Message("user", repair_message)]
        return Request(
            self.model,
            more,
            params=self.params,
            schema_hash=self.schema_hash,
            schema=self.schema,
            replicate=self.replicate,
            offline_input=self.offline_input,
            redaction=self.redaction,
            prior_placeholders=self.redacted,
        )

    @cached_property
    def key(self) -> str:
        """The cache key."""
        return digest(KEY_TAG, self.body.text_hash, self.schema_hash, str(self.replicate), *_flatten(self.key_parts))

    @property
    def parts(self) -> dict[str, str]:
        """The named hashes of the key's parts, and whose text it is, so that it can be found and forgotten."""
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
        What that file says about it.
    """

    remote: bool = True
    deterministic: bool = False
    needs_cues: bool = False
    takes_schema: bool = False
    """Whether the provider is told the form of the answer."""
    in_process: bool = False
    """Whether it answers within this process, so that no rate limit concerns it."""
    shares_limits: bool = True
    """Whether its limits hold for all projects of this process."""
    backoff_s: float | None = None
    """Seconds before a failed call is sent again, where it is not the project's setting."""
    description: str = ""
    """One sentence for reprs and methods paragraphs."""

    def __init__(self, name: str, settings: ModelSettings | None = None) -> None:
        self.rename(name, settings or ModelSettings())

    def rename(self, name: str, settings: ModelSettings) -> None:
        """Take a name and what the project says under it; what is asked stays what it is."""
        self.name = name
        self.settings = settings
        self.full_name = settings.model or name
        """The full name, which is what is asked and what answers are kept under."""
        self.provider = self.full_name.partition("/")[0]

    @property
    def rate_limit_key(self) -> str:
        """What rate limits belong to: the model, and where it is asked."""
        return f"{self.full_name} {self.settings.api_base or ''}".strip()

    def count_tokens(self, text: str) -> int:
        """How many tokens it would read; see `own_tokenizer`."""
        return estimate_tokens(text)

    @property
    def own_tokenizer(self) -> bool:
        """Whether `count_tokens` counts as the model does, and not by a heuristic."""
        return False

    def split_params(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The parameters that are sent, and those that this model ignores."""
        return dict(params), {}

    def design_parts(self, criteria: Criteria | None) -> dict[str, str]:  # noqa: ARG002  # for models that read aside
        """What belongs to a cell's design beside the model's full name: what it reads aside, where it is asked."""
        return {}

    def skip_reason(self, offline_input: OfflineInput | None) -> SkippedCell | None:  # noqa: ARG002  # as above
        """Why this model has nothing to answer with; None where it would answer. Asked without a call."""
        return None

    def extra_input(self, record: Record) -> str:  # noqa: ARG002  # as above
        """What this model reads of a record beside its text, as a hashable text."""
        return ""

    def key_parts(self, offline_input: OfflineInput | None) -> dict[str, str]:  # noqa: ARG002  # as above
        """What can change this answer beside the messages, as named hashes."""
        return {}

    def validate(self, criteria: Criteria | None) -> list[str]:  # noqa: ARG002  # as above
        """What is wrong with naming this model: no such family, no cues. Found before anything is paid for."""
        return []

    def unavailable_reasons(self, wait_s: float) -> list[str]:  # noqa: ARG002  # for models that need a key or a server
        """Why this model cannot be asked now: no key, nobody at its address. What is cached needs neither."""
        return []

    def price(self) -> tuple[float, float] | None:
        """US dollars per token read and per token written; None where the price is not known."""
        return None

    @property
    def recipient(self) -> str:
        """Who gets the texts, under the name that `bm.allow` takes."""
        return self.provider

    @property
    def is_local_server(self) -> bool:
        """Whether a server on this machine answers for it, so that looking whether it is there takes a connection."""
        return False

    def info(self) -> dict[str, Any]:
        """What can be said of it without asking anybody: the full name, and whom it belongs to."""
        return {"model": self.full_name, "provider": self.provider, "remote": self.remote}

    async def identify(self, timeout_s: float) -> dict[str, Any]:  # noqa: ARG002  # for models with a server of their own
        """What a run's manifest says of it: its facts, and what can be verified. Asked before its first call."""
        return self.info()

    def preload(self) -> None:  # noqa: B027  # most models load nothing
        """Load what takes long, before it is needed."""

    @abstractmethod
    async def complete(self, request: Request) -> Completion:
        """Answer.

        Raises
        ------
        ModelError
            The call failed.
        SkippedCell
            There is nothing to answer with.
        """

    async def close(self) -> None:  # noqa: B027  # most models hold no connection
        """Close connections."""

    def __repr__(self) -> str:
        return f"<model {self.name}{f': {self.description}' if self.description else ''}>"


def _flatten(parts: Mapping[str, str]) -> list[str]:
    return [text for pair in sorted(parts.items()) for text in pair]
