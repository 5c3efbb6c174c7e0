"""The traces of a run, its calls, errors, models and counts, as frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...store import Store

if TYPE_CHECKING:
    import pandas as pd


def traces(store: Store, run_id: str) -> pd.DataFrame:
    """Every trace of a run, with its ids and times."""
    return store.df(
        "select * exclude (run_id) from traces where run_id = ? "
        "order by record_id, step, criteria_set, model, replicate",
        [run_id],
    )


def calls(store: Store, run_id: str) -> pd.DataFrame:
    """Every call of a run, with the request as it was sent and the reply as it was received."""
    return store.df(
        """
        select t.record_id, t.step, t.criteria_set, t.replicate, c.* exclude (run_id)
        from calls_full c join traces t using (trace_id)
        where c.run_id = ? order by t.record_id, t.step, t.criteria_set, t.model, t.replicate, c.call_id""",
        [run_id],
    )


def errors(store: Store, run_id: str) -> pd.DataFrame:
    """Every planned answer of a run that is not usable, with the reason and the raw text."""
    return store.df(
        """
        select c.record_id, c.step, c.criteria_set, c.model, c.replicate, coalesce(t.status, 'pending') as status,
               t.error_type, t.error_message, t.output as raw_text, c.design_id
        from cells c left join traces t on t.run_id = c.run_id and t.design_id = c.design_id
        where c.run_id = ? and coalesce(t.status, 'pending') <> 'ok'
        order by c.record_id, c.step, c.criteria_set, c.model, c.replicate""",
        [run_id],
    )


def models(store: Store, run_id: str) -> pd.DataFrame:
    """The exact model and the time of its calls: one row per instrument (step, model as served, prompt, parameters)."""
    return store.df(
        """
        select t.step, c.model_requested, c.model_served, c.fingerprint, t.prompt_hash,
               min(c.answered_at) as first_answered_at, max(c.answered_at) as last_answered_at,
               c.params_sent, c.params_dropped, count(*) as n
        from calls c join traces t using (trace_id)
        where c.run_id = ? group by all order by t.step, c.model_requested, c.model_served, c.fingerprint""",
        [run_id],
    )


def status_counts(store: Store, run_id: str) -> dict[str, int]:
    """The number of planned answers of a run by status; those without a trace are pending."""
    with store.reading() as con:
        counts = con.execute(
            """
            select coalesce(t.status, 'pending') as status, count(*) from cells c
            left join traces t on t.run_id = c.run_id and t.design_id = c.design_id
            where c.run_id = ? group by 1""",
            [run_id],
        ).fetchall()
    return dict(counts)
