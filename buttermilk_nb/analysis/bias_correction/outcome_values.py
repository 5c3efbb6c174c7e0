"""The number to estimate: the declared flag as 0 or 1, or the answer's number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...errors import SetupError
from ..coefficients.reliability_matrix import NUMERIC

if TYPE_CHECKING:
    import pandas as pd

    from ...codebook.scales import Scale

OutcomeName = Literal["flag", "number", "flag first", "number first"]


@dataclass(frozen=True)
class Outcome:
    """What is estimated.

    Parameters
    ----------
    is_flag
        Whether it is the flag; else it is the number.
    level
        The level of the scale; None if no scale is declared.
    scale
        The scale, if its answers have numbers.
    """

    is_flag: bool
    level: str | None
    scale: Scale | None = None

    def values(self, rows: pd.DataFrame) -> pd.Series[float]:
        """The number of each row; NaN without a usable answer."""
        if self.is_flag:
            values = rows.flagged.astype("boolean").astype("Float64").astype("float64")
        else:
            values = rows.value.astype("float64")
            if self.scale is not None and (missing := rows.usable & values.isna()).any():
                values = values.where(~missing, rows.category.where(missing).map(self._number, na_action="ignore"))
        return values.where(rows.usable).astype("float64")

    def _number(self, category: str) -> float:
        value = self.scale.parse_code(category).value if self.scale is not None else None
        return np.nan if value is None else value


def choose_outcome(
    part: pd.DataFrame,
    judge_rows: pd.DataFrame,
    coder_rows: pd.DataFrame,
    name: OutcomeName,
    description: str,
    scale: Scale | None,
) -> Outcome:
    """The outcome that was requested, if the answers have it.

    Parameters
    ----------
    part, judge_rows, coder_rows
        The rows of a group, of the judge and of the coder.
    name
        `flag` or `number`, or which of the two comes first if there are both.
    description
        What the group is called in an error.
    scale
        The declared scale.

    Raises
    ------
    SetupError
        No flag is declared; or the answers are not numbers.
    """
    level = None if scale is None else scale.level
    is_numeric = level in NUMERIC or (level is None and bool(part.value[part.usable].notna().any()))
    has_flag = bool(judge_rows.flagged.notna().any())
    is_flag = name == "flag" or (name == "number first" and not is_numeric) or (name == "flag first" and has_flag)
    if not is_flag and not is_numeric:
        raise SetupError(
            f'{description}: answers on a {level} scale have no mean; use of="prevalence", which uses the flag.'
            if level
            else f"{description}: the answers have no numbers; give the ratings a column `value`, or a `scale` such as "
            "`1-5`."
        )
    outcome = Outcome(is_flag, level, scale if level in NUMERIC else None)
    for coder, rows in (("judge", judge_rows), ("coder", coder_rows)):
        n_missing = int(outcome.values(rows).isna()[rows.usable].sum())
        if n_missing:
            raise SetupError(_missing_values_message(is_flag, description, coder, n_missing, int(rows.usable.sum())))
    return outcome


def _missing_values_message(is_flag: bool, description: str, coder: str, n_missing: int, n: int) -> str:
    answers = f"{description}: {n_missing:,} of {n:,} answers of the {coder}"
    if is_flag:
        return (
            f"{answers} have no `flagged`, so it is not known which answer is the finding: give the criterion a flag, "
            "or the ratings a column `flagged`."
        )
    return f"{answers} have no number; give them one in the column `value`."
