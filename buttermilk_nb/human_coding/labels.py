"""Labels are the codes of people: how they are made, stored and listed.

A label is never changed. A newer one follows it, and the newest counts. It names the versions of the record and of the
criteria that the person read, so that it never counts as an answer to another wording.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .._internal.arguments import check_arguments
from .._internal.ids import canonical, uuid7
from .._internal.text import to_jsonable
from ..analysis.frames.human_codes import ADJUDICATED, TRUTH
from ..analysis.frames.stored_criteria import stored_criteria
from ..codebook.criteria import Criteria
from ..codebook.criterion import Criterion
from ..codebook.scales import Answer
from ..corpus.record import Record
from ..errors import InvalidAnswer, SetupError
from ..project.project import Project
from ..project.session import require_project
from ..schema import Label, LabelStatus, now
from ..store.write_batch import WriteBatch
from .coders import new_coders

if TYPE_CHECKING:
    import pandas as pd

Origin = Literal["form", "import", "adjudication"]
_NON_ANSWER_STATUS: dict[str, LabelStatus] = {"not applicable": "not_applicable", "cannot tell": "cannot_tell"}
_STATUS_NON_ANSWER = {status: answer for answer, status in _NON_ANSWER_STATUS.items()}
_RESERVED_NAME = re.compile(rf"^{TRUTH}$|{re.escape(ADJUDICATED)}$| · ", re.IGNORECASE)
_EXECUTION = ("label_id", "saw_trace_ids", "coded_at")
"""Columns that differ each time the notebook runs."""
_ORDER = "criteria_set, criteria_hash, criterion, record_id, record_hash, coder, round"


def make_label(
    criterion: Criterion,
    criteria: Criteria,
    record: Record,
    *,
    coder: str,
    answer: Any | None,
    status: LabelStatus = "coded",
    source: Origin,
    reasons: Sequence[str] | None = None,
    notes: str | None = None,
    quotes: Sequence[Mapping[str, Any]] | None = None,
    blind: bool | None = None,
    saw_trace_ids: Sequence[str] | None = None,
    round: str = "1",  # noqa: A002  # the column's name
    sample_id: str | None = None,
    inclusion_p: float | None = None,
    seconds: float | None = None,
) -> Label:
    """Make the label of one code by one person. The answer is parsed on the criterion's scale; nothing is stored.

    Parameters
    ----------
    criterion, criteria
        The question, and the criteria that it belongs to.
    record
        The coded record.
    coder
        The coder's name.
    answer
        The answer as the scale or the person writes it. A person may always answer `not applicable` or `cannot tell`;
        the label then has that status. None if there is no answer.
    status
        `coded`; or `skipped` or `withdrawn`, which have no answer; or `not_applicable` or `cannot_tell`, which mean
        the answer of that name.
    source
        `form`, `import` or `adjudication`.
    reasons, notes
        The coder's reasons and note.
    quotes
        The marked passages: mappings with `start`, `end` (in characters, counted from 0, the end excluded) and `text`.
    blind
        Whether the coder saw no other answers; None if that is not known.
    saw_trace_ids
        The ids of the model answers that the coder had seen.
    round
        The round of coding.
    sample_id, inclusion_p
        The sample for which the record was drawn, and the probability of drawing it (from 0 to 1).
    seconds
        The time that the coder took, in seconds.

    Returns
    -------
    Label
        The row.

    Raises
    ------
    InvalidAnswer
        The answer is not on the scale, is missing, or is given together with a status that has no answer.
    SetupError
        The coder has no name, or a name that has another meaning in the package.

    Examples
    --------
    >>> respect = Criteria("respect", "Is it respectful?", flag="no")
    >>> record = Record(record_id="a", content="They are vermin.")
    >>> label = make_label(respect["respect"], respect, record, coder="kf", answer="No", source="form")
    >>> label.category, label.flagged, label.status
    ('no', True, 'coded')
    >>> make_label(respect["respect"], respect, record, coder="kf", answer="cannot tell", source="form").status
    'cannot_tell'
    """
    if not coder.strip():
        raise SetupError('a label needs a coder; write coder="kf", or any other short name.')
    if _RESERVED_NAME.search(coder.strip()):
        raise SetupError(
            f"`{coder.strip()}` cannot be a coder's name: it is reserved for the expert's code, a judge or a decision. "
            "Load the expert's codes with the data: bm.load(..., truth=...)."
        )
    parsed = _parse_answer(criterion, answer, status)
    if parsed is not None and status == "coded":
        status = _NON_ANSWER_STATUS.get(parsed.category or "", "coded") if parsed.is_non_answer else "coded"
    return Label(
        label_id=uuid7(),
        record_id=record.record_id,
        record_hash=record.record_hash,
        criteria_set=criteria.name,
        criteria_hash=criteria.criteria_hash,
        criterion=criterion.name,
        coder=coder.strip(),
        value=parsed.value if parsed else None,
        category=parsed.category if parsed else None,
        flagged=criterion.flagged(parsed) if parsed else None,
        reasons=None if reasons is None else list(reasons),
        notes=notes,
        quotes=None if quotes is None else canonical(to_jsonable(list(quotes))),
        status=status,
        blind=blind,
        saw_trace_ids=None if saw_trace_ids is None else list(saw_trace_ids),
        round=round,
        sample_id=sample_id,
        inclusion_p=inclusion_p,
        seconds=seconds,
        source=source,
        coded_at=now(),
    )


def keep_labels(
    project: Project, labels: Sequence[Label], *, records: Sequence[Record], documents: Sequence[Criteria]
) -> None:
    """Store labels together with their records, criteria and coders. They are on disk when this returns.

    Parameters
    ----------
    project
        The project that stores the labels.
    labels
        The labels, each under one of the documents.
    records
        The records of the labels, in the coded version.
    documents
        The documents of criteria. Their texts are stored too.

    Raises
    ------
    StoreError
        Neither the database file nor the spool next to it could be written.
    """
    if not labels:
        return
    coder_rows = new_coders(project, {label.coder for label in labels})
    document_rows = [row for document in documents for row in document.to_rows()]
    project.store.write(WriteBatch(rows=[*document_rows, *coder_rows, *labels], records=records)).warn_of_forgotten()


@check_arguments
def labels(
    project: Project | None = None,
    *,
    coder: str | Sequence[str] | None = None,
    criteria: Criteria | str | None = None,
    history: bool = False,
) -> pd.DataFrame:
    """The codes of people: the newest ones, or all that were ever given.

    Parameters
    ----------
    project
        The project; by default the open one.
    coder
        The name of one coder, or a list of names. By default, all coders.
    criteria
        Criteria objects select the codes under this wording; a name selects those under all wordings. By default, all.
    history
        With True, every row, also replaced and withdrawn codes, with ids and times.

    Returns
    -------
    pandas.DataFrame
        One row per coder, record, criterion, wording and round, with the columns of the table `labels` and the
        criterion's `scale`. Without `history`, ids and times are left out. Every statistic takes it.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb.project.session import init
    >>> project = init("labels-example", path=tempfile.mkdtemp())
    >>> respect, record = Criteria("respect", "Is it respectful?"), Record(record_id="a", content="Vermin.")
    >>> label = make_label(respect["respect"], respect, record, coder="kf", answer="no", source="form")
    >>> keep_labels(project, [label], records=[record], documents=[respect])
    >>> labels()[["record_id", "criterion", "coder", "category", "status"]].values.tolist()
    [['a', 'respect', 'kf', 'no', 'coded']]
    """
    store = require_project(project).store
    conditions = ["true"] if history else ["status <> 'withdrawn'"]
    params: list[Any] = []
    if coder is not None:
        conditions.append("list_contains(?::varchar[], coder)")
        params.append([coder] if isinstance(coder, str) else list(coder))
    if criteria is not None:
        conditions.append("criteria_hash = ?" if isinstance(criteria, Criteria) else "criteria_set = ?")
        params.append(criteria.criteria_hash if isinstance(criteria, Criteria) else criteria)
    source = "labels" if history else "latest_labels"
    order = f"{_ORDER}, coded_at, label_id" if history else _ORDER
    frame = store.df(f"select * from {source} where {' and '.join(conditions)} order by {order}", params)  # noqa: S608
    columns = [name for name in Label.model_fields if history or name not in _EXECUTION]
    documents = stored_criteria(store, frame.criteria_hash.unique())
    scales = [
        str(documents[key][criterion].scale) if key in documents else None
        for key, criterion in zip(frame.criteria_hash, frame.criterion, strict=True)
    ]
    frame.insert(columns.index("criterion") + 1, "scale", scales)
    columns.insert(columns.index("criterion") + 1, "scale")
    return frame[columns].astype({"flagged": "boolean", "blind": "boolean"})


def _parse_answer(criterion: Criterion, answer: Any | None, status: LabelStatus) -> Answer | None:
    if status in ("skipped", "withdrawn"):
        if answer is not None:
            raise InvalidAnswer(f"a label with the status `{status}` has no answer, but {answer!r:.60} was given.")
        return None
    if status in _STATUS_NON_ANSWER:
        expected = _STATUS_NON_ANSWER[status]
        if answer is not None and answer != expected:
            raise InvalidAnswer(f"status `{status}` means the answer `{expected}`, but {answer!r:.60} was given.")
        answer = expected
    if answer is None:
        raise InvalidAnswer(
            f'there is no answer on `{criterion.name}`; if the coder skipped it, write status="skipped".'
        )
    return criterion.parse_code(answer)
