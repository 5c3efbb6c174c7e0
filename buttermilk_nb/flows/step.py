"""`Step`: an agent in a flow, with the steps that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .._internal.arguments import check_argument_names
from .._internal.validation_errors import validation_error
from ..agents.base import AgentBase
from ..errors import SetupError, nearest
from ..llm.calls.run_scope import Policy


class Step(BaseModel):
    """An agent, and the steps that run before it. A flow makes a step from an agent without one.

    Parameters
    ----------
    agent
        The agent.
    needs
        The names of the steps whose outputs it reads; by default none. It starts on a record when they have finished
        that record. Its answer is `skipped` if one of them has no output.
    timeout_s, retries
        For the calls of this step: the time limit in seconds, and the number of retries (at most 100). By default
        those of the settings.

    Raises
    ------
    SetupError
        `agent` is not an agent, or a field is unknown or invalid.

    Examples
    --------
    >>> from buttermilk_nb import agent
    >>> @agent(version="1")
    ... def length(record):
    ...     return len(record.content)
    >>> Step(length).name
    'length'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    agent: AgentBase
    needs: tuple[str, ...] = ()
    timeout_s: float | None = Field(default=None, gt=0)
    retries: int | None = Field(default=None, ge=0, le=100)

    @check_argument_names
    def __init__(self, agent: AgentBase, *, needs: str | Sequence[str] = (), **fields: Any) -> None:
        if not isinstance(agent, AgentBase):
            raise SetupError(f"a step needs an agent, not {type(agent).__name__}; decorate functions with @bm.agent.")
        try:
            super().__init__(agent=agent, needs=(needs,) if isinstance(needs, str) else needs, **fields)
        except ValidationError as error:
            raise validation_error(f"step `{agent.name}`", error, type(self).model_fields) from None

    @model_validator(mode="before")
    @classmethod
    def _add_upstream_steps(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(needs := data.get("needs"), list | tuple):
            return {**data, "needs": tuple(dict.fromkeys((*data["agent"].upstream_steps, *needs)))}
        return data

    @property
    def policy(self) -> Policy:
        """The time limit and the retries of its calls."""
        return Policy(self.timeout_s, self.retries)

    def to_plain(self, folder: Path | None) -> dict[str, Any]:
        """The step as plain data for YAML."""
        policy = self.model_dump(include={"timeout_s", "retries"}, exclude_none=True)
        named = [name for name in self.needs if name not in self.agent.upstream_steps]
        needs = {"needs": named} if named else {}
        return {"agent": self.agent.kind, "name": self.name, **self.agent.to_plain(folder), **needs, **policy}

    @property
    def name(self) -> str:
        """The agent's name."""
        return self.agent.name


def sort_steps(steps: list[Step]) -> tuple[Step, ...]:
    """The steps in an order in which each comes after the steps that it needs."""
    by_name: dict[str, Step] = {}
    for step in steps:
        if step.name in by_name:
            raise SetupError(f"two steps are called `{step.name}`; names must differ.")
        by_name[step.name] = step
    for step in steps:
        for name in step.needs:
            if name not in by_name:
                raise SetupError(
                    f"step `{step.name}` needs `{name}`, which is not in the flow; {nearest(name, by_name)}"
                )
    sorted_steps: dict[str, Step] = {}
    while len(sorted_steps) < len(steps):
        ready = [
            step for step in steps if step.name not in sorted_steps and all(name in sorted_steps for name in step.needs)
        ]
        if not ready:
            names = ", ".join(f"`{step.name}`" for step in steps if step.name not in sorted_steps)
            raise SetupError(f"the steps {names} need each other in a circle.")
        sorted_steps |= {step.name: step for step in ready}
    return tuple(sorted_steps.values())
