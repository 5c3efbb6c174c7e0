"""The versions of installed packages, read once per process: each reading parses a file."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def package_version(name: str) -> str:
    """The version of an installed package.

    Examples
    --------
    >>> package_version("duckdb").count(".") >= 2
    True
    """
    return metadata.version(name)


def package_versions(*names: str) -> dict[str, str]:
    """The versions of several packages, by name."""
    return {name: package_version(name) for name in names}
