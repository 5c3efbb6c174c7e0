"""Files that are elsewhere: `gs://bucket/articles.csv`, `s3://...`, `https://...`, through fsspec.

A file is copied to a temporary folder first, under its own name, so that every loader reads an ordinary
file and says the same of it. Nothing is fetched but what the researcher named, an address is shown
without what may be secret in it (user, password, query), and what claims to be endless is stopped.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import urlsplit, urlunsplit

from ...errors import SetupError, nearest

LIMIT_BYTES = 2 * 1024**3
"""How much one source may hold, unless the caller says otherwise."""
_CHUNK = 1024 * 1024
_EXTRAS = {"gs": "gs", "gcs": "gs", "s3": "s3", "s3a": "s3"}
_WEB = ("http", "https")


def is_remote(source: object) -> bool:
    """Whether a source is an address and not a path of this machine.

    Examples
    --------
    >>> is_remote("gs://bucket/articles.csv"), is_remote("articles.csv"), is_remote("C:/texts")
    (True, False, False)
    """
    return isinstance(source, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)", source) is not None


def display_address(url: str) -> str:
    """An address as it may be printed and stored: without user, password, query and fragment.

    Examples
    --------
    >>> display_address("https://me:secret@host.example/data/articles.csv?token=abc")
    'https://host.example/data/articles.csv'
    """
    if "::" in url:
        return "::".join(display_address(part) for part in url.split("::"))
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("?")[0]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def file_system(url: str, **options: Any) -> tuple[Any, str]:
    """The fsspec file system of an address, and the path in it.

    Raises
    ------
    SetupError
        The kind of address is unknown, or its package is not installed.

    Examples
    --------
    >>> file_system("memory://results/scores.csv")[1]
    '/results/scores.csv'
    """
    from fsspec.core import url_to_fs
    from fsspec.registry import available_protocols

    protocol = re.split("://|::", url)[0]
    try:
        found, path = url_to_fs(url, **options)
    except ImportError as error:
        need = _package(protocol, error)
        raise SetupError(f"`{protocol}://` needs a package that is not installed: {need}") from None
    except ValueError as error:
        if "rotocol" not in str(error):
            raise SetupError(f"`{display_address(url)}` cannot be opened: {_plain(error, url)}.") from None
        known = nearest(protocol, available_protocols())
        raise SetupError(f"there is no kind of address `{protocol}://`; {known}") from None
    return found, str(path)


@contextmanager
def fetched(url: str, *, limit_bytes: int = LIMIT_BYTES, **options: Any) -> Iterator[Path]:
    """A file or folder elsewhere, as a local one for as long as the block runs.

    Parameters
    ----------
    url
        The address. `file://` is read where it lies.
    limit_bytes
        More than this is refused.
    **options
        What the file system takes: `token=...`, `anon=True`, `endpoint_url=...`.

    Raises
    ------
    SetupError
        It is not there, cannot be read, or is larger than `limit_bytes`.

    Examples
    --------
    >>> import fsspec
    >>> with fsspec.open("memory://corpus/articles.csv", "w") as file:
    ...     _ = file.write("text")
    >>> with fetched("memory://corpus/articles.csv") as path:
    ...     path.name, path.read_text()
    ('articles.csv', 'text')
    """
    system, path = file_system(url, **options)
    if _is_local(system):
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="buttermilk_nb-") as folder:
        target = Path(folder) / _name(path)
        with _readable(url):
            if not _is_web(system) and system.isdir(path):
                _copy_folder(system, path, target, url, limit_bytes)
            else:
                _copy(system, path, target, url, limit_bytes)
        yield target


def _copy(system: Any, path: str, target: Path, url: str, room: int) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    with system.open(path, "rb") as source, target.open("wb") as copy:
        return _pour(source, copy, url, room)


def _pour(source: BinaryIO, copy: BinaryIO, url: str, room: int) -> int:
    done = 0
    while chunk := source.read(_CHUNK):
        done += len(chunk)
        if done > room:
            raise SetupError(
                f"`{display_address(url)}` holds more than {room:,} bytes; fetch it yourself, or raise limit_bytes."
            )
        copy.write(chunk)
    return done


def _copy_folder(system: Any, path: str, target: Path, url: str, room: int) -> None:
    target.mkdir()
    root = PurePosixPath(path)
    for found in sorted(system.find(path)):
        place = PurePosixPath(found)
        inside = place.relative_to(root) if place.is_relative_to(root) else PurePosixPath(place.name)
        if ".." in inside.parts:
            raise SetupError(f"`{display_address(url)}` holds a file that would be written elsewhere: `{inside}`.")
        room -= _copy(system, found, target / inside, url, room)


@contextmanager
def _readable(url: str) -> Iterator[None]:
    try:
        yield
    except SetupError:
        raise
    except FileNotFoundError:
        raise SetupError(f"there is nothing at `{display_address(url)}`, or it may not be read.") from None
    except Exception as error:  # noqa: BLE001  # each file system raises errors of its own
        raise SetupError(f"`{display_address(url)}` cannot be read: {_plain(error, url)}.") from None


def _plain(error: Exception, url: str) -> str:
    """The first line of an error, without the secrets that its address may hold."""
    lines = str(error).replace(url, display_address(url)).strip().splitlines() or [type(error).__name__]
    return re.sub(r"\?[^\s'\")]+", "", lines[0]).rstrip(".")


def _package(protocol: str, error: ImportError) -> str:
    if protocol in _EXTRAS:
        return f"`pip install buttermilk-nb[{_EXTRAS[protocol]}]`."
    return f"{str(error).rstrip('.')}."


def _name(path: str) -> str:
    """The last part of an address, as a file name on any system."""
    name = PurePosixPath(urlsplit(path).path if "://" in path else path).name
    return re.sub(r'[<>:"|?*\\\x00-\x1f]', "_", name).strip(". ") or "download"


def _is_local(system: Any) -> bool:
    return "file" in _protocols(system)


def _is_web(system: Any) -> bool:
    return any(name in _WEB for name in _protocols(system))


def _protocols(system: Any) -> tuple[str, ...]:
    given = system.protocol
    return (given,) if isinstance(given, str) else tuple(given)


def upload(system: Any, path: str, source: Path) -> None:
    """Copy a local file to a path of a file system, a chunk at a time."""
    with source.open("rb") as inside, system.open(path, "wb") as outside:
        shutil.copyfileobj(inside, outside, _CHUNK)
