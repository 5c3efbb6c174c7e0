"""`make_embedder`: the embedding model of a name; `registry.py` does the same for models that answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from ...config.api_keys import Keys
from ...config.model_settings import ModelSettings
from ...errors import SetupError, nearest
from ..model import Model
from ..registry import FAMILIES
from .hashing import HashingModel
from .litellm import LitellmEmbedding

EMBEDDERS: dict[str, dict[str, Callable[[str, dict[str, str]], Model]]] = {"offline": {"hashing": HashingModel}}
"""This package's own families, and their embedding models."""


def make_embedder(name: str, entries: Mapping[str, ModelSettings] | None = None, keys: Keys | None = None) -> Model:
    """Make the embedding model of a name.

    Parameters
    ----------
    name
        `offline/hashing`, any name that litellm supports (`openai/text-embedding-3-small`, `ollama/nomic-embed-text`,
        `hosted_vllm/...`), or the name of an entry.
    entries
        The project's settings for single models, by name.
    keys
        Looks up API keys.

    Raises
    ------
    SetupError
        The model does not exist, or does not make vectors.

    Examples
    --------
    >>> make_embedder("offline/hashing?dims=64")
    <model offline/hashing?dims=64: counts hashed words; not a language model>
    """
    entry = (entries or {}).get(name, ModelSettings())
    full_name = entry.model or name
    path, _, query = full_name.partition("?")
    family, slash, model_name = path.partition("/")
    if not slash:
        raise SetupError(
            f"`{name}` is not a model: write `family/model`, for example `offline/hashing` or `ollama/...`, or a name "
            "from `models:` in buttermilk.yaml."
        )
    own_models = EMBEDDERS.get(family, {})
    if model_name in own_models:
        model = own_models[model_name](full_name, dict(parse_qsl(query, keep_blank_values=True)))
        model.rename(name, entry)
        return model
    if model_name in FAMILIES.get(family, {}):
        raise SetupError(
            f"`{full_name}` answers questions and makes no vectors; `offline/hashing` makes vectors and needs no key."
        )
    if family in EMBEDDERS or family in FAMILIES:
        valid_names = [f"{kind}/{model}" for kind, models in EMBEDDERS.items() for model in models]
        raise SetupError(f"there is no embedding model `{full_name}`; {nearest(path, valid_names)}")
    return LitellmEmbedding(name, entry, keys)
