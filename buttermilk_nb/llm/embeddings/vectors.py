"""Requests for vectors, the validation of responses, and the stored form of a vector.

Each text has its own cache key, so that one new text among a thousand is sent alone. Several texts share one request
(`TextBatch`). Both classes are Requests, so that consent, budget, rate limits, time limit and retries work as for every
call. A vector is stored as the base64 of its numbers (float32, little-endian), which needs a quarter of the space of
decimal digits and is the same on every machine.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..._internal.ids import canonical, digest
from ..._internal.text import estimate_tokens, replace_surrogates
from ...corpus.record import Record
from ...errors import BadResponseError
from ...schema import TextRow, now
from ..calls.redaction import Redaction
from ..completion import Completion
from ..message import Message
from ..model import Model, Request
from ..offline_input import OfflineInput
from ..params import NO_PARAMS, Params

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

KEY_TAG = "ke1"
_FLOAT = "<f4"


def encode_vector(vector: Vector) -> str:
    """Encode a vector as text.

    Examples
    --------
    >>> import numpy as np
    >>> encode_vector(np.array([1.0, -0.5], dtype="float32"))
    'AACAPwAAAL8='
    >>> decode_vector("AACAPwAAAL8=").tolist()
    [1.0, -0.5]
    """
    return base64.b64encode(vector.astype(_FLOAT, copy=False).tobytes()).decode("ascii")


def decode_vector(text: str) -> Vector | None:
    """Decode a cached vector; None if the entry is not a valid vector, because a cache may come from anywhere."""
    import numpy as np

    try:
        vector = np.frombuffer(base64.b64decode(text, validate=True), dtype=_FLOAT)
    except (binascii.Error, ValueError):
        return None
    return vector.astype(np.float32) if vector.size and np.isfinite(vector).all() else None


def describe_vector(text: str) -> str:
    """The description of a vector that is stored as the response: its length and its hash.

    Examples
    --------
    >>> describe_vector("AACAPwAAAL8=")[:32]
    '{"dimensions":2,"sha256":"e5e0ce'
    """
    data = base64.b64decode(text)
    return canonical({"dimensions": len(data) // 4, "sha256": hashlib.sha256(data).hexdigest()})


class EmbeddingRequest(Request):
    """A request for the vector of one text.

    Parameters
    ----------
    model
        The model.
    record
        The record; its content is the text.
    label
        The name of the text in messages; by default the record's id.
    params
        Parameters such as `dimensions`.
    redaction
        The policy that redacts the text if the model is remote.
    """

    def __init__(
        self,
        model: Model,
        record: Record,
        *,
        label: str = "",
        params: Params = NO_PARAMS,
        redaction: Redaction | None = None,
    ) -> None:
        message = Message("user", replace_surrogates(record.content))
        super().__init__(model, [message], params=params, offline_input=OfflineInput(record), redaction=redaction)
        self.record = record
        self.label = label or f"record `{record.record_id}`"

    @cached_property
    def body(self) -> TextRow:
        sent = {**self.params.sent, "model": self.model.full_name, "input": self.text}
        return TextRow.of("request", replace_surrogates(canonical(sent)))

    def _key_with(self, params: Mapping[str, Any]) -> str:
        key_parts = [text for pair in sorted(self.key_parts.items()) for text in pair]
        return digest(KEY_TAG, self.model.full_name, canonical(params), self.text, *key_parts)

    @property
    def parts(self) -> dict[str, str]:
        return {
            "model": self.model.full_name,
            "params": digest("kp1", self.params.sent_json),
            "text": digest("kx1", self.text),
            "record": self.record.record_hash,  # not in the key; used to find and erase a person's vectors
            **self.key_parts,
        }

    @cached_property
    def tokens(self) -> int:
        """The estimated number of tokens, at least 1."""
        return max(1, estimate_tokens(self.text))


class VectorLength:
    """The length of all vectors of one job; the first vector sets it."""

    def __init__(self) -> None:
        self.value: int | None = None


class TextBatch(Request):
    """Several texts in one request.

    Parameters
    ----------
    requests
        The requests of the texts, with the same model and parameters.
    length
        The length that vectors must have.
    """

    def __init__(self, requests: Sequence[EmbeddingRequest], length: VectorLength) -> None:
        first = requests[0]
        local_inputs = (request.offline_input for request in requests if request.record.local_only)
        messages = [message for request in requests for message in request.messages]
        super().__init__(first.model, messages, params=first.params, offline_input=next(local_inputs, None))
        self.requests = tuple(requests)
        self._length = length

    @property
    def texts(self) -> list[str]:
        """The texts as sent."""
        return [request.text for request in self.requests]

    def completion(self, vectors: Sequence[Any], **fields: Any) -> Completion:
        """The answer, with one vector per line. The response itself is not stored: it is five times as large.

        Parameters
        ----------
        vectors
            The vectors from the response, in the order of the texts.
        **fields
            Further fields of the completion.

        Raises
        ------
        BadResponseError
            There is not exactly one valid vector for each text.
        """
        text = "\n".join(map(encode_vector, self._to_vectors(vectors)))
        return Completion(text=text, raw="", answered_at=now(), tokens_out=0, **fields)

    def split(self, completion: Completion) -> Iterator[Completion]:
        """The completion of each text. Tokens and cost are divided by the length of the texts, and add up."""
        total = sum(request.tokens for request in self.requests)
        start = 0
        for request, text in zip(self.requests, completion.text.split("\n"), strict=True):
            end = start + request.tokens
            fields: Mapping[str, Any] = {
                "text": text,
                "raw": describe_vector(text),
                "tokens_in": proportional_share(completion.tokens_in, start, end, total),
                "cost_usd": None if completion.cost_usd is None else completion.cost_usd * request.tokens / total,
            }
            yield completion.model_copy(update=fields)
            start = end

    def _to_vectors(self, vectors: Sequence[Any]) -> list[Vector]:
        import numpy as np

        name, n = self.model.name, len(self.requests)
        if len(vectors) != n:
            raise invalid_response(f"`{name}` sent {len(vectors)} vectors for {n} texts. None of them was stored.")
        arrays: list[Vector] = []
        for request, numbers in zip(self.requests, vectors, strict=True):
            message = f"`{name}` sent something for {request.label} that is not a list of numbers."
            try:
                with np.errstate(over="ignore"):
                    vector = np.asarray(numbers, dtype=np.float32)
            except (TypeError, ValueError):
                raise invalid_response(message) from None
            if vector.ndim != 1 or not vector.size:
                raise invalid_response(message)
            if not np.isfinite(vector).all():
                raise invalid_response(
                    f"`{name}` sent a vector for {request.label} with NaN or infinity. Nothing was stored."
                )
            arrays.append(vector)
        self._check_lengths([len(vector) for vector in arrays])
        return arrays

    def _check_lengths(self, lengths: list[int]) -> None:
        dimensions = self.params.sent.get("dimensions")
        expected = self._length.value or (dimensions if isinstance(dimensions, int) else lengths[0])
        for request, length in zip(self.requests, lengths, strict=True):
            if length != expected:
                raise invalid_response(wrong_length_message(self.model, request.label, length, expected))
        self._length.value = expected


def text_batches(
    requests: Sequence[EmbeddingRequest], max_texts: int, max_tokens: int
) -> Iterator[list[EmbeddingRequest]]:
    """Divide texts into batches of at most `max_texts` texts and `max_tokens` tokens; a longer text is alone."""
    batch: list[EmbeddingRequest] = []
    n_tokens = 0
    for request in requests:
        if batch and (len(batch) >= max_texts or n_tokens + request.tokens > max_tokens):
            yield batch
            batch, n_tokens = [], 0
        batch.append(request)
        n_tokens += request.tokens
    if batch:
        yield batch


def wrong_length_message(model: Model, label: str, length: int, expected: int) -> str:
    """The message for vectors of one model that have different lengths."""
    return (
        f"the vector of `{model.name}` for {label} has {length} numbers, and {expected} were expected: the server runs "
        "another model than before, or not the intended one. Name the model under `served_as` in buttermilk.yaml, or "
        f'delete the old vectors: project.cache.delete(model="{model.full_name}").'
    )


def invalid_response(message: str) -> BadResponseError:
    """The error for an invalid response. It is not retried, because the same response would be paid for twice."""
    error = BadResponseError(message)
    error.transient = False  # type: ignore[misc]  # of this error only
    return error


def proportional_share(amount: int | None, start: int, end: int, total: int) -> int | None:
    """The share of an amount for the part from `start` to `end` of `total`; all shares add up to the amount."""
    return None if amount is None else amount * end // total - amount * start // total
