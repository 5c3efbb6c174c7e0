"""What a provider's batch API is to us: prepare, submit, find, look, results. Plain HTTP, and nothing believed.

An address that a server names (`results_url`) is never followed: the key goes where the model's settings say, and
nowhere else. Lines that cannot be read are counted, not trusted.

A batch must not be paid for twice where a program ends in the middle of submitting it. So there are two steps:
`prepare` gives a mark, which the caller writes down, and `submit` does it. With the mark `find` says later whether
the batch has arrived.
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

_CLOCK_TOLERANCE = dt.timedelta(minutes=5)  # how far a provider's clock may be behind ours
_PAGE_SIZE = 100  # batches listed at once; the most that both allow


class BatchNotFound(ModelError):
    """The server knows no such address: it has no batch API, or the batch is not kept any more."""


class BatchStatus(NamedTuple):
    """How far a batch is."""

    state: Literal["working", "ended", "failed"]
    done: int
    total: int
    message: str = ""
    cancelled: bool = False
    files: tuple[str, ...] = ()
    """Where its results are, where the provider keeps them as files."""


class BatchResult(NamedTuple):
    """What came of one request: the body that a direct call would have brought, or why there is none."""

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
        The address that direct calls go to.
    key
        The provider's key.
    timeout_s
        Seconds that the server may be silent.
    """

    provider: ClassVar[str]
    path: ClassVar[str]
    """How the address of a direct call ends."""
    max_requests: ClassVar[int]
    max_bytes: ClassVar[int]
    base_variables: ClassVar[tuple[str, ...]]
    """The environment variables that may name the address."""
    default_base: ClassVar[str]

    def __init__(self, name: str, base: str, key: str, *, timeout_s: float) -> None:
        import httpx

        self.name = name
        self.base = base.rstrip("/")
        self._http = httpx.AsyncClient(headers=self.headers(key), timeout=timeout_s)

    @abstractmethod
    def headers(self, key: str) -> dict[str, str]:
        """What every request carries."""

    @abstractmethod
    def request_line(self, key: str, body: bytes) -> bytes:
        """One request of a batch, under a key of ours, as it is handed in."""

    async def prepare(self, lines: Sequence[bytes]) -> str:  # noqa: ARG002  # OpenAI's wants them beforehand
        """What comes before submitting and costs nothing; the mark by which the batch can be found."""
        return uuid7()

    @abstractmethod
    async def submit(self, submission_id: str, lines: Sequence[bytes], headers: Mapping[str, str]) -> str:
        """Hand a batch in; its id."""

    @abstractmethod
    async def find(self, submission_id: str, since: dt.datetime, n: int, known_ids: Collection[str]) -> str | None:
        """The batch of that mark, if it arrived: of `n` requests, handed in after `since`, none of the `known`."""

    @abstractmethod
    async def poll(self, batch_id: str) -> BatchStatus:
        """How far it is."""

    @abstractmethod
    def results(self, batch_id: str, status: BatchStatus) -> AsyncGenerator[BatchResult | None, None]:
        """What came of its requests, in any order; None for a line that cannot be read."""

    async def close(self) -> None:
        """Close connections."""
        await self._http.aclose()

    async def request_json(self, method: str, url: str, **arguments: Any) -> dict[str, Any]:
        import httpx

        try:
            response = await self._http.request(method, url, **arguments)
        except httpx.HTTPError as error:
            raise map_error(error, self.name, provider=self.provider) from None
        self._raise_for_status(response)
        data = parse_body(response.text)
        if not isinstance(data, dict):
            raise BadResponseError(f"`{self.name}`: {self.base} sent something that is no word on a batch.")
        return data

    def _raise_for_status(self, response: httpx.Response) -> None:
        import httpx

        if response.status_code in (404, 405, 501):
            raise BatchNotFound(
                f"`{self.name}`: {self.base} answers {response.status_code} when it is asked for a batch."
            )
        if response.status_code >= 300:
            refused = httpx.HTTPStatusError("refused", request=response.request, response=response)
            raise map_error(refused, self.name, provider=self.provider)

    async def result_lines(self, url: str) -> AsyncGenerator[dict[str, Any] | None, None]:
        """The lines of a file of JSON lines; None for one that is no JSON object."""
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
                made = parse_time(entry.get("created_at"))
                if made is not None and made < since - _CLOCK_TOLERANCE:
                    return
                yield entry
            if not page.get("has_more") or not batches:
                return
            after = {cursor: str(batches[-1].get("id"))}

    def read_id(self, data: Mapping[str, Any]) -> str:
        found = data.get("id")
        if not isinstance(found, str) or not found:
            raise BadResponseError(f"`{self.name}`: {self.base} took the batch, and did not say under which id.")
        return found


async def _split_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    r"""Lines as JSON lines have them: ended by `\n`, and not by what else Unicode takes for the end of one."""
    rest = bytearray()
    async for chunk in chunks:
        rest += chunk
        *whole, last = rest.split(b"\n")
        rest = bytearray(last)
        for line in whole:
            if line.strip():
                yield bytes(line)
    if rest.strip():
        yield bytes(rest)


class _RequestCounts(dict[str, int]):
    def __missing__(self, key: str) -> int:
        return 0


def request_counts(data: Mapping[str, Any]) -> dict[str, int]:
    """How many requests of a batch are in which state; 0 for what is not said.

    Examples
    --------
    >>> counts_in({"request_counts": {"total": 3, "failed": None}})["failed"], counts_in({})["total"]
    (0, 0)
    """
    given = data.get("request_counts")
    return _RequestCounts(
        {str(key): whole_number(value) for key, value in given.items()} if isinstance(given, dict) else {}
    )


def whole_number(value: Any) -> int:
    """The number, 0 where it is none.

    Examples
    --------
    >>> whole_number(7), whole_number("7"), whole_number(True)
    (7, 0, 0)
    """
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def refusal_reasons(errors: Any) -> str:
    """Why a whole batch was refused."""
    listed = errors.get("data") if isinstance(errors, dict) else None
    told = [str(entry.get("message") or entry.get("code")) for entry in listed or [] if isinstance(entry, dict)]
    return redact(shorten("; ".join(dict.fromkeys(told)), 300)).rstrip(" .")


def parse_time(value: Any) -> dt.datetime | None:
    """A time as providers write it, in UTC without a zone."""
    try:
        if isinstance(value, int | float):
            return dt.datetime.fromtimestamp(value, dt.UTC).replace(tzinfo=None)
        return dt.datetime.fromisoformat(str(value)).astimezone(dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None
