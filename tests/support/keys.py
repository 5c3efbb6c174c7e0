"""Fixtures: a keyring of the test's own, and the keys of this machine hidden from tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import keyring
import keyring.backends.fail
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from buttermilk_nb._internal import secret_redaction
from buttermilk_nb.config import key_sources


@pytest.fixture
def no_key_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No key of the person who runs the tests is found, and no key that a test plants stays."""
    for name in list(os.environ):
        if secret_redaction.is_secret_name(name) or name.endswith("_API_BASE"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(key_sources, "_keys_in_memory", {})
    monkeypatch.setattr(secret_redaction, "_registered", set())
    monkeypatch.setattr(secret_redaction, "_read_at", float("-inf"))
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)
    secret_redaction._read_at = float("-inf")


class MemoryKeyring(KeyringBackend):
    """A keyring backend like any other, which keeps its entries in this process."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}
        self.asked: list[tuple[str, str]] = []

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append((service, username))
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.entries:
            raise PasswordDeleteError(username)
        del self.entries[service, username]


@pytest.fixture
def memory_keyring() -> MemoryKeyring:
    """A usable keyring, open and empty."""
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    return backend
