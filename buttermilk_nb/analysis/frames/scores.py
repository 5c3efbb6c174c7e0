"""The scores and judgements of a run, as frames.

The design of the study decides the rows and their order, so that a notebook that shows a frame is the same on every
run. `design_id` is always a column and joins a frame to any other of the same run; ids and times of one execution are
in `traces` and `calls`. A missing answer is NULL, never 0 or False, and its status says why.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ...codebook.criterion import Criterion
from ...codebook.scales import Answer
from ...errors import InvalidAnswer
from ...store import Store
from .stored_criteria import stored_criteria

if TYPE_CHECKING:
    import pandas as pd


def scores(store: Store, run_id: str) -> pd.DataFrame:
    """One row per judge x criterion x record x replicate of a run.

    `truth` is the expert's code as the run had it, in the notation of the scale (`Yes` and `True` become `yes`), so
    that it can be compared with `category`.
    """
    frame = store.df(
        """
        select s.record_id, s.judge, s.criteria_set, s.criterion, s.model, s.replicate, s.category, s.value,
               s.answer_note, s.flagged, s.uncertainty, s.conclusion, s.reasons, s.status,
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
    _normalise_truth(store, frame)
    return frame


def _normalise_truth(store: Store, frame: pd.DataFrame) -> None:
    """Write each distinct code in the notation of its scale; a code that is not on the scale stays as it is."""
    distinct = frame.loc[frame.truth.notna(), ["criteria_hash", "criterion", "truth"]].drop_duplicates()
    documents = stored_criteria(store, distinct.criteria_hash.unique())
    for row in distinct.to_dict("records"):
        if row["criteria_hash"] not in documents:
            continue
        criterion = documents[row["criteria_hash"]][row["criterion"]]
        answer = _parse_truth(criterion, row["truth"])
        if answer is not None and answer.category is not None and answer.category != row["truth"]:
            is_question = (frame.criteria_hash == row["criteria_hash"]) & (frame.criterion == row["criterion"])
            frame.loc[is_question & (frame.truth == row["truth"]), "truth"] = answer.category


def _parse_truth(criterion: Criterion, code: str) -> Answer | None:
    """The answer that a stored code means: the text itself, else its JSON value (`true`, `4.0`)."""
    for parse in (str, json.loads):
        try:
            return criterion.parse_code(parse(code))
        except (ValueError, InvalidAnswer):
            continue
    return None


def judgements(store: Store, run_id: str) -> pd.DataFrame:
    """One row per judge, record and replicate: the verdict on the document as a whole."""
    return store.df(
        """
        select t.record_id, t.step as judge, t.criteria_set, t.model, t.replicate, t.flagged, t.status,
               t.error_message, t.design_id
        from traces t where t.run_id = ? and t.role = 'judge'
        order by t.record_id, t.step, t.criteria_set, t.model, t.replicate""",
        [run_id],
    )
