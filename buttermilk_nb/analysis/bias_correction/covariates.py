"""The covariates of the judged records, as the columns of a regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...errors import SetupError
from .influence import FloatArray
from .regressions import dependent_column

if TYPE_CHECKING:
    import pandas as pd

INTERCEPT = "intercept"


def prepare_covariates(covariates: pd.DataFrame | None) -> pd.DataFrame:
    """The covariates as numbers, their index as text.

    Raises
    ------
    SetupError
        There are none, one is no number, or a record has two rows.
    """
    import pandas as pd

    if not isinstance(covariates, pd.DataFrame) or not covariates.shape[1]:
        raise SetupError(
            "covariates: a regression needs a DataFrame with one column per covariate and the record_id as its index, "
            'such as corpus.to_df().set_index("record_id")[["week"]].'
        )
    found = covariates.set_axis(covariates.index.astype(str), axis=0)
    found.columns = pd.Index([str(name) for name in covariates.columns])
    if found.columns.has_duplicates or INTERCEPT in found.columns:
        raise SetupError(f"covariates: name each column once, and none `{INTERCEPT}`, which is added.")
    for name in found.columns:
        if not (pd.api.types.is_numeric_dtype(found[name]) or pd.api.types.is_bool_dtype(found[name])):
            raise SetupError(
                f"covariates: `{name}` holds no numbers; make it columns of 0 and 1 with "
                f'pd.get_dummies(covariates, columns=["{name}"], drop_first=True).'
            )
    if found.index.has_duplicates:
        raise SetupError(f"covariates: record `{found.index[found.index.duplicated()][0]}` has two rows; it needs one.")
    return found.astype("Float64").astype("float64")


def design_matrix(covariates: pd.DataFrame, records: Sequence[str], where: str) -> FloatArray:
    """Records x terms, the intercept first.

    Raises
    ------
    SetupError
        A judged record has no covariate, or one is constant or a sum of others.
    """
    chosen = covariates.reindex(list(records))
    missing = ~np.isfinite(chosen.to_numpy(float)).all(axis=1)
    if missing.any():
        raise SetupError(
            f"{where}: {int(missing.sum()):,} of {len(records):,} judged records lack a covariate (such as "
            f"`{records[int(missing.argmax())]}`); fill it in, or leave those records out of the ratings."
        )
    x = np.column_stack([np.ones(len(records)), chosen.to_numpy(float)])
    if (at := dependent_column(x)) is not None:
        if at >= x.shape[1]:
            raise SetupError(
                f"{where}: {len(records):,} records are fewer than the coefficients; take fewer covariates."
            )
        raise SetupError(
            f"{where}: covariate `{chosen.columns[at - 1]}` is constant, or a sum of others; leave it out."
        )
    return x
