"""One dataframe function per grain: scores, judgements, traces, calls, errors, models.

A frame holds what the study determines, in an order that the study determines, so that a notebook that
shows it is the same on every run. `design_id` is always there and joins a frame to any other of the same
run; what belongs to one execution (ids, times) is in `traces` and `calls`. A missing answer is NULL, never
0 or False, and its status says why.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ...codebook.criteria import Criteria
from ...codebook.criterion import Criterion
from ...codebook.scales import Answer
from ...errors import InvalidAnswer
from ...store import Store

if TYPE_CHECKING:
    import pandas as pd


def scores(store: Store, run_id: str) -> pd.DataFrame:
    """One row per judge x criterion x record x replicate of a run.

    `truth` is the expert's code as the run had it, written as the scale writes its answers (`Yes` and `True`
    become `yes`), so that it can be compared with `category`.
    """
    found = store.df(
        """
        select s.record_id, s.judge, s.criteria_set, s.criterion, s.model, s.replicate, s.category, s.value,
               s.flagged, s.uncertainty, s.conclusion, s.reasons, s.status,
               coalesce(
                   json_extract_string(r.ground_truth, '/' || replace(replace(s.criterion, '~', '~0'), '/', '~1')),
                   json_extract_string(r.ground_truth, '/*')
               ) as truth,
               s.criteria_hash, s.design_id
        from scores s
        join cells c on c.run_id = s.run_id and c.design_id = s.design_id
        left join records r
            on r.record_id = s.record_id and r.record_hash = s.record_hash and r.details_hash = c.details_hash
        where s.run_id = ?
        order by s.record_id, s.judge, s.criteria_set, s.criterion, s.model, s.replicate""",
        [run_id],
    )
    _normalise_truth(store, found)
    return found


def _normalise_truth(store: Store, found: pd.DataFrame) -> None:
    """Write each distinct code as its scale does; a code that does not fit stays as it is."""
    distinct = found.loc[found.truth.notna(), ["criteria_hash", "criterion", "truth"]].drop_duplicates()
    documents: dict[str, Criteria] = {}
    for name in distinct.criteria_hash.unique():
        body = store.df("select body from texts where text_hash = ? limit 1", [name])
        if len(body):
            documents[name] = Criteria.from_markdown(str(body.body.iloc[0]))
    for row in distinct.to_dict("records"):
        if row["criteria_hash"] not in documents:
            continue
        criterion = documents[row["criteria_hash"]][row["criterion"]]
        answer = _parse_truth(criterion, row["truth"])
        if answer is not None and answer.category is not None and answer.category != row["truth"]:
            same = (found.criteria_hash == row["criteria_hash"]) & (found.criterion == row["criterion"])
            found.loc[same & (found.truth == row["truth"]), "truth"] = answer.category


def _parse_truth(criterion: Criterion, code: str) -> Answer | None:
    """A code as the Store's JSON gives it: text as it stands, else what the JSON means (`true`, `4.0`)."""
    for read in (str, json.loads):
        try:
            return criterion.parse(read(code))
        except (ValueError, InvalidAnswer):
            continue
    return None


def judgements(store: Store, run_id: str) -> pd.DataFrame:
    """One row per judged cell: the verdict on the document as a whole."""
    return store.df(
        """
        select t.record_id, t.step as judge, t.criteria_set, t.model, t.replicate, t.flagged, t.status,
               t.error_message, t.design_id
        from traces t where t.run_id = ? and t.role = 'judge'
        order by t.record_id, t.step, t.criteria_set, t.model, t.replicate""",
        [run_id],
    )
