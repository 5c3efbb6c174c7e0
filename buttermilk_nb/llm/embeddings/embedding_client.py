"""`embed`: the vectors of texts within a run, for agents.

Agents that use an embedding model call this function with the scope of their run, so that its budget, cache mode and
limits hold for vectors, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...corpus.record import Record
from ..calls.client import CallResult, Client
from ..calls.redaction import Redaction
from ..calls.run_scope import NO_POLICY, Policy, RunScope
from ..model import Model
from .embedding_job import TEXTS_PER_REQUEST, TOKENS_PER_REQUEST, EmbeddingJob

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class EmbeddingResult(NamedTuple):
    """Vectors in the order of their texts, and the results of the calls for them."""

    vectors: NDArray[np.float32]
    """An array of shape (texts, dimensions)."""
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
    """Embed texts within a run; for agents.

    Parameters
    ----------
    client
        The project's client.
    model
        An embedding model; see `embedding_registry.make_embedder`.
    records
        The records; their contents are the texts.
    scope
        The run's settings and state: cache mode, budget, failing models.
    trace_id
        The trace that the `Call` rows belong to; by default a new one for each text.
    params
        Parameters such as `dimensions` and `input_type`, sent unchanged.
    redaction
        The policy that redacts texts for a remote model.
    policy
        The step's time limit and retries.
    texts_per_request, tokens_per_request
        The maximum size of one request; a longer text is sent alone.

    Returns
    -------
    EmbeddingResult
        The vectors, in the order of the records, and the results of the calls.

    Raises
    ------
    SetupError, ConsentError, BudgetReached, CacheMiss
        A text must not or cannot be sent.
    ModelError
        A request failed after all retries. Finished vectors are in the cache.
    """
    job = EmbeddingJob(
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
    await job.look_up()
    if job.missing:
        await job.check()
        await job.send()
    return EmbeddingResult(job.vectors(), tuple(job.call_results))
