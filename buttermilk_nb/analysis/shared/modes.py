"""The modal answer: the most frequent of an instrument's replicates on a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..coefficients.arrays import BoolArray, FloatArray, IntArray
from .ratings_frame import usable_rows

if TYPE_CHECKING:
    import pandas as pd


class Modes(NamedTuple):
    """The mode of each group of codes.

    Parameters
    ----------
    mode
        The most frequent code; -1 if two are as frequent, or if there is no code.
    n_mode
        How often the most frequent code is given.
    n_codes
        The number of codes.
    is_tie
        Whether several codes are the most frequent.
    """

    mode: IntArray
    n_mode: FloatArray
    n_codes: FloatArray
    is_tie: BoolArray


def modes(group: IntArray, code: IntArray, n_groups: int) -> Modes:
    """The mode of each group.

    Parameters
    ----------
    group, code
        The group and the code of each answer, as numbers from 0.
    n_groups
        The number of groups; some may have no answer.

    Examples
    --------
    >>> modes(np.array([0, 0, 0, 1, 1]), np.array([2, 5, 5, 2, 5]), 3).mode.tolist()
    [5, -1, -1]
    """
    width = int(code.max(initial=0)) + 1
    pairs, n = np.unique(group * width + code, return_counts=True)
    owner, value = pairs // width, pairs % width
    n_mode = np.zeros(n_groups, np.intp)
    np.maximum.at(n_mode, owner, n)
    is_modal = n == n_mode[owner]
    n_modal = np.bincount(owner[is_modal], minlength=n_groups)
    mode = np.full(n_groups, -1, np.intp)
    mode[owner[is_modal]] = value[is_modal]
    mode[n_modal > 1] = -1
    n_codes = np.bincount(group, minlength=n_groups)
    return Modes(mode, n_mode.astype(np.float64), n_codes.astype(np.float64), n_modal > 1)


def row_modes(matrix: IntArray) -> Modes:
    """The mode of each row of a matrix of codes; -1 is a missing code.

    Examples
    --------
    >>> row_modes(np.array([[0, 1, 1], [0, 1, -1], [-1, -1, -1]])).mode.tolist()
    [1, -1, -1]
    """
    row, column = np.nonzero(matrix >= 0)
    return modes(row, matrix[row, column], len(matrix))


def is_modal_code(matrix: IntArray) -> BoolArray:
    """Rows x columns: whether no code in the row is given more often than this one."""
    n = np.zeros(matrix.shape, np.intp)
    for column in matrix.T:
        n += matrix == column[:, None]
    n[matrix < 0] = 0
    return np.asarray((n == row_modes(matrix).n_mode[:, None]) & (matrix >= 0))


def modal_ratings(part: pd.DataFrame) -> pd.DataFrame:
    """One row per coder and record with the modal answer of the replicates; without an answer if they tie.

    The mode of several replicates is another instrument than one replicate, so it gets another name.

    Parameters
    ----------
    part
        One group of prepared ratings.
    """
    import pandas as pd

    keys = ["record_id", "coder"]
    rows = usable_rows(part)
    answer = rows.category.astype(object).where(rows.category.notna(), rows.value)
    group = rows.groupby(keys, sort=False).ngroup().to_numpy().astype(np.intp)
    code = pd.factorize(answer)[0].astype(np.intp)
    mode = modes(group, code, int(group.max(initial=-1)) + 1).mode
    modal_rows = rows[code == mode[group]]
    first = part.loc[modal_rows.groupby(keys, sort=False).replicate.idxmin()]
    by_key = part.drop_duplicates(keys).set_index(keys)
    without_mode = by_key.loc[by_key.index.difference(first.set_index(keys).index)].reset_index()
    empty = without_mode.assign(category=None, value=float("nan"), flagged=None, status="tied", usable=False)
    parts = [first, empty[first.columns]] if len(empty) else [first]
    n_replicates = part.groupby("coder").replicate.nunique()
    names = {coder: f"{coder} (mode of {n})" for coder, n in n_replicates.items() if n > 1}
    result: pd.DataFrame = pd.concat(parts, ignore_index=True).assign(replicate=0)
    return result.assign(coder=result.coder.replace(names))
