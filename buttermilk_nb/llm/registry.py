"""From a model's name to the model. The prefix names the family; litellm takes what nobody claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl

from ..config.api_keys import Keys
from ..config.model_settings import ModelSettings
from ..errors import SetupError, nearest
from .model import Model
from .providers.faulty_model import TestDouble
from .providers.litellm import LitellmModel
from .providers.offline.models import DictionaryModel, TeachingModel
from .providers.scripted import ScriptedModel

FAMILIES: dict[str, dict[str, Callable[[str, dict[str, str]], Model]]] = {
    "offline": {"strict": DictionaryModel, "lenient": DictionaryModel, "teaching": TeachingModel},
    "double": dict.fromkeys(TestDouble.behaviours, TestDouble),
}


def make_model(
    name: str,
    entries: Mapping[str, ModelSettings] | None = None,
    keys: Keys | None = None,
    scripted: Path | None = None,
) -> Model:
    """The model of that name.

    Parameters
    ----------
    name
        `offline/strict`, `offline/lenient`, `offline/teaching?accuracy=.8`, `scripted/voice`, `double/refuse`, any
        name that litellm knows (`anthropic/...`, `openai/...`, `ollama_chat/...`), or the name of an entry.
    entries
        What a project says about single models.
    keys
        Where keys are found.
    scripted
        The folder in which `scripted/...` models look answers up.

    Raises
    ------
    SetupError
        There is no such model.

    Examples
    --------
    >>> make_model("offline/strict")
    <model offline/strict: a rule-based baseline that counts cue words; not a language model>
    """
    entry = (entries or {}).get(name, ModelSettings())
    full = entry.model or name
    path, _, query = full.partition("?")
    family, slash, rest = path.partition("/")
    if not slash:
        raise SetupError(
            f"`{name}` is not a model: write `family/model`, for example `offline/strict` or `openai/gpt-...`, or a "
            "name that buttermilk.yaml has under `models:`."
        )
    if family == "scripted":
        return ScriptedModel(name, entry, scripted)
    if family not in FAMILIES:
        return LitellmModel(name, entry, keys)
    if path == "offline/hashing":
        raise SetupError(f"`{full}` makes vectors and answers no questions; project.embed(texts, model=...) asks it.")
    if rest not in FAMILIES[family]:
        raise SetupError(f"there is no model `{full}`; {nearest(path, [f'{family}/{m}' for m in FAMILIES[family]])}")
    model = FAMILIES[family][rest](full, dict(parse_qsl(query, keep_blank_values=True)))
    model.rename(name, entry)
    return model
