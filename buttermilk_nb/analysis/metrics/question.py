"""What a criterion's answers are: its level, its categories, their numbers, its flag.

Answers are kept as numbers that point into the categories, so that a metric is sums over pairs of integers, and a
non-answer is -1. The flag is a property of the answer, so it is kept per category: whoever gave it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from ...codebook.scales import NON_ANSWERS, Scale, make_scale
from ...errors import InvalidAnswer, SetupError
from ..coefficients import ReliabilityMatrix

IntArray = NDArray[np.intp]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
CONTINUOUS_LEVELS = ("interval", "ratio")


@dataclass(frozen=True, eq=False)
class CriterionAnswers:
    """One criterion as it was answered.

    Parameters
    ----------
    name
        The criterion.
    level
        Its level of measurement.
    categories
        The declared answers in their order; the distinct answers, as text, of `interval`, `ratio` and `set`, and
        where no scale is given.
    values
        The number of each category (`ordinal`, `interval`, `ratio`); None for the others.
    sets
        The labels of each category (`set`); None for the others.
    labels
        The declared labels (`set`).
    low, high
        The ends of the declared range; NaN where there is none.
    flags
        For each category 1 flagged, 0 not, -1 nobody said; None where no flag is declared.
    declared
        Whether a scale gave the categories.
    """

    name: str
    level: str
    categories: tuple[str, ...]
    values: FloatArray | None = None
    sets: tuple[frozenset[str], ...] | None = None
    labels: tuple[str, ...] = ()
    low: float = np.nan
    high: float = np.nan
    flags: IntArray | None = None
    has_scale: bool = False

    def furthest(self, truth: IntArray) -> FloatArray:
        """The number that is furthest from each truth; of two as far, the lower. NaN without a declared range."""
        assert self.values is not None
        at = self.values[truth]
        return np.where(self.high - at > at - self.low, self.high, self.low)


def as_text(cell: object) -> str:
    """A code as text: whole numbers without a point, as a table with gaps does not write them."""
    if isinstance(cell, Real) and not isinstance(cell, bool) and float(cell).is_integer():
        return str(int(float(cell)))
    return str(cell)


def single_scale(name: str, shorthands: Sequence[str]) -> Scale | None:
    """The one scale of a criterion; None where no row names one."""
    if len(shorthands) > 1:
        raise SetupError(
            f"criterion `{name}` has two scales, `{shorthands[0]}` and `{shorthands[1]}`: filter the ratings to one of them."
        )
    return make_scale(shorthands[0]) if shorthands else None


def code_answers(
    name: str,
    scale: Scale | None,
    category: IntArray,
    texts: Sequence[str],
    value: FloatArray,
    answered: BoolArray,
) -> tuple[CriterionAnswers, IntArray]:
    """The question, and each answer as a number that points into its categories.

    Parameters
    ----------
    name
        The criterion.
    scale
        Its scale, if there is one.
    category
        Rows: an index into `texts`, -1 where there is no category.
    texts
        Distinct categories.
    value
        Rows: the number, NaN where there is none.
    answered
        Rows: whether it is a usable answer.

    Raises
    ------
    SetupError
        An answer is none of the scale's.
    """
    if scale is not None and scale.level in CONTINUOUS_LEVELS:
        return _code_numbers(name, scale, category, texts, value, answered)
    used = np.unique(category[answered]).tolist()
    if -1 in used:
        raise SetupError(
            f"criterion `{name}`: some rows have a `value` and no `category`; write the answer there as its scale does."
        )
    named = {at: texts[at] if scale is None else _category_of(name, scale, texts[at]) for at in used}
    distinct = tuple(sorted(set(named.values())))
    if scale is None:
        question = CriterionAnswers(name, "nominal", distinct)
    elif scale.level == "set":
        sets = ReliabilityMatrix.from_rows([[one] for one in distinct], "set").sets or ()
        question = CriterionAnswers(name, "set", distinct, sets=sets, labels=scale.answers, has_scale=True)
    elif scale.level == "ordinal":
        values = ReliabilityMatrix.from_rows([], "ordinal", scale.answers).values
        assert values is not None
        ends = float(values.min()), float(values.max())
        question = CriterionAnswers(name, "ordinal", scale.answers, values, low=ends[0], high=ends[1], has_scale=True)
    else:
        question = CriterionAnswers(name, "nominal", scale.answers, has_scale=True)
    place = {text: i for i, text in enumerate(question.categories)}
    lookup = np.full(len(texts) + 1, -1, np.intp)
    for at, text in named.items():
        lookup[at] = place[text]
    return question, np.where(answered, lookup[category], -1)


def _category_of(name: str, scale: Scale, text: str) -> str:
    try:
        found = scale.parse(text).category
    except InvalidAnswer as error:
        raise SetupError(f"criterion `{name}`: {error}; write the answers as the scale `{scale}` does.") from None
    assert found is not None
    return found


def _code_numbers(
    name: str, scale: Scale, category: IntArray, texts: Sequence[str], value: FloatArray, answered: BoolArray
) -> tuple[CriterionAnswers, IntArray]:
    number = np.full(len(texts) + 1, np.nan)
    for at in np.unique(category[answered & np.isnan(value)]).tolist():
        try:
            number[at] = float(texts[at])
        except ValueError:
            raise SetupError(f"criterion `{name}`: the answer `{texts[at]}` is not a number.") from None
    given = np.where(np.isnan(value), number[category], value)[answered]
    low, high = (float(getattr(scale, end, np.nan)) for end in ("low", "high"))
    outside = given[(given < low) | (given > high) | ~np.isfinite(given)]
    if outside.size:
        raise SetupError(f"criterion `{name}`: the answer `{outside.min():g}` lies outside the scale `{scale}`.")
    values, place = np.unique(given, return_inverse=True)
    codes = np.full(len(category), -1, np.intp)
    codes[answered] = place
    names = tuple(f"{number:g}" for number in values)
    return CriterionAnswers(name, scale.level, names, values, low=low, high=high), codes


def category_flags(question: CriterionAnswers, codes: IntArray, flag: IntArray) -> IntArray | None:
    """Whether each category is the finding, as the rows say; None where no row says anything.

    Raises
    ------
    SetupError
        Two rows contradict each other, or an answer that was given has no flag although others have.
    """
    known = (codes >= 0) & (flag >= 0)
    if not known.any():
        return None
    size = len(question.categories)
    says = np.bincount(codes[known] * 2 + flag[known], minlength=2 * size).reshape(size, 2) > 0
    if (both := np.flatnonzero(says.all(axis=1))).size:
        raise SetupError(
            f"criterion `{question.name}`: `flagged` is true on some rows and false on others for the answer "
            f"`{question.categories[both[0]]}`; a flag belongs to the answer, so make them the same."
        )
    found = np.where(says[:, 1], 1, np.where(says[:, 0], 0, -1)).astype(np.intp)
    if (unsaid := np.flatnonzero((np.bincount(codes[codes >= 0], minlength=size) > 0) & (found < 0))).size:
        raise SetupError(
            f"criterion `{question.name}`: the answer `{question.categories[unsaid[0]]}` has no `flagged` on any row, "
            "and other answers have; fill it in with true or false."
        )
    return found


def non_answer(text: str) -> str | None:
    """`not applicable` or `cannot tell` where the text is one of them, whatever its case."""
    plain = text.strip().casefold()
    return plain if plain in NON_ANSWERS else None
