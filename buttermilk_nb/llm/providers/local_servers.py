"""The ways in which local servers tell what they run: Ollama, llama.cpp, vLLM, LM Studio, and those that tell nothing.

What a server says is recorded as its word; what nobody can tell is said so in the note. A server may be anything that
listens at an address, so that no field of what it sends is trusted to be there or to be of its kind, and an answer is
read to a limit only. Without proxies and redirects, only the address that was configured is asked.
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

UNVERIFIABLE = "nothing can be verified of what this server runs"
_MAX_BYTES = 4_000_000  # bytes of an answer; what these servers say takes a few thousand
_QUANTIZED = re.compile(r"(?<![A-Za-z0-9])(I?Q\d(?:_[A-Z0-9]+)*|B?F16|F32|MXFP4)(?![A-Za-z0-9])", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9a-f]{12,64}")


class LocalFacts(BaseModel):
    """What is known of a local model beside its name.

    Parameters
    ----------
    server
        The server that runs it and its version, as it says.
    digest
        The hash under which the server keeps it, in hexadecimal.
    quantization, family, parameter_size
        How the server describes it; of llama.cpp's the quantization is read off the file's name.
    file_sha256
        The hash of the weights' file, computed here.
    elsewhere
        The host that the server passes texts on to, where it does not run the model itself (Ollama's cloud models).
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
        """One line for the table of calls; None where nothing is known."""
        digest = self.digest and f"sha256:{self.digest[:12]}"
        file = self.file_sha256 and f"file sha256:{self.file_sha256[:12]}"
        at = self.elsewhere and f"at {self.elsewhere}"
        return " ".join(part for part in (self.server, digest, self.quantization, file, at) if part) or None


class _KeyRequired(Exception):
    """The server answers only those who have a key."""


async def server_facts(
    provider: str, model: str, base: str | None, weights_file: str | None, timeout_s: float
) -> LocalFacts:
    """What the server at an address says of a model; `named` is the weights' file that the settings name.

    Never fails: a server that cannot be asked is a note.

    Examples
    --------
    >>> asyncio.run(said("hosted_vllm", "toy", None, None, 1.0)).note
    'nothing can be verified of what this server runs: its address is not known (`api_base`)'
    """
    import httpx

    if base is None:
        return LocalFacts(note=f"{UNVERIFIABLE}: its address is not known (`api_base`)")
    try:
        _ = urlsplit(base).port  # a port that cannot be is a ValueError here, and a group of errors deep in httpx
        async with (
            asyncio.timeout(timeout_s),
            httpx.AsyncClient(timeout=timeout_s, trust_env=False, follow_redirects=False) as client,
        ):
            return await _identify_server(client, provider, model, base.rstrip("/"), weights_file)
    except _KeyRequired:
        return LocalFacts(note=f"{UNVERIFIABLE}: it wants a key before it says so")
    except (TimeoutError, httpx.TimeoutException):
        return LocalFacts(note=f"{UNVERIFIABLE}: it did not answer within {timeout_s:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        why = shorten(redact(str(error)), 120) or type(error).__name__
        return LocalFacts(note=f"{UNVERIFIABLE}: it could not be asked ({why})")


async def _identify_server(
    client: httpx.AsyncClient, provider: str, model: str, base: str, weights_file: str | None
) -> LocalFacts:
    """PlannedRequest in the way of the server that this is: by its family, or by how it signs its list of models."""
    root = base.removesuffix("/v1")
    if provider in ("ollama", "ollama_chat"):
        return await _ollama_facts(client, root, model)
    listed: dict[str, Any] = {}
    for url in dict.fromkeys((f"{base}/models", f"{root}/v1/models")):
        listed = listed or await _get_json(client, "GET", url)
    entry = _find_model(listed.get("data"), model)
    owner = entry.get("owned_by")
    if owner == "vllm":
        return await _vllm_facts(client, root, entry, weights_file)
    if listed and (provider == "lm_studio" or owner == "organization_owner"):
        return await _lm_studio_facts(client, root, model, weights_file)
    props = await _get_json(client, "GET", f"{root}/props")
    if "model_path" in props or "build_info" in props:
        return _llama_cpp_facts(props, entry, weights_file)
    if "models" in await _get_json(client, "GET", f"{root}/api/tags"):
        return await _ollama_facts(client, root, model)
    return LocalFacts(server=_short_text(owner), note=UNVERIFIABLE if listed else f"{UNVERIFIABLE}: it lists no models")


async def _ollama_facts(client: httpx.AsyncClient, root: str, model: str) -> LocalFacts:
    shown = await _get_json(client, "POST", f"{root}/api/show", {"model": model})
    tags = await _get_json(client, "GET", f"{root}/api/tags")
    version = _short_text((await _get_json(client, "GET", f"{root}/api/version")).get("version"))
    wanted = model if ":" in model.rpartition("/")[2] else f"{model}:latest"
    listed = next((e for e in _as_dicts(tags.get("models")) if wanted in (e.get("name"), e.get("model"))), {})
    details = _as_dict(shown.get("details")) or _as_dict(listed.get("details"))
    digest = str(listed.get("digest", "")).removeprefix("sha256:").lower()
    known = digest if _DIGEST.fullmatch(digest) else None
    note = None if known else f"Ollama does not list `{model}`: ollama pull {model}"
    elsewhere = _short_text(shown.get("remote_host") or listed.get("remote_host"))
    if elsewhere:
        note = f"Ollama passes texts on to {elsewhere}: this model does not run here"
    if not (shown or tags or version):
        return LocalFacts(note=f"{UNVERIFIABLE}: it does not answer as Ollama does")
    return LocalFacts(
        server=f"ollama {version}" if version else "ollama",
        digest=known,
        quantization=_short_text(details.get("quantization_level")),
        family=_short_text(details.get("family")),
        parameter_size=_short_text(details.get("parameter_size")),
        elsewhere=elsewhere,
        note=note,
    )


async def _lm_studio_facts(client: httpx.AsyncClient, root: str, model: str, weights_file: str | None) -> LocalFacts:
    entry = _find_model((await _get_json(client, "GET", f"{root}/api/v0/models")).get("data"), model)
    return LocalFacts(
        server="lm-studio",
        quantization=_short_text(entry.get("quantization")),
        family=_short_text(entry.get("arch")),
        note=f"LM Studio does not tell which weights these are{_file_hint(weights_file)}",
    )


async def _vllm_facts(
    client: httpx.AsyncClient, root: str, entry: dict[str, Any], weights_file: str | None
) -> LocalFacts:
    version = _short_text((await _get_json(client, "GET", f"{root}/version")).get("version"))
    weights = _short_text(entry.get("root"))
    serves = f"vLLM serves `{_weights_name(weights)}` and" if weights else "vLLM"
    return LocalFacts(
        server=f"vllm {version}" if version else "vllm",
        note=f"{serves} does not tell which version of the weights that is{_file_hint(weights_file)}",
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
            else f"llama.cpp loaded `{weights}`, and the file that is named is `{weights_file}`"
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
    """The file's name alone, of a path or a model's name on a hub left whole; where it lies is nobody's business."""
    absolute = path.startswith(("/", "~", ".")) or "\\" in path or path.endswith(".gguf")
    return PureWindowsPath(PurePosixPath(path).name).name if absolute else path


async def _get_json(client: httpx.AsyncClient, method: str, url: str, body: object = None) -> dict[str, Any]:
    """A JSON object from the server; empty where it has none to give."""
    async with client.stream(method, url, json=body) as response:
        if response.status_code in (401, 403):
            raise _KeyRequired
        if response.status_code != 200:
            return {}
        found = bytearray()
        async for part in response.aiter_bytes():
            found += part
            if len(found) > _MAX_BYTES:
                return {}
    try:
        return _as_dict(json.loads(found))
    except (ValueError, RecursionError):
        return {}


def _find_model(listed: Any, model: str) -> dict[str, Any]:
    """The model's line in a list of models; where there is only one, that is it, whatever it is called."""
    entries = _as_dicts(listed)
    return next((e for e in entries if e.get("id") == model), entries[0] if len(entries) == 1 else {})


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _as_dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _short_text(value: Any) -> str | None:
    """What a server says, as one short line."""
    return (
        shorten(redact_known(replace_surrogates(str(value))), 120) or None
        if isinstance(value, str | int | float)
        else None
    )
