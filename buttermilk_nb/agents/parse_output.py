"""Parse the answers of agents whose output is not scores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from .._internal.ids import canonical
from ..errors import InvalidAnswer
from ..llm.calls.client import CallResult
from ..schema import Assessment, Status, Unit
from .ask_model import combine
from .base import Cell, Context
from .cell_texts import cell_texts
from .judge.parse_scores import UnparsedAnswer, parse_object
from .units import Stopwatch, make_unit


class ParsedOutput(NamedTuple):
    """The parsed output in an answer, or the reason why it could not be parsed."""

    result: CallResult
    status: Status
    value: Any = None
    problem: BaseException | None = None

    @property
    def n_unparsed(self) -> int:
        """1 if the answer could not be parsed, else 0."""
        return int(self.status == "invalid")

    @property
    def statuses(self) -> set[str]:
        """The status of the output, as a set."""
        return {self.status}

    def better_of(self, second: ParsedOutput) -> ParsedOutput:
        """The better of this answer and a second one, with the rows of both."""
        better = second if second.n_unparsed < self.n_unparsed and second.result.completion else self
        whole = combine([self.result, second.result])
        return better._replace(
            result=whole._replace(completion=better.result.completion, request=better.result.request)
        )


def parse_output(
    result: CallResult, names: Collection[str], parse_reply: Callable[[dict[str, Any]], Any], cell: Cell
) -> ParsedOutput:
    """Parse the JSON object in an answer; `parse_reply` raises InvalidAnswer if the object has not the right form."""
    try:
        return ParsedOutput(result, "ok", parse_reply(_object_in(result, names, cell)))
    except UnparsedAnswer as unparsed:
        return ParsedOutput(result, unparsed.status, problem=unparsed.reason)
    except InvalidAnswer as error:
        return ParsedOutput(result, "invalid", problem=error)


def _object_in(result: CallResult, names: Collection[str], cell: Cell) -> dict[str, Any]:
    """The object in an answer. An empty one counts here, because all fields of a type may have defaults."""
    if result.completion and result.call and result.call.status == "ok" and result.completion.text.strip() == "{}":
        return {}
    return parse_object(result, names, cell_texts(cell, result))


def parsed_unit(
    cell: Cell,
    context: Context,
    watch: Stopwatch,
    trace_id: str,
    answer: ParsedOutput,
    *,
    output: Any = None,
    assessments: Sequence[Assessment] = (),
    input_trace_ids: Sequence[str] | None = None,
) -> Unit:
    """The rows of a cell with a parsed output, or with the raw text and the reason why it could not be parsed."""
    result = answer.result
    raw_text = result.completion.text if result.completion else None
    return make_unit(
        cell,
        context,
        watch,
        trace_id=trace_id,
        status=answer.status,
        output=raw_text if answer.status != "ok" else None if output is None else canonical(output),
        error=answer.problem,
        attempts=result.attempts,
        calls=result.calls,
        texts=result.texts,
        redacted=result.redacted,
        assessments=assessments,
        model=result.request.model,
        input_trace_ids=input_trace_ids,
    )
