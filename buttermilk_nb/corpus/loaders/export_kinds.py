"""`apply_kind`: what kind of export a file is, as the user says it or as its columns and words show."""

from __future__ import annotations

from ...errors import SetupError, nearest
from .known_exports import KNOWN_EXPORTS, apply_known_export
from .press_exports import PRESS_DATABASES, WHOLE, apply_press_export
from .source import Source

TABLE = "table"
_SURVEYS = {"qualtrics": "the three header rows of Qualtrics", "surveymonkey": "the two header rows of SurveyMonkey"}
KINDS = (*KNOWN_EXPORTS, *PRESS_DATABASES, *_SURVEYS, TABLE, WHOLE)
"""What `as_` may say. `table` and `document` are files that are no export."""


def apply_kind(source: Source, kind: str | None, file_name: str) -> Source:
    """The source, read as the kind of export that it is.

    Parameters
    ----------
    source
        The source.
    kind
        One of `KINDS`; None to recognise it.
    file_name
        The name of the file, for messages.

    Raises
    ------
    SetupError
        There is no such kind, or the file is not of it.
    """
    if kind is not None and kind not in KINDS:
        raise SetupError(f"as_={kind!r}: {nearest(kind, KINDS)}")
    if kind in _SURVEYS:
        if not any(_SURVEYS[kind] in remark for remark in source.remarks):
            raise SetupError(f"`{file_name}` does not have {_SURVEYS[kind]}; load it without as_, or say header=.")
        return source
    if kind in PRESS_DATABASES or (kind is None and "text" in source.columns and source.default_content == "text"):
        return apply_press_export(source, kind, file_name)
    return source if kind == WHOLE else apply_known_export(source, kind, file_name)
