"""`code_hash`: which version of the code reads answers, so that answers that another one has read are not copied."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ..._internal.ids import digest
from ..._internal.package_versions import package_version

_PACKAGE = Path(__file__).parents[2]
_READS_ANSWERS = ("_internal", "agents", "codebook", "llm")
"""The folders whose code makes rows of answers."""


@cache
def code_hash() -> str:
    """The hash of the code that makes rows of answers, and of the library that mends JSON.

    Examples
    --------
    >>> code_hash()[:3]
    'c1-'
    """
    files = sorted(file for folder in _READS_ANSWERS for file in (_PACKAGE / folder).rglob("*.py"))
    texts = (part for file in files for part in (file.relative_to(_PACKAGE).as_posix(), file.read_text("utf-8")))
    return digest("c1", package_version("json-repair") or "", *texts)


def is_own_code(kind: type) -> bool:
    """Whether a class is one of this package, and not of the user.

    Examples
    --------
    >>> is_own_code(int)
    False
    """
    return kind.__module__.partition(".")[0] == __name__.partition(".")[0]
