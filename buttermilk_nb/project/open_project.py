"""`OpenProject`: the parts of a project that functions in this folder use."""

from __future__ import annotations

from typing import Protocol

from ..config.api_keys import Keys
from ..config.settings import CacheMode, Settings
from ..events import Bus
from ..llm.cache import AnswerCache
from ..llm.calls.budget import SpendingLimit
from ..llm.calls.client import Client
from ..llm.calls.redaction import Redaction
from ..llm.model import Model
from ..store import Store


class OpenProject(Protocol):
    """The parts of `Project` that `embed` and `model_table` use, so that they need not import it."""

    settings: Settings
    cache_mode: CacheMode
    cache: AnswerCache
    store: Store
    bus: Bus
    keys: Keys
    client: Client
    redaction: Redaction | None

    def model(self, name: str) -> Model:
        """Return the model with that name."""

    def spending_limit(self) -> SpendingLimit:
        """Return the project's budget."""
