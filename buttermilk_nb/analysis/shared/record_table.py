"""The answers of one group as a table: records x conditions.

A condition is what the answers of a column have in common: a model, a prompt, a replicate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...codebook.scales import NON_ANSWERS, Scale
from ...errors import SetupError
from ..coefficients import ReliabilityMatrix
from ..coefficients.arrays import BoolArray, FloatArray, IntArray
from .notes import codes_note
from .ratings_frame import scale_of
from .ratings_groups import sorted_values

if TYPE_CHECKING:
    import pandas as pd

_ANSWER_COLUMNS = (
    "category", "value", "flagged", "status", "usable", "resampling_unit", "code_note", "cluster", "uncertainty",
    "conclusion", "reasons", "notes", "quotes", "seconds", "label_id", "trace_id", "design_id", "run_id", "blind",
    "inclusion_p",
)  # fmt: skip
_CONDITION_COLUMNS = ("prompt", "prompt_hash", "judge", "model", "coder", "kind", "scale", "replicate")  # causes first


@dataclass(frozen=True, eq=False)
class RecordTable:
    """The answers of one group.

    Parameters
    ----------
    records
        The record of each row, sorted.
    columns
        The condition of each column: a tuple with one value for each name that the table was made along.
    codes
        Records x columns: the category, -1 without a usable answer.
    flags
        Records x columns: 1 flagged, 0 not, NaN without a flag or an answer.
    has_row
        Records x columns: whether the ratings have a row, with an answer or without.
    labels
        Records x columns: the answers as text, also non-answers; None without an answer.
    clusters
        The cluster of each record, as a number from 0.
    scale
        The declared scale; None if there is none.
    n_excluded
        The number of planned answers that are not usable.
    unequal_probabilities
        Whether the records were drawn with unequal probabilities.
    codes_note
        What was done to the forms of the codes.
    """

    records: tuple[str, ...]
    columns: tuple[tuple[Any, ...], ...]
    codes: ReliabilityMatrix
    flags: FloatArray
    has_row: BoolArray
    labels: NDArray[np.object_]
    clusters: IntArray
    scale: Scale | None
    n_excluded: int
    unequal_probabilities: bool
    codes_note: str

    def select_columns(self, columns: Sequence[int]) -> ReliabilityMatrix:
        """The codes of some columns."""
        return replace(self.codes, matrix=self.codes.matrix[:, list(columns)])


def record_table(part: pd.DataFrame, along: Sequence[str]) -> RecordTable:
    """The table of one group.

    Parameters
    ----------
    part
        One group of prepared ratings.
    along
        The columns of the frame whose values make a column of the table.

    Raises
    ------
    SetupError
        A record has two answers in one condition, or an answer is not on the scale.
    """
    import pandas as pd

    _check_unique(part, along)
    condition = part.groupby(list(along), sort=False, dropna=False).ngroup().to_numpy(np.intp)
    _, first = np.unique(condition, return_index=True)
    conditions = list(zip(*(part[name].iloc[first] for name in along), strict=True))
    columns = sorted_values(conditions)
    index = {own: i for i, own in enumerate(columns)}
    column = np.array([index[own] for own in conditions], np.intp)[condition]
    row, records = pd.factorize(part.record_id, sort=True)
    shape = (len(records), len(columns))
    scale = scale_of(part)
    answers, flags, labels = np.full(shape, None, object), np.full(shape, np.nan), np.full(shape, None, object)
    has_row = np.zeros(shape, np.bool_)
    has_row[row, column] = True
    usable = part.usable.to_numpy(bool)
    answers[row[usable], column[usable]] = _answer_values(part[part.usable], scale)
    flags[row[usable], column[usable]] = part.flagged[part.usable].astype("Float64").to_numpy(float, na_value=np.nan)
    codes = _answer_codes(answers, scale, str(part.criterion.iloc[0]))
    is_non_answer = part.category.isin(NON_ANSWERS).to_numpy(bool)
    labels[row[is_non_answer], column[is_non_answer]] = part.category[is_non_answer]
    has_code = codes.matrix >= 0
    labels[has_code] = np.array(codes.categories, object)[codes.matrix[has_code]]
    units = np.full(len(records), "", object)
    units[row] = part.resampling_unit
    return RecordTable(
        records=tuple(records),
        columns=tuple(columns),
        codes=codes,
        flags=flags,
        has_row=has_row,
        labels=labels,
        clusters=np.unique(units, return_inverse=True)[1],
        scale=scale,
        n_excluded=int((~usable).sum()),
        unequal_probabilities="inclusion_p" in part and part.inclusion_p.nunique() > 1,
        codes_note=codes_note(part),
    )


def _answer_values(part: pd.DataFrame, scale: Scale | None) -> NDArray[np.object_]:
    numbers = part.value.astype(object).to_numpy()
    categories = part.category.astype(object).to_numpy()
    if scale is None and part.category.isna().any():
        raise SetupError(
            f"criterion `{part.criterion.iloc[0]}` has numbers without categories; add a column `scale` that says what "
            "they are, such as `0..1`."
        )
    if scale and scale.level in ("interval", "ratio"):
        return np.where(part.value.isna().to_numpy(), categories, numbers)
    return np.where(part.category.isna().to_numpy(), numbers, categories)


def _answer_codes(answers: NDArray[np.object_], scale: Scale | None, criterion: str) -> ReliabilityMatrix:
    import pandas as pd

    level = scale.level if scale else "nominal"
    index, distinct = pd.factorize(answers.ravel())
    try:
        codes = ReliabilityMatrix.from_rows(
            [[answer] for answer in distinct], level, scale.answers or None if scale else None
        )
    except SetupError as error:
        raise SetupError(f"criterion `{criterion}`: {error}") from None
    code_of_answer = np.append(codes.matrix.ravel(), -1)  # the last is for those without an answer, whose index is -1
    return replace(codes, matrix=code_of_answer[index].reshape(answers.shape))


def _check_unique(part: pd.DataFrame, along: Sequence[str]) -> None:
    twice = part[part.duplicated(["record_id", *along], keep=False)]
    if not len(twice):
        return
    first = twice.iloc[0]
    same = (twice[["record_id", *along]] == first[["record_id", *along]]).all(axis=1)
    differing = [
        name for name in part.columns if name not in _ANSWER_COLUMNS and twice.loc[same, name].astype(str).nunique() > 1
    ]
    differing.sort(key=lambda name: (_CONDITION_COLUMNS.index(name) if name in _CONDITION_COLUMNS else -1, name))
    remedy = (
        f"put `{differing[0]}` into `by`, or choose one" if differing else "drop one, or number them in `replicate`"
    )
    raise SetupError(
        f"criterion `{first.criterion}`: record `{first.record_id}` has {int(same.sum())} answers for one "
        f"{' and '.join(f'`{name}`' for name in along)}; {remedy}."
    )
