"""How often the order in which two texts are shown changes which of them is chosen.

A model that judges the texts and not their places gives the same answer in both orders. Where it does not, the answer
in either order says little about the texts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from ...errors import SetupError
from .ratings_frame import FEW, prepare_ratings

if TYPE_CHECKING:
    import pandas as pd

ORDERS = ("given", "swapped")
_KEYS = ["criteria_set", "criterion", "criteria_hash", "coder", "judge", "model"]
_ANSWER_BY_PLACE = {"given": ("first", "second"), "swapped": ("second", "first")}
"""Which text is shown first, and which second."""


def order_flips(ratings: pd.DataFrame) -> pd.DataFrame:
    """The answers of each instrument on each pair in both orders.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, with pairs that a `Pairwise` step asked in both orders.

    Returns
    -------
    pandas.DataFrame
        One row per instrument, pair and replicate: `criteria_set`, `criterion`, `criteria_hash`, `coder` (without the
        order), `judge`, `model`, `record_id`, `replicate`, `given` and `swapped` (the answers: `first`, `second`,
        `tie`; missing where there is none), and `flipped` (NA where one is missing).

    Raises
    ------
    SetupError
        No pair was asked in both orders.

    Examples
    --------
    >>> import pandas as pd
    >>> said = {"p1": ("first", "first"), "p2": ("first", "second")}
    >>> rows = [(r, "kinder", f"m ({o} order)", o, a) for r, two in said.items() for o, a in zip(ORDERS, two)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "order", "category"])
    >>> order_flips(ratings)[["record_id", "given", "swapped", "flipped"]].values.tolist()
    [['p1', 'first', 'first', False], ['p2', 'first', 'second', True]]
    """
    import pandas as pd

    if "order" not in ratings.columns or not set(ORDERS) <= set(ratings.order.dropna()):
        raise SetupError(
            'no pair was asked in both orders; bm.Pairwise("compare", ...) does so unless orders="given" is written.'
        )
    found = prepare_ratings(ratings).assign(**{name: None for name in ("model",) if name not in ratings.columns})
    found = found[found.order.isin(ORDERS)]
    coders = [
        str(coder).removesuffix(order_suffix(order)) for coder, order in zip(found.coder, found.order, strict=True)
    ]
    found = found.assign(coder=coders, said=found.category.where(found.usable))
    keys = [*_KEYS, "record_id", "replicate"]
    found[keys] = found[keys].astype(object).where(found[keys].notna(), None)
    both = found.set_index([*keys, "order"]).said.unstack("order").reindex(columns=list(ORDERS)).reset_index()
    flipped = (both.given != both.swapped).astype("boolean").mask(both[list(ORDERS)].isna().any(axis=1), pd.NA)
    return both.assign(flipped=flipped).rename_axis(columns=None)


def order_bias(ratings: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """How often each instrument changes its answer with the order, and which place it favours.

    Parameters
    ----------
    ratings
        As in `order_flips`.
    confidence
        Of the interval.

    Returns
    -------
    pandas.DataFrame
        One row per instrument: `criteria_set`, `criterion`, `criteria_hash`, `coder`, `judge`, `model`, then

        - `n`: pairs with an answer in both orders (in at least one replicate), `n_flipped`: those of them whose answer
          changes (in any replicate), `n_excluded`: pairs without;
        - `flip_rate`: the share that changes, computed within each replicate and averaged over the replicates of a
          pair, then over pairs; `flip_rate_low` and `flip_rate_high`: Wilson's interval, with the pairs as the sample;
        - `flip_rate_least` and `flip_rate_most`: bounds over all pairs, had those without an answer stayed or changed;
        - `chose_first_shown`: of the answers that name a text, the share that name the one shown first; over pairs
          answered in both orders it is one half where the place does not matter;
        - `note`.

    Raises
    ------
    SetupError
        No pair was asked in both orders, or the level is none.

    Notes
    -----
    Pairs that share a text are not independent, and the interval is then too narrow. Where the pairs have clusters,
    `stability(ratings, by=["criterion", "judge", "model"], over="order")` resamples those.

    References
    ----------
    Wilson, E. B. 1927. Probable inference, the law of succession, and statistical inference. JASA 22: 209-212.

    Examples
    --------
    >>> import pandas as pd
    >>> said = {"p1": ("first", "first"), "p2": ("first", "second")}
    >>> rows = [(r, "kinder", f"m ({o} order)", o, a) for r, two in said.items() for o, a in zip(ORDERS, two)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "order", "category"])
    >>> order_bias(ratings)[["n", "flip_rate", "chose_first_shown"]].values.tolist()
    [[2.0, 0.5, 0.75]]
    """
    import pandas as pd

    if not 0 < confidence < 1:
        raise SetupError(f"confidence={confidence}: the level of an interval is between 0 and 1, such as 0.95.")
    flips = order_flips(ratings)
    clusters = ratings.cluster if "cluster" in ratings.columns else pd.Series(dtype=object)
    shared = len(set(ratings.record_id[clusters.notna()])) > clusters.nunique() if len(clusters) else False
    rows = []
    for key, part in flips.groupby(_KEYS, dropna=False, sort=True):
        rows.append({**dict(zip(_KEYS, key, strict=True)), **_bias_row(part, confidence, shared=shared)})
    return pd.DataFrame(rows)


def _bias_row(part: pd.DataFrame, confidence: float, *, shared: bool) -> dict[str, Any]:
    answered = part[part.flipped.notna()]
    rates = answered.flipped.astype(float).groupby(answered.record_id).mean()
    n, planned = len(rates), part.record_id.nunique()
    rate = float(rates.mean()) if n else math.nan
    low, high = wilson_interval(rate, n, confidence)
    shown = [(order, answer) for order in ORDERS for answer in answered[order] if answer in _ANSWER_BY_PLACE[order]]
    first = sum(answer == _ANSWER_BY_PLACE[order][0] for order, answer in shown)
    return {
        "n": n,
        "n_flipped": int((rates > 0).sum()),
        "n_excluded": planned - n,
        "flip_rate": rate,
        "flip_rate_low": low,
        "flip_rate_high": high,
        "flip_rate_least": float(rates.sum()) / planned,
        "flip_rate_most": (float(rates.sum()) + planned - n) / planned,
        "chose_first_shown": first / len(shown) if shown else math.nan,
        "note": _bias_note(n, shared=shared),
    }


def _bias_note(n: int, *, shared: bool) -> str:
    said: Sequence[str] = (
        *(("No pair has an answer in both orders.",) if not n else ()),
        *((f"It rests on {n:,} pairs; below {FEW} no conclusion follows.",) if 0 < n < FEW else ()),
        *(("Pairs of one cluster are taken as independent.",) if shared and n else ()),
    )
    return " ".join(said)


def wilson_interval(share: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval for a share of `n` independent cases; NaN without any.

    Examples
    --------
    >>> [round(end, 4) for end in wilson_interval(0.1, 50)]
    [0.0435, 0.2136]
    """
    if not n:
        return math.nan, math.nan
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def order_suffix(order: object) -> str:
    """How an order stands in the name of an instrument; nothing where there is none."""
    return f" ({order} order)" if order in ORDERS else ""


def fill_missing_orders(judged: pd.DataFrame, asked: Sequence[str]) -> pd.DataFrame:
    """The rows of judges, those of pairs that have no trace yet in the order that is still to come.

    Parameters
    ----------
    judged
        Rows with `order`, missing for those.
    asked
        The steps that ask in both orders.
    """
    open_ = judged.order.isna() & judged.judge.isin(list(asked))
    if not open_.any():
        return judged
    keys = ["record_id", "judge", "model", "replicate", "criteria_hash"]
    done = {tuple(row) for row in judged.loc[judged.order.notna(), [*keys, "order"]].itertuples(index=False)}
    orders = []
    for row in judged.loc[open_, keys].itertuples(index=False):
        order = next((one for one in ORDERS if (*row, one) not in done), None)
        done.add((*row, order))
        orders.append(order)
    judged = judged.copy()
    judged.loc[open_, "order"] = orders
    return judged
