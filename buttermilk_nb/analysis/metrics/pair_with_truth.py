"""One coder beside the truth: which rows belong together, and what is refused.

Truth is looked up by record and criterion (and by `criteria_set` and `criteria_hash` where those are in `by` and the
truth names them). Other columns in `by` are those of the coder's own rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import SetupError
from .question import CriterionAnswers, IntArray, category_flags, code_answers, single_scale
from .read_frame import NO_ANSWER, RatingArrays, TextArray, read_ratings

if TYPE_CHECKING:
    import pandas as pd

WORDINGS = ("criteria_set", "criteria_hash")
TIE = "tie"


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers of one coder, one entry per planned cell, by record and replicate.

    `code` points into the question's categories, -1 where there is no usable answer; then `reason` says why. `row` is
    the row of the frame that it came from.
    """

    record: IntArray
    replicate: IntArray
    code: IntArray
    reason: TextArray
    row: IntArray


@dataclass(frozen=True, eq=False)
class PairedCoder:
    """One coder in one by-group beside the truth.

    `truth` and `truth_reason` have one entry per cell of `answers`; `clusters` has one per record of the frame.
    """

    key: tuple[object, ...]
    coder: str
    question: CriterionAnswers
    answers: Answers
    truth: IntArray
    truth_reason: TextArray
    clusters: IntArray
    unequal_probabilities: bool
    table: pd.DataFrame


def paired_coders(
    ratings: pd.DataFrame, truth: str, by: Sequence[str], coders: Sequence[str] | None, replicate_mode: str
) -> list[PairedCoder]:
    """Every by-group x coder, in the order of their names."""
    frame = read_ratings(ratings, truth, by, coders)
    return list(_pair_coders(frame, truth, tuple(by), modal=_modal(replicate_mode)))


def _modal(replicate_mode: str) -> bool:
    if replicate_mode not in ("each", "modal"):
        raise SetupError(f"`replicates` is `each` or `modal`, not `{replicate_mode}`.")
    return replicate_mode == "modal"


def _pair_coders(frame: RatingArrays, truth: str, by: tuple[str, ...], *, modal: bool) -> Iterator[PairedCoder]:
    theirs = np.flatnonzero(frame.coder != truth)
    group = _group_numbers(frame, by, theirs)
    apart = ("criterion", *(name for name in WORDINGS if name in by))
    wordings = _group_numbers(frame, apart, theirs)
    read_so_far: dict[int, tuple[CriterionAnswers, IntArray, IntArray, TextArray]] = {}
    for number in range(int(group.max(initial=-1)) + 1):
        rows = theirs[group == number]
        wording = int(wordings[group == number][0])
        if wording not in read_so_far:
            read_so_far[wording] = _question_with_truth(frame, truth, theirs[wordings == wording], apart, modal=modal)
        question, codes, true, why = read_so_far[wording]
        key = tuple(frame.table[name].iloc[int(rows[0])] for name in by)
        for coder in sorted(set(frame.coder[rows])):
            mine = rows[frame.coder[rows] == coder]
            answers = _coder_answers(frame, coder, mine, codes, modal=modal)
            yield PairedCoder(
                key,
                coder,
                question,
                answers,
                true[answers.record],
                why[answers.record],
                frame.clusters,
                frame.unequal_probabilities,
                frame.table,
            )


def _group_numbers(frame: RatingArrays, by: tuple[str, ...], rows: IntArray) -> IntArray:
    if not by:
        return np.zeros(len(rows), np.intp)
    part = frame.table.iloc[rows]
    return part.groupby(list(by), dropna=False, sort=True, observed=True).ngroup().to_numpy().astype(np.intp)


def _question_with_truth(
    frame: RatingArrays, truth: str, rows: IntArray, apart: tuple[str, ...], *, modal: bool
) -> tuple[CriterionAnswers, IntArray, IntArray, TextArray]:
    """A criterion in one wording: the question, the code of each row of the frame, and truth by record."""
    table = frame.table
    name = str(table["criterion"].iloc[int(rows[0])])
    true = (frame.coder == truth) & (table["criterion"] == table["criterion"].iloc[int(rows[0])]).to_numpy(np.bool_)
    for column in apart[1:]:
        wanted = table[column].iloc[int(rows[0])]
        same = (table[column].isna() | (table[column] == wanted).fillna(value=False)).to_numpy(np.bool_)
        true &= same
    true_rows = np.flatnonzero(true)
    both = np.concatenate([rows, true_rows])
    for column in WORDINGS:
        _one_wording(name, column, _distinct_texts(frame, column, both))
    scale = single_scale(name, _distinct_texts(frame, "scale", both))
    question, found = code_answers(
        name, scale, frame.category[both], frame.texts, frame.value[both], frame.has_answer[both]
    )
    question = replace(question, flags=category_flags(question, found, frame.flag[both]))
    codes = np.full(len(frame.record), -1, np.intp)
    codes[both] = found
    answers = _coder_answers(frame, truth, true_rows, codes, modal=modal)
    if len(answers.record) != len(np.unique(answers.record)):
        raise SetupError(
            f"`{truth}` answered criterion `{name}` in several replicates, and a truth is one answer: "
            'filter its rows to one replicate, or ask for `replicate_mode="modal"`.'
        )
    by_record = np.full(len(frame.clusters), -1, np.intp)
    by_record[answers.record] = answers.code
    why = np.full(len(frame.clusters), NO_ANSWER, object)
    why[answers.record] = answers.reason
    return question, codes, by_record, why


def _distinct_texts(frame: RatingArrays, column: str, rows: IntArray) -> list[str]:
    if column not in frame.table:
        return []
    return sorted(str(one) for one in frame.table[column].iloc[rows].dropna().unique())


def _one_wording(name: str, column: str, found: list[str]) -> None:
    if len(found) > 1:
        raise SetupError(
            f"criterion `{name}` was coded under two wordings, {column} `{found[0]}` and `{found[1]}`, which are never "
            f"pooled: filter the ratings to one of them, or put `{column}` into `by`."
        )


def _coder_answers(frame: RatingArrays, coder: str, rows: IntArray, codes: IntArray, *, modal: bool) -> Answers:
    rows = rows[np.lexsort((frame.replicate[rows], frame.record[rows]))]
    record, replicate = frame.record[rows], frame.replicate[rows]
    twice = (np.diff(record) == 0) & (np.diff(replicate) == 0)
    if twice.any():
        at = frame.table.iloc[int(rows[int(np.flatnonzero(twice)[0])])]
        raise SetupError(
            f"coder `{coder}` has two rows for record `{at['record_id']}` on criterion `{at['criterion']}`: keep one, "
            "or number them in the column `replicate`."
        )
    answers = Answers(record, replicate, codes[rows], frame.reason[rows], rows)
    return modal_answers(answers) if modal else answers


def modal_answers(answers: Answers) -> Answers:
    """The answer that each record got most often; a tie is no answer."""
    records, first, place = np.unique(answers.record, return_index=True, return_inverse=True)
    given = answers.code >= 0
    size = int(answers.code.max(initial=0)) + 1
    cell, count = np.unique(place[given] * size + answers.code[given], return_counts=True)
    order = np.lexsort((-count, cell // size))
    where, code, count = cell[order] // size, cell[order] % size, count[order]
    winner = np.full(len(records), -1, np.intp)
    reason = np.array(answers.reason[first], object)
    at, start = np.unique(where, return_index=True)
    winner[at], reason[at] = code[start], ""
    follows = np.minimum(start + 1, max(0, len(where) - 1))
    tied = at[(follows > start) & (where[follows] == at) & (count[follows] == count[start])]
    winner[tied], reason[tied] = -1, TIE
    return Answers(records, np.zeros(len(records), np.intp), winner, reason, answers.row[first])
