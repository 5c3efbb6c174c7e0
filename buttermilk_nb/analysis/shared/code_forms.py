"""Unify the forms of the codes in a ratings frame: one text for each code, and nothing changed silently.

The codes of a criterion with a scale are matched with its answers as everywhere (`Scale.parse_code`). Without a scale,
blanks at the ends are dropped, equal numbers are one code, and an empty text is no code. What may be a mistake is
named: in an error if it would make two codes of one, else in the note of the result.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._internal.text import pluralise, shorten
from ...codebook.scales import NON_ANSWERS, Scale, make_scale
from ...codebook.scales.match_answer import exact_match
from ...corpus.code_translation import code_text
from ...errors import InvalidAnswer, SetupError, nearest
from .notes import join_sentences

if TYPE_CHECKING:
    import pandas as pd

WORDS_FOR_NOTHING = frozenset(
    {"nan", "na", "n/a", "n.a.", "none", "null", "-", "--", ".", "?", "missing", "no answer", "<na>", "#n/a", "k.a."}
)
"""Words that people and programs write where there is no code. They may also be codes, so they are only named."""
_LABEL_STATUS = {"coded": "ok", "not_applicable": "ok", "cannot_tell": "ok"}
"""The statuses of `bm.labels()` that have an answer."""
_FEW_CODES = 3
_SAME_SIGNS = str.maketrans(
    {**dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'"), **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-")}
)
_MISSING_NUMBERS = frozenset({8, 9, 77, 88, 97, 98, 99, 777, 888, 998, 999, -1, -8, -9, -88, -98, -99, -999})
"""Numbers that statistics programs use for a missing answer."""


def unify_codes(frame: pd.DataFrame) -> pd.DataFrame:
    """The ratings with each code in one form, and a column `code_note` that says what was done.

    Parameters
    ----------
    frame
        Ratings with every column of `ratings_frame.DEFAULTS`.

    Returns
    -------
    pandas.DataFrame
        A copy with other values in `category`, `value` and `status`. `code_note` has the same text in each row of a
        criterion.

    Raises
    ------
    SetupError
        A code is not on the scale, or two codes differ only in case.
    """
    status = _map_distinct(frame.status, lambda name: _LABEL_STATUS.get(name, name))
    category = _map_distinct(frame.category, _plain_code)
    frame = frame.assign(category=category, status=status, code_note="")
    is_answer = category.notna() & (status.isna() | (status == "ok"))
    _check_bounds(frame[category.isna() & frame.value.notna() & (status.isna() | (status == "ok"))])
    answers = frame.loc[is_answer, ["criterion", "scale", "category", "coder", "record_id"]]
    for (criterion, shorthand), part in answers.groupby(["criterion", "scale"], dropna=False, sort=False):
        scale = make_scale(str(shorthand)) if isinstance(shorthand, str | Scale) else None
        raw = part.category.unique().tolist()
        if scale is None:
            codes, note = _codes_without_scale(str(criterion), raw, part.category)
        else:
            codes, note = _codes_on_scale(str(criterion), scale, raw, part), ""
        _replace(frame, part, codes)
        if note:
            frame.loc[frame.criterion == criterion, "code_note"] = note
    return frame


def _map_distinct(column: pd.Series, function: Callable[[Any], Any]) -> pd.Series:
    """A column with a function of each of its distinct values; missing values stay missing."""
    import pandas as pd

    try:
        codes, distinct = pd.factorize(column.astype(object))
    except TypeError:  # lists cannot be keys
        return column.map(function, na_action="ignore").astype(object)
    values = np.array([*map(function, distinct), None], object)
    return pd.Series(values[codes], index=column.index, dtype=object)


def _check_bounds(numbers: pd.DataFrame) -> None:
    """Raise SetupError if a number is outside its scale. Without a scale, or on one of names, it has no bounds."""
    import pandas as pd

    values = pd.to_numeric(numbers["value"], errors="coerce")
    for shorthand in numbers.scale.dropna().unique():
        bounds = make_scale(str(shorthand)).bounds
        outside = bounds and numbers[(numbers.scale == shorthand) & ~values.between(*bounds)]
        if outside is not None and len(outside):
            first = outside.iloc[0]
            raise SetupError(
                f"criterion `{first.criterion}`: the answer `{first.value:g}` of `{first.coder}` on record "
                f"`{first.record_id}` is outside the scale `{shorthand}`."
            )


def _replace(frame: pd.DataFrame, part: pd.DataFrame, codes: Mapping[Hashable, Any]) -> None:
    """Write the codes of a part in their one form. A number on a continuous scale goes to `value`."""
    changed = {raw: code for raw, code in codes.items() if raw is not code}
    if not changed:
        return
    rows = part.index[part.category.isin(list(changed))]
    unified = part.category[rows].map(changed)
    is_number = unified.map(lambda code: isinstance(code, float))
    frame.loc[rows[~is_number], "category"] = unified[~is_number]
    numbers = rows[is_number]
    frame.loc[numbers, "category"] = None
    frame["value"] = frame.value.astype(float)
    frame.loc[numbers, "value"] = unified[is_number].astype(float)


def _plain_code(code: Any) -> Any:
    """A code as it can be a key: lists as JSON, texts without blanks at the ends; None for an empty text."""
    if isinstance(code, str):
        return code.strip() or None
    if isinstance(code, list | tuple | set | frozenset):
        return json.dumps(sorted(map(code_text, code)), ensure_ascii=False)
    return code


def _codes_on_scale(
    criterion: str, scale: Scale, raw: Sequence[Any], part: pd.DataFrame
) -> dict[Hashable, str | float | None]:
    """Each code as the scale writes it; a number if the scale is continuous."""
    codes: dict[Hashable, str | float | None] = {}
    known = frozenset((*scale.answers, *NON_ANSWERS)) if scale.level != "set" else frozenset()
    for code in raw:
        if code in known:
            codes[code] = code
            continue
        try:
            answer = scale.parse_code(code)
        except InvalidAnswer:
            rows = part[part.category == code]
            first, more = rows.iloc[0], f" (and in {len(rows) - 1:,} more rows)" if len(rows) > 1 else ""
            hint = f"; {nearest(str(code), scale.answers)}" if scale.answers else "."
            where = f"of `{first.coder}` on record `{first.record_id}`{more}"
            raise SetupError(
                f"criterion `{criterion}`: the answer `{code!s:.60}` {where} is not on its scale `{scale}`{hint}"
            ) from None
        codes[code] = answer.category if answer.category is not None else answer.value
    return codes


def _codes_without_scale(
    criterion: str, raw: Sequence[Any], column: pd.Series
) -> tuple[dict[Hashable, str | float | None], str]:
    """Each code as text, and a note on what was taken as the same, and on what may not be a code."""
    plain = {code: code_text(code) for code in raw}
    codes: dict[Hashable, Any] = {code: exact_match(text, NON_ANSWERS) or text for code, text in plain.items()}
    texts = sorted({str(text) for text in codes.values()})
    _check_case(criterion, texts)
    forms: dict[str, set[str]] = {}
    for code, text in codes.items():
        forms.setdefault(str(text), set()).add(repr(code))
    merged = next((f"`{text}` ({', '.join(sorted(own))})" for text, own in forms.items() if len(own) > 1), None)
    nothing = [text for text in texts if text.casefold() in WORDS_FOR_NOTHING]
    others = [text for text in texts if text not in (*nothing, *NON_ANSWERS)]
    return codes, join_sentences(
        f"Equal numbers in different forms are one code: {merged}." if merged else None,
        _nothing_note(nothing, codes, column) if nothing else None,
        _numbers_note(others) if len(others) >= _FEW_CODES and all(map(_is_number, others)) else None,
    )


def _nothing_note(nothing: Sequence[str], codes: Mapping[Hashable, Any], column: pd.Series) -> str:
    n = int(column.map(codes).isin(list(nothing)).sum())
    words = ", ".join(f"`{word}`" for word in nothing)
    return (
        f"{words} ({pluralise(n, 'row')}) counted as codes; if they mean that there is none, write "
        f"ratings.replace({{'category': {list(nothing)!r}}}, None)."
    )


def _numbers_note(texts: Sequence[str]) -> str:
    numbers = {text: float(text) for text in texts}
    missing = _missing_numbers(numbers)
    kept = [number for text, number in numbers.items() if text not in missing]
    low, high = min(kept), max(kept)
    scale = f"{low:g}-{high:g}" if all(float(text).is_integer() for text in texts) else f"{low:g}..{high:g}"
    return (
        f"The codes are numbers, and no scale is declared, so they count as names without order; to declare one, write "
        f"ratings.assign(scale='{scale}').{_missing_hint(missing)}"
    )


def _missing_numbers(numbers: Mapping[str, float]) -> list[str]:
    """The codes far from all others that usually mean a missing answer."""
    others = [number for number in numbers.values() if number not in _MISSING_NUMBERS]
    if not others:
        return []
    far = max(others) + max(2, max(others) - min(others))
    return [
        text
        for text, number in numbers.items()
        if number in _MISSING_NUMBERS and (number >= far or number < min(0, *others))
    ]


def _missing_hint(missing: Sequence[str]) -> str:
    if not missing:
        return ""
    words = ", ".join(f"`{text}`" for text in missing)
    return f" {words} may mean a missing answer: ratings.replace({{'category': {list(missing)!r}}}, None) drops it."


def _check_case(criterion: str, texts: Iterable[str]) -> None:
    """Raise SetupError if two codes differ only in case or in signs that look the same."""
    same: dict[str, list[str]] = {}
    for text in texts:
        same.setdefault(_seen(text), []).append(text)
    twins = [forms for forms in same.values() if len(forms) > 1]
    if twins:
        mapping = ", ".join(f"{form!r}: {forms[-1]!r}" for forms in twins[:6] for form in forms[:-1])
        listed = " and ".join(f"`{form}`" for form in twins[0])
        what = "case" if len({text.casefold() for text in twins[0]}) == 1 else "signs that look the same"
        raise SetupError(
            f"criterion `{criterion}`: the codes {shorten(listed, 80)} differ only in {what}. If they are one code, "
            f"write ratings.replace({{'category': {{{mapping}}}}}); if they are two, give one of them another name."
        )


def _seen(text: str) -> str:
    """A code as people see it: without case, signs of no width, doubled blanks, kinds of hyphens and apostrophes."""
    plain = "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")
    return " ".join(plain.translate(_SAME_SIGNS).casefold().split())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.casefold() not in ("nan", "inf", "-inf")
