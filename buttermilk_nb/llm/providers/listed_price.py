"""The price of a model in litellm's list, under the model's very name.

litellm invents a price of 0 for every unknown name of some families (`anthropic/...`, `gemini/...`, `openai/o...`), so
that a misspelt or new model would count as free and no budget would ever stop it. So the list itself is read. A price
of 0 is believed of no remote model.
"""

from __future__ import annotations

import difflib
from typing import Any

from .load_litellm import load_litellm


def listed_price(full_name: str) -> tuple[float, float] | None:
    """US dollars per token read and per token written; None if the list does not have them for this name.

    Examples
    --------
    >>> listed_price("anthropic/claude-of-the-future") is None
    True
    """
    entry = _entry(full_name)
    price_in, price_out = entry.get("input_cost_per_token"), entry.get("output_cost_per_token")
    if price_in is None or price_out is None or not (price_in or price_out):
        return None
    return float(price_in), float(price_out)


def nearest_listed_name(full_name: str) -> str:
    """The listed name of the same family that is most like this one; empty if none is, or if this one is listed."""
    family, _, model = full_name.partition("/")
    entries = load_litellm().model_cost.items()
    names = [name.removeprefix(f"{family}/") for name, entry in entries if _is_of(entry, family)]
    matches = [] if model in names else difflib.get_close_matches(model, names, n=1)
    return f"{family}/{matches[0]}" if matches else ""


def _entry(full_name: str) -> dict[str, Any]:
    family, _, model = full_name.partition("/")
    prices: dict[str, dict[str, Any]] = load_litellm().model_cost
    for name in (full_name, model):
        entry = prices.get(name)
        if entry is not None and (name == full_name or _is_of(entry, family)):
            return entry
    return {}


def _is_of(entry: dict[str, Any], family: str) -> bool:
    """Whether an entry of the list is about this family: `vertex_ai-language-models` is about `vertex_ai`."""
    provider = str(entry.get("litellm_provider", ""))
    return provider in (family, f"{family}_converse") or provider.startswith(f"{family}-")
