"""`EmbeddingJob`: vectors of texts, through the same call path as every request.

Each text is looked up in the cache by itself. Missing texts are sent in batches through the same Sender as all
requests, and each vector is on disk before it is used. Each text that was sent gets its own `Call` row, so that
`egress` can list the persons concerned, and a person's data can be erased. Tokens and cost of a request are divided
among its texts; texts of one request have the same `request_id`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..._internal.ids import uuid7
from ...corpus.record import Record
from ...errors import CacheMiss, ConsentError, ModelError, RunError, RunStopped, SetupError
from ...schema import TextRow
from ..calls import call_rows
from ..calls.attempt import Attempt, SendResult
from ..calls.client import CallResult, Client
from ..calls.redaction import Redaction
from ..calls.run_scope import NO_POLICY, Policy, RunScope
from ..completion import Completion
from ..model import Model
from ..params import Params
from .vectors import EmbeddingRequest, TextBatch, VectorLength, decode_vector, text_batches, wrong_length_message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .vectors import Vector

TEXTS_PER_REQUEST = 32
"""The smallest default limit of the common servers."""
TOKENS_PER_REQUEST = 50_000
"""Well below what providers allow, because tokens are estimated."""
PROBE_S = 5.0
"""Seconds after which a local server without an answer counts as unavailable."""
_YIELD_EVERY = 500  # texts to look up before other tasks on the event loop may run
_MAX_LABELS = 5


class EmbeddingJob:
    """Embeds texts step by step: `look_up`, `check`, `send`, `vectors`. Further parameters are those of `embed`.

    Parameters
    ----------
    labels
        The name of each text in messages; by default its record's id.
    concurrency
        The number of requests in flight.
    on_result
        Called with the result of each text that was sent, as soon as its vector is in the cache; by default the results
        are collected in `call_results`.
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
            raise SetupError("texts_per_request and tokens_per_request must be at least 1.")
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
        """The texts that are not in the cache, without duplicates."""
        self.call_results: list[CallResult] = []
        self.stopped = False

    async def look_up(self) -> None:
        """Look up all texts in the cache.

        Raises
        ------
        CacheMiss
            The mode is `only`, and a vector is not in the cache.
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
                f'cache="only", and the vectors of `{self._model.name}` for {_list_labels(self.missing)} are not in '
                'the cache. Run it with cache="use" to ask for them.'
            )

    async def check(self, wait_s: float = PROBE_S) -> None:
        """Check that the missing texts may and can be sent.

        Parameters
        ----------
        wait_s
            Seconds that a local server may take to answer.

        Raises
        ------
        ConsentError, SetupError
            A text must not or cannot be sent; nothing was sent.
        """
        model = self._model
        if self._client.consent.is_unconfirmed(model):  # before its server is asked anything
            self._client.consent.check_models([model])
        if model.remote:
            sendable = [request for request in self.missing if not request.record.local_only]
            if sendable:
                self._client.consent.clear(sendable[0])
            if len(sendable) < len(self.missing):
                local_requests = [request for request in self.missing if request.record.local_only]
                raise ConsentError(
                    f"{_list_labels(local_requests)} must stay on this machine (local_only), and `{model.name}` is "
                    "remote. Leave such records out, corpus.filter(lambda record: not record.local_only), or use a "
                    "model on this machine (`ollama/...`, `offline/hashing`)."
                )
        if problems := await asyncio.to_thread(lambda: model.validate(None) or model.unavailable_reasons(wait_s)):
            raise SetupError(*problems)  # checked in a thread, because a keyring may be slow

    async def send(self) -> None:
        """Send the missing texts. After an error the requests in flight are awaited, because they are paid for."""
        self._batches = deque(text_batches(self.missing, *self._limits))
        workers = min(self._concurrency, len(self._batches))
        self._workers = [asyncio.create_task(self._run_worker()) for _ in range(workers)]
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Start no new request."""
        self.stopped = True

    def abort(self) -> None:
        """Start no new request, and cancel the requests in flight."""
        self.stopped = True
        for worker in self._workers:
            worker.cancel()

    @property
    def n_remaining(self) -> int:
        """The number of texts without a vector."""
        return sum(request.key not in self._vectors for request in self._requests)

    def vectors(self) -> NDArray[np.float32]:
        """The vectors in the order of the texts, as an array of shape (texts, dimensions)."""
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
        cleared, attempts = self._client.consent.clear(batch), list[Attempt]()
        try:
            result = await self._client.sender.send(cleared, self._scope, self._policy, attempts)
        except (RunStopped, asyncio.CancelledError):
            if attempts:  # what was sent is kept
                cut_off = SendResult(None, attempts[-1].error, tuple(attempts))
                for request in batch.requests:
                    await self._report(self._call_result(request, cut_off, None, len(batch.requests)))
            raise
        completions: Sequence[Completion | None] = [None] * len(batch.requests)
        if result.completion is not None:
            answers = list(batch.split(result.completion))
            if self._scope.mode != "off":
                await asyncio.gather(*map(self._client.store_answer, batch.requests, answers))
            completions = answers
        for request, completion in zip(batch.requests, completions, strict=True):
            if completion is not None and (vector := decode_vector(completion.text)) is not None:
                self._add_vector(request, vector)
            await self._report(self._call_result(request, result, completion, len(batch.requests)))
        if result.error is not None:
            raise _with_batch_details(result.error, batch)

    async def _report(self, result: CallResult) -> None:
        if self._on_result is None:
            self.call_results.append(result)
        else:
            await self._on_result(result)

    def _call_result(
        self, request: EmbeddingRequest, result: SendResult, completion: Completion | None, n_texts: int
    ) -> CallResult:
        """The rows of one text of a call. The vector is only in the cache; the store has its length and hash."""
        trace_id, run_id = self._trace_id or uuid7(), self._scope.run_id
        attempts = [attempt.share(n_texts) for attempt in result.attempts]
        calls = [
            call_rows.failure_row(request, attempt, trace_id, run_id, number=number, shared=False)
            for number, attempt in enumerate(attempts, 1)
            if attempt.error is not None
        ]
        texts: tuple[TextRow, ...] = (request.body,) if calls or completion else ()
        if completion is not None:
            asked_at = attempts[-1].asked_at
            answer = TextRow.of("response", completion.raw)
            call = call_rows.answer_row(request, completion, answer, trace_id, run_id, asked_at, shared=False)
            calls.append(call_rows.add_attempts(call, attempts))
            texts = (*texts, answer)
        return CallResult(
            request, tuple(calls), completion, result.error, texts, call_rows.redacted_rows(request) if calls else ()
        )


def _with_batch_details(error: RunError, batch: TextBatch) -> RunError:
    """The error with a description of the request, because providers do not say which text is the cause."""
    if not isinstance(error, ModelError):
        return error
    longest = max(batch.requests, key=lambda request: len(request.text))
    texts = f"{len(batch.requests)} texts, the longest is" if len(batch.requests) > 1 else "one text,"
    detailed_error = type(error)(
        f"{error} The request contained {texts} {longest.label} ({len(longest.text):,} characters). Finished vectors "
        "are stored: run the notebook cell again to continue.",
        code=error.code,
        retry_after_s=error.retry_after_s,
    )
    detailed_error.__cause__ = error
    return detailed_error


def _list_labels(requests: Sequence[EmbeddingRequest]) -> str:
    labels = ", ".join(request.label for request in requests[:_MAX_LABELS])
    return f"{len(requests):,} texts ({labels}, ...)" if len(requests) > _MAX_LABELS else labels
