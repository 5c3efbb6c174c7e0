"""`embed` turns texts into vectors and records what was sent.

A call that sends texts is a run of its own in the Store, with the name `embed`. It has a trace and a call for each
text that was sent, so that `egress`, `costs` and the budget include it. Vectors from the cache, and vectors from a
model inside this process, leave no rows. A list of texts gives an array, because scikit-learn, UMAP and similar tools
take arrays. A corpus gives a table with the record ids as index, because its results are joined to other tables.
"""

from __future__ import annotations

import asyncio
import platform
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, overload

from .._internal import event_loop
from .._internal.ids import canonical, digest, uuid7
from .._internal.package_versions import package_version, package_versions
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
from ..store.run_rows import finish_run, write_plan
from .open_project import OpenProject

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


class EmbedOptions(TypedDict, total=False):
    """The options of `embed`."""

    params: Mapping[str, Any] | None
    cache: CacheMode | None
    texts_per_request: int
    tokens_per_request: int
    yes: bool


@overload
def embed(project: OpenProject, texts: Corpus, *, model: str, **options: Unpack[EmbedOptions]) -> pd.DataFrame: ...
@overload
def embed(
    project: OpenProject, texts: Sequence[str], *, model: str, **options: Unpack[EmbedOptions]
) -> NDArray[np.float32]: ...
def embed(
    project: OpenProject, texts: Corpus | Sequence[str], *, model: str, **options: Unpack[EmbedOptions]
) -> NDArray[np.float32] | pd.DataFrame:
    """The vectors of texts. Only texts that are not in the cache are sent, and equal texts are sent once.

    Parameters
    ----------
    project
        The project.
    texts
        A corpus, or a list of texts.
    model
        `offline/hashing`, `ollama/nomic-embed-text`, `openai/text-embedding-3-small`, ..., or a name under `models:`
        in `buttermilk.yaml`.
    params
        Parameters such as `dimensions` and `input_type`, sent unchanged.
    cache
        `use`, `refresh`, `only` or `off`; by default the project's mode.
    texts_per_request, tokens_per_request
        The most texts and (estimated) tokens in one request. A longer text is sent in a request of its own.
    yes
        Send also if the model's price is not known, so that the budget does not include it.

    Returns
    -------
    numpy.ndarray or pandas.DataFrame
        float32, one row per text, in order. For a list an array of shape (texts, dimensions); for a corpus a table of
        that shape with `record_id` as its index.

    Raises
    ------
    SetupError
        A text is empty, the model does not exist, or its key is missing. Nothing was sent.
    ConsentError
        Texts would go to a provider that is not allowed, or a record is `local_only`. Nothing was sent.
    ModelError, BudgetReached
        A request failed permanently, or would cost too much. Finished vectors are kept: run it again to continue.
    Interrupted
        You stopped it with Ctrl-C. Finished vectors are kept: run it again to continue.

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
    run = _EmbedRun(project, texts, model, **options)
    vectors = event_loop.wait(event_loop.submit(run.run()), run.interrupt)
    return run.result(vectors, Interrupted)


async def embed_async(
    project: OpenProject, texts: Corpus | Sequence[str], *, model: str, **options: Unpack[EmbedOptions]
) -> NDArray[np.float32] | pd.DataFrame:
    """The asynchronous `embed`, for `await` in a notebook cell."""
    run = _EmbedRun(project, texts, model, **options)
    vectors = await event_loop.wait_async(event_loop.submit(run.run()), run.interrupt)
    return run.result(vectors, RunStopped)


class _EmbedRun:
    """One call of `embed`."""

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
        yes: bool = False,
    ) -> None:
        mode = cache or project.cache_mode
        if mode not in CACHE_MODES:
            raise SetupError(f"cache={mode!r} must be one of {', '.join(CACHE_MODES)}; {nearest(mode, CACHE_MODES)}")
        if params is not None and not isinstance(params, Mapping):
            raise SetupError(f"`params` of `embed` must be a dictionary, not {type(params).__name__}.")
        self._project = project
        self._corpus = texts if isinstance(texts, Corpus) else None
        self._records, labels = _records_and_labels(texts)
        self._model = make_embedder(model, project.settings.models, project.keys)
        self._yes = yes
        self._run_id = uuid7()
        self._writer: Writer | None = None
        self._job = EmbeddingJob(
            project.client,
            self._model,
            self._records,
            RunScope(self._run_id, mode, budget=_make_budget(project, self._model), failure_threshold=1),
            params=params,
            redaction=project.redaction,
            texts_per_request=texts_per_request,
            tokens_per_request=tokens_per_request,
            labels=labels,
            concurrency=project.settings.concurrency,
            on_result=self._write_unit,
        )

    async def run(self) -> NDArray[np.float32] | None:
        """The vectors; None if it was stopped before all texts had one."""
        job = self._job
        self._project.cache.open()
        await job.look_up()
        if job.missing:
            await job.check(self._project.settings.probe_s)
            await (job.send() if self._model.in_process else self._send_and_record())
        return None if job.n_remaining else job.vectors()

    def interrupt(self, presses: int = 1) -> None:
        """Stop after the calls in flight; with the second press stop at once."""
        event_loop.background_loop().call_soon_threadsafe(self._job.stop if presses == 1 else self._job.abort)

    def result(
        self, vectors: NDArray[np.float32] | None, error_class: type[Interrupted | RunStopped]
    ) -> NDArray[np.float32] | pd.DataFrame:
        """The vectors as an array or a table; an error if there are none."""
        if vectors is None:
            raise error_class(
                f"It was stopped: {self._job.n_remaining:,} of {len(self._records):,} texts have no vector yet. The "
                "other vectors are kept: run it again to continue."
            )
        if self._corpus is None:
            return vectors
        import pandas as pd

        return pd.DataFrame(vectors, index=pd.Index([r.record_id for r in self._records], name="record_id"))

    async def _send_and_record(self) -> None:
        """Send the texts, and write the run with its rows."""
        if self._model.remote:
            self._check_price()
        model_facts = await self._model.identify(self._project.settings.probe_s)
        await asyncio.to_thread(self._write_plan, model_facts)
        self._writer = Writer(self._project.store)
        status = "failed"
        try:
            try:
                await self._job.send()
                status = "interrupted" if self._job.n_remaining else "finished"
            except BudgetReached as error:
                status = "over budget"
                raise BudgetReached(f"{error} Finished vectors are kept: run it again to continue.") from None
            finally:
                await self._writer.close()
        finally:
            event = self._event(status)
            await asyncio.to_thread(finish_run, self._project.store, self._run_id, status, event.as_row())
            self._project.bus.publish(event)

    def _check_price(self) -> None:
        if self._model.price() is None and self._project.settings.budget_usd is not None:
            unknown = f"the price of `{self._model.name}` is not known, so"
            if not self._yes:
                raise SetupError(
                    f"{unknown} the budget cannot be kept. Write it in buttermilk.yaml: `models: {{{self._model.name}: "
                    "{prices: {input: ..., output: 0}}}` (US dollars per million tokens), or embed(..., yes=True)."
                )
            warnings.warn(f"{unknown} the project's budget does not include it.", stacklevel=2)

    def _write_plan(self, model_facts: Mapping[str, Any]) -> None:
        store, event, missing = self._project.store, self._event("running"), self._job.missing
        write_plan(
            store,
            self._run_row(model_facts),
            event.as_row(),
            cells=cell_rows(missing, self._run_id),
            records=[request.record for request in missing],
        ).warn_of_forgotten()
        self._project.bus.publish(event)

    def _event(self, state: str) -> StatusEvent:
        payload = {"state": state, "run_id": self._run_id, "cells": len(self._job.missing), "flow": STEP}
        return StatusEvent(transaction_id=self._run_id, source=STEP, payload=payload)

    def _run_row(self, model_facts: Mapping[str, Any]) -> RunRow:
        first_request = self._job.missing[0]
        definition = {"model": self._model.full_name, "params": first_request.params.sent, **first_request.key_parts}
        manifest = {
            "buttermilk_nb": package_version("buttermilk-nb"),
            "python": platform.python_version(),
            "packages": package_versions("duckdb", "litellm", "numpy", "pydantic"),
            "embed": definition,
            "models": {self._model.name: model_facts},
            "corpus": self._corpus.provenance if self._corpus is not None else {},
            "texts": len(self._records),
            "sent": len(self._job.missing),
        }
        return RunRow(
            run_id=self._run_id,
            flow=STEP,
            flow_hash=digest("f1", canonical({STEP: definition})),
            corpus_hash=digest("co1", *(record.record_hash for record in self._records)),
            status="running",
            started_at=now(),
            manifest=canonical(manifest),
        )

    async def _write_unit(self, call_result: CallResult) -> None:
        if self._writer is not None and call_result.calls:
            await self._writer.put(embedding_unit(call_result, self._run_id))


def _make_budget(project: OpenProject, model: Model) -> Budget:
    return Budget([project.spending_limit()] if model.remote else ())


def _records_and_labels(texts: Corpus | Sequence[str]) -> tuple[list[Record], list[str]]:
    """The texts as records, and a label of each for messages."""
    if isinstance(texts, str):
        raise SetupError("embed takes a list of texts or a corpus; for a single text write embed([text], ...).")
    if not isinstance(texts, Iterable):
        raise SetupError(f"embed takes a list of texts or a corpus, not {type(texts).__name__}.")
    text_list = list(texts)
    if not text_list:
        raise SetupError("there are no texts to embed.")
    if isinstance(texts, Corpus):
        records, labels = list(texts.records), [f"record `{record.record_id}`" for record in texts.records]
    else:
        labels = [f"texts[{index}]" for index in range(len(text_list))]
        if problems := [
            f"{label} is a {type(item).__name__}"
            for label, item in zip(labels, text_list, strict=True)
            if not isinstance(item, str)
        ]:
            raise SetupError(f"embed takes texts, but {problems[0]}; pass a Corpus, or a list of strings.")
        records = [Record(content=item) for item in text_list]
    empty = [label for label, record in zip(labels, records, strict=True) if not record.content.strip()]
    if empty:
        raise SetupError(
            f"{', '.join(empty[:5])}{', ...' if len(empty) > 5 else ''} {'are' if len(empty) > 1 else 'is'} empty, and "
            "an empty text has no vector. Leave it out: corpus.filter(lambda record: record.content.strip() != '')."
        )
    return records, labels
