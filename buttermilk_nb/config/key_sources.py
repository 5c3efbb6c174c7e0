"""Sources of API keys: environment, .env file, keyring, Colab, Google's Secret Manager.

Each source has a function from a variable's name to its key or None. A key is wrapped in `Key` as soon as it is read,
so that no traceback, repr or pickle shows it. If a source exists but cannot be read, the function raises a SetupError,
which `Keys` turns into a remark if it can search other sources. If a source does not exist at all, it raises
`KeySourceUnavailable`. Keyrings are read in a thread with a time limit, because some of them show a dialogue and wait
forever. A keyring that would ask for a password is not read.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import importlib
import os
import re
import threading
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from .._internal.secret_redaction import is_secret_name, redact, register_secret, strip_quotes
from ..errors import SetupError

SERVICE = "buttermilk_nb"
"""The service name of our keys in the system's keyring."""

WAIT_S = 10.0
"""Seconds that a keyring or a cloud's secret manager may take to answer."""

MEMORY = "this process's memory"
KEYRING = "the system's keyring"
GCP = "Google's Secret Manager"
_SECRET_NAME = re.compile(r"projects/[^/\s]+/secrets/[^/\s]+(/versions/[^/\s]+)?")
_keys_in_memory: dict[str, Key] = {}
_hanging_thread: threading.Thread | None = None
_T = TypeVar("_T")


class KeySourceUnavailable(SetupError):
    """A source of keys does not exist on this machine; the message says how to get it, or where else to keep keys."""


class Key:
    """A key, the name of its variable, and its source; only `value` shows the key itself.

    Examples
    --------
    >>> Key("'not-a-real-key'", "ANTHROPIC_API_KEY", "the environment")
    <key ANTHROPIC_API_KEY from the environment>
    """

    __slots__ = ("_value", "name", "source")
    name: str
    source: str
    _value: str

    def __init__(self, value: str | None, name: str, source: str) -> None:
        object.__setattr__(self, "_value", strip_quotes(value or ""))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "source", source)

    @property
    def value(self) -> str:
        """The key itself."""
        return self._value

    def check(self) -> Key | None:
        """The key, which is redacted from all output from now on; None if it is empty.

        Raises
        ------
        SetupError
            It contains a character that no key has, such as a curly quote.
        """
        if not self._value:
            return None
        register_secret(self._value)
        if character := self._invalid_character():
            raise SetupError(
                f"the key {self.name} from {self.source} contains {character}, which cannot be part of a key: copy the "
                "whole key again from the provider's page."
            )
        return self

    def _invalid_character(self) -> str | None:
        for position, character in enumerate(self._value, 1):
            if not "!" <= character <= "~":
                name = unicodedata.name(character, "a control character or line break").lower()
                return f"`{name}` as its character {position}"
        return None

    def __repr__(self) -> str:
        return f"<key {self.name} from {self.source}>"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a key does not change")

    def __copy__(self) -> Key:
        return self

    def __deepcopy__(self, memo: object) -> Key:
        return self

    def __getstate__(self) -> NoReturn:  # called by pickle
        raise TypeError("a key is never written to a file or sent to another process")


def store_in_memory(key: Key) -> None:
    """Keep a key in this process's memory, for every open project."""
    _keys_in_memory[key.name] = key


def from_memory(name: str) -> Key | None:
    """A key that was typed for `bm.set_key`."""
    return _keys_in_memory.get(name)


def from_environment(name: str) -> Key | None:
    """A key from the environment."""
    return Key(os.environ.get(name), name, "the environment").check()


def read_dotenv(path: Path) -> dict[str, Key]:
    """Every line of a .env file as a key, not checked yet.

    Raises
    ------
    SetupError
        The file is missing or cannot be read.
    """
    from dotenv import dotenv_values

    try:
        with path.open(encoding="utf-8-sig") as lines:
            keys = {n: Key(v, n, f"`{path.name}`") for n, v in dotenv_values(stream=lines, interpolate=False).items()}
    except FileNotFoundError:
        raise SetupError(
            f"the file {path} does not exist, but `dotenv: {path.name}` in buttermilk.yaml names it: create it, with "
            "lines such as OPENAI_API_KEY=..., or delete the `dotenv` line."
        ) from None
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise SetupError(f"the file {path} with the keys cannot be read: {reason}.") from None
    for name, key in keys.items():
        if is_secret_name(name):
            register_secret(key.value)
    return keys


def from_keyring(name: str, *, wait_s: float = WAIT_S, may_ask: bool = False) -> Key | None:
    """A key from the system's keyring, if it can be read without asking for a password.

    Parameters
    ----------
    name
        The variable's name, which is the user name of the keyring's entry.
    wait_s
        Seconds that the keyring may take.
    may_ask
        Whether to read a keyring that shows its own dialogue if it is locked (KWallet).

    Raises
    ------
    KeySourceUnavailable
        This machine has no keyring.
    SetupError
        It is locked, does not answer, or fails.
    """

    def read() -> Key:
        return Key(_open_keyring(may_ask=may_ask).get_password(SERVICE, name), name, KEYRING)

    return _run_with_timeout(read, wait_s).check()


def check_keyring(*, wait_s: float = WAIT_S) -> None:
    """Raise an error if a key cannot be put into the system's keyring."""
    _run_with_timeout(lambda: _open_keyring(may_ask=True), wait_s)


def to_keyring(key: Key, *, wait_s: float = WAIT_S) -> None:
    """Put a key into the system's keyring, where every later session finds it."""
    _run_with_timeout(lambda: _open_keyring(may_ask=True).set_password(SERVICE, key.name, key.value), wait_s)


def _open_keyring(*, may_ask: bool) -> Any:
    """The system's keyring, if it can be read; call it in a thread, because even finding it may take forever."""
    try:
        import keyring
    except ImportError:
        raise KeySourceUnavailable("keyrings need another package: pip install 'buttermilk-nb[keyring]'.") from None
    backend = keyring.get_keyring()
    if type(backend).__module__ in ("keyring.backends.fail", "keyring.backends.null"):
        raise KeySourceUnavailable(
            "this machine has no keyring that can be used; keep the key in the environment or in a .env file."
        )
    if reason := _password_reason(backend, may_ask=may_ask):
        raise SetupError(f"{KEYRING} was not read, because it {reason}.")
    return backend


def _password_reason(backend: Any, *, may_ask: bool) -> str | None:
    """Why reading would ask for a password, in a window or in the terminal; None if it would not."""
    module = type(backend).__module__
    if module == "keyring.backends.chainer":
        return next((reason for part in backend.backends if (reason := _password_reason(part, may_ask=may_ask))), None)
    if module in ("keyring.backends.kwallet", "keyring.backends.libsecret"):
        return None if may_ask else "may ask for a password: name it in buttermilk.yaml (`key: keyring:NAME`) to use it"
    if module == "keyring.backends.SecretService":
        storage = importlib.import_module("secretstorage")
        with contextlib.closing(storage.dbus_init()) as bus:
            return "is locked: unlock it and run the cell again" if storage.Collection(bus).is_locked() else None
    encrypted = any("keyring_key" in vars(kind) for kind in type(backend).__mro__)  # the files of keyrings.alt
    return "would ask for its password in the terminal" if encrypted and "keyring_key" not in vars(backend) else None


def _run_with_timeout(work: Callable[[], _T], wait_s: float) -> _T:
    global _hanging_thread
    if _hanging_thread is not None and _hanging_thread.is_alive():
        raise SetupError(f"{KEYRING} has still not answered; is it waiting for a password in a window?")
    future: concurrent.futures.Future[_T] = concurrent.futures.Future()
    thread = threading.Thread(target=_set_result, args=(future, work), name="buttermilk_nb-keyring", daemon=True)
    thread.start()
    try:
        return future.result(wait_s)
    except TimeoutError:
        _hanging_thread = thread
        raise SetupError(f"{KEYRING} did not answer within {wait_s:g} s; is it waiting for a password?") from None


def _set_result(future: concurrent.futures.Future[_T], work: Callable[[], _T]) -> None:
    try:
        future.set_result(work())
    except SetupError as error:
        future.set_exception(error)
    except Exception as error:  # noqa: BLE001  # every keyring raises its own classes; the message names them
        message = redact(str(error)) or type(error).__name__
        future.set_exception(SetupError(f"{KEYRING} failed ({type(error).__name__}: {message})."))


def from_colab(name: str) -> Key | None:
    """A key from the secrets of Google Colab.

    Raises
    ------
    KeySourceUnavailable
        This is not Colab.
    SetupError
        Colab does not give access to the secret.
    """
    try:
        from google.colab import userdata
    except ImportError:
        raise KeySourceUnavailable("this is not Google Colab, so there are no Colab secrets.") from None
    try:
        key = Key(userdata.get(name), name, "Colab's secrets")
    except userdata.SecretNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001  # access refused, or no answer: Colab's own classes
        raise SetupError(
            f"Colab does not give access to its secret {name} ({redact(str(error))}): allow this notebook to read it, "
            "with the switch next to it in the panel with the key."
        ) from None
    return key.check()


def from_gcp(name: str, *, wait_s: float = WAIT_S) -> Key | None:
    """A key from Google's Secret Manager: `projects/.../secrets/...`; by default its newest version.

    Raises
    ------
    KeySourceUnavailable
        The package for it is missing.
    SetupError
        The name is not of that form, or the secret cannot be read.
    """
    match = _SECRET_NAME.fullmatch(name)
    if match is None:
        raise SetupError(f"`gcp:{name}` does not have the form `gcp:projects/.../secrets/.../versions/...`.")
    try:
        from google.cloud import secretmanager
    except ImportError:
        raise KeySourceUnavailable(
            "Secret Manager needs another package: pip install 'buttermilk-nb[secrets]'."
        ) from None
    full_name = name if match[1] else f"{name}/versions/latest"
    try:
        client = secretmanager.SecretManagerServiceClient()
        secret = Key(client.access_secret_version(name=full_name, timeout=wait_s).payload.data.decode(), full_name, GCP)
    except Exception as error:  # noqa: BLE001  # no credentials, no permission, no such secret
        raise SetupError(
            f"{GCP} does not give access to `{full_name}` ({type(error).__name__}: {redact(str(error))[:300]})."
        ) from None
    return secret.check()
