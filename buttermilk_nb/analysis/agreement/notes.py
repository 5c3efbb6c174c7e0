"""What a coefficient does and does not say, in a sentence of plain English."""

from __future__ import annotations

import math

from ..._internal.text import pluralise
from ..coefficients import Coefficient
from ..shared.ratings_frame import FEW

_CHANCE = ("cohen_kappa", "scott_pi", "fleiss_kappa", "conger_kappa", "krippendorff_alpha", "light_kappa")
_MUCH, _GAP = 0.8, 0.3  # shares: from where on one code and the raw agreement count as high, and chance as the reason


def agreement_note(
    coefficient: Coefficient,
    value: float,
    percent: float,
    frequent: str | None,
    share: float,
    units: int,
    why: str | None,
    dependent: bool,
    wordings: int,
    taught: int,
) -> str:
    """Why it is undefined, the paradox where there is one, and what does not follow.

    The paradox is that of Feinstein and Cicchetti (1990): coders who nearly always agree, and a coefficient that is
    low all the same, because one code is so frequent that chance alone would make them agree.
    """
    said = []
    if why:
        said.append(why)
    elif coefficient.name.startswith(_CHANCE) and percent - value >= _GAP and percent >= _MUCH and share >= _MUCH:
        said.append(
            f"{coefficient.title} is {value:.2f}, but the coders agree on {percent:.0%}: one code (`{frequent}`) is "
            f"{share:.0%} of the data, so chance alone would make them agree often. Read Gwet's AC1 and the rows per "
            "category beside it."
        )
    if math.isfinite(value) and units < FEW:
        said.append(f"It rests on {units:,} records; below {FEW} no conclusion follows.")
    if dependent:
        said.append("One of the two has seen the other's answers, or both have read the same ones.")
    if taught:
        said.append(f"Left out: {pluralise(taught, 'record')} decided on as an edge case of these criteria.")
    if wordings > 1:
        said.append(f"Codes that were made under {wordings} different wordings are taken together.")
    return " ".join(said)
