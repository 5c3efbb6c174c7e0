"""The two orders in which a pairwise step shows the texts of a pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

ORDERS = ("given", "swapped")


def order_suffix(order: object) -> str:
    """The end of an instrument's name that says the order; empty if there is no order."""
    return f" ({order} order)" if order in ORDERS else ""


def fill_missing_orders(judged: pd.DataFrame, both_orders: Sequence[str]) -> pd.DataFrame:
    """Set the order of planned answers that have no trace yet: the order that the pair still lacks.

    Parameters
    ----------
    judged
        The rows of judges; `order` is missing in those without a trace.
    both_orders
        The steps that show each pair in both orders.
    """
    is_open = judged.order.isna() & judged.judge.isin(list(both_orders))
    if not is_open.any():
        return judged
    keys = ["record_id", "judge", "model", "replicate", "criteria_hash"]
    done = {tuple(row) for row in judged.loc[judged.order.notna(), [*keys, "order"]].itertuples(index=False)}
    orders = []
    for row in judged.loc[is_open, keys].itertuples(index=False):
        order = next((order for order in ORDERS if (*row, order) not in done), None)
        done.add((*row, order))
        orders.append(order)
    judged = judged.copy()
    judged.loc[is_open, "order"] = orders
    return judged
