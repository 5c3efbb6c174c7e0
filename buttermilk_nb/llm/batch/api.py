"""`BatchApi`: interface to provider batch APIs over plain HTTP.

Every field of a response is validated.
An address in a response (`results_url`) is never followed: the key goes only to the address in the model's settings.
Unreadable lines are counted and otherwise ignored.

A batch must not be paid for twice if the program ends in the middle of submitting it. So there are two steps: `prepare`
returns a submission id, which the caller stores, and `submit` submits the batch. Later `find` tells from the submission
id whether the batch arrived.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from ..._internal.ids import uuid7
from ..._internal.secret_redaction import redact
from ..._internal.text import shorten
from ...errors import BadResponseError, ModelError
from ..providers.map_errors import map_error
from ..providers.response_errors import parse_body

if TYPE_CHECKING:
    import httpx

_CLOCK_TOLERANCE = dt.timedelta(minutes=5)  # a provider's clock may be late by this much
_PAGE_SIZE = 100  # batches per request; the maximum of both providers


class BatchNotFound(ModelError):
    """The server does not know the address: it has no batch API, or has deleted the batch."""


class BatchStatus(NamedTuple):
    """The progress of a batch: its state, and the numbers of finished and of all requests."""

    state: Literal["working", "ended", "failed"]
    done: int
    total: int
    message: str = ""
    cancelled: bool = False
    files: tuple[str, ...] = ()
    """The ids of its result files, if the provider stores results as files."""


class BatchResult(NamedTuple):
    """The result of one request: the body that a direct call would return, or the reason why there is none."""

    key: str
    body: dict[str, Any] | None
    request_id: str | None = None
    reason: str = ""


class BatchApi(ABC):
    """One provider's batch API, for one model.

    Parameters
    ----------
    name
        The model's name, for messages.
    base
        The address of direct calls.
    key
        The provider's key.
    timeout_s
        Seconds to wait for a response of the server.
    """

    provider: ClassVar[str]
    path: ClassVar[str]
    """The end of the address of a direct call."""
    max_requests: ClassVar[int]
    max_bytes: ClassVar[int]
    base_variables: ClassVar[tuple[str, ...]]
    """The environment variables that may contain the address."""
    default_base: ClassVar[str]

    def __init__(self, name: str, base: str, key: str, *, timeout_s: float) -> None:
        import httpx

        self.name = name
        self.base = base.rstrip("/")
        self._http = httpx.AsyncClient(headers=self.headers(key), timeout=timeout_s)

    @abstractmethod
    def headers(self, key: str) -> dict[str, str]:
        """The headers of every request."""

    @abstractmethod
    def request_line(self, key: str, body: bytes) -> bytes:
        """One request in the form of a batch, with a key that its result will have."""

    async def prepare(self, lines: Sequence[bytes]) -> str:  # noqa: ARG002  # OpenAI needs them
        """Prepare a batch at no cost, and return a submission id, by which `find` recognises the batch."""
        return uuid7()

    @abstractmethod
    async def submit(self, submission_id: str, lines: Sequence[bytes], headers: Mapping[str, str]) -> str:
        """Submit a batch, and return its id."""

    @abstractmethod
    async def find(self, submission_id: str, since: dt.datetime, n: int, known_ids: Collection[str]) -> str | None:
        """Find a submitted batch: its id, or None if it did not arrive.

        Parameters
        ----------
        submission_id
            The id from `prepare`.
        since
            The time of the submission, in UTC; older batches are not searched.
        n
            The number of requests in the batch.
        known_ids
            The ids of other batches, which do not count.
        """

    @abstractmethod
    async def poll(self, batch_id: str) -> BatchStatus:
        """Ask for the progress of a batch."""

    @abstractmethod
    def results(self, batch_id: str, status: BatchStatus) -> AsyncGenerator[BatchResult | None, None]:
        """The results of a batch's requests, in any order; None for an unreadable line."""

    async def close(self) -> None:
        """Close connections."""
        await self._http.aclose()

    async def request_json(self, method: str, url: str, **arguments: Any) -> dict[str, Any]:
        """Send a request, and return the JSON object in the response.

        Raises
        ------
        ModelError
            The request failed, or the response is not a JSON object.
        """
        import httpx

        try:
            response = await self._http.request(method, url, **arguments)
        except httpx.HTTPError as error:
            raise map_error(error, self.name, provider=self.provider) from None
        self._raise_for_status(response)
        data = parse_body(response.text)
        if not isinstance(data, dict):
            raise BadResponseError(f"`{self.name}`: {self.base} returned an unexpected reply to a batch request.")
        return data

    def _raise_for_status(self, response: httpx.Response) -> None:
        import httpx

        if response.status_code in (404, 405, 501):
            raise BatchNotFound(f"`{self.name}`: {self.base} answers a batch request with HTTP {response.status_code}.")
        if response.status_code >= 300:
            refused = httpx.HTTPStatusError("refused", request=response.request, response=response)
            raise map_error(refused, self.name, provider=self.provider)

    async def result_lines(self, url: str) -> AsyncGenerator[dict[str, Any] | None, None]:
        """The objects in a file of JSON lines; None for a line that is not a JSON object."""
        import httpx

        try:
            async with self._http.stream("GET", url) as response:
                if response.status_code >= 300:
                    await response.aread()
                    self._raise_for_status(response)
                async for line in _split_lines(response.aiter_bytes()):
                    data = parse_body(line.decode("utf-8", "replace"))
                    yield data if isinstance(data, dict) else None
        except httpx.HTTPError as error:
            raise map_error(error, self.name, provider=self.provider) from None

    async def list_batches(self, url: str, since: dt.datetime, cursor: str) -> AsyncIterator[dict[str, Any]]:
        """The provider's batches, newest first, as far back as `since`."""
        after: dict[str, str] = {}
        while True:
            page = await self.request_json("GET", url, params={"limit": str(_PAGE_SIZE), **after})
            batches = [entry for entry in page.get("data") or [] if isinstance(entry, dict)]
            for entry in batches:
                created_at = parse_time(entry.get("created_at"))
                if created_at is not None and created_at < since - _CLOCK_TOLERANCE:
                    return
                yield entry
            if not page.get("has_more") or not batches:
                return
            after = {cursor: str(batches[-1].get("id"))}

    def read_id(self, data: Mapping[str, Any]) -> str:
        """The id in a response.

        Raises
        ------
        BadResponseError
            The response has no id.
        """
        value = data.get("id")
        if not isinstance(value, str) or not value:
            raise BadResponseError(f"`{self.name}`: {self.base} accepted the batch but did not return its id.")
        return value


async def _split_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    r"""Split at `\n` only, as the JSON lines format requires, and not at Unicode's other line ends."""
    buffer = bytearray()
    async for chunk in chunks:
        buffer += chunk
        *lines, last = buffer.split(b"\n")
        buffer = bytearray(last)
        for line in lines:
            if line.strip():
                yield bytes(line)
    if buffer.strip():
        yield bytes(buffer)


class _RequestCounts(dict[str, int]):
    def __missing__(self, key: str) -> int:
        return 0


def request_counts(data: Mapping[str, Any]) -> dict[str, int]:
    """The number of requests in each state of a batch; 0 for a missing state.

    Examples
    --------
    >>> request_counts({"request_counts": {"total": 3, "failed": None}})["failed"], request_counts({})["total"]
    (0, 0)
    """
    counts = data.get("request_counts")
    return _RequestCounts(
        {str(key): whole_number(value) for key, value in counts.items()} if isinstance(counts, dict) else {}
    )


def whole_number(value: Any) -> int:
    """The value if it is a whole number, else 0.

    Examples
    --------
    >>> whole_number(7), whole_number("7"), whole_number(True)
    (7, 0, 0)
    """
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def refusal_reasons(errors: Any) -> str:
    """The provider's reasons for refusing a whole batch, as one text."""
    entries = errors.get("data") if isinstance(errors, dict) else None
    reasons = [str(entry.get("message") or entry.get("code")) for entry in entries or [] if isinstance(entry, dict)]
    return redact(shorten("; ".join(dict.fromkeys(reasons)), 300)).rstrip(" .")


def parse_time(value: Any) -> dt.datetime | None:
    """Parse a provider's time (seconds or ISO 8601) to UTC without a zone; None if it is not a time."""
    try:
        if isinstance(value, int | float):
            return dt.datetime.fromtimestamp(value, dt.UTC).replace(tzinfo=None)
        return dt.datetime.fromisoformat(str(value)).astimezone(dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None
