"""Ask local servers (Ollama, llama.cpp, vLLM, LM Studio) which model they run.

The server's statements are recorded as such, and a note says what could not be verified. Any program may listen at an
address, so every field of a response is validated and its size is limited. Requests use no proxy and follow no
redirect, so that only the configured address is asked.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from ..._internal.secret_redaction import redact, redact_known
from ..._internal.text import replace_surrogates, shorten
from ...schema import Clean

if TYPE_CHECKING:
    import httpx

UNVERIFIABLE = "cannot verify which model this server runs"
_MAX_BYTES = 4_000_000  # of a response; these servers send a few thousand
_QUANTIZED = re.compile(r"(?<![A-Za-z0-9])(I?Q\d(?:_[A-Z0-9]+)*|B?F16|F32|MXFP4)(?![A-Za-z0-9])", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9a-f]{12,64}")


class LocalFacts(BaseModel):
    """Facts about a local model in addition to its name.

    Parameters
    ----------
    server
        The server that runs it and its version, as the server states them.
    digest
        The server's hash of the model, in hexadecimal.
    quantization, family, parameter_size
        The server's description of the model; for llama.cpp the quantization comes from the file's name.
    file_sha256
        The hash of the weights' file, computed here.
    elsewhere
        The host that gets the texts, if the server does not run the model itself (Ollama's cloud models).
    note
        What could not be verified, and why.

    Examples
    --------
    >>> LocalFacts(server="ollama 0.12.3", digest="1234abcd5678ef90", quantization="Q4_K_M").fingerprint
    'ollama 0.12.3 sha256:1234abcd5678 Q4_K_M'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: Clean | None = None
    digest: Clean | None = None
    quantization: Clean | None = None
    family: Clean | None = None
    parameter_size: Clean | None = None
    file_sha256: Clean | None = None
    elsewhere: Clean | None = None
    note: Clean | None = None

    @property
    def fingerprint(self) -> str | None:
        """One line for the table of calls; None if nothing is known."""
        digest = self.digest and f"sha256:{self.digest[:12]}"
        file = self.file_sha256 and f"file sha256:{self.file_sha256[:12]}"
        host = self.elsewhere and f"at {self.elsewhere}"
        return " ".join(part for part in (self.server, digest, self.quantization, file, host) if part) or None


class _KeyRequired(Exception):
    """The server does not answer without a key."""


async def server_facts(
    provider: str, model: str, base: str | None, weights_file: str | None, timeout_s: float
) -> LocalFacts:
    """Ask a server for facts about a model. This never fails: if the server cannot be asked, the note says so.

    Parameters
    ----------
    provider
        The model's family.
    model
        The model's name, without the family.
    base
        The server's address; None if it is not known.
    weights_file
        The file name of the weights in the settings.
    timeout_s
        Seconds for all requests.

    Examples
    --------
    >>> asyncio.run(server_facts("hosted_vllm", "toy", None, None, 1.0)).note
    'cannot verify which model this server runs: its address is not known (`api_base`)'
    """
    import httpx

    if base is None:
        return LocalFacts(note=f"{UNVERIFIABLE}: its address is not known (`api_base`)")
    try:
        _ = urlsplit(base).port  # an impossible port is a ValueError here, and a group of errors deep in httpx
        async with (
            asyncio.timeout(timeout_s),
            httpx.AsyncClient(timeout=timeout_s, trust_env=False, follow_redirects=False) as client,
        ):
            return await _identify_server(client, provider, model, base.rstrip("/"), weights_file)
    except _KeyRequired:
        return LocalFacts(note=f"{UNVERIFIABLE}: it does not answer without a key")
    except (TimeoutError, httpx.TimeoutException):
        return LocalFacts(note=f"{UNVERIFIABLE}: it did not answer within {timeout_s:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        reason = shorten(redact(str(error)), 120) or type(error).__name__
        return LocalFacts(note=f"{UNVERIFIABLE}: it could not be asked ({reason})")


async def _identify_server(
    client: httpx.AsyncClient, provider: str, model: str, base: str, weights_file: str | None
) -> LocalFacts:
    """Recognise the server by the model's family or by its list of models, and ask it in its own way."""
    root = base.removesuffix("/v1")
    if provider in ("ollama", "ollama_chat"):
        return await _ollama_facts(client, root, model)
    models: dict[str, Any] = {}
    for url in dict.fromkeys((f"{base}/models", f"{root}/v1/models")):
        models = models or await _get_json(client, "GET", url)
    entry = _find_model(models.get("data"), model)
    owner = entry.get("owned_by")
    if owner == "vllm":
        return await _vllm_facts(client, root, entry, weights_file)
    if models and (provider == "lm_studio" or owner == "organization_owner"):
        return await _lm_studio_facts(client, root, model, weights_file)
    props = await _get_json(client, "GET", f"{root}/props")
    if "model_path" in props or "build_info" in props:
        return _llama_cpp_facts(props, entry, weights_file)
    if "models" in await _get_json(client, "GET", f"{root}/api/tags"):
        return await _ollama_facts(client, root, model)
    return LocalFacts(server=_short_text(owner), note=UNVERIFIABLE if models else f"{UNVERIFIABLE}: it lists no models")


async def _ollama_facts(client: httpx.AsyncClient, root: str, model: str) -> LocalFacts:
    show = await _get_json(client, "POST", f"{root}/api/show", {"model": model})
    tags = await _get_json(client, "GET", f"{root}/api/tags")
    version = _short_text((await _get_json(client, "GET", f"{root}/api/version")).get("version"))
    name = model if ":" in model.rpartition("/")[2] else f"{model}:latest"
    entry = next((e for e in _as_dicts(tags.get("models")) if name in (e.get("name"), e.get("model"))), {})
    details = _as_dict(show.get("details")) or _as_dict(entry.get("details"))
    digest = str(entry.get("digest", "")).removeprefix("sha256:").lower()
    is_listed = _DIGEST.fullmatch(digest) is not None
    note = None if is_listed else f"Ollama does not list `{model}`: ollama pull {model}"
    remote_host = _short_text(show.get("remote_host") or entry.get("remote_host"))
    if remote_host:
        note = f"Ollama passes texts on to {remote_host}: this model does not run here"
    if not (show or tags or version):
        return LocalFacts(note=f"{UNVERIFIABLE}: it does not answer as Ollama does")
    return LocalFacts(
        server=f"ollama {version}" if version else "ollama",
        digest=digest if is_listed else None,
        quantization=_short_text(details.get("quantization_level")),
        family=_short_text(details.get("family")),
        parameter_size=_short_text(details.get("parameter_size")),
        elsewhere=remote_host,
        note=note,
    )


async def _lm_studio_facts(client: httpx.AsyncClient, root: str, model: str, weights_file: str | None) -> LocalFacts:
    entry = _find_model((await _get_json(client, "GET", f"{root}/api/v0/models")).get("data"), model)
    return LocalFacts(
        server="lm-studio",
        quantization=_short_text(entry.get("quantization")),
        family=_short_text(entry.get("arch")),
        note=f"LM Studio does not say which weights these are{_file_hint(weights_file)}",
    )


async def _vllm_facts(
    client: httpx.AsyncClient, root: str, entry: dict[str, Any], weights_file: str | None
) -> LocalFacts:
    version = _short_text((await _get_json(client, "GET", f"{root}/version")).get("version"))
    weights = _short_text(entry.get("root"))
    serves = f"vLLM serves `{_weights_name(weights)}` and" if weights else "vLLM"
    return LocalFacts(
        server=f"vllm {version}" if version else "vllm",
        note=f"{serves} does not say which version of the weights that is{_file_hint(weights_file)}",
    )


def _llama_cpp_facts(props: dict[str, Any], entry: dict[str, Any], weights_file: str | None) -> LocalFacts:
    build, path = _short_text(props.get("build_info")), _short_text(props.get("model_path"))
    weights = _weights_name(path) if path else None
    quantized = _QUANTIZED.search(weights or "")
    size = _as_dict(entry.get("meta")).get("n_params")
    note = f"llama.cpp loaded `{weights}`{_file_hint(weights_file)}" if weights else UNVERIFIABLE
    if weights and weights_file:
        note = (
            ""
            if weights == weights_file
            else f"llama.cpp loaded `{weights}`, but the settings name the file `{weights_file}`"
        )
    return LocalFacts(
        server=f"llama.cpp {build}" if build else "llama.cpp",
        quantization=quantized[1].upper() if quantized else None,
        parameter_size=f"{size / 1e9:.1f}B" if isinstance(size, int) and 0 < size < 10**15 else None,
        note=note or None,
    )


def _file_hint(weights_file: str | None) -> str:
    return "" if weights_file else "; name the weights' file (`file:` in buttermilk.yaml) to record its hash"


def _weights_name(path: str) -> str:
    """The file name of a path, because folders are private; a model's name on a hub stays as it is."""
    absolute = path.startswith(("/", "~", ".")) or "\\" in path or path.endswith(".gguf")
    return PureWindowsPath(PurePosixPath(path).name).name if absolute else path


async def _get_json(client: httpx.AsyncClient, method: str, url: str, body: object = None) -> dict[str, Any]:
    """A JSON object from the server; empty if the response is not one."""
    async with client.stream(method, url, json=body) as response:
        if response.status_code in (401, 403):
            raise _KeyRequired
        if response.status_code != 200:
            return {}
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > _MAX_BYTES:
                return {}
    try:
        return _as_dict(json.loads(data))
    except (ValueError, RecursionError):
        return {}


def _find_model(models: Any, model: str) -> dict[str, Any]:
    """The model's entry in a list of models; a single entry counts under any name."""
    entries = _as_dicts(models)
    return next((e for e in entries if e.get("id") == model), entries[0] if len(entries) == 1 else {})


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _as_dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _short_text(value: Any) -> str | None:
    """A text or number from a server as one short line; None for anything else."""
    return (
        shorten(redact_known(replace_surrogates(str(value))), 120) or None
        if isinstance(value, str | int | float)
        else None
    )
