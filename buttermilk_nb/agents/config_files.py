"""Load the prompts, criteria and registered code that agents name in flow files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from ..codebook.criteria import Criteria
from ..errors import SetupError, nearest
from .prompt import Prompt

A = TypeVar("A")


@lru_cache(maxsize=16)
def default_prompt(name: str) -> Prompt:
    """The default prompt of a kind of agent."""
    text = (resources.files(__package__) / "prompt_templates" / f"{name}.md").read_text(encoding="utf-8")
    return Prompt.from_text(text, name=name)


def load_criteria(value: Any) -> Any:
    """Criteria from a path, from plain data, or as they are."""
    if isinstance(value, str | Path):
        return Criteria.from_file(value)
    return Criteria(**value) if isinstance(value, dict) else value


def relative_path(path: Path | None, folder: Path | None) -> str | None:
    """A path relative to the folder of a flow file; None if it is outside that folder."""
    if path is None or folder is None:
        return None
    absolute, base = path.absolute(), folder.absolute()
    return absolute.relative_to(base).as_posix() if absolute.is_relative_to(base) else None


def look_up_registered(registry: Mapping[str, A], name: str, data: Mapping[str, Any], kind: str, remedy: str) -> A:
    """The function or classifier that this program has registered under a name; a file never runs code.

    Parameters
    ----------
    registry
        The registered agents, by name.
    name
        The name of the step.
    data
        The step's fields in the flow file; `code_version` must match, if it is there.
    kind
        `function` or `classifier`, for messages.
    remedy
        How to register one, for messages.

    Raises
    ------
    SetupError
        Nothing is registered under that name, or only another version.
    """
    agent = registry.get(name)
    if agent is None:
        raise SetupError(
            f"step `{name}` is a {kind}, and a file never runs code: {remedy} first; {nearest(name, registry)}"
        )
    version = getattr(agent, "code_version", "")
    if (written_version := data.get("code_version", version)) != version:
        raise SetupError(
            f"step `{name}` was written for version {written_version} of that {kind}; here it is version {version}."
        )
    return agent
