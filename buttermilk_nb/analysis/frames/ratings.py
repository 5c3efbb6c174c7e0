"""Ratings: the long frame of all coders, people and instruments alike, that every statistic takes.

One row per coder, record, criterion and replicate, also where there is no answer: its status says why, so that a
statistic can count what it leaves out. People are those who coded here (`labels`), those whose codes came with the
data, and `truth`, the expert's code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ...codebook.criteria import Criteria
from ...codebook.edge_cases import edge_cases
from ...store import Store
from .human_codes import (
    NEWEST_TEXTS,
    TRUTH as TRUTH,  # where statistics look for it
    CriterionWording,
    human_codes,
    project_labels,
    run_labels,
)
from .pair_orders import fill_missing_orders, order_suffix

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
"""Kinds of agents that give no answers on criteria, or only on some records."""
_UNSCORED = f"""
    with others as (
        select unnest(from_json(
            json_extract(manifest, '$.flow.steps'), '[{{"name": "VARCHAR", "agent": "VARCHAR"}}]')) as s
        from runs where run_id = $run
    )
    select c.record_id, c.criteria_set, c.step as judge, c.model, c.replicate, c.criteria_hash,
           coalesce(t.status, 'pending') as status, null::varchar as "order",
           c.step in (select s.name from others where s.agent = 'pairwise') as pairs
    from cells c left join traces t on t.run_id = c.run_id and t.design_id = c.design_id
    where c.run_id = $run and c.criteria_hash is not null
        and c.step not in (select s.name from others where s.agent in {_NOT_CODERS})
        and not exists (from scores s where s.run_id = c.run_id and s.design_id = c.design_id)
"""  # noqa: S608  # our own words only
_READ = """
    select distinct x.step as reader, t.step as read
    from trace_inputs i join trace_rows x on x.trace_id = i.trace_id join trace_rows t on t.trace_id = i.input_trace_id
    where x.step <> t.step and {where}
"""
_RECORDS_OF_A_RUN = """
    select distinct r.record_id, r.cluster, r.ground_truth, r.labels from records r
    join cells c on c.record_id = r.record_id and c.record_hash = r.record_hash and c.details_hash = r.details_hash
    where c.run_id = ?
"""


def run_ratings(store: Store, run_id: str) -> pd.DataFrame:
    """The ratings of one run: every planned cell of its judges, and the people's codes on the same questions.

    Labels count for the texts and the wording that the run had; `labels(history=True)` has the others.
    """
    scored = store.df(_SCORED.format(scores="scores", where="s.run_id = ?"), [run_id])
    unscored = store.df(_UNSCORED, {"run": run_id})
    read = store.df(_READ.format(where="x.run_id = ?"), [run_id])
    records = store.df(_RECORDS_OF_A_RUN, [run_id])
    return _combine(store, scored, unscored, records, run_labels(store, run_id), read)


def project_ratings(store: Store) -> pd.DataFrame:
    """The ratings of a project: of each design the newest finished answer, and the people's newest codes.

    Of each record the newest text counts, with what was said of it: answers and codes on earlier texts stay out.
    Records that people have coded and nobody has judged are there too.
    """
    import pandas as pd

    scored = store.df(_SCORED.format(scores="latest_scores", where=f"(s.record_id, s.record_hash) in ({NEWEST_TEXTS})"))
    labels = project_labels(store)
    records = store.df(
        "select record_id, cluster, ground_truth, labels from latest_records "  # noqa: S608  # our own query
        f"where (record_id, record_hash) in ({NEWEST_TEXTS})"
    )
    rated = records.record_id.isin(scored.record_id) | records.record_id.isin(labels.record_id)
    return _combine(store, scored, pd.DataFrame(), records[rated], labels, store.df(_READ.format(where="true")))


def _combine(
    store: Store,
    scored: pd.DataFrame,
    unscored: pd.DataFrame,
    records: pd.DataFrame,
    labels: pd.DataFrame,
    read: pd.DataFrame,
) -> pd.DataFrame:
    import pandas as pd

    hashes = [name for part in (scored, unscored, labels) if len(part) for name in part.criteria_hash.unique()]
    documents = _load_criteria(store, dict.fromkeys(hashes))
    if len(unscored):
        names = {key: [c.name for c in document] for key, document in documents.items()}
        unscored = unscored.assign(criterion=unscored.criteria_hash.map(names)).explode("criterion")
    judged = pd.concat([part for part in (scored, unscored) if len(part)] or [scored], ignore_index=True)
    judged = fill_missing_orders(judged, list(unscored.judge[unscored.pairs]) if len(unscored) else [])
    judged = judged.assign(
        kind="instrument", coder=_instrument_names(judged), input_models=judged.judge.map(_input_steps(read))
    )
    asked = [
        CriterionWording(document.name, key, criterion) for key, document in documents.items() for criterion in document
    ]
    found = pd.concat([judged, human_codes(records, asked, labels)], ignore_index=True)
    scales = {(a.criteria_hash, a.criterion.name): a.criterion.scale.shorthand for a in asked}
    found["scale"] = [scales.get(key) for key in zip(found.criteria_hash, found.criterion, strict=True)]
    found["cluster"] = found.record_id.map(dict(zip(records.record_id, records.cluster, strict=True)))
    found["in_edge_cases"] = _in_edge_cases(found, documents)
    found = found.reindex(columns=list(COLUMNS)).astype(
        {"replicate": "int64", "value": "float64", "flagged": "boolean", "inclusion_p": "float64", "blind": "boolean"}
    )
    return found.sort_values(_ORDER, kind="stable", ignore_index=True)


def _in_edge_cases(found: pd.DataFrame, documents: Mapping[str, Criteria]) -> list[bool]:
    """Whether a record has been decided on as an edge case of the very criteria that it is coded by."""
    named = {
        (key, case.criterion, record_id)
        for key, document in documents.items()
        for case in edge_cases(document)
        for record_id in case.record_ids
    }
    rows = zip(found.criteria_hash, found.criterion, found.record_id, strict=True)
    return [row in named for row in rows] if named else [False] * len(found)


def _input_steps(read: pd.DataFrame) -> dict[str, str]:
    """For each step that reads others the names of all that it rests on, also those that these have read."""
    direct: dict[str, set[str]] = {}
    for reader, step in zip(read.reader, read.read, strict=True):
        direct.setdefault(reader, set()).add(step)

    def below(step: str, seen: frozenset[str]) -> frozenset[str]:
        more = direct.get(step, set()) - seen
        return seen.union(more, *(below(name, seen | more) for name in more))

    return {step: ", ".join(sorted(below(step, frozenset()))) for step in direct}


def _load_criteria(store: Store, hashes: Iterable[str]) -> dict[str, Criteria]:
    found: dict[str, Criteria] = {}
    for name in hashes:
        body = store.df("select body from texts where text_hash = ? limit 1", [name])
        if len(body):
            found[name] = Criteria.from_markdown(str(body.body.iloc[0]))
    return found


def _instrument_names(judged: pd.DataFrame) -> pd.Series[str]:
    """Step and model; where one of them asked in several ways, each way is an instrument of its own.

    The two orders of a pair are no ways that happen to differ: they are called by their names.
    """
    names = judged.judge + " · " + judged.model
    both = judged.order.groupby([names, judged.criteria_hash]).transform("nunique") > 1
    orders = judged.order.where(both, None).map(order_suffix)
    if "prompt_hash" not in judged:
        return names + orders
    known = judged.prompt_hash.notna()
    params = judged.params.astype(object).where(known, "").str.replace(_ORDER_IN_PARAMS, "", regex=True)
    way = (judged.prompt_hash + " " + params.where(judged.order.notna(), judged.params)).where(known)
    several = way.groupby([names, judged.criteria_hash, judged.order.fillna("")]).transform("nunique") > 1
    short = way.where(known, "").map({w: f" (way {n})" for n, w in enumerate(sorted(way.dropna().unique()), 1)})
    return names.where(~(several & known), names + short) + orders
