"""The table of a project's models, with those that can be used now.

Nothing is sent to a remote provider, so the table cannot tell whether a key is valid or whether the provider knows the
model. Keys are searched and never shown. Local servers are checked with a short connection attempt, all at the same
time, because each missing server takes a while.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from .._internal.text import shorten
from ..errors import SetupError
from ..llm.batch.providers import batch_api
from ..llm.embeddings.embedding_registry import EMBEDDERS, make_embedder
from ..llm.model import Model
from ..llm.providers.litellm import LitellmModel
from ..llm.providers.load_litellm import load_litellm
from ..llm.registry import FAMILIES
from .open_project import OpenProject

if TYPE_CHECKING:
    import pandas as pd


CONNECT_S = 1.0
"""Seconds that a server on this machine may take to accept a connection."""
_THREADS = 16
_NO_ADDRESS = frozenset({"custom_openai", "hosted_vllm", "infinity", "litellm_proxy", "openai_like", "xinference"})
"""Families of servers that users run themselves: they have no default address."""
_OLLAMA = frozenset({"ollama", "ollama_chat"})
"""Families about which litellm would ask their server, which this table does not do."""
_PER_MILLION = 1e6
_COLUMNS = {
    "name": "str", "model": "str", "makes": "str", "sets": "str", "usable": "boolean", "why_not": "str",
    "local": "boolean", "provider": "str", "allowed": "boolean", "key": "str", "price_in": "Float64",
    "price_out": "Float64", "requests_per_minute": "Int64", "tokens_per_minute": "Int64", "context": "Int64",
    "json_schema": "boolean", "batch": "boolean",
}  # fmt: skip


class _KeyState(NamedTuple):
    """The source of a key, or the problems if it was not found."""

    location: str | None = None
    problems: tuple[str, ...] = ()


def model_table(project: OpenProject, *, timeout_s: float = CONNECT_S) -> pd.DataFrame:
    """One row per model: models in sets, models under `models:` in `buttermilk.yaml`, and offline models.

    Parameters
    ----------
    project
        The project.
    timeout_s
        Seconds that a server on this machine may take to accept a connection.

    Returns
    -------
    pandas.DataFrame
        `name` and `model` (its full name), `makes` (answers or vectors), `sets` that name it, whether it is `usable`
        now and `why_not`, whether it is `local`, its `provider` and whether texts are `allowed` to go there, the source
        of its `key` (never the key), `price_in` and `price_out` (US dollars per million tokens),
        `requests_per_minute`, `tokens_per_minute` (the project's limits), `context` (the tokens that it can read),
        `json_schema` (whether it gets the form of the answer), `batch` (whether it can answer in batches, at half the
        price within a day). Unknown values are missing.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import init
    >>> table = model_table(init("catalogue", path=tempfile.mkdtemp()))
    >>> table.name[table.usable].tolist()
    ['offline/strict', 'offline/lenient', 'offline/teaching', 'offline/hashing']
    >>> table.sets.tolist()
    ['judges', 'judges', '', '']
    """
    import pandas as pd

    models = {name: _model_or_error(name, project) for name in _model_names(project)}
    consent = project.client.consent
    local = {
        name: model
        for name, model in models.items()
        if isinstance(model, Model) and not model.remote and not consent.is_unconfirmed(model)
    }
    with concurrent.futures.ThreadPoolExecutor(_THREADS) as executor:
        futures = {name: executor.submit(model.unavailable_reasons, timeout_s) for name, model in local.items()}
        rows = [
            _error_row(name, model, project)
            if isinstance(model, SetupError)
            else _model_row(name, model, project, futures[name].result if name in futures else None)
            for name, model in models.items()
        ]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _model_names(project: OpenProject) -> list[str]:
    """The models that the project names, in its order, then the offline models."""
    settings = project.settings
    names_in_sets = [name for names in settings.sets.values() for name in names]
    offline_names = [f"offline/{model}" for families in (FAMILIES, EMBEDDERS) for model in families["offline"]]
    return list(dict.fromkeys([*names_in_sets, *settings.models, *offline_names]))


def named_model(name: str, project: OpenProject) -> Model:
    """The model with that name in a project, for answers or for vectors.

    Raises
    ------
    SetupError
        The model does not exist.
    """
    entry = project.settings.models.get(name)
    family, _, model_name = ((entry and entry.model) or name).partition("?")[0].partition("/")
    if model_name in EMBEDDERS.get(family, {}):
        return make_embedder(name, project.settings.models, project.keys)
    return project.model(name)


def _model_or_error(name: str, project: OpenProject) -> Model | SetupError:
    """The model, or the error if it does not exist."""
    try:
        return named_model(name, project)
    except SetupError as error:
        return error


def _set_names(name: str, project: OpenProject) -> str:
    return ", ".join(set_name for set_name, names in project.settings.sets.items() if name in names)


def _error_row(name: str, error: SetupError, project: OpenProject) -> dict[str, Any]:
    """The row of a name without a model."""
    values = {
        "name": name,
        "sets": _set_names(name, project),
        "usable": False,
        "why_not": _join_reasons(error.problems),
    }
    return {column: values.get(column) for column in _COLUMNS}


def _model_row(
    name: str, model: Model, project: OpenProject, check_server: Callable[[], list[str]] | None
) -> dict[str, Any]:
    problems = model.validate(None)
    key = _KeyState() if problems or not isinstance(model, LitellmModel) else _key_state(model, project)
    reasons = problems or [*key.problems, *_address_problems(model)] or (check_server() if check_server else [])
    limits = model.settings.limits
    return {
        "name": name,
        "model": model.full_name,
        "makes": _model_kind(model),
        "sets": _set_names(name, project),
        "usable": not reasons,
        "why_not": _join_reasons(reasons),
        "local": not model.remote,
        "provider": model.provider,
        "allowed": project.client.consent.is_allowed(model),
        "key": key.location,
        **dict(zip(("price_in", "price_out"), _model_prices(model, problems), strict=True)),
        "requests_per_minute": limits.requests_per_minute,
        "tokens_per_minute": limits.tokens_per_minute,
        "context": None if problems else _litellm_info(model).get("max_input_tokens"),
        "json_schema": None if problems else _supports_schema(model),
        "batch": _model_kind(model) == "answers" and batch_api(model) is not None,
    }


def _key_state(model: LitellmModel, project: OpenProject) -> _KeyState:
    consent = project.client.consent
    if consent.is_unconfirmed(model):
        sentences = [setting.sentence for setting in consent.unconfirmed if setting.model == model.name]
        return _KeyState(problems=tuple(f"{sentence}: confirm that with bm.trust()." for sentence in sentences))
    try:
        key = model.key()
    except SetupError as error:
        return _KeyState(problems=error.problems)
    return _KeyState() if key is None else _KeyState(f"{key.source.removeprefix('the ')} ({key.name})")


def _address_problems(model: Model) -> list[str]:
    if not isinstance(model, LitellmModel) or model.provider not in _NO_ADDRESS or model.base:
        return []
    return [
        f"`{model.name}` has no address: write `api_base:` under `models:` in buttermilk.yaml, or set "
        f"{model.provider.upper()}_API_BASE in the environment."
    ]


def _model_kind(model: Model) -> str:
    parts = model.full_name.partition("?")[0].partition("/")
    vectors = parts[2] in EMBEDDERS.get(parts[0], {}) or _litellm_info(model).get("mode") == "embedding"
    return "vectors" if vectors else "answers"


def _litellm_info(model: Model) -> dict[str, Any]:
    """The entry of a model in litellm's list; empty if it has none, or if litellm would ask a server."""
    if not isinstance(model, LitellmModel) or model.provider in _OLLAMA:
        return {}
    try:
        return dict(load_litellm().get_model_info(model.full_name))
    except Exception:  # noqa: BLE001  # litellm raises it for an unknown model
        return {}


def _model_prices(model: Model, problems: list[str]) -> tuple[float | None, float | None]:
    """US dollars per million tokens read and written."""
    if model.settings.prices:
        return model.settings.prices.input, model.settings.prices.output
    if model.provider in _OLLAMA and not model.remote:
        return 0.0, 0.0
    price = None if problems or model.provider in _OLLAMA else model.price()
    return (None, None) if price is None else (round(price[0] * _PER_MILLION, 6), round(price[1] * _PER_MILLION, 6))


def _supports_schema(model: Model) -> bool | None:
    if model.settings.json_schema is not None:
        return model.settings.json_schema
    return None if model.provider in _OLLAMA else bool(model.takes_schema)


def _join_reasons(problems: Iterable[str]) -> str:
    return " ".join(shorten(problem, 400) for problem in problems)
