"""Plain Python functions as agents: `@bm.agent`.

A function's identity is its `version`, or else the hash of its source: changed code is a changed
instrument. Functions run in a thread, so a slow one does not hold up the calls.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, overload

from .._internal.ids import canonical, digest, uuid7
from .._internal.text import replace_surrogates
from ..corpus.record import Record
from ..errors import SetupError
from ..schema import Unit
from .base import NO_UPSTREAM, AgentBase, Cell, Context, Slot, UpstreamSlots
from .config_files import look_up_registered
from .design import slot_design
from .step_outputs import step_outputs
from .units import Stopwatch, make_unit

if TYPE_CHECKING:
    from ..project.project import Project

Function = Callable[..., Any]


@lru_cache(maxsize=1)
def function_threads() -> ThreadPoolExecutor:
    """Threads of their own, so that functions that hang cannot keep the Store from being written."""
    return ThreadPoolExecutor(32, thread_name_prefix="buttermilk_nb-function")


class FunctionAgent(AgentBase):
    """A function as a step. Make one with `agent`."""

    kind: ClassVar[str] = "function"
    output_is_json: ClassVar[bool] = True
    registered: ClassVar[dict[str, FunctionAgent]] = {}

    function: Function
    code_version: str

    def slots(self, project: Project, upstream: UpstreamSlots = NO_UPSTREAM) -> list[Slot]:  # no model
        return [Slot(self, slot_design(self, code=self.code_version), 0)]

    def extra_input(self, record: Record) -> str:
        return record.annotations_hash  # a function is handed all that is known of a record

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        try:
            value = await self._call(cell.record, step_outputs(cell))
            output = replace_surrogates(canonical(value))
        except Exception as error:  # noqa: BLE001  # a user's function may raise anything; it becomes a row
            return make_unit(cell, context, watch, trace_id=trace_id, status="error", error=error)
        return make_unit(cell, context, watch, trace_id=trace_id, status="ok", output=output)

    async def _call(self, record: Record, inputs: Mapping[str, Any]) -> Any:
        parameters = inspect.signature(self.function).parameters
        arguments = (record, inputs) if len(parameters) > 1 else (record,)
        if inspect.iscoroutinefunction(self.function):
            try:
                return await self.function(*arguments)
            except (SystemExit, KeyboardInterrupt) as error:  # would end the loop, and every run with it
                raise RuntimeError(f"the function ended the process: {error!r}") from error
        return await asyncio.get_running_loop().run_in_executor(
            function_threads(), _call_function, self.function, *arguments
        )

    def to_plain(self, folder: Path | None) -> dict[str, Any]:  # code is named, never written out
        return {"code_version": self.code_version}

    @classmethod
    def from_plain(cls, name: str, data: dict[str, Any], folder: Path) -> AgentBase:  # noqa: ARG003  # as above
        return look_up_registered(cls.registered, name, data, "function", "define it with @bm.agent")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself."""
        return self.function(*args, **kwargs)


@overload
def agent(function: Function) -> FunctionAgent: ...
@overload
def agent(*, name: str | None = None, version: str | None = None) -> Callable[[Function], FunctionAgent]: ...
def agent(
    function: Function | None = None, *, name: str | None = None, version: str | None = None
) -> FunctionAgent | Callable[[Function], FunctionAgent]:
    """Make a step of a plain function.

    Parameters
    ----------
    function
        Takes a Record, and optionally a mapping with the outputs of the steps it needs; returns
        anything that JSON can hold. May be `async`.
    name
        The step's name; by default the function's.
    version
        Its version; by default the hash of its source. Raise it when the function changes meaning.

    Examples
    --------
    >>> @agent(version="1")
    ... def length(record):
    ...     return len(record.content)
    >>> length(Record(content="Six letters?")), length.name
    (12, 'length')
    """

    def make_agent(wrapped: Function) -> FunctionAgent:
        step = FunctionAgent(
            name=name or wrapped.__name__, function=wrapped, code_version=version or source_hash(wrapped)
        )
        FunctionAgent.registered[step.name] = step
        return step

    return make_agent if function is None else make_agent(function)


def _call_function(function: Function, *arguments: Any) -> Any:
    """Call it. A StopIteration (a bare `next`) cannot cross into a coroutine: the run would wait for ever."""
    try:
        return function(*arguments)
    except StopIteration as error:
        raise RuntimeError(f"`{function.__name__}` raised StopIteration: `next(...)` found nothing") from error
    except (SystemExit, KeyboardInterrupt) as error:  # would end the loop, and every run with it
        raise RuntimeError(f"`{function.__name__}` ended the process: {error!r}") from error


def source_hash(function: Function) -> str:
    """The hash of a function's source.

    Raises
    ------
    SetupError
        It cannot be read.
    """
    try:
        return digest("fn1", inspect.getsource(function))
    except (OSError, TypeError):
        raise SetupError(
            f'the source of `{getattr(function, "__name__", "it")}` cannot be read; give it a version: version="1".'
        ) from None
