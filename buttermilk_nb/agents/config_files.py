"""Load the prompts, criteria and registered code that agents name in flow files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from .._internal import yaml
from ..codebook.criteria import Criteria, has_front_matter
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
    if isinstance(value, str) and any(char.isspace() for char in value.strip()) and not Path(value).suffix:
        raise SetupError(
            f'criteria={value!r:.60} is a question and no file; write criteria=bm.Criteria("name", {value!r:.60}).'
        )
    if isinstance(value, str | Path):
        return Criteria.from_file(value)
    if isinstance(value, dict) and "path" in value:  # a run reads the file of criteria again
        raise SetupError("criteria as plain data have no `path`; name the file alone: criteria: respect.md.")
    return Criteria(**value) if isinstance(value, dict) else value


def relative_path(path: Path | None, folder: Path | None) -> str | None:
    """A path relative to the folder of a flow file; None if it is outside that folder."""
    if path is None or folder is None:
        return None
    absolute, base = path.absolute(), folder.absolute()
    return absolute.relative_to(base).as_posix() if absolute.is_relative_to(base) else None


def prompt_path(name: str, folder: Path) -> Path:
    """The path of a prompt that a flow file names.

    A flow may come from elsewhere, and what the files contain that it names is sent to models. So a prompt must be in
    the folder of the flow file, also after links are followed.

    Raises
    ------
    SetupError
        The path leads out of the folder.
    """
    path = folder / name
    if not _is_inside(path, folder):
        raise SetupError(
            f"the flow names the prompt `{name}`, which is not in its folder. What such a file contains is sent to "
            "models: copy it into the folder of the flow file, or build the flow in Python."
        )
    return path


def criteria_path(name: str, folder: Path) -> Path:
    """The path of criteria that a flow file names; outside its folder, they must begin as a file of criteria does.

    Raises
    ------
    SetupError
        The path leads out of the folder to a file without front matter, which may be anything.

    Examples
    --------
    >>> import tempfile
    >>> folder, own_folder = Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp())
    >>> _ = (own_folder / "notes.md").write_text("My own notes.")
    >>> try:
    ...     criteria_path(f"../{own_folder.name}/notes.md", folder)
    ... except SetupError as error:
    ...     print(str(error).partition(", ")[2][:53])
    which are not in its folder and have no front matter.
    """
    path = folder / name
    if not _is_inside(path, folder) and not has_front_matter(yaml.read_text(path)):
        raise SetupError(
            f"the flow names the criteria `{name}`, which are not in its folder and have no front matter. What such a "
            "file contains is sent to models: copy it into the folder of the flow file, or build the flow in Python."
        )
    return path


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


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
