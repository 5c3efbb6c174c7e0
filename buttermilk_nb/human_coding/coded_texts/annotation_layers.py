"""Layers of INCEpTION and WebAnno as codes: an annotation has a layer and features, of which some are the code.

An annotation of a layer `Emotion` with the feature `kind` = `fear` has the code `Emotion > kind > fear`; a layer
without features is a code by itself. Layers of linguistic analysis (tokens, parts of speech, syntax) are no codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .coded_text import Code

LAYER = "webanno.custom.Code"
"""The layer of this package's own exports: the features are a criterion, its answer, a note, and what was coded."""
CRITERION, ANSWER, NOTE, SCOPE = "criterion", "answer", "note", "scope"
WHOLE_TEXT, PASSAGE = "text", "passage"
_NO_CODES = (
    "uima.", "de.tudarmstadt.ukp.dkpro.core.api.segmentation", "de.tudarmstadt.ukp.dkpro.core.api.metadata",
    "de.tudarmstadt.ukp.dkpro.core.api.lexmorph", "de.tudarmstadt.ukp.dkpro.core.api.syntax",
    "de.tudarmstadt.ukp.dkpro.core.api.transform", "de.tudarmstadt.ukp.clarin", "org.dkpro.core.api.xml",
    "de.tudarmstadt.ukp.inception",
)  # fmt: skip
_NOTE_FEATURES = frozenset({"note", "notes", "comment", "comments", "remark"})
_SILENT_FEATURES = frozenset({"identifier", "begin", "end", "sofa", "order"})


def has_codes(layer: str) -> bool:
    """Whether the annotations of a layer are codes, and no linguistic analysis."""
    return not layer.startswith(_NO_CODES)


def layer_codes(layer: str, features: Mapping[str, Any], start: int | None, end: int | None) -> Iterator[Code]:
    """The codes of one annotation.

    Parameters
    ----------
    layer
        The full name of its layer.
    features
        The features that have a value.
    start, end
        Its place; None for the whole text.

    Examples
    --------
    >>> [code.features for code in layer_codes("webanno.custom.Emotion", {"kind": "fear"}, 0, 4)]
    [(('kind', 'fear'),)]
    """
    notes = "; ".join(str(features[name]) for name in features if name.casefold() in _NOTE_FEATURES) or None
    if layer == LAYER and features.get(CRITERION):
        is_whole = features.get(SCOPE) == WHOLE_TEXT
        code = Code((str(features[CRITERION]),), features.get(ANSWER), notes=notes)
        yield code if is_whole else code._replace(start=start, end=end)
        return
    title = layer.rpartition(".")[2]
    values = tuple(
        (name, str(each))
        for name, value in features.items()
        if name.casefold() not in _NOTE_FEATURES | _SILENT_FEATURES
        for each in (value if isinstance(value, list) else [value])
    )
    yield Code((title,), start=start, end=end, notes=notes, features=values)
