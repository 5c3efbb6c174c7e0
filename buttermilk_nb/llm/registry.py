"""`make_model`: the model of a name, such as `offline/strict` or `openai/...`."""

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
    """Make the model of a name.

    Parameters
    ----------
    name
        `offline/strict`, `offline/lenient`, `offline/teaching?accuracy=.8`, `scripted/voice`, `double/refuse`, any
        name that litellm supports (`anthropic/...`, `openai/...`, `ollama_chat/...`), or the name of an entry.
    entries
        The project's settings for single models, by name.
    keys
        Looks up API keys.
    scripted
        The folder with the answers of `scripted/...` models.

    Raises
    ------
    SetupError
        The model does not exist.

    Examples
    --------
    >>> make_model("offline/strict")
    <model offline/strict: a rule-based baseline that counts cue words; not a language model>
    """
    entry = (entries or {}).get(name, ModelSettings())
    full_name = entry.model or name
    path, _, query = full_name.partition("?")
    family, slash, model_name = path.partition("/")
    if not slash:
        raise SetupError(
            f"`{name}` is not a model: write `family/model`, for example `offline/strict` or `openai/gpt-...`, or a "
            "name from `models:` in buttermilk.yaml."
        )
    if family == "scripted":
        return ScriptedModel(name, entry, scripted)
    if family not in FAMILIES:
        return LitellmModel(name, entry, keys)
    if path == "offline/hashing":
        raise SetupError(f"`{full_name}` makes vectors and answers no questions; use project.embed(texts, model=...).")
    if model_name not in FAMILIES[family]:
        valid_names = [f"{family}/{model}" for model in FAMILIES[family]]
        raise SetupError(f"there is no model `{full_name}`; {nearest(path, valid_names)}")
    model = FAMILIES[family][model_name](full_name, dict(parse_qsl(query, keep_blank_values=True)))
    model.rename(name, entry)
    return model
