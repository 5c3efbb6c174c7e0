"""Ratings: the long frame of all coders, people and instruments alike, that every statistic takes.

One row per coder, record, criterion and replicate, also where there is no answer: its status says why, so that a
statistic can count what it leaves out. People are those whose codes came with the data, and `truth`, the expert's
code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..criteria import Criteria, Criterion
from ..errors import InvalidAnswer
from ..records import ONE
from ..scales import NON_ANSWERS, Answer
from ..store import Store

if TYPE_CHECKING:
    import pandas as pd

TRUTH = "truth"
"""The coder under whose name the expert's code stands."""
COLUMNS = (
    "record_id", "criteria_set", "criterion", "coder", "kind", "replicate", "category", "value", "flagged", "status",
    "scale", "judge", "model", "cluster", "inclusion_p", "blind", "criteria_hash",
)  # fmt: skip
_ORDER = ["criteria_set", "criterion", "criteria_hash", "record_id", "kind", "coder", "replicate"]

_SCORED = """
    select s.record_id, s.criteria_set, s.criterion, s.judge, s.model, s.replicate, s.category, s.value, s.flagged,
           s.status, s.criteria_hash, t.prompt_hash, t.params
    from {scores} s join traces t on t.trace_id = s.trace_id where {where}
"""
_UNSCORED = """
    select c.record_id, c.criteria_set, c.step as judge, c.model, c.replicate, c.criteria_hash,
           coalesce(t.status, 'pending') as status
    from cells c left join traces t on t.run_id = c.run_id and t.design_id = c.design_id
    where c.run_id = ? and c.criteria_hash is not null
        and not exists (from scores s where s.run_id = c.run_id and s.design_id = c.design_id)
"""
_RECORDS_OF_A_RUN = """
    select distinct r.record_id, r.cluster, r.ground_truth, r.labels from records r
    join cells c on c.record_id = r.record_id and c.record_hash = r.record_hash and c.details_hash = r.details_hash
    where c.run_id = ?
"""


class _Asked(NamedTuple):
    """One question in one wording."""

    criteria_set: str
    criteria_hash: str
    criterion: Criterion


def of_run(store: Store, run_id: str) -> pd.DataFrame:
    """The ratings of one run: every planned cell of its judges, and the people's codes on the same questions."""
    scored = store.df(_SCORED.format(scores="scores", where="s.run_id = ?"), [run_id])
    unscored = store.df(_UNSCORED, [run_id])
    return _together(store, scored, unscored, store.df(_RECORDS_OF_A_RUN, [run_id]))


def of_project(store: Store) -> pd.DataFrame:
    """The ratings of a project: of each design the newest finished answer, and the people's newest codes."""
    import pandas as pd

    scored = store.df(_SCORED.format(scores="latest_scores", where="true"))
    records = store.df("select record_id, cluster, ground_truth, labels from latest_records")
    return _together(store, scored, pd.DataFrame(), records[records.record_id.isin(scored.record_id)])


def _together(store: Store, scored: pd.DataFrame, unscored: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    hashes = [*scored.criteria_hash.unique(), *(unscored.criteria_hash.unique() if len(unscored) else ())]
    documents = _documents(store, dict.fromkeys(hashes))
    if len(unscored):
        names = {key: [c.name for c in document] for key, document in documents.items()}
        unscored = unscored.assign(criterion=unscored.criteria_hash.map(names)).explode("criterion")
    judged = pd.concat([part for part in (scored, unscored) if len(part)] or [scored], ignore_index=True)
    judged = judged.assign(kind="instrument", coder=_instruments(judged))
    asked = [_Asked(document.name, key, criterion) for key, document in documents.items() for criterion in document]
    people = pd.DataFrame(_people(records, asked), columns=["record_id", "coder", *_PERSON])
    found = pd.concat([judged, people.assign(kind="human", replicate=0)], ignore_index=True)
    scales = {(a.criteria_hash, a.criterion.name): a.criterion.scale.short for a in asked}
    found["scale"] = [scales.get(key) for key in zip(found.criteria_hash, found.criterion, strict=True)]
    found["cluster"] = found.record_id.map(dict(zip(records.record_id, records.cluster, strict=True)))
    found = found.reindex(columns=list(COLUMNS)).astype(
        {"replicate": "int64", "value": "float64", "flagged": "boolean", "inclusion_p": "float64", "blind": "boolean"}
    )
    return found.sort_values(_ORDER, kind="stable", ignore_index=True)


def _documents(store: Store, hashes: Iterable[str]) -> dict[str, Criteria]:
    found: dict[str, Criteria] = {}
    for name in hashes:
        body = store.df("select body from texts where text_hash = ? limit 1", [name])
        if len(body):
            found[name] = Criteria.from_markdown(str(body.body.iloc[0]))
    return found


def _instruments(judged: pd.DataFrame) -> pd.Series[str]:
    """Step and model; where one of them asked in several ways, each way is an instrument of its own."""
    names = judged.judge + " · " + judged.model
    if "prompt_hash" not in judged:
        return names
    known = judged.prompt_hash.notna()
    way = (judged.prompt_hash + " " + judged.params).where(known)
    several = way.groupby([names, judged.criteria_hash]).transform("nunique") > 1
    short = way.where(known, "").map({w: f" (way {n})" for n, w in enumerate(sorted(way.dropna().unique()), 1)})
    return names.where(~(several & known), names + short)


_PERSON = ("criteria_set", "criteria_hash", "criterion", "category", "value", "flagged", "status")


def _people(records: pd.DataFrame, asked: list[_Asked]) -> Iterable[tuple[Any, ...]]:
    """What people coded on the questions that were asked; where there is no code, there is no row."""
    read: dict[tuple[int, str], tuple[Any, ...]] = {}
    for record_id, truth, labels in zip(records.record_id, records.ground_truth, records.labels, strict=True):
        for coder, codes in ((TRUTH, json.loads(truth)), *json.loads(labels).items()):
            for place, question in enumerate(asked):
                name = question.criterion.name
                code = codes.get(name, codes.get(ONE))
                if code is None:
                    continue
                key = (place, json.dumps(code))
                if key not in read:
                    read[key] = (*question[:2], name, *_coded(question.criterion, code))
                yield (record_id, coder, *read[key])


def _coded(criterion: Criterion, code: Any) -> tuple[str | None, float | None, bool | None, str]:
    try:
        answer = Answer(None, code) if code in NON_ANSWERS else criterion.parse(code)
    except InvalidAnswer:
        return None, None, None, "invalid"
    return answer.category, answer.value, criterion.flagged(answer), "ok"
