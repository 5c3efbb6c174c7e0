"""Checking a scorer by hand: people say, too, whether an answer gives the expert's reason.

A `Scorer` matches reasons; whether it does so well is a question of its own. Each of its assessments becomes a small
text (the expert's reason, and the answer's reasons without the judge's name) that people code blind. Then scorer and
people are coders of the same texts, and every statistic applies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .._internal.ids import digest
from ..codebook.criteria import Criteria
from ..corpus.corpus import Corpus
from ..corpus.record import Record
from ..errors import SetupError
from ..project.project import Project

if TYPE_CHECKING:
    import pandas as pd

MATCHED = "matched"
"""The criterion."""
_ASSESSED = """
    select a.record_id, a.criterion, a.reason, a.matched, a.status, s.reasons, s.conclusion, s.category, s.value,
           x.step, x.model, x.replicate
    from assessments a
    join scores s on s.trace_id = a.assessed_trace_id and s.criterion = a.criterion
    join trace_rows x on x.trace_id = a.trace_id
    where a.run_id = ? order by a.record_id, a.criterion, a.reason_index, a.assessed_trace_id, a.trace_id
"""
_CODED = """
    select record_id, coder, category, flagged, case status when 'skipped' then 'skipped' else 'ok' end as status,
           blind, inclusion_p
    from latest_labels where criteria_hash = ? and status <> 'withdrawn' and source <> 'adjudication'
    qualify row_number() over (partition by record_id, coder order by coded_at desc, label_id desc) = 1
"""


class RunWithAssessments(Protocol):
    """A run."""

    project: Project
    run_id: str


def scorer_validation_criteria() -> Criteria:
    """The question that people answer when they check a scorer: yes or no."""
    return Criteria(
        "matching",
        "An expert gave a reason for coding a text. Somebody else coded the same text and gave reasons too.",
        criteria={
            MATCHED: {
                "question": "Does the answer give the expert's reason, in whatever words?",
                "flag": "yes",
                "definition": "It does where it says the same in substance. The same verdict for another reason is no "
                "match, and neither is a reason that only touches the same passage.",
            }
        },
    )


def scorer_validation_corpus(run: RunWithAssessments) -> Corpus:
    """What a scorer has matched, as texts for people to code: one for each reason of an expert and answer.

    Parameters
    ----------
    run
        A run with a `Scorer`.

    Returns
    -------
    Corpus
        The texts; the same reason and the same answer are one. The articles that they speak of are their clusters. They
        name neither judge nor scorer. `bm.coding_form(run, over="assessments", coder=...)` opens them in the form.

    Raises
    ------
    SetupError
        The run has no assessments.

    Examples
    --------
    >>> list(scorer_validation_criteria().criteria[0].scale.answers)
    ['yes', 'no']
    """
    found: dict[str, Record] = {}
    for row in _assessed(run):
        record = _as_text(row)
        found.setdefault(record.record_id, record)
    return Corpus(list(found.values()))


def scorer_validation_ratings(run: RunWithAssessments) -> pd.DataFrame:
    """The scorer and the people who checked it, as ratings for `agreement` and `metrics`.

    Parameters
    ----------
    run
        A run with a `Scorer`.

    Returns
    -------
    pandas.DataFrame
        One row per text of `scorer_validation_corpus`, coder and replicate, in the columns of `run.ratings()`.

    Raises
    ------
    SetupError
        The run has no assessments.
    """
    import pandas as pd

    criteria = scorer_validation_criteria()
    texts, rows = {}, []
    for row in _assessed(run):
        record = _as_text(row)
        texts[record.record_id] = record.cluster
        said = None if row["matched"] is None or row["matched"] is pd.NA else bool(row["matched"])
        rows.append(
            {
                "record_id": record.record_id,
                "coder": f"{row['step']} · {row['model']}",
                "kind": "instrument",
                "replicate": row["replicate"],
                "category": None if said is None else "yes" if said else "no",
                "flagged": said,
                "status": row["status"],
                "judge": row["step"],
                "model": row["model"],
            }
        )
    people = run.project.store.df(_CODED, [criteria.criteria_hash])
    people = people[people.record_id.isin(texts)].assign(kind="human", replicate=0)
    found = pd.concat([pd.DataFrame(rows).drop_duplicates(["record_id", "coder", "replicate"]), people])
    found = found.assign(
        criteria_set=criteria.name,
        criterion=MATCHED,
        criteria_hash=criteria.criteria_hash,
        scale=criteria[MATCHED].scale.shorthand,
        cluster=found.record_id.map(texts),
        value=float("nan"),
    )
    kinds = {"replicate": "int64", "flagged": "boolean", "blind": "boolean", "inclusion_p": "float64"}
    return found.astype(kinds).sort_values(["record_id", "kind", "coder", "replicate"], ignore_index=True)


def _assessed(run: RunWithAssessments) -> list[dict[str, Any]]:
    rows = run.project.store.df(_ASSESSED, [run.run_id]).to_dict("records")
    if not rows:
        raise SetupError('this run has no assessments; a step such as bm.Scorer("score", of="judge") makes them.')
    return [{str(name): value for name, value in row.items()} for row in rows]


def _as_text(row: dict[str, Any]) -> Record:
    reasons = row["reasons"] if row["reasons"] is not None else []
    answer = row["category"] if isinstance(row["category"], str) else row["value"]
    said = "\n".join(f"- {reason}" for reason in reasons)
    conclusion = f"\n{row['conclusion']}" if isinstance(row["conclusion"], str) else ""
    content = f"THE EXPERT'S REASON\n{row['reason']}\n\nTHE ANSWER: {answer}\n{said}{conclusion}"
    name = f"m-{digest('mt1', row['record_id'], row['criterion'], content)[-12:]}"
    return Record(record_id=name, content=content, cluster=row["record_id"], parent_id=row["record_id"])
