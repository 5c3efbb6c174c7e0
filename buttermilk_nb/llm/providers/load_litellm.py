"""Import litellm once, quiet and offline, and warm it up.

litellm takes 1.7 s to import, so it is imported on first use. The switches that stop its messages and its own network
calls must be set before the import.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from functools import lru_cache
from typing import Any

from ..._internal.gc_pause import paused_gc
from .endpoints import close_transports

_lock = threading.Lock()
_log = logging.getLogger(__name__)
_litellm: Any = None
SERVER_LOOKUP_FAMILIES = frozenset({"ollama", "ollama_chat"})
"""Families for which litellm sends a request to the server to learn anything about a model."""


def load_litellm() -> Any:
    """Import litellm on first use, without messages or network calls of its own."""
    global _litellm
    with _lock:
        if _litellm is None:
            os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            os.environ.setdefault("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "True")  # else it fetches a file
            os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
            os.environ.setdefault("LITELLM_LOG", "ERROR")  # its warnings are for programmers, not for a notebook
            # litellm's own types make pydantic warn in the middle of a call, into the reader's notebook
            warnings.filterwarnings("ignore", message="Items? '.*' on TypedDict class", category=UserWarning)
            with paused_gc():  # else a fifth of the time goes into collections, which find nothing
                import litellm

            litellm.suppress_debug_info = True
            litellm.telemetry = False
            litellm.drop_params = False
            litellm.DEFAULT_MAX_RETRIES = 0  # if a call asks for 0 retries, litellm uses this default
            shared_client = litellm.module_level_aclient  # litellm asks Ollama for vectors through it
            shared_client.follow_redirects = shared_client.client.follow_redirects = False
            _litellm = litellm
        return _litellm


@lru_cache(maxsize=64)
def warm_up(model: str) -> None:
    """Let litellm import what a call needs; that takes long enough to hold up an event loop. Nothing is sent."""
    if model.partition("/")[0] in SERVER_LOOKUP_FAMILIES:  # litellm would ask the server about the model
        return
    try:
        load_litellm().completion(
            model=model, messages=[{"role": "user", "content": "x"}], mock_response="x", api_key="none"
        )
    except Exception as error:  # noqa: BLE001  # if something is wrong, the real call reports it
        _log.debug("the warm-up of %s failed: %r", model, error)


async def close_clients() -> None:
    """Close the pooled connections of this event loop."""
    await close_transports()
    if _litellm is not None:
        await _litellm.close_litellm_async_clients()
