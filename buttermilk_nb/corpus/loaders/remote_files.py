"""Remote files: `gs://bucket/articles.csv`, `s3://...`, `https://...`, through fsspec.

A file is first copied to a temporary folder under its own name, so that every loader reads an ordinary file. Only files
that the researcher named are downloaded. Addresses are shown without possible secrets (user, password, query), and a
download that is too large is stopped.
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

MAX_BYTES = 2 * 1024**3
"""The default limit for the size of one source."""
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
    """An address that can be printed and stored: without user, password, query and fragment.

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
        The protocol is unknown, or its package is not installed.

    Examples
    --------
    >>> file_system("memory://results/scores.csv")[1]
    '/results/scores.csv'
    """
    from fsspec.core import url_to_fs
    from fsspec.registry import available_protocols

    protocol = re.split("://|::", url)[0]
    try:
        system, path = url_to_fs(url, **options)
    except ImportError as error:
        hint = _package_hint(protocol, error)
        raise SetupError(f"`{protocol}://` needs a package that is not installed: {hint}") from None
    except ValueError as error:
        if "rotocol" not in str(error):
            raise SetupError(f"`{display_address(url)}` cannot be opened: {_error_line(error, url)}.") from None
        suggestion = nearest(protocol, available_protocols())
        raise SetupError(f"the protocol `{protocol}://` is not known; {suggestion}") from None
    return system, str(path)


@contextmanager
def download(url: str, *, limit_bytes: int = MAX_BYTES, **options: Any) -> Iterator[Path]:
    """Download a file or folder. The local copy exists until the `with` block ends.

    Parameters
    ----------
    url
        The address. A file at `file://` is read in place.
    limit_bytes
        The maximum size in bytes. Larger files and folders are refused.
    **options
        Options of the file system: `token=...`, `anon=True`, `endpoint_url=...`.

    Raises
    ------
    SetupError
        The file does not exist, cannot be read, or is larger than `limit_bytes`.

    Examples
    --------
    >>> import fsspec
    >>> with fsspec.open("memory://corpus/articles.csv", "w") as file:
    ...     _ = file.write("text")
    >>> with download("memory://corpus/articles.csv") as path:
    ...     path.name, path.read_text()
    ('articles.csv', 'text')
    """
    system, path = file_system(url, **options)
    if _is_local(system):
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="buttermilk_nb-") as folder:
        target = Path(folder) / _file_name(path)
        with _read_errors(url):
            if not _is_web(system) and system.isdir(path):
                _copy_folder(system, path, target, url, limit_bytes)
            else:
                _copy_file(system, path, target, url, limit_bytes)
        yield target


def _copy_file(system: Any, path: str, target: Path, url: str, max_bytes: int) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    with system.open(path, "rb") as source, target.open("wb") as copy:
        return _copy_chunks(source, copy, url, max_bytes)


def _copy_chunks(source: BinaryIO, copy: BinaryIO, url: str, max_bytes: int) -> int:
    n_bytes = 0
    while chunk := source.read(_CHUNK):
        n_bytes += len(chunk)
        if n_bytes > max_bytes:
            raise SetupError(
                f"`{display_address(url)}` contains more than {max_bytes:,} bytes; download it yourself, or raise "
                "limit_bytes."
            )
        copy.write(chunk)
    return n_bytes


def _copy_folder(system: Any, path: str, target: Path, url: str, max_bytes: int) -> None:
    target.mkdir()
    root = PurePosixPath(path)
    for name in sorted(system.find(path)):
        file = PurePosixPath(name)
        relative = file.relative_to(root) if file.is_relative_to(root) else PurePosixPath(file.name)
        if ".." in relative.parts:
            raise SetupError(
                f"`{display_address(url)}` contains a file that would be written outside its folder: `{relative}`."
            )
        max_bytes -= _copy_file(system, name, target / relative, url, max_bytes)


@contextmanager
def _read_errors(url: str) -> Iterator[None]:
    try:
        yield
    except SetupError:
        raise
    except FileNotFoundError:
        raise SetupError(f"there is nothing at `{display_address(url)}`, or you are not allowed to read it.") from None
    except Exception as error:  # noqa: BLE001  # each file system raises errors of its own
        raise SetupError(f"`{display_address(url)}` cannot be read: {_error_line(error, url)}.") from None


def _error_line(error: Exception, url: str) -> str:
    """The first line of an error message, without the secrets that an address in it may contain."""
    lines = str(error).replace(url, display_address(url)).strip().splitlines() or [type(error).__name__]
    return re.sub(r"\?[^\s'\")]+", "", lines[0]).rstrip(".")


def _package_hint(protocol: str, error: ImportError) -> str:
    if protocol in _EXTRAS:
        return f"`pip install buttermilk-nb[{_EXTRAS[protocol]}]`."
    return f"{str(error).rstrip('.')}."


def _file_name(path: str) -> str:
    """The last part of an address, as a file name on any system."""
    name = PurePosixPath(urlsplit(path).path if "://" in path else path).name
    return re.sub(r'[<>:"|?*\\\x00-\x1f]', "_", name).strip(". ") or "download"


def _is_local(system: Any) -> bool:
    return "file" in _protocols(system)


def _is_web(system: Any) -> bool:
    return any(name in _WEB for name in _protocols(system))


def _protocols(system: Any) -> tuple[str, ...]:
    protocol = system.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def upload(system: Any, path: str, source: Path) -> None:
    """Copy a local file to a path of a file system, chunk by chunk."""
    with source.open("rb") as local_file, system.open(path, "wb") as remote_file:
        shutil.copyfileobj(local_file, remote_file, _CHUNK)
