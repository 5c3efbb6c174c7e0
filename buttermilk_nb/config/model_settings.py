"""Settings of one model: its name, parameters, limits, prices and key."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from .._internal.ids import canonical


def _reject_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"is a number, not `{'yes' if value else 'no'}`")
    return value


WholeNumber = Annotated[int, BeforeValidator(_reject_boolean)]
"""YAML reads `yes` as true, and Python would count that as 1."""
Number = Annotated[float, BeforeValidator(_reject_boolean), Field(allow_inf_nan=False)]
SELF_HOSTED_FAMILIES = frozenset(
    {
        "azure", "custom_openai", "docker_model_runner", "hosted_vllm", "litellm_proxy", "llamafile", "lm_studio",
        "ollama", "ollama_chat", "oobabooga", "openai_like", "vllm", "xinference",
    }
)  # fmt: skip
"""Self-hosted servers: these families have no fixed address."""
LOCAL_FAMILIES = frozenset(
    {
        "custom_openai", "docker_model_runner", "hosted_vllm", "litellm_proxy", "llamafile", "lm_studio", "ollama",
        "ollama_chat", "openai",
    }
)  # fmt: skip
"""Families whose calls can be kept on one server, which a test proves for each of them.

Models of all others count as remote, whatever their address: litellm would follow a redirect, or ignore the address.
"""
KEY_SOURCES = ("env", "dotenv", "keyring", "colab", "gcp")


class Limits(BaseModel):
    """Rate limits of a model.

    Parameters
    ----------
    requests_per_minute, tokens_per_minute
        The limits on the provider's account page; no minute has more. Tokens read and tokens written both count. A
        single call of more than a tenth of the limit may exceed it by its own size, and waits if the provider says so.
    in_flight
        The number of calls that may be in flight at once.

    Examples
    --------
    >>> Limits(requests_per_minute=50).tokens_per_minute is None
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_minute: WholeNumber | None = Field(default=None, ge=1)
    tokens_per_minute: WholeNumber | None = Field(default=None, ge=1)
    in_flight: WholeNumber | None = Field(default=None, ge=1)


class Prices(BaseModel):
    """Prices of a model.

    Parameters
    ----------
    input, output
        US dollars per million tokens that the model reads and writes.

    Examples
    --------
    >>> Prices(input=3, output=15).per_token
    (3e-06, 1.5e-05)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Number = Field(ge=0)
    output: Number = Field(ge=0)

    @property
    def per_token(self) -> tuple[float, float]:
        """US dollars per token read and per token written."""
        return self.input / 1e6, self.output / 1e6


class ModelSettings(BaseModel):
    """One entry of `models:` in `buttermilk.yaml`.

    Parameters
    ----------
    model
        The model's full name, `family/model`; by default the entry's own name.
    params
        Sampling parameters that are used if a judge does not set them.
    api_base
        The address of the server, for local models and models behind a gateway. It is part of the cache key.
    served_as
        A name for the model at that address; it replaces the address in the cache key, so that the server can move.
    key
        The source of the key: `env:NAME`, `dotenv:NAME`, `keyring:NAME`, `colab:NAME`,
        `gcp:projects/.../secrets/...`.
    local
        Whether the server keeps texts to itself, so that they count as not sent anywhere; by default true if the
        address is on this machine. Only models of a family in `LOCAL_FAMILIES` (`hosted_vllm`, `ollama_chat`,
        `openai`, ...) can be local, because only their calls can be kept on one server.
    timeout_s, retries
        Replace the project's settings of the same name.
    limits
        The rate limits of the model.
    prices
        The prices of the model, if the price list does not have it or you pay other prices.
    json_schema
        Whether the form of the answer is sent to the provider; by default if the model is known to support that.
    file
        The file with a local model's weights; its hash is recorded.

    Examples
    --------
    >>> ModelSettings(model="openai/some-model", key="keyring:openai").key
    'keyring:openai'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    api_base: str | None = None
    served_as: str | None = None
    key: str | None = None
    local: bool | None = None
    timeout_s: Number | None = Field(default=None, gt=0)
    retries: WholeNumber | None = Field(default=None, ge=0, le=100)
    limits: Limits = Field(default_factory=Limits)
    prices: Prices | None = None
    json_schema: bool | None = None
    file: str | None = None

    @field_validator("model")
    @classmethod
    def _require_full_name(cls, value: str | None) -> str | None:
        if value is not None and "/" not in value:
            raise ValueError(f"`{value}` is not a full name; write `family/model`")
        return value

    @field_validator("key")
    @classmethod
    def _check_key_source(cls, value: str | None) -> str | None:
        if value is not None and value.partition(":")[0] not in KEY_SOURCES:
            sources = ", ".join(f"{source}:NAME" for source in KEY_SOURCES)
            raise ValueError(f"names the source of a key, never the key itself: {sources}")
        return value

    @field_validator("params")
    @classmethod
    def _require_json(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            canonical(value)
        except (TypeError, ValueError):
            raise ValueError("contains a value that JSON cannot express") from None
        return value
