"""What can be verified of a local model: which weights, how they were quantized, and which server runs them.

A local model's name says little: `llama3.2` is whatever was pulled under that name last. Ollama tells the digest of
what it runs, llama.cpp its build and the file it loaded; most other servers only repeat the name, and then the hash of
the weights' file, which is computed here, is all that can be had.
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
"""Where these servers listen unless they are told otherwise."""

_CHUNK = 1 << 20
_hashes: dict[tuple[str, int, int], str] = {}
_hash_lock = threading.Lock()


async def identify_local_model(
    provider: str, model: str, api_base: str | None, file: str | None, timeout_s: float
) -> LocalFacts:
    """Ask a local model's server what it runs, and hash the weights' file where one is named.

    Never fails because of the server or the file: what cannot be known is in the note.

    Parameters
    ----------
    provider
        The model's family: `ollama_chat`, `hosted_vllm`, `lm_studio`, `openai` for any server that speaks its API.
    model
        The model's name, with the family before it or without.
    api_base
        The server's address; by default where servers of that family usually listen on this machine.
    file
        The file of the weights. Its hash is computed once for as long as the file does not change.
    timeout_s
        Seconds that the server's answers may take in all; hashing takes as long as it takes.

    Examples
    --------
    >>> asyncio.run(facts("hosted_vllm", "toy", None, None, 1.0)).note
    'nothing can be verified of what this server runs: its address is not known (`api_base`)'
    """
    base = api_base or DEFAULT_BASES.get(provider)
    named = file and replace_surrogates(PurePath(file).name)
    found = await server_facts(provider, model.removeprefix(f"{provider}/"), base, named, timeout_s)
    if file is None:
        return found
    hashed, trouble = await _sha256(file)
    note = "; ".join(filter(None, (found.note, trouble))) or None
    return found.model_copy(update={"file_sha256": hashed, "note": note})


async def _sha256(file: str) -> tuple[str | None, str | None]:
    """A file's hash, or why there is none. Stops reading where the caller is stopped."""
    stopped = threading.Event()
    try:
        return await asyncio.to_thread(_hash_file, file, stopped), None
    except (OSError, RuntimeError, ValueError) as error:  # the last two: no home folder, a null in the path
        why = getattr(error, "strerror", None) or error
        return None, f"the weights' file `{replace_surrogates(PurePath(file).name)}` cannot be read ({why})"
    finally:
        stopped.set()


def _hash_file(file: str, stopped: threading.Event) -> str | None:
    path = Path(file).expanduser().resolve()
    with _hash_lock, path.open("rb") as handle:
        found = os.fstat(handle.fileno())
        key = (str(path), found.st_size, found.st_mtime_ns)
        if key not in _hashes:
            made = hashlib.sha256()
            while chunk := handle.read(_CHUNK):
                made.update(chunk)
                if stopped.is_set():
                    return None
            _hashes[key] = made.hexdigest()
        return _hashes[key]
