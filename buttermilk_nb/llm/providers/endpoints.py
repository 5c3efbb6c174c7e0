"""Where a model is asked: on this machine or elsewhere; and that a text which shall stay here does.

A server on this machine may answer with a redirect, and a client that follows it would carry the text away. Local
models are therefore asked through a session that looks at each address before it connects.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies

from ...errors import UnavailableError

if TYPE_CHECKING:
    import aiohttp

_LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
_OWN_CLIENT_FAMILIES = {
    "chat": frozenset({"hosted_vllm", "ollama", "ollama_chat"}),
    "embedding": frozenset({"hosted_vllm", "llamafile", "lm_studio"}),
}
"""Families that litellm asks through its own client, which asks once more, outside the session, where one breaks."""
_transports: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _LocalTransport] = weakref.WeakKeyDictionary()


class UnexpectedHost(Exception):
    """A connection that was not made, because it would have left this machine."""


class _LocalTransport(NamedTuple):
    """What one loop's calls to local models go through."""

    session: aiohttp.ClientSession
    client: Any
    """litellm's, which follows no redirect."""


class Route:
    """The way of one call: where it may go, and where it was about to go instead.

    Parameters
    ----------
    own
        The place of a server that is called one's own although it is not on this machine.
    """

    def __init__(self, own_server: str | None) -> None:
        self.own_server = own_server
        self.unexpected_host: str | None = None

    def reaches(self, address: str) -> bool:
        """Whether a call may go there: to this machine, or to a server that was called one's own."""
        return is_this_machine(address) or (
            self.own_server is not None and _host_and_port(address) == _host_and_port(self.own_server)
        )


_current_route: ContextVar[Route | None] = ContextVar("buttermilk_nb_way", default=None)


@contextmanager
def local_only_client(
    name: str, provider: str, own_server: str | None = None, call_type: Literal["chat", "embedding"] = "chat"
) -> Iterator[dict[str, Any]]:
    """What a call to a local model hands to litellm, so that it goes nowhere else.

    Raises
    ------
    UnavailableError
        The server sent the call on to another machine; it did not go.
    """
    route = Route(own_server)
    token = _current_route.set(route)
    try:
        transport = _local_transport()
        yield (
            {"client": transport.client}
            if provider in _OWN_CLIENT_FAMILIES[call_type]
            else {"shared_session": transport.session}
        )
    except Exception as error:
        if route.unexpected_host is None:
            raise
        raise _redirect_error(name, route.unexpected_host) from error
    finally:
        _current_route.reset(token)


def _redirect_error(name: str, where: str) -> UnavailableError:
    error = UnavailableError(
        f"the server of `{name}` sends calls on to {where}, which is not on this machine, so the text was not sent "
        "there. Say `local: false` of it under `models:` in buttermilk.yaml if that is meant."
    )
    error.transient = False  # type: ignore[misc]  # it would send the next one on too
    return error


def _local_transport() -> _LocalTransport:
    loop = asyncio.get_running_loop()
    transport = _transports.get(loop)
    if transport is None or transport.session.closed:
        import aiohttp
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

        looking = aiohttp.TraceConfig()
        looking.on_request_start.append(_check_destination)
        session = aiohttp.ClientSession(
            trace_configs=[looking],
            connector=aiohttp.TCPConnector(limit=0),  # calls in flight are limited before they come here
            timeout=aiohttp.ClientTimeout(total=None),  # and timed there
        )
        transport = _transports[loop] = _LocalTransport(
            session, AsyncHTTPHandler(follow_redirects=False, shared_session=session)
        )
    return transport


async def _check_destination(_: aiohttp.ClientSession, __: object, params: aiohttp.TraceRequestStartParams) -> None:
    route = _current_route.get()
    address = str(params.url)
    if not (route.reaches(address) if route else is_this_machine(address)):
        where = f"{params.url.scheme}://{params.url.authority}"
        if route:
            route.unexpected_host = where
        raise UnexpectedHost(where)


async def close_transports() -> None:
    """Close this loop's connections to local models."""
    transport = _transports.pop(asyncio.get_running_loop(), None)
    if transport is not None:
        await transport.client.close()
        await transport.session.close()


def bypass_proxies() -> None:
    """What is asked on this machine must not go through a proxy elsewhere, which would read it."""
    found = getproxies()
    if any(scheme != "no" for scheme in found):
        for scheme, address in found.items():
            os.environ.setdefault(f"{scheme}_proxy", address)  # else naming exceptions would hide the system's own
        named = [name.strip() for name in found.get("no", "").split(",") if name.strip()]
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(dict.fromkeys([*named, *_LOOPBACK_HOSTS]))


def is_listening(address: str, wait_s: float) -> bool:
    """Whether anybody listens there."""
    host, port = _host_and_port(address)
    try:
        with socket.create_connection((host, port), timeout=wait_s):
            return True
    except OSError:
        return False


@lru_cache(maxsize=256)
def is_this_machine(address: str) -> bool:
    """Whether an address is one of this machine, by its name alone.

    Examples
    --------
    >>> is_this_machine("http://localhost:11434"), is_this_machine("http://192.168.1.20:8000/v1")
    (True, False)
    """
    host, _ = _host_and_port(address)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(address: str) -> str:
    """The name of the machine in an address.

    Examples
    --------
    >>> host_of("https://someone@llm.example.org:8000/v1")
    'llm.example.org'
    """
    return _host_and_port(address)[0]


@lru_cache(maxsize=256)
def _host_and_port(address: str) -> tuple[str, int]:
    parts = urlsplit(address if "//" in address else f"//{address}")
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
