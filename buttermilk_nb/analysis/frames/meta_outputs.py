"""Frames of the agents that read answers: assessments, divergences, votes, review queue, extractions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...errors import SetupError, nearest
from ...store import Store
from .quotations import SearchableText

if TYPE_CHECKING:
    import pandas as pd


def assessments(store: Store, run_id: str) -> pd.DataFrame:
    """One row per expert's reason and assessed answer."""
    return store.df(
        """
        select a.record_id, t.step as judge, t.model, t.replicate, t.criteria_set, a.criterion, a.reason_index,
               a.reason, a.matched, a.matched_by, a.feedback, a.status, x.step as scorer, x.model as scoring_model,
               x.replicate as scoring_replicate, a.assessed_trace_id, a.trace_id
        from assessments a join trace_rows t on t.trace_id = a.assessed_trace_id
        join trace_rows x on x.trace_id = a.trace_id
        where a.run_id = ? order by all""",
        [run_id],
    )


def reason_recall(store: Store, run_id: str) -> pd.DataFrame:
    """One row per assessed answer and criterion: the share of the expert's reasons that the answer gives."""
    return store.df(
        "select * exclude (run_id) from reason_recall where run_id = ? "
        "order by record_id, judge, model, replicate, criteria_set, criterion, scorer, scoring_model, "
        "scoring_replicate",
        [run_id],
    )


def divergences(store: Store, run_id: str) -> pd.DataFrame:
    """One row per topic, position and answer that takes this position."""
    frame = store.df(
        """
        select d.record_id, d.criteria_set, d.topic, d."position", d.judge, d.model, d.replicate, d.answer,
               d.step, d.reader, d.reader_replicate, d.input_trace_id, d.trace_id, d.topic_index, d.position_index
        from divergences d where d.run_id = ?
        order by d.record_id, d.criteria_set, d.step, d.reader, d.reader_replicate, d.topic_index, d.position_index,
                 d.judge, d.model, d.replicate""",
        [run_id],
    )
    return frame.drop(columns=["topic_index", "position_index"])


def conclusions(store: Store, run_id: str) -> pd.DataFrame:
    """One row per record and criteria set with compared answers: the conclusion, and the number of topics."""
    frame = store.df(
        """
        select record_id, criteria_set, step, model as reader, replicate as reader_replicate,
               json_extract_string(output, '$.conclusion') as conclusion,
               json_array_length(output, '$.divergences') as n_topics
        from traces where run_id = ? and agent = 'differences' and status = 'ok' and json_valid(output)
        order by all""",
        [run_id],
    )
    return frame.astype({"n_topics": "int64"})


def votes(store: Store, run_id: str) -> pd.DataFrame:
    """One row per panel, record, criterion and member: the vote, and the panel's answer with its dissent."""
    import pandas as pd

    panels = store.df(
        """
        select t.record_id, t.step as panel, t.criteria_set, s.criterion, s.category, s.value, s.status, t.output
        from traces t join scores s using (trace_id)
        where t.run_id = ? and t.agent = 'panel' and json_valid(t.output)
        order by t.record_id, t.step, t.criteria_set, s.criterion""",
        [run_id],
    )
    rows: list[dict[str, Any]] = []
    for row in panels.to_dict("records"):
        count = json.loads(row["output"])[row["criterion"]]
        answer = row["category"] if isinstance(row["category"], str) else row["value"]
        shared = {name: row[name] for name in ("record_id", "panel", "criteria_set", "criterion")}
        shared |= {
            "answer": None if answer != answer else answer,
            "dissent": count["dissent"],
        }  # NaN differs from itself
        members = {**count["votes"], **dict.fromkeys(count["without_vote"])}
        rows += [{**shared, "member": member, "vote": vote} for member, vote in sorted(members.items())]
    columns = ["record_id", "panel", "criteria_set", "criterion", "member", "vote", "answer", "dissent"]
    return pd.DataFrame(rows, columns=columns)


def review_queue(store: Store, run_id: str) -> pd.DataFrame:
    """One row per contested answer that needs a person's decision."""
    import pandas as pd

    escalations = store.df(
        """
        select record_id, criteria_set, step, output from traces
        where run_id = ? and agent = 'escalation' and model is null and status = 'skipped' and json_valid(output)
        order by record_id, criteria_set, step""",
        [run_id],
    )
    rows = [
        {
            "record_id": row["record_id"],
            "criteria_set": row["criteria_set"],
            "criterion": criterion,
            "dissent": contested["dissent"],
            "votes": ", ".join(f"{voter}: {vote}" for voter, vote in sorted(contested["votes"].items())),
        }
        for row in escalations.to_dict("records")
        for criterion, contested in json.loads(row["output"])["queue"].items()
    ]
    return pd.DataFrame(rows, columns=["record_id", "criteria_set", "criterion", "dissent", "votes"])


def extractions(store: Store, run_id: str, step: str) -> pd.DataFrame:
    """One row per extracted row, in the columns of the extractor, and whether its quotation is in the text."""
    import pandas as pd

    traces = store.df(
        """
        select t.record_id, t.model, t.replicate, t.output, r.content
        from traces t left join (select distinct record_id, record_hash, content from records) r
            using (record_id, record_hash)
        where t.run_id = ? and t.step = ? and t.agent = 'extractor' and t.status = 'ok' and json_valid(t.output)
        order by t.record_id, t.model, t.replicate""",
        [run_id, step],
    )
    if not len(traces):
        steps = store.df("select distinct step from traces where run_id = ? and agent = 'extractor'", [run_id]).step
        if step not in set(steps):
            raise SetupError(f"this run has no extractor `{step}`; {nearest(step, list(steps))}")
    rows: list[dict[str, Any]] = []
    for trace in traces.to_dict("records"):
        output = json.loads(trace["output"])
        text = SearchableText(trace["content"] or "")
        for i, extracted in enumerate(output["rows"]):
            row = {name: trace[name] for name in ("record_id", "model", "replicate")} | {"row": i, **extracted}
            if output["quote"]:
                passage = text.find(extracted[output["quote"]] or "")
                start, end = passage or (None, None)
                row |= {"verified": passage is not None, "start": start, "end": end}
            rows.append(row)
    frame = pd.DataFrame(rows, columns=None if rows else ["record_id", "model", "replicate", "row"])
    return frame.astype({name: "Int64" for name in ("start", "end") if name in frame})
