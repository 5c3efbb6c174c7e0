"""Order effects: how often the order of two texts changes which of them is chosen.

A model that judges the texts and not their places gives the same answer in both orders. If it does not, the answer in
either order says little about the texts.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from ..._internal.arguments import check_arguments
from ...errors import SetupError
from ..frames.pair_orders import ORDERS, order_suffix
from .bootstrap import check_confidence
from .notes import few_records_note, join_sentences
from .ratings_frame import as_ratings, prepare_ratings

if TYPE_CHECKING:
    import pandas as pd

_KEYS = ["criteria_set", "criterion", "criteria_hash", "coder", "judge", "model"]
_ANSWER_BY_PLACE = {"given": ("first", "second"), "swapped": ("second", "first")}
"""For each order, the answer that names the text shown first, and the one that names the text shown second."""


@check_arguments
def order_flips(ratings: pd.DataFrame) -> pd.DataFrame:
    """The answers of each instrument on each pair in both orders.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, with pairs that a `Pairwise` step showed in both orders.

    Returns
    -------
    pandas.DataFrame
        One row per instrument, pair and replicate: `criteria_set`, `criterion`, `criteria_hash`, `coder` (without the
        order), `judge`, `model`, `record_id`, `replicate`, `given` and `swapped` (the answers: `first`, `second`,
        `tie`; missing if there is no answer), and `flipped` (NA if one is missing).

    Raises
    ------
    SetupError
        No pair was shown in both orders.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = {"p1": ("first", "first"), "p2": ("first", "second")}
    >>> rows = [(r, "kinder", f"m ({o} order)", o, a) for r, both in answers.items() for o, a in zip(ORDERS, both)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "order", "category"])
    >>> order_flips(ratings)[["record_id", "given", "swapped", "flipped"]].values.tolist()
    [['p1', 'first', 'first', False], ['p2', 'first', 'second', True]]
    """
    import pandas as pd

    ratings = as_ratings(ratings)
    if "order" not in ratings.columns or not set(ORDERS) <= set(ratings.order.dropna()):
        raise SetupError(
            'no pair was shown in both orders; bm.Pairwise("compare", ...) does so unless you write orders="given".'
        )
    frame = prepare_ratings(ratings).assign(**{name: None for name in ("model",) if name not in ratings.columns})
    frame = frame[frame.order.isin(ORDERS)]
    coders = [
        str(coder).removesuffix(order_suffix(order)) for coder, order in zip(frame.coder, frame.order, strict=True)
    ]
    frame = frame.assign(coder=coders, answer=frame.category.where(frame.usable))
    keys = [*_KEYS, "record_id", "replicate"]
    frame[keys] = frame[keys].astype(object).where(frame[keys].notna(), None)
    both = frame.set_index([*keys, "order"]).answer.unstack("order").reindex(columns=list(ORDERS)).reset_index()
    flipped = (both.given != both.swapped).astype("boolean").mask(both[list(ORDERS)].isna().any(axis=1), pd.NA)
    return both.assign(flipped=flipped).rename_axis(columns=None)


@check_arguments
def order_bias(ratings: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """How often each instrument changes its answer with the order, and which place it favours.

    Parameters
    ----------
    ratings
        As in `order_flips`.
    confidence
        The level of the interval, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row per instrument: `criteria_set`, `criterion`, `criteria_hash`, `coder`, `judge`, `model`, then

        - `n`: pairs with an answer in both orders (in at least one replicate), `n_flipped`: those whose answer
          changes (in any replicate), `n_excluded`: pairs without answers in both orders;
        - `flip_rate`: the share that changes, computed within each replicate and averaged over the replicates of a
          pair, then over pairs; `flip_rate_low` and `flip_rate_high`: Wilson's interval, with the pairs as the sample;
        - `flip_rate_least` and `flip_rate_most`: bounds over all pairs, if no pair without an answer had changed, or
          if all had;
        - `chose_first_shown`: of the answers that name a text, the share that name the one shown first; over pairs
          answered in both orders it is one half if the place does not matter;
        - `note`.

    Raises
    ------
    SetupError
        No pair was shown in both orders, or `confidence` is not between 0 and 1.

    Notes
    -----
    Pairs that share a text are not independent, and the interval is then too narrow. If the pairs have clusters,
    `stability(ratings, by=["criterion", "judge", "model"], over="order")` resamples the clusters.

    References
    ----------
    Wilson, E. B. 1927. Probable inference, the law of succession, and statistical inference. JASA 22: 209-212.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = {"p1": ("first", "first"), "p2": ("first", "second")}
    >>> rows = [(r, "kinder", f"m ({o} order)", o, a) for r, both in answers.items() for o, a in zip(ORDERS, both)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "order", "category"])
    >>> order_bias(ratings)[["n", "flip_rate", "chose_first_shown"]].values.tolist()
    [[2.0, 0.5, 0.75]]
    """
    import pandas as pd

    check_confidence(confidence)
    flips = order_flips(ratings)
    clusters = ratings.cluster if "cluster" in ratings.columns else pd.Series(dtype=object)
    is_clustered = len(set(ratings.record_id[clusters.notna()])) > clusters.nunique() if len(clusters) else False
    rows = []
    for key, part in flips.groupby(_KEYS, dropna=False, sort=True):
        rows.append({**dict(zip(_KEYS, key, strict=True)), **_bias_row(part, confidence, is_clustered=is_clustered)})
    return pd.DataFrame(rows)


def wilson_interval(share: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval for a share of `n` independent cases; NaN if there are none.

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


def _bias_row(part: pd.DataFrame, confidence: float, *, is_clustered: bool) -> dict[str, Any]:
    answered = part[part.flipped.notna()]
    pair_rates = answered.flipped.astype(float).groupby(answered.record_id).mean()
    n, n_pairs = len(pair_rates), part.record_id.nunique()
    rate = float(pair_rates.mean()) if n else math.nan
    low, high = wilson_interval(rate, n, confidence)
    choices = [(order, answer) for order in ORDERS for answer in answered[order] if answer in _ANSWER_BY_PLACE[order]]
    n_first = sum(answer == _ANSWER_BY_PLACE[order][0] for order, answer in choices)
    return {
        "n": n,
        "n_flipped": int((pair_rates > 0).sum()),
        "n_excluded": n_pairs - n,
        "flip_rate": rate,
        "flip_rate_low": low,
        "flip_rate_high": high,
        "flip_rate_least": float(pair_rates.sum()) / n_pairs,
        "flip_rate_most": (float(pair_rates.sum()) + n_pairs - n) / n_pairs,
        "chose_first_shown": n_first / len(choices) if choices else math.nan,
        "note": join_sentences(
            "" if n else "No pair has an answer in both orders.",
            few_records_note(n, "pair"),
            "Pairs of one cluster are treated as independent." if is_clustered and n else "",
        ),
    }
