"""From a name to the model that makes vectors. The twin of `registry.py`, whose models answer questions."""

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
"""Families of our own, and their models that make vectors."""


def make_embedder(name: str, entries: Mapping[str, ModelSettings] | None = None, keys: Keys | None = None) -> Model:
    """The embedding model of that name.

    Parameters
    ----------
    name
        `offline/hashing`, any name that litellm knows (`openai/text-embedding-3-small`, `ollama/nomic-embed-text`,
        `hosted_vllm/...`), or the name of an entry.
    entries
        What a project says about single models.
    keys
        Where keys are found.

    Raises
    ------
    SetupError
        There is no such model, or it makes no vectors.

    Examples
    --------
    >>> make_embedder("offline/hashing?dims=64")
    <model offline/hashing?dims=64: counts hashed words; not a language model>
    """
    entry = (entries or {}).get(name, ModelSettings())
    full = entry.model or name
    path, _, query = full.partition("?")
    family, slash, rest = path.partition("/")
    if not slash:
        raise SetupError(
            f"`{name}` is not a model: write `family/model`, for example `offline/hashing` or `ollama/...`, or a name "
            "that buttermilk.yaml has under `models:`."
        )
    ours = EMBEDDERS.get(family, {})
    if rest in ours:
        model = ours[rest](full, dict(parse_qsl(query, keep_blank_values=True)))
        model.rename(name, entry)
        return model
    if rest in FAMILIES.get(family, {}):
        raise SetupError(f"`{full}` answers questions and makes no vectors; `offline/hashing` does, and needs no key.")
    if family in EMBEDDERS or family in FAMILIES:
        valid = [f"{kind}/{model}" for kind, models in EMBEDDERS.items() for model in models]
        raise SetupError(f"there is no embedding model `{full}`; {nearest(path, valid)}")
    return LitellmEmbedding(name, entry, keys)
