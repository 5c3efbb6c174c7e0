"""Validation of a scorer: people code, too, whether an answer gives the expert's reason.

A `Scorer` matches reasons, and its own quality has to be checked. Each of its assessments becomes a short text (the
expert's reason, and the answer's reasons without the judge's name) that people code blind. Then scorer and people are
coders of the same texts, and every statistic of agreement applies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from .._internal.arguments import check_arguments
from .._internal.ids import digest
from ..codebook.criteria import Criteria
from ..corpus.corpus import Corpus
from ..corpus.record import Record
from ..errors import SetupError
from ..project.project import Project

if TYPE_CHECKING:
    import pandas as pd

MATCHED = "matched"
"""The name of the criterion."""
_ASSESSMENTS = """
    select a.record_id, a.criterion, a.reason, a.matched, a.status, s.reasons, s.conclusion, s.category, s.value,
           x.step, x.model, x.replicate
    from assessments a
    join scores s on s.trace_id = a.assessed_trace_id and s.criterion = a.criterion
    join trace_rows x on x.trace_id = a.trace_id
    where a.run_id = ? order by a.record_id, a.criterion, a.reason_index, a.assessed_trace_id, a.trace_id
"""
_HUMAN_CODES = """
    select record_id, coder, category, flagged, case status when 'skipped' then 'skipped' else 'ok' end as status,
           blind, inclusion_p
    from latest_labels where criteria_hash = ? and status <> 'withdrawn' and source <> 'adjudication'
    qualify row_number() over (partition by record_id, coder order by coded_at desc, label_id desc) = 1
"""


class RunWithAssessments(Protocol):
    """A run whose assessments can be validated."""

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


@check_arguments
def scorer_validation_corpus(run: RunWithAssessments) -> Corpus:
    """The assessments of a scorer as texts for people to code: one for each expert's reason and answer.

    Parameters
    ----------
    run
        A run with a `Scorer`.

    Returns
    -------
    Corpus
        The texts. The same reason with the same answer occurs once. The cluster of a text is the record that it is
        about. The texts name neither judge nor scorer. `bm.coding_form(run, over="assessments", coder=...)` opens them
        in the form.

    Raises
    ------
    SetupError
        The run has no assessments.

    Examples
    --------
    >>> list(scorer_validation_criteria().criteria[0].scale.answers)
    ['yes', 'no']
    """
    records: dict[str, Record] = {}
    for row in _assessment_rows(run):
        record = _assessment_record(row)
        records.setdefault(record.record_id, record)
    return Corpus(list(records.values()))


@check_arguments
def scorer_validation_ratings(run: RunWithAssessments) -> pd.DataFrame:
    """The scorer and the people who checked it, as ratings for `agreement` and `metrics`.

    Parameters
    ----------
    run
        A run with a `Scorer`.

    Returns
    -------
    pandas.DataFrame
        One row per text of `scorer_validation_corpus`, coder and replicate, with the columns of `run.ratings()`.

    Raises
    ------
    SetupError
        The run has no assessments.
    """
    import pandas as pd

    criteria = scorer_validation_criteria()
    clusters, rows = {}, []
    for row in _assessment_rows(run):
        record = _assessment_record(row)
        clusters[record.record_id] = record.cluster
        matched = None if row["matched"] is None or row["matched"] is pd.NA else bool(row["matched"])
        rows.append(
            {
                "record_id": record.record_id,
                "coder": f"{row['step']} · {row['model']}",
                "kind": "instrument",
                "replicate": row["replicate"],
                "category": None if matched is None else "yes" if matched else "no",
                "flagged": matched,
                "status": row["status"],
                "judge": row["step"],
                "model": row["model"],
            }
        )
    human_codes = run.project.store.df(_HUMAN_CODES, [criteria.criteria_hash])
    human_codes = human_codes[human_codes.record_id.isin(clusters)].assign(kind="human", replicate=0)
    ratings = pd.concat([pd.DataFrame(rows).drop_duplicates(["record_id", "coder", "replicate"]), human_codes])
    ratings = ratings.assign(
        criteria_set=criteria.name,
        criterion=MATCHED,
        criteria_hash=criteria.criteria_hash,
        scale=criteria[MATCHED].scale.shorthand,
        cluster=ratings.record_id.map(clusters),
        value=float("nan"),
    )
    dtypes = {"replicate": "int64", "flagged": "boolean", "blind": "boolean", "inclusion_p": "float64"}
    return ratings.astype(dtypes).sort_values(["record_id", "kind", "coder", "replicate"], ignore_index=True)


def _assessment_rows(run: RunWithAssessments) -> list[dict[str, Any]]:
    if not hasattr(run, "project") or not hasattr(run, "run_id"):
        raise SetupError(f"this needs a run with a `Scorer`, as flow.run(...) returns it, not {type(run).__name__}.")
    rows = run.project.store.df(_ASSESSMENTS, [run.run_id]).to_dict("records")
    if not rows:
        raise SetupError('this run has no assessments; a step such as bm.Scorer("score", of="judge") makes them.')
    return [{str(name): value for name, value in row.items()} for row in rows]


def _assessment_record(row: dict[str, Any]) -> Record:
    """An assessment as a text to code. Its id is a hash of the content, so it must not change."""
    reasons = row["reasons"] if row["reasons"] is not None else []
    answer = row["category"] if isinstance(row["category"], str) else row["value"]
    reason_list = "\n".join(f"- {reason}" for reason in reasons)
    conclusion = f"\n{row['conclusion']}" if isinstance(row["conclusion"], str) else ""
    content = f"THE EXPERT'S REASON\n{row['reason']}\n\nTHE ANSWER: {answer}\n{reason_list}{conclusion}"
    record_id = f"m-{digest('mt1', row['record_id'], row['criterion'], content)[-12:]}"
    return Record(record_id=record_id, content=content, cluster=row["record_id"], parent_id=row["record_id"])
