"""Download one web page that a researcher asks for, as its site allows.

The site's robots.txt is read first, for each host that the address leads to. A page that is too large is given up while
it is read, and not afterwards. Nothing but the address itself is sent: no cookies, no name of a person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import httpx

from ..._internal.package_versions import package_version
from ...errors import SetupError
from ...schema import now
from ..loaders.remote_files import display_address

USER_AGENT = f"buttermilk_nb/{package_version('buttermilk-nb')}"
_MAX_ROBOTS_BYTES = 500_000
_MAX_REDIRECTS = 5
_TEXT_TYPES = ("text/html", "application/xhtml+xml", "text/plain")
_CLOSED = (401, 403)
_Robots = Callable[[str], bool]
"""Whether a program may read an address."""


class WebPage(NamedTuple):
    """A page as it came."""

    url: str
    """The address that was asked for."""
    final_url: str
    """The address that it led to."""
    fetched_at: dt.datetime
    """In UTC, without a zone."""
    media_type: str
    """As the server says: `text/html; charset=utf-8`."""
    body: bytes


def download_page(url: str, *, limit_bytes: int, timeout_s: float, respect_robots: bool = True) -> WebPage:
    """Download a page.

    Parameters
    ----------
    url
        The address; `http` or `https`.
    limit_bytes
        The largest page that is taken.
    timeout_s
        How long one request may take, in seconds.
    respect_robots
        Whether the site's robots.txt decides.

    Raises
    ------
    SetupError
        The site does not allow it, cannot be reached, or sends no page of text.
    """
    _check_address(url, url)
    headers = {"User-Agent": USER_AGENT, "Accept": ", ".join(_TEXT_TYPES)}
    try:
        with httpx.Client(headers=headers, timeout=timeout_s, follow_redirects=False) as client:
            return _follow(client, url, limit_bytes, respect_robots)
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise SetupError(f"`{display_address(url)}` could not be fetched: {reason}.") from error


def _follow(client: httpx.Client, url: str, limit_bytes: int, respect_robots: bool) -> WebPage:
    robots: dict[str, _Robots] = {}
    address = url
    for _ in range(_MAX_REDIRECTS + 1):
        _check_address(address, url)
        if respect_robots:
            _check_robots(client, address, robots)
        with client.stream("GET", address) as response:
            location = response.headers.get("location")
            if response.is_redirect and location:
                address = urljoin(address, location)
                continue
            _check_response(response, address)
            body = _read(response, address, limit_bytes)
            return WebPage(url, address, now(), response.headers.get("content-type", ""), body)
    raise SetupError(f"`{display_address(url)}` leads from address to address without an end.")


def _check_address(address: str, url: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SetupError(f"`{display_address(url)}` is no address of a web page; it begins with https:// or http://.")


def _check_robots(client: httpx.Client, address: str, robots: dict[str, _Robots]) -> None:
    """Ask the host's robots.txt, once for each host."""
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"
    if origin not in robots:
        robots[origin] = _read_robots(client, f"{origin}/robots.txt")
    if not robots[origin](address):
        raise SetupError(
            f"the site {parts.hostname} does not allow programs to read `{display_address(address)}` (its robots.txt). "
            "If you have its permission, write robots=False."
        )


def _read_robots(client: httpx.Client, address: str) -> _Robots:
    """What a robots.txt allows. A host without one allows everything, one that hides it nothing (RFC 9309)."""
    with client.stream("GET", address) as response:
        if response.status_code in _CLOSED or response.status_code >= 500:
            return lambda _: False
        if response.status_code != 200:
            return lambda _: True
        text = _read(response, address, _MAX_ROBOTS_BYTES).decode("utf-8", "replace")
    parser = RobotFileParser()
    parser.parse(text.splitlines())
    return lambda page: parser.can_fetch(USER_AGENT, page)


def _check_response(response: httpx.Response, address: str) -> None:
    shown = display_address(address)
    if response.status_code != 200:
        raise SetupError(f"`{shown}` could not be fetched: HTTP {response.status_code} {response.reason_phrase}.")
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type and media_type not in _TEXT_TYPES:
        raise SetupError(f"`{shown}` is no page of text but {media_type}; download it, and read it with bm.load.")


def _read(response: httpx.Response, address: str, limit_bytes: int) -> bytes:
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > limit_bytes:
            raise SetupError(
                f"`{display_address(address)}` has more than {limit_bytes:,} bytes; raise limit_bytes to take it."
            )
        chunks.append(chunk)
    return b"".join(chunks)
