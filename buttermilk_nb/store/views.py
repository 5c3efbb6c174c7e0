"""The views that people query, written from the row models so that a renamed column cannot leave one behind.

`latest_scores` and its kin show one trace per design: the newest finished one, else the newest. A
re-run therefore never counts twice, and a cancelled repeat never hides an answer. Trace ids are UUIDv7, so the
greatest is the newest; scores are chosen by their own status, without a join, which is four times as fast.
"""

from __future__ import annotations

from .._ids import digest
from ..traces import FINISHED, STATUSES, Call, RecordRow, Row, Score, Trace


def _columns(model: type[Row], alias: str, leave: frozenset[str] = frozenset()) -> str:
    return ", ".join(f"{alias}.{name}" for name in model.model_fields if name not in leave)


_FINISHED = ", ".join(f"'{status}'" for status in sorted(FINISHED))
assert set(STATUSES) >= FINISHED  # the literals above are our own words, never a user's

# Buttermilk's users know a score by these names.
_BUTTERMILK = {
    "judge_model": "s.model",
    "judge_template": "t.prompt_hash",
    "judge_criteria": "s.criteria_set",
    "judge_role": "t.role",
    "violating": "s.flagged",
    "label": "s.category",
    "timestamp": "t.started_at",
}

VIEWS: dict[str, str] = {
    "latest_traces": f"""
        select {_columns(Trace, "t")} from traces t
        where trace_id in (
            select coalesce(max(trace_id) filter (status in ({_FINISHED})), max(trace_id))
            from traces group by design_id
        )""",
    "latest_scores": f"""
        select {_columns(Score, "s")} from scores s
        qualify row_number() over (
            partition by design_id, criterion order by (status in ({_FINISHED})) desc, trace_id desc
        ) = 1""",
    "latest_records": f"""
        select {_columns(RecordRow, "r")} from records r
        qualify row_number() over (partition by record_id, record_hash order by first_seen_at desc) = 1""",
    "judge_scores": f"""
        select {_columns(Score, "s")}, {", ".join(f"{sql} as {name}" for name, sql in _BUTTERMILK.items())}
        from scores s join traces t using (trace_id)""",
    "judgements": f"select {_columns(Trace, 't')} from latest_traces t where t.role = 'judge'",
    "calls_full": f"""
        select {_columns(Call, "c")}, q.body as request, a.body as response
        from calls c
        left join texts q on q.text_hash = c.request_hash
        left join texts a on a.text_hash = c.response_hash""",
}

VIEWS_HASH = digest("v1", *(f"{name}={sql}" for name, sql in VIEWS.items()))
