"""Texts to vectors, on the one path of every call: cache, consent, budget, limits, retries, cache.

Each text is looked up by itself; what is missing travels in batches through the same Sender as every question, and
each vector is on disk before anything uses it. A text that was sent gets a Call row of its own, as if it had been
asked alone: `egress` can then say whose text left, and a person's can be forgotten. Tokens and cost of a request are
shared out among its texts; `request_id` says which of them travelled together.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._internal.ids import uuid7
from ...corpus.record import Record
from ...errors import CacheMiss, ConsentError, ModelError, RunError, SetupError
from ...schema import TextRow
from ..calls import call_rows
from ..calls.client import CallResult, Client
from ..calls.redaction import Redaction
from ..calls.run_scope import NO_POLICY, Policy, RunScope
from ..calls.sender import SendResult
from ..completion import Completion
from ..model import Model, Params
from .vectors import EmbeddingRequest, TextBatch, VectorLength, decode_vector, text_batches, wrong_length_message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .vectors import Vector

TEXTS_PER_REQUEST = 32
"""What every server takes; the smallest default limit of those that are common."""
TOKENS_PER_REQUEST = 50_000
"""Well below what providers allow, because tokens are estimated."""
PROBE_S = 5.0
"""Seconds that a local server may take before it counts as not there."""
_YIELD_EVERY = 500  # texts looked up before others on the loop get their turn
_MAX_LABELS = 5


class EmbeddingResult(NamedTuple):
    """Vectors in the order of their texts, and the rows of what was sent for them."""

    vectors: NDArray[np.float32]
    call_results: tuple[CallResult, ...]


async def embed(
    client: Client,
    model: Model,
    records: Sequence[Record],
    scope: RunScope,
    *,
    trace_id: str | None = None,
    params: Mapping[str, Any] | None = None,
    redaction: Redaction | None = None,
    policy: Policy = NO_POLICY,
    texts_per_request: int = TEXTS_PER_REQUEST,
    tokens_per_request: int = TOKENS_PER_REQUEST,
) -> EmbeddingResult:
    """The vectors of some texts: for agents, within a run.

    Parameters
    ----------
    client
        The project's client.
    model
        An embedding model; see `embedders.make_embedder`.
    records
        The texts, as the contents of records.
    scope
        The run's side: mode of the cache, budget, models given up.
    trace_id
        Whom the Call rows belong to; one for each text where it is left out.
    params
        `dimensions`, `input_type` and the like, sent as given.
    redaction
        What is taken out of texts that go to a remote model.
    policy
        The step's time limit and retries.
    texts_per_request, tokens_per_request
        How much one request may hold; a longer text travels alone.

    Raises
    ------
    SetupError, ConsentError, BudgetReached, CacheMiss
        It must not or cannot be sent.
    ModelError
        A request failed for good. What had finished is in the cache.
    """
    asking = EmbeddingJob(
        client,
        model,
        records,
        scope,
        trace_id=trace_id,
        params=params,
        redaction=redaction,
        policy=policy,
        texts_per_request=texts_per_request,
        tokens_per_request=tokens_per_request,
    )
    await asking.look_up()
    if asking.missing:
        await asking.check()
        await asking.send()
    return EmbeddingResult(asking.vectors(), tuple(asking.call_results))


class EmbeddingJob:
    """One asking for vectors, step by step: `look`, `check`, `send`, `vectors`. The parameters are those of `embed`.

    Parameters
    ----------
    labels
        What to call each text in messages; by default by its record's id.
    concurrency
        Requests in flight at once.
    landed
        Told what came of each text that was sent, as soon as it is in the cache; else it gathers in `asked`.
    """

    def __init__(
        self,
        client: Client,
        model: Model,
        records: Sequence[Record],
        scope: RunScope,
        *,
        trace_id: str | None = None,
        params: Mapping[str, Any] | None = None,
        redaction: Redaction | None = None,
        policy: Policy = NO_POLICY,
        texts_per_request: int = TEXTS_PER_REQUEST,
        tokens_per_request: int = TOKENS_PER_REQUEST,
        labels: Sequence[str] | None = None,
        concurrency: int = 32,
        on_result: Callable[[CallResult], Awaitable[None]] | None = None,
    ) -> None:
        if texts_per_request < 1 or tokens_per_request < 1:
            raise SetupError("a request holds at least one text and one token: texts_per_request, tokens_per_request.")
        self._client, self._model, self._scope, self._policy = client, model, scope, policy
        self._trace_id = trace_id
        self._limits = texts_per_request, tokens_per_request
        self._concurrency = concurrency
        self._on_result = on_result
        sent = Params.for_model(model, {**model.settings.params, **(params or {})})
        self._requests = [
            EmbeddingRequest(model, record, label=label, params=sent, redaction=redaction)
            for record, label in zip(records, labels or [""] * len(records), strict=True)
        ]
        self._vectors: dict[str, Vector] = {}
        self._length = VectorLength()
        self._batches: deque[list[EmbeddingRequest]] = deque()
        self._workers: list[asyncio.Task[None]] = []
        self._failure: Exception | None = None
        self.missing: list[EmbeddingRequest] = []
        """The texts that are not in the cache, each once."""
        self.call_results: list[CallResult] = []
        self.stopped = False

    async def look_up(self) -> None:
        """Look into the cache.

        Raises
        ------
        CacheMiss
            The mode is `only`, and a vector is not there.
        """
        unique: dict[str, EmbeddingRequest] = {}
        for request in self._requests:
            unique.setdefault(request.key, request)
        for n, request in enumerate(unique.values(), 1):
            if n % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
            vector = self._cached(request) if self._scope.mode in ("use", "only") else None
            if vector is None:
                self.missing.append(request)
            else:
                self._add_vector(request, vector)
        if self.missing and self._scope.mode == "only":
            raise CacheMiss(
                f'cache="only", and the vectors of `{self._model.name}` for {_list_labels(self.missing)} are not in the '
                'cache. Run it with cache="use" to ask for them.'
            )

    async def check(self, wait_s: float = PROBE_S) -> None:
        """Whether what is missing may and can be sent; a local server may take so long to answer at all.

        Raises
        ------
        ConsentError, SetupError
            Nothing was sent.
        """
        model = self._model
        if model.remote:
            leaving = [one for one in self.missing if not one.record.local_only]
            if leaving:
                self._client.consent.clear(leaving[0])
            if len(leaving) < len(self.missing):
                staying = [one for one in self.missing if one.record.local_only]
                raise ConsentError(
                    f"{_list_labels(staying)} must stay on this machine (local_only), and `{model.name}` is remote. Leave "
                    "such records out, corpus.filter(lambda record: not record.local_only), or use a model on this "
                    "machine (`ollama/...`, `offline/hashing`)."
                )
        if problems := await asyncio.to_thread(lambda: model.validate(None) or model.unavailable_reasons(wait_s)):
            raise SetupError(*problems)  # found in a thread, because a keyring may take its time

    async def send(self) -> None:
        """Send what is missing. What is in flight when something fails is waited for, because it is paid for."""
        self._batches = deque(text_batches(self.missing, *self._limits))
        workers = min(self._concurrency, len(self._batches))
        self._workers = [asyncio.create_task(self._run_worker()) for _ in range(workers)]
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Begin no new request."""
        self.stopped = True

    def abort(self) -> None:
        """Cut off those in flight too."""
        self.stopped = True
        for worker in self._workers:
            worker.cancel()

    @property
    def n_remaining(self) -> int:
        """How many texts have no vector yet."""
        return sum(request.key not in self._vectors for request in self._requests)

    def vectors(self) -> NDArray[np.float32]:
        """The vectors, in the order of the texts."""
        import numpy as np

        return np.stack([self._vectors[request.key] for request in self._requests])

    def _cached(self, request: EmbeddingRequest) -> Vector | None:
        completion = self._client.cached(request)
        return None if completion is None else decode_vector(completion.text)

    def _add_vector(self, request: EmbeddingRequest, vector: Vector) -> None:
        if self._length.value not in (None, len(vector)):
            raise SetupError(wrong_length_message(self._model, request.label, len(vector), self._length.value or 0))
        self._length.value = len(vector)
        self._vectors[request.key] = vector

    async def _run_worker(self) -> None:
        while self._batches and not self.stopped and self._failure is None:
            batch = TextBatch(self._batches.popleft(), self._length)
            try:
                await self._send_batch(batch)
            except Exception as error:
                self._failure = self._failure or error
                raise

    async def _send_batch(self, batch: TextBatch) -> None:
        flown = await self._client.sender.send(self._client.consent.clear(batch), self._scope, self._policy)
        parts: Sequence[Completion | None] = [None] * len(batch.requests)
        if flown.completion is not None:
            answers = list(batch.split(flown.completion))
            if self._scope.mode != "off":
                await asyncio.gather(*map(self._client.store_answer, batch.requests, answers))
            parts = answers
        for request, completion in zip(batch.requests, parts, strict=True):
            if completion is not None and (vector := decode_vector(completion.text)) is not None:
                self._add_vector(request, vector)
            await self._report(self._call_result(request, flown, completion))
        if flown.error is not None:
            raise _with_batch_details(flown.error, batch)

    async def _report(self, asked: CallResult) -> None:
        if self._on_result is None:
            self.call_results.append(asked)
        else:
            await self._on_result(asked)

    def _call_result(self, request: EmbeddingRequest, flown: SendResult, completion: Completion | None) -> CallResult:
        """The rows of one text. Its vector is in the cache alone; the Store keeps its length and hash."""
        trace_id, run_id = self._trace_id or uuid7(), self._scope.run_id
        calls = [
            call_rows.failure_row(request, made, trace_id, run_id, attempt=attempt, shared=False)
            for attempt, made in enumerate(flown.attempts, 1)
            if made.error is not None
        ]
        texts: tuple[TextRow, ...] = (request.body,) if calls or completion else ()
        if completion is not None:
            last = flown.attempts[-1]
            answer = TextRow.of("response", completion.raw)
            call = call_rows.answer_row(request, completion, answer, trace_id, run_id, last.asked_at, shared=False)
            calls.append(call.model_copy(update={"attempt": len(flown.attempts), "waited_s": round(last.waited_s, 3)}))
            texts = (*texts, answer)
        return CallResult(
            request, tuple(calls), completion, flown.error, texts, call_rows.redacted_rows(request) if calls else ()
        )


def _with_batch_details(error: RunError, batch: TextBatch) -> RunError:
    """The error with what the request held, since a provider does not say which of its texts it means."""
    if not isinstance(error, ModelError):
        return error
    longest = max(batch.requests, key=lambda one: len(one.text))
    held = f"{len(batch.requests)} texts, the longest of them" if len(batch.requests) > 1 else "one text,"
    made = type(error)(
        f"{error} The request held {held} {longest.label} ({len(longest.text):,} characters). What had finished is "
        "kept: run it again to go on.",
        code=error.code,
        retry_after_s=error.retry_after_s,
    )
    made.__cause__ = error
    return made


def _list_labels(asked: Sequence[EmbeddingRequest]) -> str:
    named = ", ".join(one.label for one in asked[:_MAX_LABELS])
    return f"{len(asked):,} texts ({named}, ...)" if len(asked) > _MAX_LABELS else named
