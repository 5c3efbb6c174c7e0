"""INCEpTION: UIMA CAS, as JSON (`.json`) or XMI (`.xmi`, with a `TypeSystem.xml` beside it).

INCEpTION's export has a folder for each text, and in it a file for each person.
"""

from __future__ import annotations

import io
import warnings
from pathlib import PurePosixPath
from typing import Any

from ...corpus.loaders.documents.document import import_parser
from ...corpus.loaders.documents.safe_xml import parse_xml
from ...errors import SetupError
from .annotation_layers import has_codes, layer_codes
from .coded_file import CodedFile
from .coded_text import CodedText
from .file_set import FileSet

_TYPES = "TypeSystem.xml"


def recognises(_: str, head: bytes) -> bool:
    """Whether a file is a UIMA CAS."""
    return b'"%TYPES"' in head or b'"%FEATURE_STRUCTURES"' in head or (b"xmi:XMI" in head and b"uima" in head)


def read(files: FileSet, name: str) -> CodedFile:
    """Read the annotations of one text by one person.

    Raises
    ------
    SetupError
        The file is damaged, its types are missing, or dkpro-cassis is not installed.
    """
    path = PurePosixPath(name)
    cassis, _ = import_parser("cassis", "dkpro-cassis", path.name)
    data = files.read(name) or b""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cassis warns of types that the file does not use
            if data.lstrip()[:1] == b"{":
                cas = cassis.load_cas_from_json(io.BytesIO(data))
            else:
                cas = cassis.load_cas_from_xmi(io.BytesIO(_checked(data, name)), typesystem=_types(cassis, files, path))
        annotations = [item for item in cas.select_all_fs() if has_codes(item.type.name)]
        codes = [
            code
            for item in annotations
            for code in layer_codes(
                item.type.name, _features(item), getattr(item, "begin", None), getattr(item, "end", None)
            )
        ]
        title, text = _titles(cas), cas.sofa_string
    except SetupError:
        raise
    except Exception as error:  # cassis raises many kinds of errors for a damaged file
        raise SetupError(
            f"`{path.name}` cannot be read as a UIMA CAS: {str(error) or type(error).__name__}."
        ) from error
    names, coder = text_and_coder(path)
    return CodedFile((CodedText(path.name, (*names, *title), coder, tuple(codes), text),))


def text_and_coder(path: PurePosixPath) -> tuple[tuple[str, ...], str]:
    """The names of the text and the coder in INCEpTION's folders: `annotation/interview.txt/ana.json`.

    A file that is in no folder names the text.
    """
    return ((path.parent.name,), path.stem) if path.parent.name else ((path.stem,), "")


def _checked(data: bytes, name: str) -> bytes:
    parse_xml(data, name)  # refuses entities and bombs
    return data


def _types(cassis: Any, files: FileSet, path: PurePosixPath) -> Any:
    """The type system of an XMI file."""
    for folder in (path.parent, *path.parent.parents):
        data = files.read(str(folder / _TYPES) if folder.name else _TYPES)
        if data is not None:
            return cassis.load_typesystem(io.BytesIO(_checked(data, _TYPES)))
    raise SetupError(f"`{path.name}` needs the `{_TYPES}` of its export; give the whole folder or zip.")


def _features(item: Any) -> dict[str, Any]:
    values = {feature.name: getattr(item, feature.name, None) for feature in item.type.all_features}
    values = {name: getattr(value, "elements", value) for name, value in values.items()}  # of an array of texts
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, str | int | float)
        or (isinstance(value, list) and all(isinstance(each, str | int | float) for each in value))
    }


def _titles(cas: Any) -> tuple[str, ...]:
    """What the text's own description calls it."""
    described = [item for item in cas.select_all_annotations() if item.type.name.endswith("DocumentMetaData")]
    names = [getattr(item, name, None) for item in described for name in ("documentTitle", "documentId")]
    return tuple(name for name in names if isinstance(name, str))
