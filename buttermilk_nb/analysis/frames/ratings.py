"""Ratings: the long frame of all coders, people and instruments, that every statistic takes.

One row per coder, record, criterion and replicate, also without an answer: its status says why there is none, so that a
statistic can count the answers that it leaves out. People are those who coded here (`labels`), those whose codes came
with the data, and `truth`, the expert's code.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...codebook.criteria import Criteria
from ...codebook.edge_cases import edge_cases
from ...store import Store
from .human_codes import (
    NEWEST_TEXTS,
    CriterionWording,
    human_codes,
    labels_left_out,
    project_labels,
    run_labels,
)
from .pair_orders import fill_missing_orders, order_suffix
from .stored_criteria import stored_criteria

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "record_id", "criteria_set", "criterion", "coder", "kind", "replicate", "category", "value", "flagged", "status",
    "scale", "judge", "model", "cluster", "inclusion_p", "blind", "criteria_hash", "input_models", "order",
    "in_edge_cases",
)  # fmt: skip
_ORDER_IN_PARAMS = r'"order":\s*"(?:given|swapped)",?'
_ORDER = ["criteria_set", "criterion", "criteria_hash", "record_id", "kind", "coder", "replicate"]

_SCORED = """
    select s.record_id, s.criteria_set, s.criterion, s.judge, s.model, s.replicate, s.category, s.value, s.flagged,
           s.status, s.criteria_hash, t.prompt_hash, t.params,
           case when t.agent = 'pairwise' then json_extract_string(t.params, '$.order') end as "order"
    from {scores} s join traces t on t.trace_id = s.trace_id where {where}
"""
_NOT_CODERS = ("differences", "escalation", "scorer")
"""Kinds of agents that do not answer criteria, or only on some records."""
_UNSCORED = f"""
    with steps as (
        select unnest(from_json(
            json_extract(manifest, '$.flow.steps'), '[{{"name": "VARCHAR", "agent": "VARCHAR"}}]')) as s
        from runs where run_id = $run
    )
    select c.record_id, c.criteria_set, c.step as judge, c.model, c.replicate, c.criteria_hash,
           coalesce(t.status, 'pending') as status, null::varchar as "order",
           c.step in (select s.name from steps where s.agent = 'pairwise') as pairs
    from cells c left join traces t on t.run_id = c.run_id and t.design_id = c.design_id
    where c.run_id = $run and c.criteria_hash is not null
        and c.step not in (select s.name from steps where s.agent in {_NOT_CODERS})
        and not exists (from scores s where s.run_id = c.run_id and s.design_id = c.design_id)
"""  # noqa: S608  # our own words only
_INPUTS = """
    select distinct x.step as reader, t.step as input_step
    from trace_inputs i join trace_rows x on x.trace_id = i.trace_id join trace_rows t on t.trace_id = i.input_trace_id
    where x.step <> t.step and {where}
"""
_RECORDS_OF_A_RUN = """
    select distinct r.record_id, r.cluster, r.ground_truth, r.labels from records r
    join cells c on c.record_id = r.record_id and c.record_hash = r.record_hash and c.details_hash = r.details_hash
    where c.run_id = ?
"""


def run_ratings(store: Store, run_id: str) -> pd.DataFrame:
    """The ratings of one run: every planned answer of its judges, and the people's codes on the same questions.

    Only labels on the texts and the wording of the run count; a warning and `attrs["left_out"]` name the others.
    """
    scored = store.df(_SCORED.format(scores="scores", where="s.run_id = ?"), [run_id])
    unscored = store.df(_UNSCORED, {"run": run_id})
    inputs = store.df(_INPUTS.format(where="x.run_id = ?"), [run_id])
    records = store.df(_RECORDS_OF_A_RUN, [run_id])
    frame = _combine(store, scored, unscored, records, run_labels(store, run_id), inputs)
    return _with_left_out(frame, labels_left_out(store, run_id))


def project_ratings(store: Store) -> pd.DataFrame:
    """The ratings of a project: the newest finished answer of each design, and the people's newest codes.

    Only the newest text of each record counts: answers and codes on earlier texts are left out. Records that people
    have coded and no instrument has judged are included.
    """
    import pandas as pd

    scored = store.df(_SCORED.format(scores="latest_scores", where=f"(s.record_id, s.record_hash) in ({NEWEST_TEXTS})"))
    labels = project_labels(store)
    records = store.df(
        "select record_id, cluster, ground_truth, labels from latest_records "  # noqa: S608  # our own query
        f"where (record_id, record_hash) in ({NEWEST_TEXTS})"
    )
    rated = records.record_id.isin(scored.record_id) | records.record_id.isin(labels.record_id)
    inputs = store.df(_INPUTS.format(where="true"))
    frame = _combine(store, scored, pd.DataFrame(), records[rated], labels, inputs)
    return _with_left_out(frame, labels_left_out(store, None))


def _with_left_out(frame: pd.DataFrame, sentences: list[str]) -> pd.DataFrame:
    """The frame, with sentences on codes that are not in it as `attrs["left_out"]`; each is a warning too."""
    for sentence in sentences:
        warnings.warn(sentence, stacklevel=4)
    frame.attrs["left_out"] = tuple(sentences)
    return frame


def _combine(
    store: Store,
    scored: pd.DataFrame,
    unscored: pd.DataFrame,
    records: pd.DataFrame,
    labels: pd.DataFrame,
    inputs: pd.DataFrame,
) -> pd.DataFrame:
    import pandas as pd

    hashes = [name for part in (scored, unscored, labels) if len(part) for name in part.criteria_hash.unique()]
    documents = stored_criteria(store, dict.fromkeys(hashes))
    if len(unscored):
        names = {key: [criterion.name for criterion in document] for key, document in documents.items()}
        unscored = unscored.assign(criterion=unscored.criteria_hash.map(names)).explode("criterion")
    judged = pd.concat([part for part in (scored, unscored) if len(part)] or [scored], ignore_index=True)
    judged = fill_missing_orders(judged, list(unscored.judge[unscored.pairs]) if len(unscored) else [])
    input_models = judged.judge.map(_input_steps(inputs))
    judged = judged.assign(kind="instrument", coder=_instrument_names(judged), input_models=input_models)
    questions = [
        CriterionWording(document.name, key, criterion) for key, document in documents.items() for criterion in document
    ]
    frame = pd.concat([judged, human_codes(records, questions, labels)], ignore_index=True)
    scales = {
        (question.criteria_hash, question.criterion.name): question.criterion.scale.shorthand for question in questions
    }
    frame["scale"] = [scales.get(key) for key in zip(frame.criteria_hash, frame.criterion, strict=True)]
    frame["cluster"] = frame.record_id.map(dict(zip(records.record_id, records.cluster, strict=True)))
    frame["in_edge_cases"] = _in_edge_cases(frame, documents)
    frame = frame.reindex(columns=list(COLUMNS)).astype(
        {"replicate": "int64", "value": "float64", "flagged": "boolean", "inclusion_p": "float64", "blind": "boolean"}
    )
    return frame.sort_values(_ORDER, kind="stable", ignore_index=True)


def _in_edge_cases(frame: pd.DataFrame, documents: Mapping[str, Criteria]) -> list[bool]:
    """Whether the criteria by which a record is coded decide on this record as an edge case."""
    decided = {
        (key, case.criterion, record_id)
        for key, document in documents.items()
        for case in edge_cases(document)
        for record_id in case.record_ids
    }
    rows = zip(frame.criteria_hash, frame.criterion, frame.record_id, strict=True)
    return [row in decided for row in rows] if decided else [False] * len(frame)


def _input_steps(inputs: pd.DataFrame) -> dict[str, str]:
    """For each step that reads other steps, the names of all steps that it depends on, also indirectly."""
    direct: dict[str, set[str]] = {}
    for reader, step in zip(inputs.reader, inputs.input_step, strict=True):
        direct.setdefault(reader, set()).add(step)

    def upstream(step: str, visited: frozenset[str]) -> frozenset[str]:
        new = direct.get(step, set()) - visited
        return visited.union(new, *(upstream(name, visited | new) for name in new))

    return {step: ", ".join(sorted(upstream(step, frozenset()))) for step in direct}


def _instrument_names(judged: pd.DataFrame) -> pd.Series[str]:
    """Step and model; if one of them has several prompts or parameters, each way is an instrument of its own.

    The two orders of a pair are not such ways: they have names.
    """
    names = judged.judge + " · " + judged.model
    has_both_orders = judged.order.groupby([names, judged.criteria_hash]).transform("nunique") > 1
    orders = judged.order.where(has_both_orders, None).map(order_suffix)
    if "prompt_hash" not in judged:
        return names + orders
    has_prompt = judged.prompt_hash.notna()
    params = judged.params.astype(object).where(has_prompt, "").str.replace(_ORDER_IN_PARAMS, "", regex=True)
    way = (judged.prompt_hash + " " + params.where(judged.order.notna(), judged.params)).where(has_prompt)
    has_several = way.groupby([names, judged.criteria_hash, judged.order.fillna("")]).transform("nunique") > 1
    suffixes = {name: f" (way {n})" for n, name in enumerate(sorted(way.dropna().unique()), 1)}
    return names.where(~(has_several & has_prompt), names + way.where(has_prompt, "").map(suffixes)) + orders
