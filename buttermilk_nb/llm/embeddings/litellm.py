"""`LitellmEmbedding`: embedding models that litellm supports, such as `openai/text-embedding-3-small`.

Address, key, price and errors are the same as for models that answer; only request and response differ. A parameter
that the provider does not know is an error and is never dropped, because it would change every vector.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import ModelError, SetupError, SkippedCell, nearest
from ..completion import Completion
from ..model import Request
from ..providers.litellm import LitellmModel
from ..providers.litellm_response import token_count
from ..providers.load_litellm import load_litellm
from ..providers.map_errors import map_error
from ..providers.response_errors import RawResponse
from .vectors import TextBatch, invalid_response

_PARAMS = frozenset(
    {
        "auto_truncate", "dimensions", "embedding_types", "encoding_format", "input_type", "late_chunking", "normalize",
        "normalized", "output_dimension", "output_dtype", "task", "task_type", "title", "truncate", "truncation",
        "user",
    }
)  # fmt: skip
"""The parameters that providers of vectors have. Any other could be an address or an account for litellm."""


class LitellmEmbedding(LitellmModel):
    """A remote or local model that makes vectors.

    Examples
    --------
    >>> LitellmEmbedding("openai/text-embedding-3-small")
    <model openai/text-embedding-3-small: makes vectors, called through litellm>
    """

    description = "makes vectors, called through litellm"
    call_type = "embedding"
    takes_schema = False

    def split_params(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        if params:
            super().split_params(params)  # refuses addresses and keys, which would be stored
        if unknown := sorted(set(params) - _PARAMS):
            raise SetupError(
                f"`{unknown[0]}` is not a parameter of vectors; {nearest(unknown[0], sorted(_PARAMS))} Address and key "
                f"belong under `models: {self.name}:` in buttermilk.yaml."
            )
        return dict(params), {}

    async def complete(self, request: Request) -> Completion:
        if not isinstance(request, TextBatch):
            raise SkippedCell(f"`{self.name}` makes vectors and answers no questions; use project.embed(...).")
        litellm = load_litellm()
        started, received = time.perf_counter(), RawResponse()
        try:
            with self._local_client(request) as client:
                response = await litellm.aembedding(
                    model=self.full_name,
                    input=request.texts,
                    max_retries=0,
                    num_retries=0,
                    logger_fn=received,
                    **await self._address_and_key(request),
                    **client,
                    **request.params.sent,
                )
            vectors = order_vectors(response.data, self.name)
        except ModelError:
            raise
        except Exception as error:  # noqa: BLE001  # litellm may raise anything if a response is malformed
            raise map_error(error, self.name) from None
        completion = request.completion(
            vectors,
            model_served=response.model,
            fingerprint=self.fingerprint,
            request_id=_request_id(response),
            tokens_in=token_count(response, "prompt_tokens"),
            latency_s=time.perf_counter() - started,
        )
        return completion.model_copy(update={"cost_usd": self._cost(completion, response)})


def order_vectors(data: Sequence[Any], name: str) -> list[Any]:
    """The vectors of a response in the order of its texts, because servers may send them in another order.

    Parameters
    ----------
    data
        The entries, each with `embedding` and usually with `index`.
    name
        The model's name, for messages.

    Raises
    ------
    BadResponseError
        An entry has no vector, or the indices do not match the texts.

    Examples
    --------
    >>> order_vectors([{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}], "toy")
    [[1.0], [2.0]]
    """
    entries = [item if isinstance(item, dict) else vars(item) for item in data or ()]
    if any("embedding" not in entry for entry in entries):
        raise invalid_response(f"`{name}` sent an answer without vectors; is it an embedding model?")
    indices = [entry.get("index") for entry in entries]
    if all(index is None for index in indices):
        return [entry["embedding"] for entry in entries]
    if sorted(index if isinstance(index, int) else -1 for index in indices) != list(range(len(entries))):
        raise invalid_response(f"`{name}` sent vectors with indices that do not match the texts.")
    return [entry["embedding"] for entry in sorted(entries, key=lambda entry: int(entry["index"]))]


def _request_id(response: Any) -> str | None:
    hidden = getattr(response, "_hidden_params", None) or {}
    headers = hidden.get("additional_headers") or {}
    request_id = headers.get("llm_provider-x-request-id") or headers.get("llm_provider-request-id")
    return None if request_id is None else str(request_id)
