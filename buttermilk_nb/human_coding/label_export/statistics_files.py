"""Codes for SPSS (`.sav`) and Stata (`.dta`): a row per coder and record, numbers with labels, declared missing values.

A yes/no question is 1 and 0, a category its number from 1 on, a point of a scale itself; a question with several labels
has a column of 0 and 1 for each. `not applicable` and `cannot tell` are missing values with a label.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...codebook.criterion import Criterion
from ...codebook.scales import NON_ANSWERS, YesNo
from ...corpus.loaders.documents.document import import_parser
from ..questionnaire import Question, Questionnaire
from .code_tables import form_table
from .stored_codes import StoredCodes

_SPSS_MISSING = {name: 997.0 + n for n, name in enumerate(NON_ANSWERS)}
_STATA_MISSING = dict(zip(NON_ANSWERS, "abcdefgh", strict=False))
_NOT_A_LETTER = re.compile(r"\W+")
_MAX_NAME = 32
_MAX_LABEL = 80


class _FileVariable:
    """A column of the file: its name, its label, the number of each answer, and which answer it is about."""

    def __init__(self, name: str, label: str, numbers: dict[str, float], member: str | None = None) -> None:
        self.name = name
        self.label = label[:_MAX_LABEL]
        self.numbers = numbers
        self.member = member

    def value(self, answer: Any, missing: dict[str, Any]) -> Any:
        """The number of an answer; None if there is none."""
        if answer is None or answer != answer:
            return None
        if isinstance(answer, str) and answer in missing:
            return missing[answer]
        if self.member is not None:
            return float(self.member in (answer if isinstance(answer, list) else [answer]))
        return self.numbers.get(str(answer), answer if not self.numbers else None)


def write_statistics_file(codes: StoredCodes, questionnaire: Questionnaire, file: Path, target: Path) -> None:
    """Write the codes to a file.

    Parameters
    ----------
    codes, questionnaire
        The codes, and their questions.
    file
        The file as it will be called: its ending is the format.
    target
        The file that is written.

    Raises
    ------
    SetupError
        pyreadstat is not installed.
    """
    pyreadstat, _ = import_parser("pyreadstat", "pyreadstat", file.name)
    is_spss = file.suffix.lower() == ".sav"
    missing: dict[str, Any] = dict(_SPSS_MISSING if is_spss else _STATA_MISSING)
    form = form_table(codes)
    frame = form[["record_id", "coder"]].astype(str)
    taken = {"record_id", "coder", "notes"}
    columns: list[_FileVariable] = []
    for question in questionnaire:
        answers = form[question.key] if question.key in form else [None] * len(form)
        for column in _columns(question, _namer(taken)):
            columns.append(column)
            frame[column.name] = [column.value(answer, missing) for answer in answers]
            if is_spss:
                frame[column.name] = frame[column.name].astype(float)
    frame["notes"] = form.notes.astype(str)
    labels = {"record_id": "record", "coder": "coder", **{c.name: c.label for c in columns}, "notes": "notes"}
    by_value = {c.name: {v: k for k, v in c.numbers.items()} | {v: k for k, v in missing.items()} for c in columns}
    names = [column.name for column in columns]
    if is_spss:
        ranges = {name: sorted(_SPSS_MISSING.values()) for name in names}
        pyreadstat.write_sav(
            frame, str(target), column_labels=labels, variable_value_labels=by_value, missing_ranges=ranges
        )
    else:
        marks = {name: list(_STATA_MISSING.values()) for name in names}
        pyreadstat.write_dta(
            frame, str(target), column_labels=labels, variable_value_labels=by_value, missing_user_values=marks
        )


def _columns(question: Question, name: Callable[[str], str]) -> list[_FileVariable]:
    criterion = question.criterion
    if criterion.scale.level == "set":
        return [
            _FileVariable(name(f"{question.key}_{label}"), f"{question.key}: {label}", {"no": 0.0, "yes": 1.0}, label)
            for label in criterion.scale.answers
        ]
    return [_FileVariable(name(question.key), criterion.question, _numbers(criterion))]


def _numbers(criterion: Criterion) -> dict[str, float]:
    """The number of each answer; empty for a question that asks for a number."""
    answers = criterion.scale.answers
    if isinstance(criterion.scale, YesNo):
        return {"no": 0.0, "yes": 1.0}
    parsed = {answer: criterion.parse_code(answer).value for answer in answers}
    if answers and all(value is not None for value in parsed.values()):
        return {answer: float(value) for answer, value in parsed.items() if value is not None}
    return {answer: float(n) for n, answer in enumerate(answers, 1)}


def _namer(taken: set[str]) -> Callable[[str], str]:
    """Makes names of columns that both programs take, each once."""

    def make(text: str) -> str:
        base = _NOT_A_LETTER.sub("_", text).strip("_") or "question"
        base = (base if base[0].isalpha() else f"q_{base}")[:_MAX_NAME]
        name, n = base, 1
        while name.casefold() in taken:
            n += 1
            name = f"{base[: _MAX_NAME - len(str(n)) - 1]}_{n}"
        taken.add(name.casefold())
        return name

    return make
