"""The images of a column: paths of files, or bytes in the table.

All problems are listed at once, with their lines, so that no study starts with only a part of its images.
Addresses are refused and never fetched. A table may come from somebody else, and
an image that it names would be sent to models, so only images in the table's own folder are read, unless the user names
another.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ...errors import SetupError
from ..image import Image
from .dotted_names import get_field
from .source import SourceRow

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://|data:|file:|//", re.IGNORECASE)  # the last is a share in a Windows network


class ImageColumn:
    """Reads the images that a column names, each file once, and collects those that are missing or broken.

    Parameters
    ----------
    column
        The column; None if there is none.
    folder
        The folder of the images; None for the current folder.
    unit
        What messages call a row.
    """

    def __init__(self, column: str | None, folder: Path | None, unit: str) -> None:
        self._column, self._folder, self._unit = column, folder, unit
        self._cache: dict[str, Image] = {}
        self.problems: list[str] = []

    def add_images(self, row: SourceRow) -> SourceRow:
        """The row with its images."""
        if self._column is None or row.problem:
            return row
        images = list(row.images)
        for item in _image_items(get_field(row.fields, self._column)):
            try:
                images.append(_load_image(item, self._folder, self._cache))
            except SetupError as error:
                self.problems += [f"{self._unit} {row.line}, `{self._column}`: {problem}" for problem in error.problems]
        return row._replace(images=tuple(images))


def _image_items(value: Any) -> list[Any]:
    if isinstance(value, str):
        value = value.split(";")
    if hasattr(value, "tolist"):
        value = value.tolist()  # a numpy array
    items = value if isinstance(value, list | tuple) else [value]
    items = [item.strip() if isinstance(item, str) else item for item in items]
    return [item for item in items if item is not None and item != ""]


def _load_image(item: Any, folder: Path | None, cache: dict[str, Image]) -> Image:
    if isinstance(item, Image):
        return item
    if isinstance(item, bytes | bytearray | memoryview):
        return Image.from_bytes(bytes(item))
    if not isinstance(item, str | Path):
        raise SetupError(f"{item!r:.60} is not the path of an image.")
    path = str(item).replace("\\", "/")  # Windows writes backslashes
    if _ADDRESS.match(path):
        raise SetupError(
            f"`{path[:80]}` is an address, and images are never fetched; save the image and write the path of the file."
        )
    if path not in cache:
        base = folder or Path()
        file = base / Path(path).expanduser()
        if not file.resolve().is_relative_to(base.resolve()):
            place = f"the folder `{folder.name}`" if folder else Path.cwd()
            raise SetupError(
                f"`{path[:80]}` is outside {place}, so it is not read; name the folder of the images: images_from=..."
            )
        if not file.is_file():
            raise SetupError(
                f"there is no image `{path}` in {f'the folder `{folder.name}`' if folder else Path.cwd()}."
            )
        cache[path] = Image.from_file(file)
    return cache[path]
