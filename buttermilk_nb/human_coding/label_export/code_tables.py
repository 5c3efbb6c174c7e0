"""Codes as a table: `long` has a row per code, `wide` a row per record, `form` a row per coder and record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..questionnaire import Questionnaire
from .stored_codes import StoredCodes, answer_of

if TYPE_CHECKING:
    import pandas as pd

_LONG = [
    "record_id", "coder", "criterion", "category", "value", "notes", "quotes", "status", "round", "blind", "sample_id",
    "inclusion_p", "record_hash", "criteria_set", "criteria_hash",
]  # fmt: skip

_NO_LABEL = "none"
"""The answer that none of several labels applies, which an empty place does not say."""


def long_table(codes: StoredCodes) -> pd.DataFrame:
    """One row per code, with all that `import_labels` reads again."""
    return codes.frame[_LONG]


def wide_table(codes: StoredCodes, questionnaire: Questionnaire) -> pd.DataFrame:
    """One row per record, one column per coder; with several questions, a column for each question of each coder."""
    import pandas as pd

    frame = codes.frame
    is_one = len(questionnaire) == 1
    columns = [
        coder if is_one else f"{question}: {coder}" for coder, question in zip(frame.coder, frame.question, strict=True)
    ]
    answers = [
        "; ".join(answer) or _NO_LABEL if isinstance(answer := answer_of(row), list) else answer
        for row in frame.to_dict("records")
    ]
    cells = pd.DataFrame({"record_id": frame.record_id, "column": columns, "answer": answers})
    wide = cells.pivot(index="record_id", columns="column", values="answer")  # one answer per place
    wide = wide.loc[list(dict.fromkeys(frame.record_id)), list(dict.fromkeys(sorted(columns)))]
    return wide.rename_axis(columns=None).reset_index()


def form_table(codes: StoredCodes) -> pd.DataFrame:
    """One row per coder and record: the answers by question, and the notes."""
    import pandas as pd

    forms: dict[tuple[str, str], dict[str, Any]] = {}
    notes: dict[tuple[str, str], dict[str, None]] = {}
    for row in codes.frame.to_dict("records"):
        key = (row["record_id"], row["coder"])
        forms.setdefault(key, {"record_id": key[0], "coder": key[1]})[row["question"]] = answer_of(row)
        notes.setdefault(key, {}).update({row["notes"]: None} if isinstance(row["notes"], str) else {})
    rows = [{**form, "notes": "; ".join(notes[key])} for key, form in forms.items()]
    questions = list(dict.fromkeys(codes.frame.question))
    return pd.DataFrame(rows, columns=["record_id", "coder", *questions, "notes"])
