"""The models that a project names, and which of them can be used now.

Nothing is sent to a remote provider: whether a key is right and a model's name exists there is known when it is asked.
Keys are looked for and never shown. A server on this machine is knocked at (a connection is opened and closed), all at
once, because each that is not there takes its time to say so.
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


KNOCK_S = 1.0
"""Seconds that a server on this machine may take to accept a connection."""
_AT_ONCE = 16
_NO_ADDRESS = frozenset({"custom_openai", "hosted_vllm", "infinity", "litellm_proxy", "openai_like", "xinference"})
"""Families of servers of one's own: they have no address unless one is given."""
_ASK_THE_SERVER = frozenset({"ollama", "ollama_chat"})
"""Families of which litellm knows nothing unless it asks their server, for which nobody asked."""
_PER_MILLION = 1e6
_COLUMNS = {
    "name": "str", "model": "str", "makes": "str", "sets": "str", "usable": "boolean", "why_not": "str",
    "local": "boolean", "provider": "str", "allowed": "boolean", "key": "str", "price_in": "Float64",
    "price_out": "Float64", "requests_per_minute": "Int64", "tokens_per_minute": "Int64", "context": "Int64",
    "json_schema": "boolean", "batch": "boolean",
}  # fmt: skip


class _KeyState(NamedTuple):
    """Where a key was found, and what is wrong where it was not."""

    where: str | None = None
    problems: tuple[str, ...] = ()


def model_table(project: OpenProject, *, timeout_s: float = KNOCK_S) -> pd.DataFrame:
    """One row per model: those in sets, those under `models:` in `buttermilk.yaml`, and those that need nothing.

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
        now and `why_not`, whether it is `local`, its `provider` and whether texts are `allowed` to go there, where its
        `key` was found (never the key), `price_in` and `price_out` (US dollars per million tokens),
        `requests_per_minute`, `tokens_per_minute` (as the project limits them), `context` (tokens that it can read),
        `json_schema` (whether it is told the form of the answer), `batch` (whether it can be asked at half the price,
        within a day). What is not known is missing.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import init
    >>> found = model_table(init("catalogue", path=tempfile.mkdtemp()))
    >>> found.name[found.usable].tolist()
    ['offline/strict', 'offline/lenient', 'offline/teaching', 'offline/hashing']
    >>> found.sets.tolist()
    ['judges', 'judges', '', '']
    """
    import pandas as pd

    made = {name: _made(name, project) for name in _names(project)}
    local = {name: model for name, model in made.items() if isinstance(model, Model) and not model.remote}
    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as knocking:
        waiting = {name: knocking.submit(model.unavailable_reasons, timeout_s) for name, model in local.items()}
        rows = [
            _unknown(name, model, project)
            if isinstance(model, SetupError)
            else _row(name, model, project, waiting[name].result if name in waiting else None)
            for name, model in made.items()
        ]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _names(project: OpenProject) -> list[str]:
    """What the project names, in its order, then what needs nothing."""
    settings = project.settings
    named = [name for names in settings.sets.values() for name in names]
    ours = [f"offline/{model}" for families in (FAMILIES, EMBEDDERS) for model in families["offline"]]
    return list(dict.fromkeys([*named, *settings.models, *ours]))


def named_models(name: str, project: OpenProject) -> Model:
    """The model that a project knows by a name, be it one that answers or one that makes vectors.

    Raises
    ------
    SetupError
        There is no such model.
    """
    entry = project.settings.models.get(name)
    family, _, rest = ((entry and entry.model) or name).partition("?")[0].partition("/")
    if rest in EMBEDDERS.get(family, {}):
        return make_embedder(name, project.settings.models, project.keys)
    return project.model(name)


def _made(name: str, project: OpenProject) -> Model | SetupError:
    """The model, or why there is none."""
    try:
        return named_models(name, project)
    except SetupError as error:
        return error


def _sets(name: str, project: OpenProject) -> str:
    return ", ".join(of for of, names in project.settings.sets.items() if name in names)


def _unknown(name: str, error: SetupError, project: OpenProject) -> dict[str, Any]:
    """The row of a name that no model has."""
    known = {"name": name, "sets": _sets(name, project), "usable": False, "why_not": _sentence(error.problems)}
    return {column: known.get(column) for column in _COLUMNS}


def _row(name: str, model: Model, project: OpenProject, obstacles: Callable[[], list[str]] | None) -> dict[str, Any]:
    problems = model.validate(None)
    key = _KeyState() if problems or not isinstance(model, LitellmModel) else _key(model)
    in_the_way = problems or [*key.problems, *_without_address(model)] or (obstacles() if obstacles else [])
    limits = model.settings.limits
    return {
        "name": name,
        "model": model.full_name,
        "makes": _model_kind(model),
        "sets": _sets(name, project),
        "usable": not in_the_way,
        "why_not": _sentence(in_the_way),
        "local": not model.remote,
        "provider": model.provider,
        "allowed": project.client.consent.is_allowed(model),
        "key": key.where,
        **dict(zip(("price_in", "price_out"), _prices(model, problems), strict=True)),
        "requests_per_minute": limits.requests_per_minute,
        "tokens_per_minute": limits.tokens_per_minute,
        "context": None if problems else _listed(model).get("max_input_tokens"),
        "json_schema": None if problems else _takes_schema(model),
        "batch": _model_kind(model) == "answers" and batch_api(model) is not None,
    }


def _key(model: LitellmModel) -> _KeyState:
    try:
        found = model.key()
    except SetupError as error:
        return _KeyState(problems=error.problems)
    return _KeyState() if found is None else _KeyState(f"{found.where.removeprefix('the ')} ({found.name})")


def _without_address(model: Model) -> list[str]:
    if not isinstance(model, LitellmModel) or model.provider not in _NO_ADDRESS or model.base:
        return []
    return [
        f"`{model.name}` has no address: write `api_base:` under `models:` in buttermilk.yaml, or set "
        f"{model.provider.upper()}_API_BASE in the environment."
    ]


def _model_kind(model: Model) -> str:
    ours = model.full_name.partition("?")[0].partition("/")
    vectors = ours[2] in EMBEDDERS.get(ours[0], {}) or _listed(model).get("mode") == "embedding"
    return "vectors" if vectors else "answers"


def _listed(model: Model) -> dict[str, Any]:
    """What litellm's list says of a model; empty where it is not in it, or would be asked of a server."""
    if not isinstance(model, LitellmModel) or model.provider in _ASK_THE_SERVER:
        return {}
    try:
        return dict(load_litellm().get_model_info(model.full_name))
    except Exception:  # noqa: BLE001  # litellm's way to say that it does not know the model
        return {}


def _prices(model: Model, problems: list[str]) -> tuple[float | None, float | None]:
    """US dollars per million tokens read and written."""
    if model.settings.prices:
        return model.settings.prices.input, model.settings.prices.output
    if model.provider in _ASK_THE_SERVER and not model.remote:
        return 0.0, 0.0
    price = None if problems or model.provider in _ASK_THE_SERVER else model.price()
    return (None, None) if price is None else (round(price[0] * _PER_MILLION, 6), round(price[1] * _PER_MILLION, 6))


def _takes_schema(model: Model) -> bool | None:
    if model.settings.json_schema is not None:
        return model.settings.json_schema
    return None if model.provider in _ASK_THE_SERVER else bool(model.takes_schema)


def _sentence(problems: Iterable[str]) -> str:
    return " ".join(shorten(problem, 400) for problem in problems)
