"""Putting a question: to the cell's model, then to its fallbacks, and once more where the answer cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from ..errors import (
    AuthenticationError,
    BadRequestError,
    CacheMiss,
    ContentFilterError,
    ContextTooLongError,
    ModelError,
)
from ..llm.calls.client import CallResult
from ..llm.model import Request
from .base import Cell, Context

if TYPE_CHECKING:
    from .llm_agent import Agent

_NO_HELP = (AuthenticationError, BadRequestError, ContentFilterError)
R = TypeVar("R", bound="ParsedAnswer")
_LONG = 50_000  # characters of an answer that would hold up the loop while they are read


class ParsedAnswer(Protocol):
    """What was made of an answer."""

    @property
    def result(self) -> CallResult:
        """What came of asking."""

    @property
    def n_unparsed(self) -> int:
        """How much of it could not be read."""

    @property
    def statuses(self) -> Collection[str]:
        """The statuses of its parts."""

    def better_of(self, second: Self) -> Self:
        """The better of two readings, with the rows of both."""


async def ask_with_fallbacks(agent: Agent, question: Any, cell: Cell, trace_id: str, context: Context) -> CallResult:
    """Put a question to the cell's model, and where that fails for good to its fallbacks."""
    assert cell.slot.model is not None
    earlier: list[CallResult] = []
    missed: CacheMiss | None = None
    for model in (cell.slot.model, *agent.fallback_models(context.project)):
        try:
            asked = await call_model(agent.request(question, cell, model), cell, trace_id, context)
        except CacheMiss as miss:
            missed = missed or miss
            continue
        earlier.append(asked)
        if not isinstance(asked.error, ModelError) or not is_recoverable(asked.error):
            break
    if not earlier:
        assert missed is not None
        raise missed
    return combine(earlier)


async def call_model(
    request: Request, cell: Cell, trace_id: str, context: Context, *, again: bool = False
) -> CallResult:
    """Ask the client, as this run uses the cache."""
    asked = await context.project.client.ask(
        request, trace_id=trace_id, scope=context.scope, policy=cell.slot.policy, again=again
    )
    if context.completed_calls is not None:
        context.completed_calls.append(asked)
    return asked


async def ask_and_parse(
    agent: Agent,
    question: Any,
    read: Callable[[CallResult], R],
    cell: Cell,
    trace_id: str,
    context: Context,
    *,
    objection: str | None,
) -> R:
    """Ask, and ask once more where the answer cannot be read.

    Parameters
    ----------
    read
        Makes of an answer what is wanted of it.
    objection
        What to say to an answer that cannot be read; None where it shall not be asked again.
    """

    async def reading(asked: CallResult) -> R:
        if asked.completion is not None and len(asked.completion.text) > _LONG:
            return await asyncio.to_thread(read, asked)
        return read(asked)

    async def asked_again(first: R) -> R:
        request = repair_request(first, objection)
        if request is None:
            return first
        try:
            second = await reading(await call_model(request, cell, trace_id, context))
        except CacheMiss:  # the second request has failed when it was made: the first answer stands
            return first
        return first.better_of(second)

    first = await reading(await ask_with_fallbacks(agent, question, cell, trace_id, context))
    found = await asked_again(first)
    stale = first.result.calls and all(call.cached for call in found.result.calls)
    if stale and context.retry & set(found.statuses):
        found = await asked_again(
            await reading(await call_model(first.result.request, cell, trace_id, context, again=True))
        )
    return found


def repair_request(reading: ParsedAnswer, objection: str | None) -> Request | None:
    """The request that says what was wrong with an answer; None where asking again would not help."""
    completion, request = reading.result.completion, reading.result.request
    hopeless = completion is None or completion.finish_reason in ("length", "content_filter")
    if objection is None or not reading.n_unparsed or hopeless or request.model.deterministic:
        return None
    assert completion is not None
    return request.with_followup(completion.text, objection)


def is_recoverable(error: ModelError) -> bool:
    """Whether another model may do better: not where the request is wrong, nor where a filter has answered."""
    return isinstance(error, ContextTooLongError) or not isinstance(error, _NO_HELP)


def combine(asked: list[CallResult]) -> CallResult:
    """Several askings of one question as one: the last one's answer, everybody's rows."""
    if len(asked) == 1:
        return asked[0]
    return asked[-1]._replace(
        calls=tuple(call for one in asked for call in one.calls),
        texts=tuple(text for one in asked for text in one.texts),
        redacted=tuple(row for one in asked for row in one.redacted),
    )
