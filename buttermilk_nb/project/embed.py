"""`project.embed`: texts to vectors, and the evidence of what was sent for it.

An asking that sends something is a run of its own in the Store, under the name `embed`: a trace and a call for each
text that was sent, so that `egress`, `costs` and the budget know of it. What comes from the cache, and what a model
within this process makes, leaves no rows. A list of texts gives an array, because that is what scikit-learn, UMAP and
the like take; a corpus gives a table whose index is the record's id, because what follows is joined to other tables.
"""

from __future__ import annotations

import asyncio
import platform
import warnings
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, overload

from .._internal import event_loop
from .._internal.ids import canonical, digest, uuid7
from ..config.settings import CACHE_MODES, CacheMode
from ..corpus.corpus import Corpus
from ..corpus.record import Record
from ..errors import BudgetReached, Interrupted, RunStopped, SetupError, nearest
from ..events.event import StatusEvent
from ..llm.calls.budget import Budget
from ..llm.calls.client import CallResult
from ..llm.calls.run_scope import RunScope
from ..llm.embeddings.embedding_job import TEXTS_PER_REQUEST, TOKENS_PER_REQUEST, EmbeddingJob
from ..llm.embeddings.embedding_registry import make_embedder
from ..llm.embeddings.rows import STEP, cell_rows, embedding_unit
from ..llm.model import Model
from ..schema import RunRow, now
from ..store import Writer
from ..store.run_rows import finish_run, write_plan, write_records
from .open_project import OpenProject

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


class EmbedOptions(TypedDict, total=False):
    """How texts are embedded; see `embed`."""

    params: Mapping[str, Any] | None
    cache: CacheMode | None
    texts_per_request: int
    tokens_per_request: int


@overload
def embed(project: OpenProject, texts: Corpus, *, model: str, **options: Unpack[EmbedOptions]) -> pd.DataFrame: ...
@overload
def embed(
    project: OpenProject, texts: Sequence[str], *, model: str, **options: Unpack[EmbedOptions]
) -> NDArray[np.float32]: ...
def embed(
    project: OpenProject, texts: Corpus | Sequence[str], *, model: str, **options: Unpack[EmbedOptions]
) -> NDArray[np.float32] | pd.DataFrame:
    """The vectors of texts. Only what is not in the cache is sent; equal texts are sent once.

    Parameters
    ----------
    project
        The project.
    texts
        A corpus, or a list of texts.
    model
        `offline/hashing`, `ollama/nomic-embed-text`, `openai/text-embedding-3-small`, ..., or a name that
        `buttermilk.yaml` has under `models:`.
    params
        `dimensions`, `input_type` and the like, sent as given.
    cache
        `use`, `refresh`, `only` or `off`; by default the project's mode.
    texts_per_request, tokens_per_request
        How much one request may hold; tokens are estimated. A longer text travels alone.

    Returns
    -------
    numpy.ndarray or pandas.DataFrame
        float32, one row a text, in order. Of a list an array of shape (texts, dimensions); of a corpus a table of that
        shape whose index is `record_id`.

    Raises
    ------
    SetupError
        A text is empty, there is no such model, no key. Nothing was sent.
    ConsentError
        Texts would go where nobody has allowed them to, or a record is `local_only`. Nothing was sent.
    ModelError, BudgetReached
        A request failed for good, or cost too much. What had finished is kept: running it again goes on from there.
    Interrupted
        It was stopped with Ctrl-C; likewise.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import init
    >>> project = init("vectors", path=tempfile.mkdtemp())
    >>> vectors = embed(project, ["A calm sea.", "The sea is calm.", "Goats"], model="offline/hashing")
    >>> vectors.shape, vectors.dtype
    ((3, 256), dtype('float32'))
    >>> bool(vectors[0] @ vectors[1] > vectors[0] @ vectors[2])
    True
    """
    job = _EmbedRun(project, texts, model, **options)
    found = event_loop.wait(event_loop.submit(job.finish()), job.interrupt)
    return job.shown(found, Interrupted)


async def embed_async(
    project: OpenProject, texts: Corpus | Sequence[str], *, model: str, **options: Unpack[EmbedOptions]
) -> NDArray[np.float32] | pd.DataFrame:
    """The twin of `embed` for `await` in a cell."""
    job = _EmbedRun(project, texts, model, **options)
    found = await event_loop.wait_async(event_loop.submit(job.finish()), job.interrupt)
    return job.shown(found, RunStopped)


class _EmbedRun:
    """One `embed`."""

    def __init__(
        self,
        project: OpenProject,
        texts: Corpus | Sequence[str],
        model: str,
        *,
        params: Mapping[str, Any] | None = None,
        cache: CacheMode | None = None,
        texts_per_request: int = TEXTS_PER_REQUEST,
        tokens_per_request: int = TOKENS_PER_REQUEST,
    ) -> None:
        mode = cache or project.cache_mode
        if mode not in CACHE_MODES:
            raise SetupError(f"cache={mode!r} is none of {', '.join(CACHE_MODES)}; {nearest(mode, CACHE_MODES)}")
        self._project = project
        self._corpus = texts if isinstance(texts, Corpus) else None
        self._records, labels = _checked(texts)
        self._model = make_embedder(model, project.settings.models, project.keys)
        self._run_id = uuid7()
        self._writer: Writer | None = None
        self._asking = EmbeddingJob(
            project.client,
            self._model,
            self._records,
            RunScope(self._run_id, mode, budget=_budget(project, self._model), failure_threshold=1),
            params=params,
            redaction=project.redaction,
            texts_per_request=texts_per_request,
            tokens_per_request=tokens_per_request,
            labels=labels,
            concurrency=project.settings.concurrency,
            on_result=self._landed,
        )

    async def finish(self) -> NDArray[np.float32] | None:
        """The vectors; None where it was stopped before they were all there."""
        asking = self._asking
        self._project.cache.open()
        await asking.look_up()
        if asking.missing:
            await asking.check(self._project.settings.probe_s)
            await (asking.send() if self._model.in_process else self._recorded())
        return None if asking.n_remaining else asking.vectors()

    def interrupt(self, presses: int = 1) -> None:
        """Stop: once gently, twice at once."""
        event_loop.background().call_soon_threadsafe(self._asking.stop if presses == 1 else self._asking.abort)

    def shown(
        self, found: NDArray[np.float32] | None, stopped: type[Interrupted | RunStopped]
    ) -> NDArray[np.float32] | pd.DataFrame:
        """The vectors as they are handed out."""
        if found is None:
            raise stopped(
                f"It was stopped: {self._asking.n_remaining:,} of {len(self._records):,} texts have no vector yet. "
                "What had finished is kept: run it again to go on."
            )
        if self._corpus is None:
            return found
        import pandas as pd

        return pd.DataFrame(found, index=pd.Index([r.record_id for r in self._records], name="record_id"))

    async def _recorded(self) -> None:
        """Send, with the run and its rows written around it."""
        if self._model.remote:
            self._remark()
        known = await self._model.identify(self._project.settings.probe_s)
        await asyncio.to_thread(self._write_ahead, known)
        self._writer = Writer(self._project.store)
        status = "failed"
        try:
            try:
                await self._asking.send()
                status = "interrupted" if self._asking.n_remaining else "finished"
            except BudgetReached as error:
                status = "over budget"
                raise BudgetReached(f"{error} What had finished is kept: run it again to go on.") from None
            finally:
                await self._writer.close()
        finally:
            event = self._event(status)
            await asyncio.to_thread(finish_run, self._project.store, self._run_id, status, event.as_row())
            self._project.bus.publish(event)

    def _remark(self) -> None:
        if self._model.price() is None and self._project.settings.budget_usd is not None:
            warnings.warn(
                f"the price of `{self._model.name}` is not known, so the project's budget does not see what it costs.",
                stacklevel=2,
            )

    def _write_ahead(self, known: Mapping[str, Any]) -> None:
        store, event, missing = self._project.store, self._event("running"), self._asking.missing
        write_records(store, [request.record for request in missing])
        write_plan(store, self._run_row(known), (), cell_rows(missing, self._run_id), event.as_row())
        self._project.bus.publish(event)

    def _event(self, state: str) -> StatusEvent:
        payload = {"state": state, "run_id": self._run_id, "cells": len(self._asking.missing), "flow": STEP}
        return StatusEvent(transaction_id=self._run_id, source=STEP, payload=payload)

    def _run_row(self, known: Mapping[str, Any]) -> RunRow:
        first = self._asking.missing[0]
        asked = {"model": self._model.full_name, "params": first.params.sent, **first.key_parts}
        about = {
            "buttermilk_nb": metadata.version("buttermilk-nb"),
            "python": platform.python_version(),
            "packages": {name: metadata.version(name) for name in ("duckdb", "litellm", "numpy", "pydantic")},
            "embed": asked,
            "models": {self._model.name: known},
            "corpus": self._corpus.provenance if self._corpus is not None else {},
            "texts": len(self._records),
            "sent": len(self._asking.missing),
        }
        return RunRow(
            run_id=self._run_id,
            flow=STEP,
            flow_hash=digest("f1", canonical({STEP: asked})),
            corpus_hash=digest("co1", *(record.record_hash for record in self._records)),
            status="running",
            started_at=now(),
            manifest=canonical(about),
        )

    async def _landed(self, asked: CallResult) -> None:
        if self._writer is not None and asked.calls:
            await self._writer.put(embedding_unit(asked, self._run_id))


def _budget(project: OpenProject, model: Model) -> Budget:
    return Budget([project.spending_limit()] if model.remote else ())


def _checked(texts: Corpus | Sequence[str]) -> tuple[list[Record], list[str]]:
    """The texts as records, and what to call each in messages."""
    if isinstance(texts, str):
        raise SetupError("embed takes a list of texts or a corpus; for a single text write embed([text], ...).")
    given = list(texts)
    if not given:
        raise SetupError("there are no texts to embed.")
    if isinstance(texts, Corpus):
        records, labels = list(texts.records), [f"record `{record.record_id}`" for record in texts.records]
    else:
        labels = [f"texts[{place}]" for place in range(len(given))]
        if wrong := [
            f"{at} is a {type(one).__name__}" for at, one in zip(labels, given, strict=True) if not isinstance(one, str)
        ]:
            raise SetupError(f"embed takes texts, and {wrong[0]}; pass a Corpus, or a list of strings.")
        records = [Record(content=one) for one in given]
    empty = [label for label, record in zip(labels, records, strict=True) if not record.content.strip()]
    if empty:
        raise SetupError(
            f"{', '.join(empty[:5])}{', ...' if len(empty) > 5 else ''} {'are' if len(empty) > 1 else 'is'} empty, and "
            "nothing has no vector. Leave such texts out: corpus.filter(lambda record: record.content.strip() != '')."
        )
    return records, labels
