"""Select the rows of a statistic's table that a plot shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import SetupError, nearest

if TYPE_CHECKING:
    import pandas as pd


def select_rows(table: pd.DataFrame, column: str, value: str | None) -> pd.DataFrame:
    """The rows with one value in a column; the value may be None if there is only one.

    Raises
    ------
    SetupError
        There is no such value, or there are several and none is given.
    """
    values = list(table[column].unique())
    if value is None and len(values) > 1:
        raise SetupError(f"there are {len(values)} values in `{column}`; choose one, {column}={values[0]!r}.")
    if value is not None and value not in values:
        raise SetupError(f"there is no {column} `{value}`; {nearest(value, values)}")
    return table[table[column] == (value or values[0])]


def select_coefficient(table: pd.DataFrame, coefficient: str, criterion: str | None) -> pd.DataFrame:
    """The rows of one coefficient on one criterion.

    Raises
    ------
    SetupError
        There is no such coefficient or criterion, or there are several criteria and none is given.
    """
    rows = select_rows(table, "criterion", criterion)
    coefficients = list(rows.coefficient.unique())
    if coefficient not in coefficients:
        raise SetupError(f"there is no coefficient `{coefficient}` here; {nearest(coefficient, coefficients)}")
    return rows[rows.coefficient == coefficient].reset_index(drop=True)
