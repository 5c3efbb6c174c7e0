"""Labels: the codes of people, made, kept and listed.

A label is never changed: a newer one follows it, and the newest counts. It holds the version of the record and of
the criteria that the person had before them, so that it is never taken for an answer to another wording.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .._internal.ids import canonical, uuid7
from .._internal.text import to_jsonable
from ..analysis.frames.human_codes import ADJUDICATED, TRUTH
from ..codebook.criteria import Criteria
from ..codebook.criterion import Criterion
from ..codebook.scales import NON_ANSWERS, Answer
from ..corpus.record import Record
from ..errors import InvalidAnswer, SetupError
from ..project.project import Project
from ..project.session import current
from ..schema import Label, LabelStatus, now
from ..store.write_batch import WriteBatch
from .coders import new_coders

if TYPE_CHECKING:
    import pandas as pd

Origin = Literal["form", "import", "adjudication"]
_STATUS_OF: dict[str, LabelStatus] = {"not applicable": "not_applicable", "cannot tell": "cannot_tell"}
_ANSWER_OF = {status: answer for answer, status in _STATUS_OF.items()}
_NOT_A_NAME = re.compile(rf"^{TRUTH}$|{re.escape(ADJUDICATED)}$| · ", re.IGNORECASE)
_EXECUTION = ("label_id", "saw_trace_ids", "coded_at")
"""What belongs to one act of coding, and would differ if the notebook ran again."""
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
    """One code of one person, read on the criterion's own scale; nothing is kept yet.

    Parameters
    ----------
    criterion, criteria
        The question, and the document that it stands in.
    record
        What was coded.
    coder
        Who coded.
    answer
        The answer as the scale or the person writes it. A person may always say `not applicable` or `cannot tell`;
        the label then has that status. None where there is no answer.
    status
        `coded`, or `skipped` and `withdrawn`, which have no answer; `not_applicable` and `cannot_tell` may stand
        for the answer of that name.
    source
        `form`, `import` or `adjudication`.
    reasons, notes
        In the coder's words.
    quotes
        Passages that were marked: mappings with `start`, `end` and `text`.
    blind
        Whether the coder saw nobody else's answers; None where that is not known.
    saw_trace_ids
        The model answers that the coder had seen.
    round
        Which round of coding.
    sample_id, inclusion_p
        The sample that the record was drawn for, and with which probability.
    seconds
        How long it took.

    Returns
    -------
    Label
        The row.

    Raises
    ------
    InvalidAnswer
        The answer is not on the scale, there is none where one is needed, or one where there can be none.
    SetupError
        The coder has no name, or one that stands for something else.

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
    if _NOT_A_NAME.search(coder.strip()):
        raise SetupError(
            f"`{coder.strip()}` cannot be a person's name here: so the expert's code, a judge or a decision is called. "
            "The expert's codes are loaded with the data: bm.load(..., truth=...)."
        )
    given = _answer(criterion, answer, status)
    if given is not None and status == "coded":
        status = _STATUS_OF.get(given.category or "", "coded") if given.is_non_answer else "coded"
    return Label(
        label_id=uuid7(),
        record_id=record.record_id,
        record_hash=record.record_hash,
        criteria_set=criteria.name,
        criteria_hash=criteria.criteria_hash,
        criterion=criterion.name,
        coder=coder.strip(),
        value=given.value if given else None,
        category=given.category if given else None,
        flagged=criterion.flagged(given) if given else None,
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


def keep_labels(project: Project, labels: Sequence[Label], *, records: Sequence[Record], criteria: Criteria) -> None:
    """Write labels with what they are about; they are on disk when this returns.

    Parameters
    ----------
    project
        Whose Store keeps them.
    labels
        The labels, all of these criteria.
    records
        The records that they are about, in the version that was coded.
    criteria
        The criteria, whose text is kept with them.

    Raises
    ------
    StoreError
        Neither the file nor the spool beside it could be written.
    """
    if not labels:
        return
    new = new_coders(project, {label.coder for label in labels})
    project.store.write(WriteBatch(rows=[*criteria.to_rows(), *new, *labels], records=records))


def labels(
    project: Project | None = None,
    *,
    coder: str | Sequence[str] | None = None,
    criteria: Criteria | str | None = None,
    history: bool = False,
) -> pd.DataFrame:
    """The codes of people: the newest of each, or every one that was ever given.

    Parameters
    ----------
    project
        The project; by default the open one.
    coder
        One coder, or several.
    criteria
        The criteria, in this wording; or the name of criteria, in all wordings.
    history
        Every row, also what was replaced or withdrawn, with ids and times.

    Returns
    -------
    pandas.DataFrame
        One row per coder, record, criterion, wording and round: the columns of `labels`. Without `history` there
        are neither ids nor times.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb.project.session import init
    >>> project = init("labels-example", path=tempfile.mkdtemp())
    >>> respect, record = Criteria("respect", "Is it respectful?"), Record(record_id="a", content="Vermin.")
    >>> label = make_label(respect["respect"], respect, record, coder="kf", answer="no", source="form")
    >>> keep_labels(project, [label], records=[record], criteria=respect)
    >>> labels()[["record_id", "criterion", "coder", "category", "status"]].values.tolist()
    [['a', 'respect', 'kf', 'no', 'coded']]
    """
    store = (project or current()).store
    rules = ["true"] if history else ["status <> 'withdrawn'"]
    params: list[Any] = []
    if coder is not None:
        rules.append("list_contains(?::varchar[], coder)")
        params.append([coder] if isinstance(coder, str) else list(coder))
    if criteria is not None:
        rules.append("criteria_hash = ?" if isinstance(criteria, Criteria) else "criteria_set = ?")
        params.append(criteria.criteria_hash if isinstance(criteria, Criteria) else criteria)
    source = "labels" if history else "latest_labels"
    order = f"{_ORDER}, coded_at, label_id" if history else _ORDER
    found = store.df(f"select * from {source} where {' and '.join(rules)} order by {order}", params)  # noqa: S608
    columns = [name for name in Label.model_fields if history or name not in _EXECUTION]
    return found[columns].astype({"flagged": "boolean", "blind": "boolean"})


def _answer(criterion: Criterion, answer: Any | None, status: LabelStatus) -> Answer | None:
    if status in ("skipped", "withdrawn"):
        if answer is not None:
            raise InvalidAnswer(f"a label that is {status} has no answer, and {answer!r:.60} was given.")
        return None
    if status in _ANSWER_OF:
        expected = _ANSWER_OF[status]
        if answer is not None and answer != expected:
            raise InvalidAnswer(f"status `{status}` stands for the answer `{expected}`, and {answer!r:.60} was given.")
        answer = expected
    if answer is None:
        raise InvalidAnswer(f'there is no answer on `{criterion.name}`; write status="skipped" where none was given.')
    return criterion.scale.parse(answer, NON_ANSWERS)  # a person may always say so
