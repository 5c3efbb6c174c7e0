"""The records whose answer changes with a factor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..._internal.arguments import check_arguments
from ...errors import SetupError
from ..coefficients.arrays import FloatArray
from ..shared.measure import Measure
from ..shared.modes import row_modes
from ..shared.ratings_groups import column_names
from .compare import pairs_of_levels
from .paired_levels import pair_levels

if TYPE_CHECKING:
    import pandas as pd


@check_arguments
def flips(
    ratings: pd.DataFrame, *, factor: str, a: Any, b: Any, by: str | Sequence[str] = ("criterion",)
) -> pd.DataFrame:
    """The records whose answers differ between two levels of a factor, with both answers.

    Parameters
    ----------
    ratings, factor, by
        As in `compare_levels`.
    a, b
        The two levels.

    Returns
    -------
    pandas.DataFrame
        One row per group and record that flips, the largest differences first, then by record: `by`..., `record_id`,
        `answer_a` and `answer_b` (the most frequent of the replicates, missing if several are; numbers as
        `compare_levels` reduces them, as text), `flagged_a` and `flagged_b` (NA without a flag), `difference` (b - a,
        of the flag or the number; NaN for names), `answers_a` and `answers_b` (a tuple of all replicates' answers). If
        a flag is declared, a record flips when the flag does; else when its answer differs.

    Raises
    ------
    SetupError
        As in `compare_levels`; or `a` or `b` is not a level of the factor.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = {"m1": "yyyn", "m2": "ynyy"}
    >>> rows = [(f"r{i}", "calm", f"judge · {m}", m, c) for m, codes in answers.items() for i, c in enumerate(codes)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "model", "category"])
    >>> flips(ratings, factor="model", a="m1", b="m2")[["record_id", "answer_a", "answer_b"]].values.tolist()
    [['r1', 'y', 'n'], ['r3', 'n', 'y']]
    """
    import pandas as pd

    if a == b:
        raise SetupError(f"a and b are both `{a}`; name two levels of `{factor}`.")
    keys = column_names(by)
    tables = [
        pd.DataFrame(key | _flip_columns(measure, a, b))
        for key, measure, _, _ in pairs_of_levels(ratings, factor, keys, only={"a": a, "b": b})
    ]
    table = pd.concat(tables, ignore_index=True)
    size = table.difference.abs().fillna(0)
    table = table.assign(size=-size).sort_values([*keys, "size", "record_id"], kind="stable", ignore_index=True)
    return table.drop(columns="size")


def _flip_columns(measure: Measure, a: Any, b: Any) -> dict[str, Any]:
    import pandas as pd

    table = measure.table
    pair = pair_levels(measure, a, b, "modal")
    rows = np.flatnonzero((pair.is_complete & (pair.answer_a != pair.answer_b))[:, 0])
    columns = [[i for i, column in enumerate(table.columns) if column[0] == level] for level in (a, b)]
    levels = list(zip("ab", columns, (pair.a, pair.b), strict=True))
    result: dict[str, Any] = {"record_id": [table.records[i] for i in rows]}
    for level, own, numbers in levels:
        result[f"answer_{level}"] = pd.Series(_answer_texts(measure, own, numbers)[rows], dtype="str")
    for level, _, numbers in levels:
        flags = numbers[rows, 0] if measure.name == "flagged share" else np.full(len(rows), np.nan)
        result[f"flagged_{level}"] = pd.Series(flags, dtype="Float64").astype("boolean")
    difference = (pair.b - pair.a)[rows, 0]
    result["difference"] = difference if measure.category is None else np.full(len(rows), np.nan)
    for level, own, _ in levels:
        result[f"answers_{level}"] = pd.Series([tuple(table.labels[i, own]) for i in rows], dtype=object)
    return result


def _answer_texts(measure: Measure, columns: list[int], numbers: FloatArray) -> NDArray[np.object_]:
    if measure.name == "mean":
        return np.array([None if np.isnan(number) else f"{number:g}" for number in numbers[:, 0]], object)
    categories = np.array([*measure.table.codes.categories, None], object)  # a mode of -1 is the index of the None
    return np.asarray(categories[row_modes(measure.table.codes.matrix[:, columns]).mode])
