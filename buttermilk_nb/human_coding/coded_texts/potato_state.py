"""Potato: `user_state.json`, the work of one person."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from ...errors import SetupError
from .coded_file import CodedFile
from .coded_text import CodedText
from .file_set import FileSet
from .potato import answers_in, passages_in

_LABELS, _SPANS = "instance_id_to_label_to_value", "instance_id_to_span_to_value"


def recognises(name: str, head: bytes) -> bool:
    """Whether a file is the state of a person."""
    return PurePosixPath(name).name == "user_state.json" or _LABELS.encode() in head


def read(files: FileSet, name: str) -> CodedFile:
    """Read the codes of a person on each text.

    Raises
    ------
    SetupError
        The file is damaged or something else.
    """
    file = PurePosixPath(name).name
    try:
        state = json.loads(files.read(name) or b"")
    except (ValueError, RecursionError) as error:
        raise SetupError(f"`{file}` cannot be read as JSON: {error}.") from error
    if not isinstance(state, dict) or not isinstance(state.get(_LABELS, {}), dict):
        raise SetupError(f"`{file}` is no state of a person in Potato.")
    labels, spans = state.get(_LABELS) or {}, state.get(_SPANS) or {}
    coder = str(state.get("user_id") or PurePosixPath(name).parent.name)
    return CodedFile(
        tuple(
            CodedText(f"{file}, text `{text}`", (str(text),), coder, codes)
            for text in dict.fromkeys([*labels, *spans])
            for codes in [(*answers_in(labels.get(text)), *passages_in(spans.get(text)))]
        )
    )
