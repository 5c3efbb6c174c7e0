"""Check the declaration of an agent before a run: its prompt, its models and their parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from .._internal.ids import canonical
from .._internal.markdown import code_list
from ..corpus.record import Record
from ..errors import SetupError, nearest
from ..llm.model import Model
from ..llm.params import Params
from .base import Cell, Slot
from .prompt import Prompt
from .templates.template_fields import MAPPING_METHODS

if TYPE_CHECKING:
    from ..project.project import Project

_MAX_RENDERING_PROBLEMS = 20


def template_problems(prompt: Prompt, variables: Sequence[str], needs: Sequence[str]) -> list[str]:
    """Sentences on errors in a template; without `needs`, there are no `inputs` to show."""
    return prompt.problems([name for name in variables if name != "inputs" or needs])


def content_problems(prompt: Prompt, records: Sequence[Record], needs: Sequence[str]) -> list[str]:
    """Sentences on inputs that the step does not need, and on a prompt that does not show the record."""
    problems = [
        f"prompt `{prompt.name}` reads `inputs.{name}`, but `needs` does not name it; {nearest(name, needs)}"
        for name in sorted(prompt.inputs - set(needs) - MAPPING_METHODS)
    ]
    shows_record = bool({"content", "metadata"} & prompt.fields) or "inputs" in prompt.names
    if not shows_record and not (prompt.shows_images and all(record.images for record in records)):
        problems.append(
            f"prompt `{prompt.name}` never shows `record.content`, so the model would not see the text; write "
            "{{ record.content }} where it belongs."
        )
    return problems


class MakesRequests(Protocol):
    """What an agent must have so that its prompts can be tried."""

    def slots(self, project: Project) -> list[Slot]:
        """Its columns of the grid."""

    def requests(self, cell: Cell) -> object:
        """The requests of a cell."""


def rendering_problems(agent: MakesRequests, project: Project, records: Sequence[Record]) -> list[str]:
    """Sentences on the first prompts that cannot be rendered for one of these records."""
    try:
        slots = agent.slots(project)
    except SetupError as error:
        return list(error.problems)
    problems = []
    for record in records:
        for slot in slots:
            try:
                agent.requests(Cell(slot, record, "", {}))
            except SetupError as error:
                problems += [f"record `{record.record_id}`: {problem}" for problem in error.problems]
    return problems[:_MAX_RENDERING_PROBLEMS]


def duplicate_model_problems(
    models: Sequence[Model], fallbacks: Sequence[Model], params_of: Callable[[Model], Params]
) -> list[str]:
    """A sentence on each model that is named twice with the same parameters: one instrument would count twice.

    Parameters
    ----------
    models
        The selected models.
    fallbacks
        The models that are called if one of these fails.
    params_of
        Returns the parameters of a model.
    """

    def identity(model: Model) -> str:
        return canonical([model.full_name, model.key_parts(None), params_of(model).sent])

    names: dict[str, str] = {}
    problems = []
    for model in models:
        if (first_name := names.get(identity(model))) is not None:
            problems.append(
                f"`{first_name}` and `{model.name}` are the same model with the same parameters; name only one."
            )
        names[identity(model)] = model.name
    problems += [
        f"`{model.name}` is in `fallback`, but the same model with the same parameters is in `models`, so it would "
        "count twice; remove it from one of them."
        for model in fallbacks
        if identity(model) in names
    ]
    return problems


def model_remarks(
    models: Sequence[Model], params_of: Callable[[Model], Params], *, replicates: int, has_own_params: bool
) -> list[str]:
    """Sentences on parameters that a model ignores, and on replicates that measure little or nothing.

    Parameters
    ----------
    models
        The selected models.
    params_of
        Returns the parameters of a model.
    replicates
        How often each model gets the same request.
    has_own_params
        Whether the agent declares parameters; ignored parameters from the settings are not worth a remark.
    """
    remarks = []
    for model in models:
        params = params_of(model)
        if has_own_params and params.dropped:
            remarks.append(f"`{model.name}` ignores {code_list(params.dropped)}.")
        if replicates > 1 and model.deterministic:
            remarks.append(
                f"`{model.name}` gives the same answer every time: its {replicates} replicates measure nothing."
            )
        elif replicates > 1 and params.sent.get("temperature") == 0:
            remarks.append(
                f"`{model.name}` at temperature 0 hardly varies: its {replicates} replicates measure little. "
                'Write params={"temperature": 0.7}.'
            )
    return remarks
