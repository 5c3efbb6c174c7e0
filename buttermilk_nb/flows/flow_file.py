"""Read the name and the steps of a flow from YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._internal import yaml
from ..agents import AgentBase
from ..errors import SetupError, nearest
from .step import Step


def read_flow_file(source: str | Path) -> tuple[str, list[Step]]:
    """The name and the steps of a flow, from a YAML file or from YAML text.

    Raises
    ------
    SetupError
        A key is unknown, a file does not exist, or the program does not define a function of the flow.
    """
    is_text = isinstance(source, str) and "\n" in source
    path = Path("flow") if is_text else Path(source)
    data = yaml.loads(str(source), "the flow") if is_text else yaml.load(path)
    source_name = "the flow" if is_text else f"`{path.name}`"
    if not isinstance(data, dict):
        raise SetupError(f"{source_name} is not a mapping with `name` and `steps`.")
    for word in data:
        if word not in ("name", "steps"):
            raise SetupError(f"{source_name}: unknown key `{word}`; {nearest(word, ['name', 'steps'])}")
    steps = data.get("steps")
    if not isinstance(steps, list) or not steps:
        raise SetupError(f"{source_name} has no `steps`.")
    folder = Path.cwd() if is_text else path.parent
    return str(data.get("name") or path.stem), [_read_step(item, source_name, folder) for item in steps]


def _read_step(item: Any, source_name: str, folder: Path) -> Step:
    if not isinstance(item, dict):
        raise SetupError(f"{source_name}: a step is a mapping with `agent` and `name`, not {item!r:.60}.")
    data = dict(item)
    kind = str(data.pop("agent", ""))
    step_fields = {word: data.pop(word) for word in ("needs", "timeout_s", "retries") if word in data}
    name = str(data.pop("name", kind))
    if kind not in AgentBase.kinds:
        raise SetupError(f"{source_name}, step `{name}`: there is no agent `{kind}`; {nearest(kind, AgentBase.kinds)}")
    agent_class = AgentBase.kinds[kind]
    unknown = [word for word in data if word not in agent_class.model_fields]
    if unknown:
        raise SetupError(
            *(
                f"{source_name}, step `{name}`: unknown key `{key}`; {nearest(key, agent_class.model_fields)}"
                for key in unknown
            )
        )
    return Step(agent_class.from_plain(name, data, folder), **step_fields)
