"""The answers of one group as a table: records down, what they were asked with across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...codebook.scales import NON_ANSWERS, Scale
from ...errors import SetupError
from ..coefficients import ReliabilityMatrix
from ..coefficients.base import FloatArray
from .groups import sorted_values
from .ratings_frame import scale_of

if TYPE_CHECKING:
    import pandas as pd

_ANSWER_COLUMNS = (
    "category", "value", "flagged", "status", "usable", "kin", "cluster", "uncertainty", "conclusion", "reasons",
    "notes", "quotes", "seconds", "label_id", "trace_id", "design_id", "run_id", "blind", "inclusion_p",
)  # fmt: skip
_CONDITION_COLUMNS = (
    "prompt",
    "prompt_hash",
    "judge",
    "model",
    "coder",
    "kind",
    "scale",
    "replicate",
)  # from cause to name


@dataclass(frozen=True, eq=False)
class RecordTable:
    """The answers of one group.

    Parameters
    ----------
    records
        The record of each row, in order.
    columns
        What each column was asked with: a tuple, one value for each name that the table was made along.
    codes
        Records x columns: which category, -1 where no answer can be used.
    flags
        Records x columns: 1 flagged, 0 not, NaN where there is no flag or no answer.
    asked
        Records x columns: whether the ratings have a row, with an answer or without.
    labels
        Records x columns: the answers to read, non-answers too, None where there is none.
    clusters
        The cluster of each record, as a number from 0.
    scale
        The declared scale; None where there is none.
    n_excluded
        Cells without a usable answer.
    unequal
        Whether the records were drawn with unequal probability.
    """

    records: tuple[str, ...]
    columns: tuple[tuple[Any, ...], ...]
    codes: ReliabilityMatrix
    flags: FloatArray
    has_row: NDArray[np.bool_]
    labels: NDArray[np.object_]
    clusters: NDArray[np.intp]
    scale: Scale | None
    n_excluded: int
    unequal_probabilities: bool

    def select_columns(self, places: Sequence[int]) -> ReliabilityMatrix:
        """The codes of some columns."""
        return replace(self.codes, matrix=self.codes.matrix[:, list(places)])


def record_table(part: pd.DataFrame, along: Sequence[str]) -> RecordTable:
    """The table of one group.

    Raises
    ------
    SetupError
        A record has two answers in one cell, or an answer is not on the scale.
    """
    import pandas as pd

    _check_unique(part, along)
    keys = list(zip(*(part[name] for name in along), strict=True))
    columns = sorted_values(keys)
    place = {key: i for i, key in enumerate(columns)}
    across = np.array([place[key] for key in keys], np.intp)
    down, records = pd.factorize(part.record_id, sort=True)
    size = (len(records), len(columns))
    scale = scale_of(part)
    answers, flags, shown = np.full(size, None, object), np.full(size, np.nan), np.full(size, None, object)
    asked = np.zeros(size, np.bool_)
    asked[down, across] = True
    usable = part.usable.to_numpy(bool)
    answers[down[usable], across[usable]] = _answer_values(part[part.usable], scale)
    flags[down[usable], across[usable]] = part.flagged[part.usable].astype("Float64").to_numpy(float, na_value=np.nan)
    codes = _answer_codes(answers, scale, str(part.criterion.iloc[0]))
    aside = part.category.isin(NON_ANSWERS).to_numpy(bool)
    shown[down[aside], across[aside]] = part.category[aside]
    found = codes.matrix >= 0
    shown[found] = np.array(codes.categories, object)[codes.matrix[found]]
    kin = np.full(len(records), "", object)
    kin[down] = part.kin
    clusters = np.unique(kin, return_inverse=True)[1]
    left_out, unequal = int((~usable).sum()), "inclusion_p" in part and part.inclusion_p.nunique() > 1
    return RecordTable(tuple(records), tuple(columns), codes, flags, asked, shown, clusters, scale, left_out, unequal)


def _answer_values(part: pd.DataFrame, scale: Scale | None) -> NDArray[np.object_]:
    numbers = part.value.astype(object).to_numpy()
    words = part.category.astype(object).to_numpy()
    if scale is None and part.category.isna().any():
        raise SetupError(
            f"criterion `{part.criterion.iloc[0]}` has numbers without categories; say in a column `scale` what "
            "they are, such as `0..1`."
        )
    first, second = (numbers, words) if scale and scale.level in ("interval", "ratio") else (words, numbers)
    missing = part.value.isna().to_numpy() if first is numbers else part.category.isna().to_numpy()
    return np.where(missing, second, first)


def _answer_codes(answers: NDArray[np.object_], scale: Scale | None, criterion: str) -> ReliabilityMatrix:
    level = scale.level if scale else "nominal"
    try:
        return ReliabilityMatrix.from_rows(answers.tolist(), level, scale.answers or None if scale else None)
    except SetupError as error:
        raise SetupError(f"criterion `{criterion}`: {error}") from None


def _check_unique(part: pd.DataFrame, along: Sequence[str]) -> None:
    twice = part[part.duplicated(["record_id", *along], keep=False)]
    if not len(twice):
        return
    first = twice.iloc[0]
    same = (twice[["record_id", *along]] == first[["record_id", *along]]).all(axis=1)
    differ = [
        name for name in part.columns if name not in _ANSWER_COLUMNS and twice.loc[same, name].astype(str).nunique() > 1
    ]
    several = sorted(
        differ, key=lambda name: (_CONDITION_COLUMNS.index(name) if name in _CONDITION_COLUMNS else -1, name)
    )
    mend = f"put `{several[0]}` into `by`, or choose one" if several else "drop one, or number them in `replicate`"
    raise SetupError(
        f"criterion `{first.criterion}`: record `{first.record_id}` has {int(same.sum())} answers for one "
        f"{' and '.join(f'`{name}`' for name in along)}; {mend}."
    )
