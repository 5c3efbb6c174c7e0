"""`@bm.agent`: a plain Python function as an agent.

A function is identified by its `version`, or by the hash of its source, because changed code is a different
instrument. Functions run in a thread, so that a slow function does not delay the model calls.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, overload

from .._internal.arguments import check_arguments
from .._internal.ids import canonical, digest, uuid7
from .._internal.plain_data import to_plain_data
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
    """Separate threads for functions, so that a function that hangs cannot block writing to the Store."""
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
        return record.annotations_hash  # a function gets the whole record

    async def run(self, cell: Cell, context: Context) -> Unit:
        watch, trace_id = Stopwatch(), uuid7()
        try:
            value = await self._call(cell.record, step_outputs(cell))
            output = canonical(to_plain_data(value))
        except Exception as error:  # noqa: BLE001  # a user's function may raise anything; it becomes a row
            return make_unit(cell, context, watch, trace_id=trace_id, status="error", error=error)
        return make_unit(cell, context, watch, trace_id=trace_id, status="ok", output=output)

    async def _call(self, record: Record, inputs: Mapping[str, Any]) -> Any:
        arguments = (record, inputs) if _reads_inputs(self.function) else (record,)
        if inspect.iscoroutinefunction(self.function):
            try:
                return await self.function(*arguments)
            except (SystemExit, KeyboardInterrupt) as error:  # would end the loop, and every run with it
                raise RuntimeError(f"the function ended the process: {error!r}") from error
        return await asyncio.get_running_loop().run_in_executor(
            function_threads(), _call_function, self.function, *arguments
        )

    def to_plain(self, folder: Path | None) -> dict[str, Any]:  # a file names code, and never contains it
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
@check_arguments
def agent(
    function: Function | None = None, *, name: str | None = None, version: str | None = None
) -> FunctionAgent | Callable[[Function], FunctionAgent]:
    """Make a step from a plain function.

    Parameters
    ----------
    function
        Takes a Record, and optionally a mapping with the outputs of the steps that it needs. Returns texts, numbers,
        dates, lists, mappings, models, numpy's values or a small frame; what cannot be kept is an `error` that names
        it. May be `async`.
    name
        The step's name; by default the function's name.
    version
        Its version; by default the hash of its source. Change it when the function changes its meaning.

    Returns
    -------
    FunctionAgent
        The step, which can still be called like the function; or a decorator, if no function is given.

    Raises
    ------
    SetupError
        There is no version, and the source cannot be read.

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

    if function is not None and not callable(function):
        raise SetupError(f"bm.agent makes an agent of a function, not of {type(function).__name__}.")
    return make_agent if function is None else make_agent(function)


def _reads_inputs(function: Callable[..., Any]) -> bool:
    """Whether the second parameter gets the outputs of other steps: not if it has a default of its own."""
    second = list(inspect.signature(function).parameters.values())[1:2]
    return any(
        parameter.default is parameter.empty and parameter.kind is not parameter.KEYWORD_ONLY for parameter in second
    )


def _call_function(function: Function, *arguments: Any) -> Any:
    """Call a function. A coroutine cannot pass on a StopIteration: the run would wait forever."""
    try:
        return function(*arguments)
    except StopIteration as error:
        raise RuntimeError(f"`{function.__name__}` raised StopIteration: `next(...)` got no item") from error
    except (SystemExit, KeyboardInterrupt) as error:  # would end the loop, and every run with it
        raise RuntimeError(f"`{function.__name__}` ended the process: {error!r}") from error


def source_hash(function: Function) -> str:
    """The hash of a function's source.

    Raises
    ------
    SetupError
        The source cannot be read.
    """
    try:
        return digest("fn1", inspect.getsource(function))
    except (OSError, TypeError):
        raise SetupError(
            f'the source of `{getattr(function, "__name__", "it")}` cannot be read; give it a version: version="1".'
        ) from None
