"""What was made of an answer that is no scores: an output, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from .._internal.ids import canonical
from ..errors import InvalidAnswer
from ..llm.calls.client import Asked
from ..schema import Assessment, Status, Unit
from .ask_model import together
from .base import Cell, Context, Stopwatch, make_unit
from .judge.parse_scores import Unread, read_object


class Parsed(NamedTuple):
    """An answer that was read."""

    asked: Asked
    status: Status
    found: Any = None
    problem: BaseException | None = None

    @property
    def unread(self) -> int:
        """Whether it could not be read."""
        return int(self.status == "invalid")

    @property
    def statuses(self) -> set[str]:
        """Its status."""
        return {self.status}

    def or_better(self, second: Parsed) -> Parsed:
        """The better of two, with the rows of both."""
        better = second if second.unread < self.unread and second.asked.completion else self
        whole = together([self.asked, second.asked])
        return better._replace(asked=whole._replace(completion=better.asked.completion, request=better.asked.request))


def parsed(asked: Asked, wanted: Collection[str], make: Callable[[dict[str, Any]], Any]) -> Parsed:
    """Read an answer; `make` takes the object in it apart, and raises InvalidAnswer where it is not as asked for."""
    try:
        return Parsed(asked, "ok", make(read_object(asked, wanted)))
    except Unread as unread:
        return Parsed(asked, unread.status, problem=unread.why)
    except InvalidAnswer as error:
        return Parsed(asked, "invalid", problem=error)


def parsed_unit(
    cell: Cell,
    context: Context,
    watch: Stopwatch,
    trace_id: str,
    reading: Parsed,
    *,
    output: Any = None,
    assessments: Sequence[Assessment] = (),
    read: Sequence[str] | None = None,
) -> Unit:
    """The rows of a cell whose answer was read so: its output, or else the raw text and why."""
    asked = reading.asked
    raw = asked.completion.text if asked.completion else None
    return make_unit(
        cell,
        context,
        watch,
        trace_id=trace_id,
        status=reading.status,
        output=raw if reading.status != "ok" else None if output is None else canonical(output),
        error=reading.problem,
        attempts=asked.attempts,
        calls=asked.calls,
        texts=asked.texts,
        redacted=asked.redacted,
        assessments=assessments,
        model=asked.request.model,
        read=read,
    )
