"""The records whose answer changes with a factor: to be read, beside the texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SetupError
from ..coefficients.base import FloatArray
from ..shared.groups import column_names
from ..shared.modes import row_modes
from .compare import pairs_of_levels
from .outcome import Measure
from .paired_levels import pair_levels

if TYPE_CHECKING:
    import pandas as pd


def flips(
    ratings: pd.DataFrame, *, factor: str, a: Any, b: Any, by: str | Sequence[str] = ("criterion",)
) -> pd.DataFrame:
    """The records whose answer is another at two levels of a factor, with both answers.

    Parameters
    ----------
    ratings, factor, by
        As in `compare`.
    a, b
        The two levels.

    Returns
    -------
    pandas.DataFrame
        One row per group and record that flips, the furthest apart first, then by record: `by`..., `record_id`,
        `answer_a` and `answer_b` (the most frequent of the replicates, missing where several are; numbers as
        `compare` reduces them, as text), `flagged_a` and `flagged_b` (NA without a flag), `difference` (b - a, of the
        flag or the number; NaN for names), `answers_a` and `answers_b` (a tuple of all replicates' answers). Where a
        flag is declared a record flips when the flag does; else when its answer is another.

    Raises
    ------
    SetupError
        As in `compare`; or `a` or `b` is no level of the factor.

    Examples
    --------
    >>> import pandas as pd
    >>> said = {"m1": "yyyn", "m2": "ynyy"}
    >>> rows = [(f"r{i}", "calm", f"judge · {m}", m, c) for m, codes in said.items() for i, c in enumerate(codes)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "model", "category"])
    >>> flips(ratings, factor="model", a="m1", b="m2")[["record_id", "answer_a", "answer_b"]].values.tolist()
    [['r1', 'y', 'n'], ['r3', 'n', 'y']]
    """
    import pandas as pd

    if a == b:
        raise SetupError(f"a and b are both `{a}`; name two levels of `{factor}`.")
    keys = column_names(by)
    found = [
        pd.DataFrame(key | _flip_rows(measured, a, b))
        for key, measured, _, _ in pairs_of_levels(ratings, factor, keys, only={"a": a, "b": b})
    ]
    together = pd.concat(found, ignore_index=True)
    size = together.difference.abs().fillna(0)
    together = together.assign(size=-size).sort_values([*keys, "size", "record_id"], kind="stable", ignore_index=True)
    return together.drop(columns="size")


def _flip_rows(found: Measure, a: Any, b: Any) -> dict[str, Any]:
    import pandas as pd

    two = pair_levels(found, a, b, "modal")
    kept = np.flatnonzero((two.is_complete & (two.answer_a != two.answer_b))[:, 0])
    flagged = found.name == "flagged share"
    rows: dict[str, Any] = {"record_id": [found.table.records[i] for i in kept]}
    places = [[i for i, column in enumerate(found.table.columns) if column[0] == level] for level in (a, b)]
    for word, own, measured in zip("ab", places, (two.a, two.b), strict=True):
        rows[f"answer_{word}"] = pd.Series(_answer_texts(found, own, measured)[kept], dtype="str")
    for word, measured in zip("ab", (two.a, two.b), strict=True):
        flags = measured[kept, 0] if flagged else np.full(len(kept), np.nan)
        rows[f"flagged_{word}"] = pd.Series(flags, dtype="Float64").astype("boolean")
    apart = (two.b - two.a)[kept, 0]
    rows["difference"] = apart if found.category is None else np.full(len(kept), np.nan)
    for word, own in zip("ab", places, strict=True):
        rows[f"answers_{word}"] = pd.Series([tuple(found.table.labels[i, own]) for i in kept], dtype=object)
    return rows


def _answer_texts(found: Measure, places: list[int], measured: FloatArray) -> NDArray[np.object_]:
    if found.name == "mean":
        return np.array([None if np.isnan(number) else f"{number:g}" for number in measured[:, 0]], object)
    categories = np.array([*found.table.codes.categories, None], object)
    return np.asarray(categories[row_modes(found.table.codes.matrix[:, places]).mode])
