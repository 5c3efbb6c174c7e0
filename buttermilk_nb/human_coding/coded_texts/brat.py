"""brat: `.ann` files with the text beside them in a `.txt` of the same name.

Entities are passages; an entity in pieces is a passage for each piece. Attributes and notes on an entity become the
coder's note; an attribute that is called like a question or an answer is a code, too. The folder names the coder, where
there are several folders.
"""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

from ..._internal.text import pluralise
from ...corpus.loaders.encodings import decode
from .coded_file import CodedFile
from .coded_text import Code, CodedText
from .file_set import FileSet

_OTHERS = {"R": "relation", "E": "event", "*": "relation", "N": "normalisation"}


def recognises(name: str, _: bytes) -> bool:
    """Whether a file is one of brat's."""
    return name.lower().endswith(".ann")


def read(files: FileSet, name: str) -> CodedFile:
    """Read the annotations of one text."""
    path = PurePosixPath(name)
    text_file = files.read(str(path.with_suffix(".txt")))
    text = None if text_file is None else decode(text_file, None, path.with_suffix(".txt").name).text
    codes: dict[str, list[Code]] = {}
    notes: dict[str, list[str]] = {}
    attributes: list[tuple[str, tuple[str, ...]]] = []
    n_others: Counter[str] = Counter()
    for line in decode(files.read(name) or b"", None, path.name).text.splitlines():
        ident, _, rest = line.partition("\t")
        kind = ident[:1]
        if kind == "T":
            codes[ident] = _entity(rest)
        elif kind in ("A", "M"):
            attribute, _, target = rest.partition(" ")
            target, _, value = target.partition(" ")
            notes.setdefault(target, []).append(f"{attribute}: {value}" if value else attribute)
            attributes.append((target, (attribute, value) if value else (attribute,)))
        elif kind == "#":
            about, _, note = rest.partition("\t")
            notes.setdefault(about.rpartition(" ")[2], []).append(note)
        elif kind in _OTHERS:
            n_others[_OTHERS[kind]] += 1
    with_notes = [
        code._replace(notes="; ".join(notes[ident]) if ident in notes and i == 0 else None)
        for ident, pieces in codes.items()
        for i, code in enumerate(pieces)
    ]
    with_notes += [
        piece._replace(path=names, is_optional=True) for target, names in attributes for piece in codes.get(target, ())
    ]
    folder = path.parent.name
    coded = CodedText(path.name, (path.stem, path.with_suffix(".txt").name), folder, tuple(with_notes), text)
    return CodedFile(
        (coded,), tuple(f"{pluralise(n, kind)} of `{path.name}` left out." for kind, n in n_others.items())
    )


def _entity(text: str) -> list[Code]:
    """The passages of `Type 0 4;8 12<tab>words`."""
    about, _, words = text.partition("\t")
    kind, _, places = about.partition(" ")
    codes = []
    for piece in places.split(";"):
        start, _, end = piece.strip().partition(" ")
        if start.isdecimal() and end.isdecimal():
            codes.append(Code((kind,), start=int(start), end=int(end)))
        else:
            codes.append(Code((kind,), start=-1, end=-1, text=words))
    return [codes[0]._replace(text=words)] if len(codes) == 1 else codes
