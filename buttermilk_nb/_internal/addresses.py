"""Parts of network addresses, and whether an address is on this machine."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from ..errors import SetupError


@lru_cache(maxsize=256)
def is_this_machine(address: str) -> bool:
    """Whether an address is on this machine, judged by its host name alone.

    Examples
    --------
    >>> is_this_machine("http://localhost:11434"), is_this_machine("http://192.168.1.20:8000/v1")
    (True, False)
    """
    host, _ = host_and_port(address)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(address: str) -> str:
    """The host name in an address.

    Examples
    --------
    >>> host_of("https://someone@llm.example.org:8000/v1")
    'llm.example.org'
    """
    return host_and_port(address)[0]


@lru_cache(maxsize=256)
def host_and_port(address: str) -> tuple[str, int]:
    """The host name and the port in an address; the port of its scheme if it names none.

    Raises
    ------
    SetupError
        It is not an address.
    """
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise SetupError(f"`{address[:80]}` is not an address such as http://localhost:8000/v1: {error}.") from None
