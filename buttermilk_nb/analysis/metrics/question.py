"""A criterion as a question: its level, its categories, their numbers and flags.

Answers are stored as numbers that point into the categories, so that a metric is a sum over pairs of integers, and a
non-answer is -1. The flag belongs to the answer, so it is stored per category, regardless of the coder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np

from ...codebook.scales import NON_ANSWERS, Scale, make_scale
from ...errors import SetupError
from ..coefficients import ReliabilityMatrix
from ..coefficients.arrays import BoolArray, FloatArray, IntArray

CONTINUOUS_LEVELS = ("interval", "ratio")


@dataclass(frozen=True, eq=False)
class CriterionAnswers:
    """One criterion and its possible answers.

    Parameters
    ----------
    name
        The criterion.
    level
        Its level of measurement.
    categories
        The declared answers in their order; the distinct answers as text for `interval`, `ratio` and `set`, and if
        there is no scale.
    values
        The number of each category (`ordinal`, `interval`, `ratio`); None for the others.
    sets
        The labels of each category (`set`); None for the others.
    labels
        The declared labels (`set`).
    low, high
        The ends of the declared range; NaN if there is none.
    flags
        For each category 1 flagged, 0 not, -1 unknown; None if no flag is declared.
    has_scale
        Whether the categories come from a scale.
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
        """The number furthest from each truth; of two equally far, the lower. NaN without a declared range."""
        assert self.values is not None
        value = self.values[truth]
        return np.where(self.high - value > value - self.low, self.high, self.low)


def as_text(value: object) -> str:
    """A code as text; whole numbers without a decimal point, which a table with gaps adds."""
    if isinstance(value, Real) and not isinstance(value, bool) and float(value).is_integer():
        return str(int(float(value)))
    return str(value)


def single_scale(name: str, shorthands: Sequence[str]) -> Scale | None:
    """The scale of a criterion; None if no row names one.

    Raises
    ------
    SetupError
        There are two.
    """
    if len(shorthands) > 1:
        raise SetupError(
            f"criterion `{name}` has two scales, `{shorthands[0]}` and `{shorthands[1]}`: filter the ratings to one of "
            "them."
        )
    return make_scale(shorthands[0]) if shorthands else None


def code_answers(
    name: str,
    scale: Scale | None,
    category: IntArray,
    texts: Sequence[str],
    value: FloatArray,
    has_answer: BoolArray,
) -> tuple[CriterionAnswers, IntArray]:
    """The question, and each answer as a number that points into its categories.

    Parameters
    ----------
    name
        The criterion.
    scale
        Its scale, if there is one.
    category
        Rows: an index into `texts`, -1 without a category.
    texts
        Distinct categories.
    value
        Rows: the number, NaN without one.
    has_answer
        Rows: whether the answer is usable.

    Raises
    ------
    SetupError
        An answer is not one of the scale's.
    """
    if scale is not None and scale.level in CONTINUOUS_LEVELS:
        return _code_numbers(name, scale, category, value, has_answer)
    used = np.unique(category[has_answer]).tolist()
    if -1 in used:
        raise SetupError(
            f"criterion `{name}`: some rows have a `value` and no `category`; write the answer in `category` as its "
            "scale does."
        )
    category_of = {i: texts[i] for i in used}
    question = _question(name, scale, sorted(set(category_of.values())))
    index = {text: i for i, text in enumerate(question.categories)}
    lookup = np.full(len(texts) + 1, -1, np.intp)
    for i, text in category_of.items():
        lookup[i] = index[text]
    return question, np.where(has_answer, lookup[category], -1)


def category_flags(question: CriterionAnswers, codes: IntArray, flag: IntArray) -> IntArray | None:
    """Whether each category is the finding, as the rows say; None if no row has a flag.

    Raises
    ------
    SetupError
        Two rows contradict each other, or an answer has no flag although others have.
    """
    has_flag = (codes >= 0) & (flag >= 0)
    if not has_flag.any():
        return None
    size = len(question.categories)
    occurs = np.bincount(codes[has_flag] * 2 + flag[has_flag], minlength=2 * size).reshape(size, 2) > 0
    contradictory = np.flatnonzero(occurs.all(axis=1))
    if contradictory.size:
        raise SetupError(
            f"criterion `{question.name}`: `flagged` is true on some rows and false on others for the answer "
            f"`{question.categories[contradictory[0]]}`; a flag belongs to the answer, so make them the same."
        )
    flags = np.where(occurs[:, 1], 1, np.where(occurs[:, 0], 0, -1)).astype(np.intp)
    unflagged = np.flatnonzero((np.bincount(codes[codes >= 0], minlength=size) > 0) & (flags < 0))
    if unflagged.size:
        raise SetupError(
            f"criterion `{question.name}`: the answer `{question.categories[unflagged[0]]}` has no `flagged` on any "
            "row, and other answers have one; fill it in with true or false."
        )
    return flags


def non_answer(text: str) -> str | None:
    """`not applicable` or `cannot tell` if the text is one of them, in any case; else None."""
    folded = text.strip().casefold()
    return folded if folded in NON_ANSWERS else None


def _question(name: str, scale: Scale | None, used: Sequence[str]) -> CriterionAnswers:
    """The question of a scale whose answers are categories."""
    if scale is None:
        return CriterionAnswers(name, "nominal", tuple(used))
    if scale.level == "set":
        sets = ReliabilityMatrix.from_rows([[text] for text in used], "set").sets or ()
        return CriterionAnswers(name, "set", tuple(used), sets=sets, labels=scale.answers, has_scale=True)
    if scale.level == "ordinal":
        values = ReliabilityMatrix.from_rows([], "ordinal", scale.answers).values
        assert values is not None
        low, high = float(values.min()), float(values.max())
        return CriterionAnswers(name, "ordinal", scale.answers, values, low=low, high=high, has_scale=True)
    return CriterionAnswers(name, "nominal", scale.answers, has_scale=True)


def _code_numbers(
    name: str, scale: Scale, category: IntArray, value: FloatArray, has_answer: BoolArray
) -> tuple[CriterionAnswers, IntArray]:
    answers = value[has_answer]
    low, high = scale.bounds or (np.nan, np.nan)
    values, index = np.unique(answers, return_inverse=True)
    codes = np.full(len(category), -1, np.intp)
    codes[has_answer] = index
    names = tuple(f"{number:g}" for number in values)
    return CriterionAnswers(name, scale.level, names, values, low=low, high=high), codes
