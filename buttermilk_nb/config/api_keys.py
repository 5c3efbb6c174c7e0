"""Finds API keys, and asks for one with `bm.set_key`.

Keys are never written to a file of the study: `buttermilk.yaml` names the source (`key: keyring:OPENAI_API_KEY`), never
the key, and once a key is found, it is redacted from every row, log and message. If no source is named, the sources are
searched in this order: keys typed into this notebook, the environment, the project's .env file, the system's keyring,
the secrets of Colab.
"""

from __future__ import annotations

import getpass
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .._internal.arguments import check_arguments, require_text
from .._internal.secret_redaction import redact
from ..errors import SetupError, nearest
from . import key_sources
from .key_sources import Key, KeySourceUnavailable
from .model_settings import KEY_SOURCES

_OTHER_VARIABLES: dict[str, tuple[str, ...]] = {
    "azure": ("AZURE_API_KEY", "AZURE_OPENAI_API_KEY"),
    "bedrock": ("AWS_BEARER_TOKEN_BEDROCK",),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "cohere_chat": ("COHERE_API_KEY", "CO_API_KEY"),
    "datarobot": ("DATAROBOT_API_TOKEN",),
    "fireworks_ai": ("FIREWORKS_AI_API_KEY", "FIREWORKS_API_KEY", "FIREWORKSAI_API_KEY"),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "google": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "huggingface": ("HUGGINGFACE_API_KEY", "HF_TOKEN"),
    "ollama_chat": ("OLLAMA_API_KEY",),
    "perplexity": ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
    "replicate": ("REPLICATE_API_KEY", "REPLICATE_API_TOKEN"),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY"),
}
"""The variables of providers that do not use `<PROVIDER>_API_KEY` alone."""

_PAIRED = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})
"""Each is useless without the other, and litellm reads both from the environment itself."""

_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_PROVIDER = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
_Lookup = Callable[[str], Key | None]


def key_variables(provider: str) -> tuple[str, ...]:
    """The environment variables that may contain a provider's key, the usual one first.

    Parameters
    ----------
    provider
        The provider as in a model's name (`anthropic`), the whole name of a model (`anthropic/...`), or the name of a
        variable.

    Raises
    ------
    SetupError
        `provider` is neither a provider's name nor a variable's name.

    Examples
    --------
    >>> key_variables("anthropic"), key_variables("gemini/some-model"), key_variables("HF_TOKEN")
    (('ANTHROPIC_API_KEY',), ('GEMINI_API_KEY', 'GOOGLE_API_KEY'), ('HF_TOKEN',))
    """
    if redact(provider) != provider:
        raise SetupError(
            "this takes the provider's name and then asks for the key. Your text looks like the key itself: delete it "
            "from the cell, and create a new key at the provider if the notebook was saved or shared."
        )
    if _VARIABLE.fullmatch(provider):
        return (provider,)
    family = provider.partition("/")[0].strip().lower()
    if not _PROVIDER.fullmatch(family):
        raise SetupError(f"`{provider}` is not a provider's name; write it as in the model's name, such as `openai`.")
    return _OTHER_VARIABLES.get(family, (re.sub(r"[.-]", "_", family).upper() + "_API_KEY",))


class Keys:
    """Finds the keys of one project.

    Parameters
    ----------
    folder
        The project's folder.
    dotenv
        A file of `NAME=value` lines, relative to that folder; None if there is none.
    wait_s
        Seconds that a keyring or a secret manager may take to answer.

    Examples
    --------
    >>> print(Keys(Path("study"), None).find(["NO_SUCH_API_KEY"], "no_such"))
    None
    """

    def __init__(self, folder: Path, dotenv: str | None = None, *, wait_s: float = key_sources.WAIT_S) -> None:
        self._dotenv = None if dotenv is None else folder / Path(dotenv).expanduser()
        self._wait_s = wait_s
        self._fetched: dict[str, Key | None] = {}
        self._remarks: dict[str, str] = {}

    @property
    def warnings(self) -> list[str]:
        """Warnings about the sources that were searched: a locked keyring, a .env file that everyone can read."""
        return list(self._remarks.values())

    def find(self, names: Sequence[str], provider: str, source: str | None = None) -> Key | None:
        """The key of a provider, or None; it may wait for a keyring, so call it before a run, not in its event loop.

        Parameters
        ----------
        names
            The environment variables that may contain it, in addition to the provider's usual ones.
        provider
            The provider.
        source
            The only source to search, as in `key:` of `buttermilk.yaml`: `env:NAME`, `dotenv:NAME`, `keyring:NAME`,
            `colab:NAME`, `gcp:projects/.../secrets/...`.

        Raises
        ------
        SetupError
            The named source has no such key, a named .env file is missing, or a key contains an invalid character.
        """
        if source is not None:
            return self._find_at_source(source)
        variables = [name for name in dict.fromkeys([*names, *key_variables(provider)]) if name not in _PAIRED]
        return next((key for lookup in self._lookups() for name in variables if (key := lookup(name))), None)

    def missing_key_message(self, names: Sequence[str], provider: str, model: str) -> str:
        """The message if `find` returns None."""
        variables = (" and " if _PAIRED & set(names) else " or ").join(names or key_variables(provider))
        file = "a .env file that `dotenv:` in buttermilk.yaml names"
        if self._dotenv is not None:
            file = f"`{self._dotenv.name}`"
        hint = f'bm.set_key("{provider}") asks for it and keeps it in memory'
        remarks = "".join(f" ({remark})" for remark in self.warnings)
        return f"model `{model}` needs a key: {hint}; or set {variables} in the environment or in {file}.{remarks}"

    def _lookups(self) -> Iterator[_Lookup]:
        yield key_sources.from_memory
        yield key_sources.from_environment
        if self._dotenv is not None:
            yield self._find_in_dotenv
        yield self._optional_source("keyring", lambda name: key_sources.from_keyring(name, wait_s=self._wait_s))
        yield self._optional_source("colab", key_sources.from_colab)

    def _find_in_dotenv(self, name: str) -> Key | None:
        if self._dotenv is None:
            raise SetupError(
                "no .env file is named: write `dotenv: keys.env` into buttermilk.yaml, and the key into that file."
            )
        keys = key_sources.read_dotenv(self._dotenv)
        self._remarks.pop("dotenv", None)
        if os.name == "posix" and self._dotenv.stat().st_mode & 0o004:
            self._remarks["dotenv"] = (
                f"`{self._dotenv.name}` can be read by everyone who uses this machine: chmod 600 {self._dotenv}"
            )
        return keys[name].check() if name in keys else None

    def _optional_source(self, kind: str, lookup: _Lookup) -> _Lookup:
        """Search a source that nobody named: if it fails, the failure becomes a remark, and the search goes on."""

        def try_lookup(name: str) -> Key | None:
            self._remarks.pop(kind, None)
            try:
                return lookup(name)
            except KeySourceUnavailable:
                return None
            except SetupError as error:
                self._remarks[kind] = str(error).removesuffix(".")
                return None

        return try_lookup

    def _find_at_source(self, source: str) -> Key:
        kind, _, name = source.partition(":")
        lookups: dict[str, tuple[_Lookup, str]] = {
            "env": (key_sources.from_environment, f"in the environment: set {name} before you start Jupyter"),
            "dotenv": (self._find_in_dotenv, f"in the .env file: add a line {name}=..."),
            "keyring": (
                self._find_in_keyring,
                f'in the system\'s keyring: bm.set_key("{name}", keep=True) puts it there',
            ),
            "colab": (key_sources.from_colab, f"among Colab's secrets: add {name} in the panel with the key"),
            "gcp": (self._find_in_gcp, "in Google's Secret Manager: that secret is empty"),
        }
        if kind not in lookups or not name:
            raise SetupError(f"`key: {redact(source)}` is not a source of keys; {nearest(kind, KEY_SOURCES)}")
        lookup, fix = lookups[kind]
        key = lookup(name)
        if key is None:
            raise SetupError(f"`key: {source}` names the source of the key, but the key is not {fix}.")
        return key

    def _find_in_keyring(self, name: str) -> Key | None:
        """The entry with that name or, for `keyring:openai`, with the name of a variable of that provider."""
        for variable in dict.fromkeys((name, *key_variables(name))):
            if key := key_sources.from_keyring(variable, wait_s=self._wait_s, may_ask=True):
                return key
        return None

    def _find_in_gcp(self, name: str) -> Key | None:
        if name not in self._fetched:
            self._fetched[name] = key_sources.from_gcp(name, wait_s=self._wait_s)
        return self._fetched[name]


@check_arguments
def set_key(provider: str, *, keep: bool = False) -> None:
    """Ask for a provider's key, hidden while you type it, and keep it in this process's memory.

    Every project that this process opens can then use it. It is not written to a file, and is gone when the kernel
    stops.

    Parameters
    ----------
    provider
        The provider as in its models' names (`anthropic`, `openai`), or an environment variable's name.
    keep
        Also put it into the system's keyring, where later sessions find it.

    Raises
    ------
    SetupError
        Nothing was typed, nothing can be typed here, or there is no keyring.

    Examples
    --------
    >>> from unittest.mock import patch
    >>> with patch("getpass.getpass", return_value="typed-by-someone"):  # in place of a person who types
    ...     set_key("example")
    The key EXAMPLE_API_KEY is kept in this process's memory, and is gone when it ends.
    """
    name = key_variables(require_text(provider, "a provider"))[0]
    if keep:
        key_sources.check_keyring()
    key = _ask_for_key(name)
    key_sources.store_in_memory(key)
    storage = f"is kept in {key_sources.MEMORY}, and is gone when it ends"
    if keep:
        key_sources.to_keyring(key)
        storage = f"is kept in {key_sources.MEMORY} and in {key_sources.KEYRING}"
    print(f"The key {name} {storage}.")  # noqa: T201  # the user should know where the key is now


def _ask_for_key(name: str) -> Key:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)  # it would show the key
            key = Key(getpass.getpass(f"{name} (hidden while you type): "), name, key_sources.MEMORY)
    except (EOFError, OSError, NotImplementedError, getpass.GetPassWarning):  # raised by a kernel without a user
        raise SetupError(
            f"{name} cannot be typed here, because this is not a notebook or terminal with a user: set it in the "
            "environment or in a .env file."
        ) from None
    if (valid_key := key.check()) is None:
        raise SetupError(f"nothing was typed, so there is no key {name}.")
    return valid_key
