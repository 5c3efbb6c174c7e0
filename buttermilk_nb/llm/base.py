"""What a model is: something that turns a Request into a Completion, and says what else it reads.

A Request's cache key is made of everything that can change the answer and nothing else. The body
(model, messages, parameters, schema) is one canonical text, so that the text that is hashed is the
text that is stored as *the request as sent*.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from .._ids import canonical, digest
from .._text import clean
from ..criteria import Criteria
from ..errors import SkippedCell
from ..messages import Message
from ..records import Record
from ..traces import Clean, TextRow

KEY_TAG = "k1"


class Aside(NamedTuple):
    """What offline models read beside the messages. Never sent to a remote model."""

    record: Record
    criteria: Criteria | None = None


class Completion(BaseModel):
    """A completed answer: text, refusal or filtered, with what is known of how it came about.

    Parameters
    ----------
    text
        The answer's text.
    finish_reason
        Why the model stopped: `stop`, `length`, `content_filter`, ...
    refusal
        The provider's own refusal text, where it has a field for one.
    cost_usd
        What it cost when it was asked; None where the price is not known.
    raw
        The whole response as received.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Clean
    finish_reason: Clean | None = None
    refusal: Clean | None = None
    model_served: Clean | None = None
    fingerprint: Clean | None = None
    request_id: Clean | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None
    latency_s: float | None = None
    answered_at: dt.datetime
    raw: Clean


class CacheEntry(BaseModel):
    """A Completion on disk, with the named hashes of its key's parts, so that a miss can be explained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str = "e1"
    parts: dict[str, str]
    completion: Completion


class Params(NamedTuple):
    """Sampling parameters: those that are sent, those that the model ignores, and both as stored."""

    sent: dict[str, Any]
    dropped: dict[str, Any]
    sent_json: str
    dropped_json: str

    @classmethod
    def of(cls, model: Model, asked: Mapping[str, Any]) -> Params:
        """Split once per slot, not once per call."""
        sent, dropped = model.split_params(asked)
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
    replicate
        Which of the repeated askings this is; part of the key.
    aside
        What an offline model reads.
    """

    def __init__(
        self,
        model: Model,
        messages: Sequence[Message],
        *,
        params: Params = NO_PARAMS,
        schema_hash: str = "",
        replicate: int = 0,
        aside: Aside | None = None,
    ) -> None:
        self.model = model
        self.messages = messages
        self.params = params
        self.schema_hash = schema_hash
        self.replicate = replicate
        self.aside = aside
        self.key_parts = model.key_parts(aside)

    @cached_property
    def body(self) -> TextRow:
        """The request as sent, in canonical JSON."""
        messages = [message.as_dict() for message in self.messages]
        return TextRow.of(
            "request", clean(canonical({**self.params.sent, "model": self.model.name, "messages": messages}))
        )

    @cached_property
    def key(self) -> str:
        """The cache key."""
        return digest(KEY_TAG, self.body.text_hash, self.schema_hash, str(self.replicate), *_flat(self.key_parts))

    @property
    def parts(self) -> dict[str, str]:
        """The named hashes of the key's parts."""
        return {
            "model": self.model.name,
            "params": digest("kp1", self.params.sent_json),
            "schema": self.schema_hash,
            "replicate": str(self.replicate),
            **{f"message {m.role}": digest("km1", m.content) for m in self.messages},
            **self.key_parts,
        }


class Model(ABC):
    """Base of all models. A new family is one file that registers its prefix, and one test.

    Parameters
    ----------
    name
        The name as the researcher wrote it, `family/model`.
    """

    remote: bool = True
    deterministic: bool = False
    needs_cues: bool = False
    about: str = ""
    """One sentence for reprs and methods paragraphs."""

    def __init__(self, name: str) -> None:
        self.name = name

    def split_params(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The parameters that are sent, and those that this model ignores."""
        return dict(params), {}

    def design_parts(self, criteria: Criteria | None) -> dict[str, str]:  # noqa: ARG002  # for models that read aside
        """What belongs to a cell's design because the model reads it beside the messages."""
        return {}

    def skips(self, aside: Aside | None) -> SkippedCell | None:  # noqa: ARG002  # as above
        """Why this model has nothing to answer with; None where it would answer. Asked without a call."""
        return None

    def reads(self, record: Record) -> str:  # noqa: ARG002  # as above
        """What this model reads of a record beside its text, as a hashable text."""
        return ""

    def key_parts(self, aside: Aside | None) -> dict[str, str]:  # noqa: ARG002  # as above
        """What can change this answer beside the messages, as named hashes."""
        return {}

    def problems(self, criteria: Criteria | None) -> list[str]:  # noqa: ARG002  # as above
        """Why this model cannot be asked now: no key, no cues. Found before anything is paid for."""
        return []

    def price(self) -> tuple[float, float] | None:
        """US dollars per token read and per token written; None where the price is not known."""
        return None

    def warm(self) -> None:  # noqa: B027  # most models load nothing
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
        return f"<model {self.name}{f': {self.about}' if self.about else ''}>"


def _flat(parts: Mapping[str, str]) -> list[str]:
    return [text for pair in sorted(parts.items()) for text in pair]
