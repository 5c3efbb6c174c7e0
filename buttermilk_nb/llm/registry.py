"""From a model's name to the model. The prefix names the family; litellm takes what nobody claims."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from ..errors import SetupError, nearest
from .base import Model
from .double import Double
from .litellm_model import LitellmModel
from .offline import Dictionary, Teaching

FAMILIES: dict[str, dict[str, Callable[[str, dict[str, str]], Model]]] = {
    "offline": {"strict": Dictionary, "lenient": Dictionary, "teaching": Teaching},
    "double": dict.fromkeys(Double.behaviours, Double),
}


def make_model(name: str) -> Model:
    """The model of that name.

    Parameters
    ----------
    name
        `offline/strict`, `offline/lenient`, `offline/teaching?accuracy=.8`, `double/refuse`, or any
        name that litellm knows: `anthropic/...`, `openai/...`, `ollama_chat/...`.

    Raises
    ------
    SetupError
        There is no such model.

    Examples
    --------
    >>> make_model("offline/strict")
    <model offline/strict: a rule-based baseline that counts cue words; not a language model>
    """
    path, _, query = name.partition("?")
    family, slash, rest = path.partition("/")
    if not slash:
        raise SetupError(
            f"`{name}` is not a model: write `family/model`, for example `offline/strict` or `openai/gpt-...`."
        )
    if family not in FAMILIES:
        return LitellmModel(name)
    if rest not in FAMILIES[family]:
        raise SetupError(f"there is no model `{name}`; {nearest(path, [f'{family}/{m}' for m in FAMILIES[family]])}")
    return FAMILIES[family][rest](name, dict(parse_qsl(query, keep_blank_values=True)))
