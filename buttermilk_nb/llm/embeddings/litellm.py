"""Embedding models behind litellm: `openai/text-embedding-...`, `ollama/nomic-embed-text`, `hosted_vllm/...`.

They share address, key, price and failures with the models that answer; only the request and the response differ. A
parameter that the provider does not know is an error and never dropped, since it would change every vector.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import ModelError, SkippedCell
from ..completion import Completion
from ..model import Request
from ..providers.litellm import LitellmModel
from ..providers.load_litellm import load_litellm
from ..providers.map_errors import map_error
from ..providers.response_errors import RawResponse
from .vectors import TextBatch, invalid_response


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
        return dict(params), {}

    async def complete(self, request: Request) -> Completion:
        if not isinstance(request, TextBatch):
            raise SkippedCell(f"`{self.name}` makes vectors and answers no questions; project.embed(...) asks it.")
        litellm = load_litellm()
        started, received = time.perf_counter(), RawResponse()
        try:
            with self._local_client(request) as door:
                response = await litellm.aembedding(
                    model=self.full_name,
                    input=request.texts,
                    max_retries=0,
                    num_retries=0,
                    logger_fn=received,
                    **await self._address_and_key(request),
                    **door,
                    **request.params.sent,
                )
            vectors = order_vectors(response.data, self.name)
        except ModelError:
            raise
        except Exception as error:  # noqa: BLE001  # on a malformed response litellm may raise anything
            raise map_error(error, self.name) from None
        completion = request.completion(
            vectors,
            model_served=response.model,
            fingerprint=self.fingerprint,
            request_id=_request_id(response),
            tokens_in=getattr(getattr(response, "usage", None), "prompt_tokens", None),
            latency_s=time.perf_counter() - started,
        )
        return completion.model_copy(update={"cost_usd": self._cost(completion, response)})


def order_vectors(data: Sequence[Any], name: str) -> list[Any]:
    """The vectors of a response in the order of its texts: servers number them, and may send them in another order.

    Parameters
    ----------
    data
        The entries, each with `embedding` and mostly with `index`.
    name
        The model's name, for messages.

    Raises
    ------
    BadResponseError
        An entry has no vector, or the numbers do not number the texts.

    Examples
    --------
    >>> in_order([{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}], "toy")
    [[1.0], [2.0]]
    """
    entries = [each if isinstance(each, dict) else vars(each) for each in data or ()]
    if any("embedding" not in each for each in entries):
        raise invalid_response(f"`{name}` sent an answer without vectors; is it an embedding model?")
    places = [each.get("index") for each in entries]
    if all(place is None for place in places):
        return [each["embedding"] for each in entries]
    if sorted(place if isinstance(place, int) else -1 for place in places) != list(range(len(entries))):
        raise invalid_response(f"`{name}` numbered its vectors so that it cannot be told which belongs to which text.")
    return [each["embedding"] for each in sorted(entries, key=lambda each: int(each["index"]))]


def _request_id(response: Any) -> str | None:
    hidden = getattr(response, "_hidden_params", None) or {}
    headers = hidden.get("additional_headers") or {}
    found = headers.get("llm_provider-x-request-id") or headers.get("llm_provider-request-id")
    return None if found is None else str(found)
