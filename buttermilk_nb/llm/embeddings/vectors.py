"""Vectors on their way: what is asked for, how what comes back is checked, and how it is kept.

Each text has a key of its own, so that adding one text to a thousand sends one; on the way several texts share a
request (`TextBatch`). Both are Requests, so that consent, budget, limits, time limit and retries are those of every
other call. A vector is kept as the base64 of its numbers (float32, little-endian): a quarter of their digits, and
the same on every machine.
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
from ..model import NO_PARAMS, Model, Params, Request
from ..offline_input import OfflineInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

KEY_TAG = "ke1"
_FLOAT = "<f4"


def encode_vector(vector: Vector) -> str:
    """A vector as text.

    Examples
    --------
    >>> import numpy as np
    >>> packed(np.array([1.0, -0.5], dtype="float32"))
    'AACAPwAAAL8='
    >>> unpacked("AACAPwAAAL8=").tolist()
    [1.0, -0.5]
    """
    return base64.b64encode(vector.astype(_FLOAT, copy=False).tobytes()).decode("ascii")


def decode_vector(text: str) -> Vector | None:
    """The vector that a text is; None where it is none, because the cache may come from anywhere."""
    import numpy as np

    try:
        found = np.frombuffer(base64.b64decode(text, validate=True), dtype=_FLOAT)
    except (binascii.Error, ValueError):
        return None
    return found.astype(np.float32) if found.size and np.isfinite(found).all() else None


def describe_vector(text: str) -> str:
    """What is stored of a vector as the answer received: how long it is, and its hash.

    Examples
    --------
    >>> describe("AACAPwAAAL8=")[:32]
    '{"dimensions":2,"sha256":"e5e0ce'
    """
    data = base64.b64decode(text)
    return canonical({"dimensions": len(data) // 4, "sha256": hashlib.sha256(data).hexdigest()})


class EmbeddingRequest(Request):
    """One text whose vector is asked for.

    Parameters
    ----------
    model
        The model.
    record
        The record whose content it is.
    label
        What to call it in messages.
    params
        Parameters such as `dimensions`.
    redaction
        What is taken out of the text where the model is remote.
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

    @cached_property
    def key(self) -> str:
        aside = [text for pair in sorted(self.key_parts.items()) for text in pair]
        return digest(KEY_TAG, self.model.full_name, self.params.sent_json, self.text, *aside)

    @property
    def parts(self) -> dict[str, str]:
        return {
            "model": self.model.full_name,
            "params": digest("kp1", self.params.sent_json),
            "text": digest("kx1", self.text),
            "record": self.record.record_hash,  # not in the key: by it a person's vectors are found and forgotten
            **self.key_parts,
        }

    @cached_property
    def tokens(self) -> int:
        """How many tokens it has, roughly; at least one."""
        return max(1, estimate_tokens(self.text))


class VectorLength:
    """How many numbers the vectors of one asking have; the first one decides."""

    def __init__(self) -> None:
        self.value: int | None = None


class TextBatch(Request):
    """Several texts in one request.

    Parameters
    ----------
    asked
        The texts; all of one model, with the same parameters.
    dims
        How long vectors must be.
    """

    def __init__(self, requests: Sequence[EmbeddingRequest], length: VectorLength) -> None:
        first = requests[0]
        stays = next(
            (one.offline_input for one in requests if one.record.local_only), None
        )  # what consent is asked about
        super().__init__(
            first.model, [m for one in requests for m in one.messages], params=first.params, offline_input=stays
        )
        self.requests = tuple(requests)
        self._length = length

    @property
    def texts(self) -> list[str]:
        """The texts as sent."""
        return [one.text for one in self.requests]

    def completion(self, vectors: Sequence[Any], **about: Any) -> Completion:
        """The answer: a vector a line. The response itself is not kept, since it says the same at five times the size.

        Raises
        ------
        BadResponseError
            They are not one usable vector for each text.
        """
        text = "\n".join(map(encode_vector, self._to_vectors(vectors)))
        return Completion(text=text, raw="", answered_at=now(), tokens_out=0, **about)

    def split(self, completion: Completion) -> Iterator[Completion]:
        """Each text's part of an answer. Tokens and cost are shared out by length, and add up."""
        whole = sum(one.tokens for one in self.requests)
        before = 0
        for one, text in zip(self.requests, completion.text.split("\n"), strict=True):
            after = before + one.tokens
            mine: Mapping[str, Any] = {
                "text": text,
                "raw": describe_vector(text),
                "tokens_in": proportional_share(completion.tokens_in, before, after, whole),
                "cost_usd": None if completion.cost_usd is None else completion.cost_usd * one.tokens / whole,
            }
            yield completion.model_copy(update=mine)
            before = after

    def _to_vectors(self, vectors: Sequence[Any]) -> list[Vector]:
        import numpy as np

        name, n = self.model.name, len(self.requests)
        if len(vectors) != n:
            raise invalid_response(f"`{name}` sent {len(vectors)} vectors for {n} texts. Nothing of it was kept.")
        found: list[Vector] = []
        for one, numbers in zip(self.requests, vectors, strict=True):
            try:
                with np.errstate(over="ignore"):
                    vector = np.asarray(numbers, dtype=np.float32)
            except (TypeError, ValueError):
                raise invalid_response(
                    f"`{name}` sent something for {one.label} that is not a list of numbers."
                ) from None
            if vector.ndim != 1 or not vector.size:
                raise invalid_response(f"`{name}` sent something for {one.label} that is not a list of numbers.")
            if not np.isfinite(vector).all():
                raise invalid_response(
                    f"`{name}` sent a vector for {one.label} that holds NaN or infinity. Nothing was kept."
                )
            found.append(vector)
        self._check_lengths([len(vector) for vector in found])
        return found

    def _check_lengths(self, lengths: list[int]) -> None:
        wanted = self.params.sent.get("dimensions")
        expected = self._length.value or (wanted if isinstance(wanted, int) else lengths[0])
        for one, length in zip(self.requests, lengths, strict=True):
            if length != expected:
                raise invalid_response(wrong_length_message(self.model, one.label, length, expected))
        self._length.value = expected


def text_batches(
    requests: Sequence[EmbeddingRequest], max_texts: int, max_tokens: int
) -> Iterator[list[EmbeddingRequest]]:
    """Texts that travel together: at most so many, of at most so many tokens; a longer text alone."""
    batch: list[EmbeddingRequest] = []
    held = 0
    for request in requests:
        if batch and (len(batch) >= max_texts or held + request.tokens > max_tokens):
            yield batch
            batch, held = [], 0
        batch.append(request)
        held += request.tokens
    if batch:
        yield batch


def wrong_length_message(model: Model, label: str, length: int, expected: int) -> str:
    """The sentence where vectors of one model are not equally long."""
    return (
        f"the vector of `{model.name}` for {label} has {length} numbers, and {expected} were expected: another model "
        "runs there than before, or not the one that was meant. Say which under `served_as` in buttermilk.yaml, or "
        f'forget the old ones: project.cache.delete(model="{model.full_name}").'
    )


def invalid_response(message: str) -> BadResponseError:
    """An answer that would come back the same, so that it is not paid for twice."""
    error = BadResponseError(message)
    error.transient = False  # type: ignore[misc]  # of this one only
    return error


def proportional_share(total: int | None, before: int, after: int, whole: int) -> int | None:
    """The share of a request's total that falls to the part from `before` to `after` of `whole`."""
    return None if total is None else total * after // whole - total * before // whole
