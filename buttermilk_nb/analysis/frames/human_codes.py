"""People's codes: those that came with the data, and the labels made here.

A label names the version of the record and of the criteria that its coder saw, and counts only for these. If a coder
has both a code in the data and a label on the same question, the label counts: it is newer, and it says under which
wording it was given. A decision in an adjudication is not an independent code of that person, so it is stored under
another coder name.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._internal.text import pluralise
from ...codebook.criterion import Criterion
from ...corpus.record import DEFAULT_CRITERION
from ...errors import InvalidAnswer
from ...store import Store

if TYPE_CHECKING:
    import pandas as pd

TRUTH = "truth"
"""The coder name of the expert's code."""
ADJUDICATED = " (adjudicated)"
"""The end of the coder name of a person who decided in an adjudication."""
_KEYS = ["record_id", "coder", "criteria_set", "criteria_hash", "criterion"]
_ANSWER = ["category", "value", "flagged", "status"]

_LABELS = """
    select record_id, coder || case when adjudicated then ? else '' end as coder, criteria_set, criteria_hash,
           criterion, category, value, flagged, case status when 'skipped' then 'skipped' else 'ok' end as status,
           blind, inclusion_p
    from (
        select *, source = 'adjudication' as adjudicated from latest_labels where status <> 'withdrawn' and {where}
        qualify row_number() over (
            partition by record_id, coder, criteria_hash, criterion, adjudicated
            order by coded_at desc, label_id desc) = 1
    )
"""
NEWEST_TEXTS = "select (record_id, arg_max(record_hash, first_seen_at)) from records group by record_id"
"""For each record the version that was stored last."""
_OF_A_RUN = """
    (record_id, record_hash) in (select (record_id, record_hash) from cells where run_id = ?)
    and criteria_hash in (select criteria_hash from cells where run_id = ?)
"""


_LEFT_OUT = """
    select coder, criteria_set, count(*) as n,
           (record_id, record_hash) in ({texts}) as text_counts, criteria_hash in ({wordings}) as wording_counts
    from latest_labels where status <> 'withdrawn' and criteria_set in ({sets})
    and not ((record_id, record_hash) in ({texts}) and criteria_hash in ({wordings}))
    and record_id in ({records})
    group by all order by all
"""


class CriterionWording(NamedTuple):
    """One question in one wording."""

    criteria_set: str
    criteria_hash: str
    criterion: Criterion


def run_labels(store: Store, run_id: str) -> pd.DataFrame:
    """The newest label of each coder on the records and the criteria of a run; the last of several rounds."""
    return store.df(_LABELS.format(where=_OF_A_RUN), [ADJUDICATED, run_id, run_id])


def labels_left_out(store: Store, run_id: str | None) -> list[str]:
    """Sentences on labels that do not count, because they were made under another wording or on another text.

    Parameters
    ----------
    store
        The Store.
    run_id
        The run whose texts and wordings count; None if only the newest text of each record counts.
    """
    if run_id is None:
        wordings = "select criteria_hash from latest_labels"
        query = _LEFT_OUT.format(
            texts=NEWEST_TEXTS, wordings=wordings, sets="select criteria_set from latest_labels",
            records="select record_id from records",
        )  # fmt: skip
        rows = store.df(query)
    else:
        of_run = "from cells where run_id = $run"
        query = _LEFT_OUT.format(
            texts=f"select (record_id, record_hash) {of_run}", wordings=f"select criteria_hash {of_run}",
            sets=f"select criteria_set {of_run}", records=f"select record_id {of_run}",
        )  # fmt: skip
        rows = store.df(query, {"run": run_id})
    return [_left_out_sentence(row) for row in rows.to_dict("records")]


def _left_out_sentence(row: Mapping[Hashable, Any]) -> str:
    codes, verb = pluralise(int(row["n"]), "code"), "was" if row["n"] == 1 else "were"
    what = "an earlier version of its text" if row["wording_counts"] else f"another wording of `{row['criteria_set']}`"
    how = "on" if row["wording_counts"] else "under"
    return f"{codes} by {row['coder']} {verb} made {how} {what} and left out; bm.labels(history=True) has them."


def project_labels(store: Store) -> pd.DataFrame:
    """The newest label of each coder on each record and wording."""
    return store.df(_LABELS.format(where=f"(record_id, record_hash) in ({NEWEST_TEXTS})"), [ADJUDICATED])


def human_codes(records: pd.DataFrame, questions: list[CriterionWording], labels: pd.DataFrame) -> pd.DataFrame:
    """One row per person, record and question: labels, and codes in the data for which there is no label.

    Parameters
    ----------
    records
        One row per record, with `ground_truth` and `labels` as JSON.
    questions
        The questions.
    labels
        The result of `run_labels` or `project_labels`.
    """
    import pandas as pd

    in_data = pd.DataFrame(_codes_in_data(records, questions), columns=[*_KEYS, *_ANSWER])
    codes = pd.concat([part for part in (labels, in_data) if len(part)] or [labels], ignore_index=True)
    # A question that has a code in the data was not skipped.
    skipped = (codes.status == "skipped") & codes.duplicated(_KEYS, keep=False)
    return codes[~skipped].drop_duplicates(_KEYS).assign(kind="human", replicate=0)


def _codes_in_data(records: pd.DataFrame, questions: list[CriterionWording]) -> Iterable[tuple[Any, ...]]:
    """A row for each code in the data on the questions."""
    parsed: dict[tuple[int, str], tuple[Any, ...]] = {}
    for record_id, truth, labels in zip(records.record_id, records.ground_truth, records.labels, strict=True):
        for coder, codes in ((TRUTH, json.loads(truth)), *json.loads(labels).items()):
            for i, question in enumerate(questions):
                name = question.criterion.name
                code = codes.get(name, codes.get(DEFAULT_CRITERION))
                if code is None:
                    continue
                key = (i, json.dumps(code))
                if key not in parsed:
                    parsed[key] = (*question[:2], name, *_parse_code(question.criterion, code))
                yield (record_id, coder, *parsed[key])


def _parse_code(criterion: Criterion, code: Any) -> tuple[str | None, float | None, bool | None, str]:
    try:
        answer = criterion.parse_code(code)
    except InvalidAnswer:
        return None, None, None, "invalid"
    return answer.category, answer.value, criterion.flagged(answer), "ok"
