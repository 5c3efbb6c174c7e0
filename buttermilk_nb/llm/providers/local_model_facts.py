"""Verify a local model: its weights, their quantization, and the server that runs them.

The name of a local model says little: `llama3.2` is the model that was pulled last under that name. Ollama reports the
digest of its model, and llama.cpp its build and the file it loaded. Most other servers only repeat the name; for these,
only the hash of the weights' file, computed here, identifies the model.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from pathlib import Path, PurePath

from ..._internal.text import replace_surrogates
from .local_servers import UNVERIFIABLE, LocalFacts, server_facts

__all__ = ["DEFAULT_BASES", "UNVERIFIABLE", "LocalFacts", "identify_local_model"]

DEFAULT_BASES = {
    "ollama": "http://localhost:11434",
    "ollama_chat": "http://localhost:11434",
    "lm_studio": "http://localhost:1234/v1",
    "llamafile": "http://127.0.0.1:8080/v1",
}
"""The addresses at which these servers listen by default."""

_CHUNK = 1 << 20
_hashes: dict[tuple[str, int, int], str] = {}
_hash_lock = threading.Lock()


async def identify_local_model(
    provider: str, model: str, api_base: str | None, file: str | None, timeout_s: float
) -> LocalFacts:
    """Ask a local model's server what it runs, and hash the weights' file if the settings name one.

    Never fails because of the server or the file: the note says what could not be verified.

    Parameters
    ----------
    provider
        The model's family: `ollama_chat`, `hosted_vllm`, `lm_studio`, `openai` for any server that speaks its API.
    model
        The model's name, with or without the family.
    api_base
        The server's address; by default the usual address of that family on this machine.
    file
        The file of the weights. Its hash is computed again only if the file changes.
    timeout_s
        Seconds for all responses of the server; hashing has no time limit.

    Examples
    --------
    >>> asyncio.run(identify_local_model("hosted_vllm", "toy", None, None, 1.0)).note
    'cannot verify which model this server runs: its address is not known (`api_base`)'
    """
    base = api_base or DEFAULT_BASES.get(provider)
    file_name = file and replace_surrogates(PurePath(file).name)
    facts = await server_facts(provider, model.removeprefix(f"{provider}/"), base, file_name, timeout_s)
    if file is None:
        return facts
    sha256, problem = await _sha256(file)
    note = "; ".join(filter(None, (facts.note, problem))) or None
    return facts.model_copy(update={"file_sha256": sha256, "note": note})


async def _sha256(file: str) -> tuple[str | None, str | None]:
    """A file's hash, or the reason why there is none. Stops reading if the caller is cancelled."""
    stopped = threading.Event()
    try:
        return await asyncio.to_thread(_hash_file, file, stopped), None
    except (OSError, RuntimeError, ValueError) as error:  # the last two: no home folder, a null in the path
        reason = getattr(error, "strerror", None) or error
        return None, f"the weights' file `{replace_surrogates(PurePath(file).name)}` cannot be read ({reason})"
    finally:
        stopped.set()


def _hash_file(file: str, stopped: threading.Event) -> str | None:
    path = Path(file).expanduser().resolve()
    with _hash_lock, path.open("rb") as handle:
        stat = os.fstat(handle.fileno())
        key = (str(path), stat.st_size, stat.st_mtime_ns)
        if key not in _hashes:
            sha256 = hashlib.sha256()
            while chunk := handle.read(_CHUNK):
                sha256.update(chunk)
                if stopped.is_set():
                    return None
            _hashes[key] = sha256.hexdigest()
        return _hashes[key]
