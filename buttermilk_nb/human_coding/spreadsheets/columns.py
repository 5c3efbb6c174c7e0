"""The columns of a coding sheet and the codes in them.

The columns follow from the criteria alone. So a sheet that somebody saved as CSV, which drops the hidden sheets, can
still be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...codebook.criteria import Criteria
from ...codebook.criterion import Criterion
from ...codebook.scales import NON_ANSWERS

RECORD_ID, TEXT, NOTES = "record_id", "text", "notes"
_YES_NO_WORDS = {"yes": "yes", "y": "yes", "x": "yes", "1": "yes", "true": "yes"}
_YES_NO_WORDS |= {"no": "no", "n": "no", "0": "no", "false": "no"} | {name: name for name in NON_ANSWERS}


class CodeColumn(NamedTuple):
    """A column to fill in: the code on a criterion, or whether one of its labels applies."""

    header: str
    criterion: Criterion
    label: str | None = None

    @property
    def choices(self) -> tuple[str, ...]:
        """The answers in the drop-down. There are none if the question asks for a number."""
        if self.label is not None:
            return ("yes", "no", *self.criterion.non_answers)
        answers = self.criterion.scale.answers
        return (*answers, *self.criterion.non_answers) if answers else ()


def code_columns(criteria: Criteria) -> list[CodeColumn]:
    """The columns to fill in, in the order of the criteria.

    Examples
    --------
    >>> criteria = Criteria("c", "?", criteria={"tone": {"question": "?", "scale": "labels: warm | cold"}})
    >>> [column.header for column in code_columns(criteria)]
    ['tone: warm', 'tone: cold']
    """
    headers = {RECORD_ID, TEXT, NOTES}
    columns = []
    for criterion in criteria:
        labels: tuple[str | None, ...] = (None,)
        if criterion.scale.form_control().kind == "choices":
            labels = criterion.scale.answers
        for label in labels:
            header = (criterion.name if label is None else f"{criterion.name}: {label}").strip()
            while header in headers:
                header += " (code)"
            headers.add(header)
            columns.append(CodeColumn(header, criterion, label))
    return columns


def answers_in(fields: Mapping[str, Any], columns: Sequence[CodeColumn]) -> list[tuple[Criterion, Any]]:
    """The answer on each criterion in a row of a sheet; None if nothing was filled in.

    A question with several labels has a column for each. The labels with `yes` apply. If at least one column is filled
    in, an empty one means `no`. Cells that do not form an answer are returned as they are; the scale then rejects them.
    """
    answers: dict[str, tuple[Criterion, Any]] = {}
    for column in columns:
        criterion, value = column.criterion, clean_cell(fields.get(column.header))
        if column.label is None:
            answers[criterion.name] = (criterion, value)
        elif value is not None:
            label_values = answers.get(criterion.name, (criterion, None))[1] or {}
            answers[criterion.name] = (criterion, {**label_values, column.label: value})
        else:
            answers.setdefault(criterion.name, (criterion, None))
    return [
        (criterion, _combine_labels(value) if isinstance(value, dict) else value)
        for criterion, value in answers.values()
    ]


def clean_cell(value: Any) -> Any:
    """The value of a spreadsheet cell as a code: text without surrounding spaces, None for an empty cell.

    Examples
    --------
    >>> clean_cell(" yes "), clean_cell(""), clean_cell(float("nan")), clean_cell(3.0)
    ('yes', None, None, 3)
    """
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, float):
        return None if value != value else int(value) if value.is_integer() else value  # NaN is not equal to itself
    return value


def _combine_labels(values: Mapping[str, Any]) -> Any:
    """The answer from the columns of several labels; the values as they are if they do not form an answer."""
    words = {label: _YES_NO_WORDS.get(str(value).casefold()) for label, value in values.items()}
    non_answers = set(words.values()) - {"yes", "no"}
    if not non_answers:
        return [label for label, word in words.items() if word == "yes"]
    if len(non_answers) == 1 and None not in non_answers and "yes" not in words.values():
        return non_answers.pop()
    return dict(values)
