"""The note on a coefficient of agreement: why it is undefined, the kappa paradox, warnings."""

from __future__ import annotations

import math

from ..._internal.text import pluralise
from ..coefficients import Coefficient
from ..shared.notes import few_records_note, join_sentences

_CHANCE = ("cohen_kappa", "scott_pi", "fleiss_kappa", "conger_kappa", "krippendorff_alpha", "light_kappa")
_HIGH_SHARE, _GAP = 0.8, 0.3  # when the raw agreement and the share of one code are high, and the coefficient far lower


def agreement_note(
    coefficient: Coefficient,
    value: float,
    *,
    percent_agreement: float,
    most_frequent: str | None,
    share: float,
    n_units: int,
    undefined_reason: str | None,
    is_dependent: bool,
    n_wordings: int,
    n_in_edge_cases: int,
) -> str:
    """The sentences for one row.

    They include the paradox of Feinstein and Cicchetti (1990): the coders nearly always agree, and yet the coefficient
    is low, because one code is so frequent that chance alone would make them agree.
    """
    is_paradox = (
        not undefined_reason
        and coefficient.name.startswith(_CHANCE)
        and percent_agreement - value >= _GAP
        and min(percent_agreement, share) >= _HIGH_SHARE
    )
    return join_sentences(
        undefined_reason,
        f"{coefficient.title} is {value:.2f}, but the coders agree on {percent_agreement:.0%}: one code "
        f"(`{most_frequent}`) is {share:.0%} of the data, so chance alone would make them agree often. Also read "
        "Gwet's AC1 and the rows per category."
        if is_paradox
        else "",
        few_records_note(n_units) if math.isfinite(value) else "",
        "One of the two has seen the other's answers, or both have read the same ones." if is_dependent else "",
        f"Left out: {pluralise(n_in_edge_cases, 'record')} that these criteria use as an edge case."
        if n_in_edge_cases
        else "",
        f"This pools codes that were made under {n_wordings} different wordings." if n_wordings > 1 else "",
    )
