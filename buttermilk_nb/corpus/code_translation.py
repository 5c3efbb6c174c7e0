"""`CodeTranslation`: the answers that the words in somebody's data mean (`truth_values=`, `values=`)."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from .._internal.text import replace_surrogates, to_jsonable
from ..errors import SetupError

_WHOLE_NUMBER = re.compile(r"([-+]?\d+)\.0+", re.ASCII)


def code_text(code: Any) -> str:
    """A code as text. Equal numbers give one text, whether they were written as number or as text.

    Examples
    --------
    >>> code_text(1.0), code_text("1.0"), code_text(" 1 "), code_text("01")
    ('1', '1', '1', '01')
    """
    code = to_jsonable(code)
    if isinstance(code, float) and math.isfinite(code) and code.is_integer():
        return str(int(code))
    text = "" if code is None else replace_surrogates(str(code).strip())
    whole = _WHOLE_NUMBER.fullmatch(text)
    return whole[1] if whole else text


class CodeTranslation:
    """The meanings of the codes in some data. Case and Unicode form count only where they tell two codes apart.

    Parameters
    ----------
    meanings
        The answer that each code means; None for a code that is no answer.

    Raises
    ------
    SetupError
        Two codes of the mapping are the same code, but have different meanings.

    Examples
    --------
    >>> translation = CodeTranslation({"1": "yes", "0": "no", "na": None})
    >>> translation(1.0), translation("NA"), translation("maybe")
    ('yes', None, 'maybe')
    """

    def __init__(self, meanings: Mapping[Any, Any] | None = None) -> None:
        self._exact: dict[str, Any] = {}
        for code, meaning in (meanings or {}).items():
            text = code_text(code)
            if self._exact.setdefault(text, meaning) != meaning:
                raise SetupError(f"the code `{text}` has two meanings: `{self._exact[text]}` and `{meaning}`.")
        folded: dict[str, list[Any]] = {}
        for text, meaning in self._exact.items():
            folded.setdefault(_fold(text), []).append(meaning)
        self._folded = {text: same[0] for text, same in folded.items() if len(same) == 1}

    def __call__(self, code: Any) -> Any:
        """The meaning of a code, or of each code in a list; a code without a meaning stays as it is."""
        if isinstance(code, list | tuple):
            return [self(item) for item in code]
        if not self._exact:
            return code
        text = code_text(code)
        if text in self._exact:
            return self._exact[text]
        return self._folded.get(_fold(text), code)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
