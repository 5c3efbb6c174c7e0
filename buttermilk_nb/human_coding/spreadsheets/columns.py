"""The columns of a coding sheet and the codes in them.

The columns follow from the questions alone. So a sheet that somebody saved as CSV, which drops the hidden sheets, can
still be read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ...codebook.criterion import Criterion
from ...codebook.scales import NON_ANSWERS
from ...errors import SetupError
from ...store.exporters.files import unescape_formula
from ..questionnaire import Question, Questionnaire

RECORD_ID, TEXT, NOTES = "record_id", "text", "notes"
_YES_NO_WORDS = {"yes": "yes", "y": "yes", "x": "yes", "1": "yes", "true": "yes"}
_YES_NO_WORDS |= {"no": "no", "n": "no", "0": "no", "false": "no"} | {name: name for name in NON_ANSWERS}


class CodeColumn(NamedTuple):
    """A column to fill in: the answer to a question, or whether one of its labels applies."""

    header: str
    question: Question
    label: str | None = None

    @property
    def criterion(self) -> Criterion:
        """The criterion with its scale."""
        return self.question.criterion

    @property
    def choices(self) -> tuple[str, ...]:
        """The answers in the drop-down. There are none if the question asks for a number."""
        if self.label is not None:
            return ("yes", "no", *self.criterion.non_answers)
        answers = self.criterion.scale.answers
        return (*answers, *self.criterion.non_answers) if answers else ()


def code_columns(questionnaire: Questionnaire, *, full_keys: bool = False) -> list[CodeColumn]:
    """The columns to fill in, in the order of the questions.

    Parameters
    ----------
    questionnaire
        The questions.
    full_keys
        Whether the name of its document stands before each criterion, also where that is not needed.

    Raises
    ------
    SetupError
        Two questions would have a column of the same name.

    Examples
    --------
    >>> from buttermilk_nb import Criteria
    >>> criteria = Criteria("c", "?", criteria={"tone": {"question": "?", "scale": "labels: warm | cold"}})
    >>> [column.header for column in code_columns(Questionnaire([criteria]))]
    ['tone: warm', 'tone: cold']
    """
    headers: dict[str, str] = dict.fromkeys((RECORD_ID, TEXT, NOTES), "")
    columns = []
    for question in questionnaire:
        key, scale = question.full_key if full_keys else question.key, question.criterion.scale
        labels: tuple[str | None, ...] = scale.answers if scale.form_control().kind == "choices" else (None,)
        for label in labels:
            header = (key if label is None else f"{key}: {label}").strip()
            while headers.get(header) == "":
                header += " (code)"
            if header in headers:
                raise SetupError(
                    f"two columns of a sheet would be called `{header}`, for `{headers[header]}` and for `{key}`; "
                    "give one of the criteria another name."
                )
            headers[header] = key
            columns.append(CodeColumn(header, question, label))
    return columns


def columns_in(headers: Collection[str], questionnaire: Questionnaire) -> list[CodeColumn]:
    """Those of a table's columns that hold answers. A sheet for several documents may use the longer names.

    A question with several labels has a column for each in a sheet; in other tables it may have one for all.
    """
    columns = [*code_columns(questionnaire), *code_columns(questionnaire, full_keys=True)]
    present = list({column.header: column for column in reversed(columns) if column.header in headers}.values())[::-1]
    in_parts = {column.question.key for column in present if column.label is not None}
    return present + [
        column
        for column in whole_columns(questionnaire)
        if column.header in headers and column.question.key not in in_parts
    ]


def whole_columns(questionnaire: Questionnaire) -> list[CodeColumn]:
    """For each question with a column per label: the column that has all of its labels in a table of one's own."""
    columns = code_columns(questionnaire)
    taken = {RECORD_ID, TEXT, NOTES, *(column.header for column in columns)}
    questions = {column.question.key: column.question for column in columns if column.label is not None}
    return [CodeColumn(key, question) for key, question in questions.items() if key not in taken]


def answers_in(fields: Mapping[str, Any], columns: Sequence[CodeColumn]) -> list[tuple[Question, Any]]:
    """The answer to each question in a row of a sheet; None if nothing was filled in.

    A question with several labels has a column for each. The labels with `yes` apply. If at least one column is filled
    in, an empty one means `no`. Cells that do not form an answer are returned as they are; the scale then rejects them.
    """
    questions = {column.question.key: column.question for column in columns}
    answers: dict[str, Any] = dict.fromkeys(questions)
    for column in columns:
        key, value = column.question.key, clean_cell(fields.get(column.header))
        if column.label is None:
            answers[key] = value
        elif value is not None:
            answers[key] = {**(answers[key] or {}), column.label: value}
    return [
        (questions[key], _combine_labels(value) if isinstance(value, dict) else value) for key, value in answers.items()
    ]


def clean_cell(value: Any) -> Any:
    """The value of a spreadsheet cell as a code: text without surrounding spaces, None for an empty cell.

    Examples
    --------
    >>> clean_cell(" yes "), clean_cell(""), clean_cell(float("nan")), clean_cell(3.0)
    ('yes', None, None, 3)
    """
    if isinstance(value, str):
        return unescape_formula(value.strip()) or None
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
