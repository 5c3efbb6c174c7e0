"""What every loader hands over: rows with their line numbers, and where they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import SetupError, nearest
from ..image import Image

_MOST_SAID = 20


class SourceRow(NamedTuple):
    """One row of a source. `problem` says why it cannot be used, where it cannot."""

    line: int
    fields: dict[str, Any]
    problem: str | None = None
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class Source:
    """The rows of one source, and what is known of it (file name, sha256, encoding, delimiter).

    `folder` is where the paths of images in it start from; without one, from the current folder.
    """

    rows: list[SourceRow]
    description: dict[str, Any] = field(default_factory=dict)
    default_content: str | None = None
    default_id: str | None = None
    folder: Path | None = None

    @property
    def columns(self) -> list[str]:
        """Every column, in order of first appearance."""
        seen: dict[str, None] = {}
        for row in self.rows:
            seen.update(dict.fromkeys(row.fields))
        return list(seen)


def existing_path(path: str | Path) -> Path:
    """The path, if there is something; else a sentence with the nearest name beside it."""
    found = Path(path).expanduser()
    if found.exists():
        return found
    if not found.parent.is_dir():
        raise SetupError(f"there is no folder `{found.parent}` (looked from {Path.cwd()}).")
    beside = [entry.name for entry in found.parent.iterdir()]
    raise SetupError(f"there is no file `{path}` (looked from {Path.cwd()}); {nearest(found.name, sorted(beside))}")


def file_facts(path: Path) -> dict[str, Any]:
    """Name, size and SHA-256 of a file, for the provenance. Never its folder."""
    with path.open("rb") as handle:
        sha = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"file": path.name, "sha256": sha, "bytes": path.stat().st_size}


def check_unique(names: list[str], where: str) -> list[str]:
    """The column names as they are; a sentence where one of them stands twice, because the second would win."""
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise SetupError(f"{where} has two columns called `{twice}`; rename one of them.")
    return names


def numbered(fields: Iterator[dict[str, Any]], start: int = 1) -> list[SourceRow]:
    """Rows counted from `start`."""
    return [SourceRow(line, item) for line, item in enumerate(fields, start)]


def raise_problems(problems: list[str]) -> None:
    """Raise all that is wrong with a source at once, if anything is; the first of a great many in words."""
    more = [f"... and {len(problems) - _MOST_SAID:,} more like these."] if len(problems) > _MOST_SAID else []
    if problems:
        raise SetupError(*problems[:_MOST_SAID], *more)
