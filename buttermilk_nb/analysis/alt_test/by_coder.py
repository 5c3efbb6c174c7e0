"""The judge against each person who is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from .hypothesis_test import tests

if TYPE_CHECKING:
    import pandas as pd


def alt_test_coders(
    ratings: pd.DataFrame,
    *,
    by: str | Sequence[str] = ("criterion",),
    judges: Sequence[str] | None = None,
    coders: Sequence[str] | None = None,
    epsilon: float = 0.2,
    significance: float = 0.05,
    replicate_mode: Literal["each", "modal"] = "each",
) -> pd.DataFrame:
    """The tests behind `alt_test`: one row per group, judge and person.

    Parameters
    ----------
    ratings, by, judges, coders, epsilon, significance, replicate_mode
        As in `alt_test`, and so is the source.

    Returns
    -------
    pandas.DataFrame
        `by`..., `judge`, `coder` (the person left out), `rho_judge` and `rho_coder` (the share of records on which each
        is at least as near to the other people; ties count for both), `difference` (`rho_judge` less `rho_coder`; H0
        is that it is no more than minus epsilon), `p` (one-sided), `p_adjusted` (Benjamini and Yekutieli 2001, over
        the people), `rejected` (`p_adjusted` is no higher than alpha: the judge wins), `n` (records that this person,
        another one and the judge answered) and `note`. A person who was not tested has NaN, and the note says why.

    Raises
    ------
    SetupError
        As in `alt_test`.

    Examples
    --------
    >>> import pandas as pd
    >>> said = {"ana": "yyn", "ben": "yny", "eva": "nyy", "judge": "yyy"}
    >>> rows = [(i, "calm", who, codes[i % 3]) for who, codes in said.items() for i in range(60)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> found = alt_test_coders(ratings, judges=["judge"])
    >>> found[["coder", "rho_judge", "rho_coder", "rejected"]].round(2).values.tolist()
    [['ana', 1.0, 0.67, True], ['ben', 1.0, 0.67, True], ['eva', 1.0, 0.67, True]]
    """
    import pandas as pd

    rows = [
        one.key
        | {
            "judge": one.judge,
            "coder": against.coder,
            "rho_judge": against.rho_judge,
            "rho_coder": against.rho_coder,
            "difference": against.rho_judge - against.rho_coder,
            "p": against.p,
            "p_adjusted": against.p_adjusted,
            "rejected": pd.NA if np.isnan(against.p) else against.p_adjusted <= significance,
            "n": against.n,
            "note": against.note,
        }
        for one in tests(ratings, by, judges, coders, epsilon, significance, replicate_mode)
        for against in one.against
    ]
    return pd.DataFrame(rows).astype({"rejected": "boolean"})
