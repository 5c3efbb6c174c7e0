"""Which number of an answer is estimated: the declared flag as 0 or 1, or the answer's own number."""

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
    """`is_flag`: the flag, else the number; `level` of the scale, None where it is not declared."""

    is_flag: bool
    level: str | None
    scale: Scale | None = None

    def values(self, rows: pd.DataFrame) -> pd.Series[float]:
        """The number of each row; NaN where it holds no usable answer."""
        if self.is_flag:
            found = rows.flagged.astype("boolean").astype("Float64").astype("float64")
        else:
            found = rows.value.astype("float64")
            if self.scale is not None and (missing := rows.usable & found.isna()).any():
                found = found.where(~missing, rows.category.where(missing).map(self._number, na_action="ignore"))
        return found.where(rows.usable).astype("float64")

    def _number(self, category: str) -> float:
        value = self.scale.parse(category).value if self.scale is not None else None
        return np.nan if value is None else value


def choose_outcome(
    part: pd.DataFrame, theirs: pd.DataFrame, own: pd.DataFrame, of: OutcomeName, where: str, scale: Scale | None
) -> Outcome:
    """What is asked for, if the answers have it.

    Parameters
    ----------
    part, theirs, own
        The rows of a group, those of the judge and those of the coder.
    of
        `flag` or `number`, or which of the two comes first where there are both.
    where
        What the group is called in an error.
    scale
        The declared scale.

    Raises
    ------
    SetupError
        No flag is declared; or the answers are no numbers.
    """
    level = None if scale is None else scale.level
    numeric = level in NUMERIC or (level is None and bool(part.value[part.usable].notna().any()))
    declared = bool(theirs.flagged.notna().any())
    flag = of == "flag" or (of == "number first" and not numeric) or (of == "flag first" and declared)
    if not flag and not numeric:
        raise SetupError(
            f'{where}: answers on a {level} scale have no mean; ask for of="prevalence", which goes by the flag.'
            if level
            else f"{where}: the answers have no numbers; give the ratings a column `value`, or a `scale` such as `1-5`."
        )
    found = Outcome(flag, level, scale if level in NUMERIC else None)
    for name, rows in (("judge", theirs), ("coder", own)):
        if found.values(rows).isna()[rows.usable].any():
            lacks = int(found.values(rows).isna()[rows.usable].sum())
            raise SetupError(_missing_values_message(flag, where, name, lacks, int(rows.usable.sum())))
    return found


def _missing_values_message(flag: bool, where: str, who: str, lacks: int, of: int) -> str:
    if flag:
        return (
            f"{where}: {lacks:,} of {of:,} answers of the {who} have no `flagged`, so it is not known which answer is "
            "the finding: give the criterion a flag, or the ratings a column `flagged`."
        )
    return f"{where}: {lacks:,} of {of:,} answers of the {who} have no number; give them one in the column `value`."
