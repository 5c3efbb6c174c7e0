"""The covariates of the judged records, as the columns of a regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...errors import SetupError
from ..coefficients.arrays import FloatArray
from .regressions import dependent_column

if TYPE_CHECKING:
    import pandas as pd

INTERCEPT = "intercept"


def prepare_covariates(covariates: pd.DataFrame | None) -> pd.DataFrame:
    """The covariates as numbers, their index as text.

    Raises
    ------
    SetupError
        There are none, one is not a number, or a record has two rows.
    """
    import pandas as pd

    if not isinstance(covariates, pd.DataFrame) or not covariates.shape[1]:
        raise SetupError(
            "covariates: a regression needs a DataFrame with one column per covariate and the record_id as its index, "
            'such as corpus.to_df().set_index("record_id")[["week"]].'
        )
    frame = covariates.set_axis(covariates.index.astype(str), axis=0)
    frame.columns = pd.Index([str(name) for name in covariates.columns])
    if frame.columns.has_duplicates or INTERCEPT in frame.columns:
        raise SetupError(f"covariates: give each column its own name, but not `{INTERCEPT}`, which is added.")
    for name in frame.columns:
        if not (pd.api.types.is_numeric_dtype(frame[name]) or pd.api.types.is_bool_dtype(frame[name])):
            raise SetupError(
                f"covariates: `{name}` has no numbers; make it columns of 0 and 1 with "
                f'pd.get_dummies(covariates, columns=["{name}"], drop_first=True).'
            )
    if frame.index.has_duplicates:
        raise SetupError(f"covariates: record `{frame.index[frame.index.duplicated()][0]}` has two rows; it needs one.")
    return frame.astype("Float64").astype("float64")


def design_matrix(covariates: pd.DataFrame, records: Sequence[str], description: str) -> FloatArray:
    """Records x terms, the intercept first.

    Raises
    ------
    SetupError
        A judged record has no covariate, or one is constant or a sum of others.
    """
    selected = covariates.reindex(list(records))
    is_missing = ~np.isfinite(selected.to_numpy(float)).all(axis=1)
    if is_missing.any():
        raise SetupError(
            f"{description}: {int(is_missing.sum()):,} of {len(records):,} judged records lack a covariate (such as "
            f"`{records[int(is_missing.argmax())]}`); fill it in, or leave those records out of the ratings."
        )
    x = np.column_stack([np.ones(len(records)), selected.to_numpy(float)])
    if (column := dependent_column(x)) is not None:
        if column >= x.shape[1]:
            raise SetupError(
                f"{description}: {len(records):,} records are fewer than the coefficients; use fewer covariates."
            )
        raise SetupError(
            f"{description}: covariate `{selected.columns[column - 1]}` is constant, or a sum of others; leave it out."
        )
    return x
