"""The SQL views that people query, generated from the row models.

So a renamed column cannot be missing in a view. `scores` and `traces` are views, because answers and outputs are stored
once, in tables of their own (see `append`).

`latest_scores` and the other `latest_` views show one trace per design: the newest finished one, else the newest. So a
re-run never counts twice, and a cancelled repetition never hides an answer. Trace ids are UUIDv7, so the greatest is
the newest. Scores are selected by their own status, without a join, which is four times as fast. Bodies are joined
last, to the selected rows. DuckDB joins them even if a query does not use them, which takes about 20 ms per 200,000
scores.
"""

from __future__ import annotations

from .._internal.ids import digest
from ..schema import FINISHED, STATUSES, Call, Label, RecordRow, Row, Score, Trace
from .append import SPLIT_TABLES


def _column_list(model: type[Row], alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in model.model_fields)


def _query_with_bodies(model: type[Row], rows: str) -> str:
    """A query for all columns of a model, from a query for its rows and the table of its bodies."""
    split_table = SPLIT_TABLES[model]
    columns = ", ".join(f"{'b' if name in split_table.columns else 'r'}.{name}" for name in model.model_fields)
    return f"select {columns} from {rows} r left join {split_table.bodies} b using ({split_table.key})"


_FINISHED = ", ".join(f"'{status}'" for status in sorted(FINISHED))
assert set(STATUSES) >= FINISHED  # the literals above are our own words, never a user's


def _latest(rows: str, key: str) -> str:
    """A query for one row per key: the newest finished one, else the newest."""
    newest = f"case when status in ({_FINISHED}) then '1' else '0' end || trace_id"  # one key sorts faster than two
    return f"(select * from {rows} qualify row_number() over (partition by {key} order by {newest} desc) = 1)"


# Buttermilk's users know a score by these names.
_BUTTERMILK = {
    "judge_model": "s.model",
    "judge_template": "t.prompt_hash",
    "judge_criteria": "s.criteria_set",
    "judge_role": "t.role",
    "violating": "s.flagged",
    "label": "s.category",
    "timestamp": "t.started_at",
    "call_ids": "coalesce(c.call_ids, [])",
    # What a scorer says of the answer; empty without one.
    "scorer": "x.step",
    "scoring_model": "x.model",
    "scoring_template": "x.prompt_hash",
    "scorer_call_id": "xc.call_ids[-1]",
    "assessment_reasons": "a.reasons",
    "assessment_correct": "a.correct",
    "assessment_feedback": "a.feedback",
    "correctness": "a.correctness",
}

VIEWS: dict[str, str] = {
    "scores": _query_with_bodies(Score, "score_rows"),
    "traces": _query_with_bodies(Trace, "trace_rows"),
    "latest_traces": _query_with_bodies(Trace, _latest("trace_rows", "design_id")),
    "latest_scores": _query_with_bodies(Score, _latest("score_rows", "design_id, criterion")),
    "latest_records": f"""
        select {_column_list(RecordRow, "r")} from records r
        qualify row_number() over (partition by record_id, record_hash order by first_seen_at desc) = 1""",
    # The newest code counts; if it was withdrawn, its status says so.
    "latest_labels": f"""
        select {_column_list(Label, "l")} from labels l
        qualify row_number() over (
            partition by coder, record_id, record_hash, criteria_hash, criterion, round
            order by coded_at desc, label_id desc) = 1""",
    "judge_scores": f"""
        with call_lists as (select trace_id, list(call_id order by call_id) as call_ids from calls group by trace_id),
        assessed as (
            select assessed_trace_id, criterion, trace_id, list(reason order by reason_index) as reasons,
                   list(matched order by reason_index) as correct, list(feedback order by reason_index) as feedback,
                   case when count(matched) = count(*) then avg(matched::int) end as correctness
            from assessments group by assessed_trace_id, criterion, trace_id
        )
        select {_column_list(Score, "s")}, {", ".join(f"{sql} as {name}" for name, sql in _BUTTERMILK.items())}
        from scores s join trace_rows t using (trace_id)
        left join call_lists c using (trace_id)
        left join assessed a on a.assessed_trace_id = s.trace_id and a.criterion = s.criterion
        left join trace_rows x on x.trace_id = a.trace_id
        left join call_lists xc on xc.trace_id = a.trace_id""",
    # The newest answers of judges and codes of people, in one long table; `bm.ratings()` adds codes from the data.
    "ratings": """
        select record_id, record_hash, criteria_set, criteria_hash, criterion, concat_ws(' · ', judge, model) as coder,
               'instrument' as kind, judge, model, replicate, category, value, flagged, status, run_id
        from latest_scores
        union all
        select record_id, record_hash, criteria_set, criteria_hash, criterion, coder, 'human', null, null, 0, category,
               value, flagged, case status when 'coded' then 'ok' else status end, null
        from latest_labels where status <> 'withdrawn'""",
    "judgements": f"select {_column_list(Trace, 't')} from latest_traces t where t.role = 'judge'",
    # How many of the expert's reasons an answer gives: one row per assessed answer, criterion and scorer.
    "reason_recall": """
        select a.run_id, a.record_id, t.step as judge, t.model, t.replicate, t.criteria_set, a.criterion,
               t.criteria_hash, x.step as scorer,
               x.model as scoring_model, x.replicate as scoring_replicate, count(*) as n_reasons,
               count(a.matched) as n_assessed, count(*) filter (a.matched) as n_matched,
               case when count(a.matched) = count(*) then avg(a.matched::int) end as recall,
               any_value(len(s.reasons)) as n_given,
               case when count(a.matched) = count(*) then
                   list_filter(any_value(coalesce(s.reasons, [])), lambda said, place:
                       not list_contains(flatten(list(coalesce(a.matched_by, []))), (place - 1)::integer))
               end as beyond_the_expert,
               a.assessed_trace_id, a.trace_id
        from assessments a join trace_rows t on t.trace_id = a.assessed_trace_id
        join trace_rows x on x.trace_id = a.trace_id
        left join scores s on s.trace_id = a.assessed_trace_id and s.criterion = a.criterion
        group by all""",
    # The position of each answer on topics where the answers differ: one row per topic, position and answer.
    "divergences": """
        with topics as (
            select t.*, unnest(from_json(json_extract(output, '$.divergences'),
                '[{"topic": "VARCHAR", "positions": [{"position": "VARCHAR", "answers": ["VARCHAR"]}]}]')) as d,
                generate_subscripts(json_extract(output, '$.divergences[*]'), 1) as topic_index
            from traces t where agent = 'differences' and status = 'ok' and json_valid(output)
        ), positions as (
            select topics.*, d.topic as topic, unnest(d.positions) as p,
                generate_subscripts(d.positions, 1) as position_index from topics
        ), held as (select positions.*, p.position as "position", unnest(p.answers) as answer from positions)
        select h.run_id, h.record_id, h.criteria_set, h.step, h.model as reader, h.replicate as reader_replicate,
               h.topic_index, h.topic, h.position_index, h."position", h.answer, t.step as judge, t.model, t.replicate,
               i.input_trace_id, h.trace_id
        from held h
        left join trace_inputs i on i.trace_id = h.trace_id
            and i."position" = try_cast(substr(h.answer, 2) as integer) - 1
        left join trace_rows t on t.trace_id = i.input_trace_id""",
    "calls_full": f"""
        select {_column_list(Call, "c")}, q.body as request, a.body as response
        from calls c
        left join texts q on q.text_hash = c.request_hash
        left join texts a on a.text_hash = c.response_hash""",
    # Texts sent to providers; answers from the cache, or shared with another cell, were not sent again.
    "egress": """
        select c.asked_at, c.provider, c.model_requested, t.record_id, t.record_hash, c.request_hash, c.redaction,
               c.status, c.run_id
        from calls c left join trace_rows t using (trace_id)
        where c.remote and not c.cached""",
    "costs": """
        select c.run_id, t.step, c.model_requested as model, count(*) as calls,
               count(*) filter (c.cached) as cached, sum(c.cost_usd) as spent_usd, sum(c.saved_usd) as saved_usd,
               sum(c.max_cost_usd) as unknown_usd,
               count(*) filter (not c.cached and c.response_hash is not null and c.cost_usd is null) as without_price,
               sum(c.tokens_in) filter (not c.cached) as tokens_in,
               sum(c.tokens_out) filter (not c.cached) as tokens_out
        from calls c left join trace_rows t using (trace_id)
        group by c.run_id, t.step, c.model_requested""",
    "call_timing": """
        select model_requested as model, count(*) as n, count(*) filter (response_hash is null) as failed,
               quantile_cont(latency_s, 0.5) as median_s, quantile_cont(latency_s, 0.95) as p95_s,
               coalesce(sum(waited_s), 0) as waited_s, max(attempt) as most_attempts,
               count(*) filter (attempt > 1) as repeated
        from calls where not cached group by model_requested""",
}
"""The views in the order in which they are created: a view comes after those that it reads."""

VIEWS_HASH = digest("v1", *(f"{name}={sql}" for name, sql in VIEWS.items()))
