"""`as_corpus`: what people have at hand (a frame, records, texts) as a corpus."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .._internal.markdown import code_list
from ..errors import SetupError
from .corpus import Corpus
from .load import load
from .loaders import is_file_name
from .loaders.record_columns import TEXT_COLUMNS
from .record import Record


def as_corpus(source: Any, user: str) -> Corpus:
    """Make a corpus of a dataframe, records, dictionaries or texts; a corpus stays as it is.

    Parameters
    ----------
    source
        A Corpus, a dataframe, a Record, a dictionary or a text, or a list of these. Frames and dictionaries have the
        text in a column `text` or `content`.
    user
        The function or object that needs a corpus, as the subject of the error message.

    Raises
    ------
    SetupError
        The source is none of these, is a path, has no column with the text, or a text is blank.

    Examples
    --------
    >>> as_corpus(["One.", "Two."], "a flow")
    Corpus(2 records)
    >>> as_corpus("articles.csv", "a flow")
    Traceback (most recent call last):
    buttermilk_nb.errors.SetupError: a flow takes texts, records and frames; load the file: bm.load('articles.csv').
    """
    if isinstance(source, Corpus):
        return source
    if isinstance(source, Path) or (isinstance(source, str) and is_file_name(source)):
        raise SetupError(f"{user} takes texts, records and frames; load the file: bm.load({str(source)!r}).")
    if isinstance(source, Record | Mapping | str):
        source = [source]
    is_frame = hasattr(source, "itertuples")
    if not is_frame and (not isinstance(source, Iterable) or isinstance(source, bytes)):
        raise SetupError(
            f"{user} needs a corpus, a dataframe, records or texts, not {type(source).__name__}; "
            "make a corpus with bm.load(...)."
        )
    if not is_frame:
        source = _check_items(list(source), user)
    elif not len(source):
        raise SetupError(f"{user} got nothing to read: the frame has no rows.")
    columns = [str(name) for name in source.columns] if is_frame else []
    if is_frame and not set(TEXT_COLUMNS) & set(columns):
        raise SetupError(
            f"{user} reads the text of a frame from its column `text` or `content`; for another one, write "
            f"bm.load(frame, content=...). The columns are {code_list(columns)}."
        )
    corpus = load(source, on_error="raise")
    for remark in corpus.remarks:
        warnings.warn(remark, stacklevel=5)  # a corpus that one loads shows its remarks; this one is not seen
    return corpus


def _check_items(items: list[Any], user: str) -> list[Any]:
    if not items:
        raise SetupError(f"{user} got nothing to read: the list is empty.")
    wrong = next((item for item in items if not isinstance(item, Record | Mapping | str)), None)
    if wrong is not None:
        raise SetupError(f"{user} needs texts, records or dictionaries, not {type(wrong).__name__}.")
    return items
