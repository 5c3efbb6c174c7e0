"""CATMA: collections of annotations as TEI XML. The text itself is not in the file.

A collection is by one person about one text. Tags have names and may be under other tags. Places count in UTF-16.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from ...corpus.loaders.documents.safe_xml import local_name, parse_xml
from .coded_file import CodedFile
from .coded_text import Code, CodedText
from .file_set import FileSet

_ID = "{http://www.w3.org/XML/1998/namespace}id"
_PLACE = re.compile(r"#char=(\d+),(\d+)$")
_AUTHOR = "catma_markupauthor"
_OWN_PROPERTIES = "catma_"


def recognises(name: str, head: bytes) -> bool:
    """Whether a file is a collection of CATMA."""
    return name.lower().endswith(".xml") and b"CATMA" in head and b"TEI" in head


def read(files: FileSet, name: str) -> CodedFile:
    """Read a collection."""
    path = PurePosixPath(name)
    root = parse_xml(files.read(name) or b"", path.name)
    tags = _tags(root)
    annotations = {item.get(_ID): item for item in root.iter() if local_name(item) == "fs" and item.get(_ID)}
    codes: dict[str, dict[tuple[str, int], Code]] = {}
    length = 0
    for element in root.iter():
        if local_name(element) != "ptr":
            continue
        match = _PLACE.search(element.get("target") or "")
        if not match:
            continue
        start, end = int(match[1]), int(match[2])
        length = max(length, end)
        for ident in (element.getparent().get("ana") or "").split():
            annotation = annotations.get(ident.removeprefix("#"))
            if annotation is not None:
                _add_code(codes.setdefault(_author(annotation), {}), annotation, tags, start, end)
    title = next(("".join(item.itertext()).strip() for item in root.iter() if local_name(item) == "title"), "")
    names = tuple(filter(None, (path.stem, path.parent.name, title)))
    texts = [
        CodedText(path.name, names, coder, tuple(items.values()), length=length, utf_16=True)
        for coder, items in codes.items()
    ]
    return CodedFile(tuple(texts) or (CodedText(path.name, names, length=length, utf_16=True),))


def _tags(root: Any) -> dict[str, tuple[str, ...]]:
    """The names of each tag, from the outermost."""
    declared = {item.get("type") or item.get(_ID): item for item in root.iter() if local_name(item) == "fsDecl"}

    def names(ident: str, seen: tuple[str, ...] = ()) -> tuple[str, ...]:
        item = declared.get(ident)
        if item is None or ident in seen:
            return ()
        own = next(("".join(part.itertext()).strip() for part in item if local_name(part) == "fsDescr"), "")
        return (*names(item.get("baseTypes") or "", (*seen, ident)), own)

    return {ident: names(ident) for ident in declared}


def _properties(annotation: Any) -> dict[str, str]:
    """The properties of an annotation with their values."""
    properties = {}
    for feature in annotation:
        if local_name(feature) == "f":
            texts = [("".join(item.itertext())).strip() for item in feature.iter() if local_name(item) == "string"]
            properties[feature.get("name") or ""] = ", ".join(filter(None, texts))
    return properties


def _author(annotation: Any) -> str:
    return _properties(annotation).get(_AUTHOR, "")


def _add_code(
    codes: dict[tuple[str, int], Code], annotation: Any, tags: dict[str, tuple[str, ...]], start: int, end: int
) -> None:
    """Add a passage, or make the last one longer: CATMA cuts passages where others begin."""
    ident = annotation.get(_ID)
    before = codes.pop((ident, start), None)  # by their ends
    if before is not None:
        codes[ident, end] = before._replace(end=end)
        return
    path = tags.get(annotation.get("type") or "") or (annotation.get("type") or "unknown tag",)
    properties = {k: v for k, v in _properties(annotation).items() if v and not k.startswith(_OWN_PROPERTIES)}
    notes = "; ".join(f"{name}: {value}" for name, value in properties.items()) or None
    codes[ident, end] = Code(path, start=start, end=end, notes=notes)
