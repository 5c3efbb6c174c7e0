"""Ask a model for a cell: its own model, then its fallbacks, and once more if the answer cannot be parsed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from .._internal.event_loop import process_text
from ..errors import (
    AuthenticationError,
    BadRequestError,
    CacheMiss,
    ContentFilterError,
    ContextTooLongError,
    InvalidAnswer,
    ModelError,
)
from ..llm.calls.client import CallResult
from ..llm.model import Request
from ..schema import Status
from .base import Cell, Context

if TYPE_CHECKING:
    from ..project.project import Project

_NO_HELP = (AuthenticationError, BadRequestError, ContentFilterError)
P = TypeVar("P", bound="ParsedAnswer")
P_co = TypeVar("P_co", bound="ParsedAnswer", covariant=True)


class ParsedAnswer(Protocol):
    """What a parser makes of an answer."""

    @property
    def result(self) -> CallResult:
        """The result of the call."""

    @property
    def n_unparsed(self) -> int:
        """How many parts of the answer could not be parsed."""

    @property
    def statuses(self) -> Collection[str]:
        """The statuses of its parts."""

    def better_of(self, second: Self) -> Self:
        """The better of this answer and a second one, with the rows of both."""


class AsksModels(Protocol[P_co]):
    """What an agent must have so that `ask_and_parse` can ask for it."""

    @property
    def reask(self) -> bool:
        """Whether an answer that cannot be parsed is asked for once more."""

    @property
    def repair_message(self) -> str:
        """What the second request says about the first answer."""

    def requests_in_order(self, question: Any, cell: Cell, project: Project) -> Iterator[Request]:
        """The request to the cell's model, then those to its fallbacks."""

    def parse(self, result: CallResult, question: Any, cell: Cell, trace_id: str, context: Context) -> P_co:
        """Parse the answer in a result."""


async def ask_and_parse(agent: AsksModels[P], question: Any, cell: Cell, trace_id: str, context: Context) -> P:
    """Ask a question, parse the answer, and ask once more if it cannot be parsed.

    A cached answer whose status the run wants to `retry` is asked for again.
    """
    result = await ask_with_fallbacks(agent.requests_in_order(question, cell, context.project), cell, trace_id, context)
    first = await _parse(agent, result, question, cell, trace_id, context)
    answer = await _repair(agent, first, question, cell, trace_id, context)
    is_cached = bool(first.result.calls) and all(call.cached for call in answer.result.calls)
    if is_cached and context.retry & set(answer.statuses):
        result = await call_model(first.result.request, cell, trace_id, context, again=True)
        first = await _parse(agent, result, question, cell, trace_id, context)
        answer = await _repair(agent, first, question, cell, trace_id, context)
    return answer


async def ask_with_fallbacks(requests: Iterable[Request], cell: Cell, trace_id: str, context: Context) -> CallResult:
    """Send the first request; if it fails and another model may do better, send the next."""
    results: list[CallResult] = []
    miss: CacheMiss | None = None
    for request in requests:
        try:
            result = await call_model(request, cell, trace_id, context)
        except CacheMiss as error:
            miss = miss or error
            continue
        results.append(result)
        if not isinstance(result.error, ModelError) or not is_recoverable(result.error):
            break
    if not results:
        assert miss is not None
        raise miss
    return combine(results)


async def call_model(
    request: Request, cell: Cell, trace_id: str, context: Context, *, again: bool = False
) -> CallResult:
    """Send one request through the client, with this run's use of the cache."""
    keep = context.completed_calls.append if context.completed_calls is not None else None
    result = await context.project.client.ask(
        request, trace_id=trace_id, scope=context.scope, policy=cell.slot.policy, again=again, on_cut_off=keep
    )
    if keep is not None:
        keep(result)
    return result


async def _parse(
    agent: AsksModels[P], result: CallResult, question: Any, cell: Cell, trace_id: str, context: Context
) -> P:
    """Parse an answer; a long one on a thread."""
    length = len(result.completion.text) if result.completion else 0
    return await process_text(length, agent.parse, result, question, cell, trace_id, context)


async def _repair(agent: AsksModels[P], first: P, question: Any, cell: Cell, trace_id: str, context: Context) -> P:
    """Ask once more if the first answer cannot be parsed, and keep the better of both."""
    request = repair_request(first, agent.repair_message) if agent.reask else None
    if request is None:
        return first
    try:
        result = await call_model(request, cell, trace_id, context)
    except CacheMiss:  # the second request failed when it was made: the first answer remains
        return first
    return first.better_of(await _parse(agent, result, question, cell, trace_id, context))


def repair_request(answer: ParsedAnswer, message: str) -> Request | None:
    """The request that says what was wrong with an answer; None if asking again would not help."""
    completion, request = answer.result.completion, answer.result.request
    if completion is None or completion.finish_reason in ("length", "content_filter"):
        return None
    if not answer.n_unparsed or request.model.deterministic:
        return None
    return request.with_followup(completion.text, message)


def is_recoverable(error: ModelError) -> bool:
    """Whether another model may do better: not if the request is wrong or a filter stopped it."""
    return isinstance(error, ContextTooLongError) or not isinstance(error, _NO_HELP)


def text_status(result: CallResult) -> tuple[Status, BaseException | None]:
    """The status of an answer that is a text, and what is wrong with it. An empty or cut off text is no answer."""
    if result.completion and result.completion.finish_reason == "length":
        return "invalid", InvalidAnswer(
            "the answer was cut off at the length limit. Raise `max_tokens` in the step's params."
        )
    if result.completion and not result.completion.text.strip() and result.call and result.call.status == "ok":
        return "invalid", InvalidAnswer("the model sent an empty answer.")
    status = result.error.status if result.error else result.call.status if result.call else "error"
    return status, result.error  # type: ignore[return-value]  # Trace checks it


def combine(results: list[CallResult]) -> CallResult:
    """Several results of one question as one: the answer of the last, the rows of all."""
    if len(results) == 1:
        return results[0]
    return results[-1]._replace(
        calls=tuple(call for result in results for call in result.calls),
        texts=tuple(text for result in results for text in result.texts),
        redacted=tuple(row for result in results for row in result.redacted),
    )
