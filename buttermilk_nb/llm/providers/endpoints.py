"""Resolve a model's endpoint, and guarantee that texts for local models reach only this machine.

A server on this machine may answer with a redirect, and a client that follows it would send the text to another
machine. So calls to local models use a session that checks each address before it connects.
"""

from __future__ import annotations

import asyncio
import os
import socket
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.request import getproxies

from ..._internal.addresses import host_and_port, is_this_machine
from ...errors import UnavailableError

if TYPE_CHECKING:
    import aiohttp

_LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
_OWN_CLIENT_FAMILIES = {
    "chat": frozenset({"hosted_vllm", "ollama", "ollama_chat"}),
    "embedding": frozenset({"hosted_vllm", "llamafile", "lm_studio"}),
}
"""Families for which litellm needs a client of its own kind: with a session alone it would retry outside of it."""
_transports: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _LocalTransport] = weakref.WeakKeyDictionary()


class UnexpectedHost(Exception):
    """A connection was refused because it would have left this machine."""


class _LocalTransport(NamedTuple):
    """Session and client for one event loop's calls to local models."""

    session: aiohttp.ClientSession
    client: Any
    """litellm's client; it follows no redirect."""


class Route:
    """The hosts that one call may reach, and the unexpected host to which it was redirected, if any.

    Parameters
    ----------
    own_server
        The address of a server on another machine that the settings mark as `local: true`.
    """

    def __init__(self, own_server: str | None) -> None:
        self.own_server = own_server
        self.unexpected_host: str | None = None

    def reaches(self, address: str) -> bool:
        """Whether a call may go to an address: on this machine, or the user's own server."""
        if is_this_machine(address):
            return True
        return self.own_server is not None and host_and_port(address) == host_and_port(self.own_server)


_current_route: ContextVar[Route | None] = ContextVar("buttermilk_nb_route", default=None)


@contextmanager
def local_only_client(
    name: str, provider: str, own_server: str | None = None, call_type: Literal["chat", "embedding"] = "chat"
) -> Iterator[dict[str, Any]]:
    """Arguments for litellm that restrict a call to this machine.

    Parameters
    ----------
    name
        The model's name, for messages.
    provider
        The model's family.
    own_server
        The address of a server on another machine that the settings mark as `local: true`.
    call_type
        The kind of call: litellm uses different clients for chat and for embeddings.

    Raises
    ------
    UnavailableError
        The server redirected the call to another machine, and the text was not sent there.
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


def _redirect_error(name: str, host: str) -> UnavailableError:
    error = UnavailableError(
        f"the server of `{name}` redirects calls to {host}, which is not on this machine, so the text was not sent "
        "there. If this is intended, write `local: false` for this model under `models:` in buttermilk.yaml."
    )
    error.transient = False  # type: ignore[misc]  # it would redirect the next call, too
    return error


def _local_transport() -> _LocalTransport:
    loop = asyncio.get_running_loop()
    transport = _transports.get(loop)
    if transport is None or transport.session.closed:
        import aiohttp
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(_check_destination)
        session = aiohttp.ClientSession(
            trace_configs=[trace],
            connector=aiohttp.TCPConnector(limit=0),  # `Sender` limits the calls in flight
            timeout=aiohttp.ClientTimeout(total=None),  # and their time
        )
        transport = _transports[loop] = _LocalTransport(
            session, AsyncHTTPHandler(follow_redirects=False, shared_session=session)
        )
    return transport


async def _check_destination(_: aiohttp.ClientSession, __: object, params: aiohttp.TraceRequestStartParams) -> None:
    route = _current_route.get()
    address = str(params.url)
    if not (route.reaches(address) if route else is_this_machine(address)):
        host = f"{params.url.scheme}://{params.url.authority}"
        if route:
            route.unexpected_host = host
        raise UnexpectedHost(host)


async def close_transports() -> None:
    """Close this loop's connections to local models."""
    transport = _transports.pop(asyncio.get_running_loop(), None)
    if transport is not None:
        await transport.client.close()
        await transport.session.close()


def bypass_proxies() -> None:
    """Exempt this machine from proxies, because a proxy on another machine would read the texts."""
    proxies = getproxies()
    if any(scheme != "no" for scheme in proxies):
        for scheme, address in proxies.items():
            os.environ.setdefault(f"{scheme}_proxy", address)  # once no_proxy is set, system proxies are ignored
        exceptions = [host.strip() for host in proxies.get("no", "").split(",") if host.strip()]
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(dict.fromkeys([*exceptions, *_LOOPBACK_HOSTS]))


def is_listening(address: str, wait_s: float) -> bool:
    """Whether a server accepts connections at an address."""
    host, port = host_and_port(address)
    try:
        with socket.create_connection((host, port), timeout=wait_s):
            return True
    except OSError:
        return False
