"""The images that a column names: files beside the table, or bytes within it.

All of them are read before a record is made, and everything that is wrong is said at once, with its line: a study that
begins with half of its images is not the study that was meant. An address is refused, not fetched.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ...errors import SetupError
from ..image import Image
from .dotted_names import get
from .source import Source, SourceRow, raise_problems

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://|data:|file:|//", re.IGNORECASE)  # the last is a share in a Windows network


def image_column(source: Source, column: str | None) -> list[SourceRow]:
    """The rows with the images that one column names; each file is read once.

    Raises
    ------
    SetupError
        Images are missing or broken; the lines that name them are listed.
    """
    if column is None:
        return source.rows
    seen: dict[str, Image] = {}
    rows: list[SourceRow] = []
    problems: list[str] = []
    for row in source.rows:
        images = list(row.images)
        for item in [] if row.problem else _items(get(row.fields, column)):
            try:
                images.append(_image(item, source.folder, seen))
            except SetupError as error:
                problems += [f"line {row.line}, `{column}`: {problem}" for problem in error.problems]
        rows.append(row._replace(images=tuple(images)))
    raise_problems(problems)
    return rows


def _items(value: Any) -> list[Any]:
    if isinstance(value, str):
        value = value.split(";")
    if hasattr(value, "tolist"):
        value = value.tolist()  # a numpy array
    several = value if isinstance(value, list | tuple) else [value]
    plain = [item.strip() if isinstance(item, str) else item for item in several]
    return [item for item in plain if item is not None and item != ""]


def _image(item: Any, folder: Path | None, seen: dict[str, Image]) -> Image:
    if isinstance(item, Image):
        return item
    if isinstance(item, bytes | bytearray | memoryview):
        return Image.from_bytes(bytes(item))
    if not isinstance(item, str | Path):
        raise SetupError(f"{item!r:.60} is not the path of an image.")
    path = str(item).replace("\\", "/")  # as Windows writes it
    if _ADDRESS.match(path):
        raise SetupError(f"`{path[:80]}` is an address, and images are never fetched; save it and name the file.")
    if path not in seen:
        file = (folder or Path()) / path
        if not file.is_file():
            raise SetupError(
                f"there is no image `{path}` in {f'the folder `{folder.name}`' if folder else Path.cwd()}."
            )
        seen[path] = Image.from_file(file)
    return seen[path]
