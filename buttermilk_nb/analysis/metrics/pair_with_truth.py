"""Pair the answers of each coder with the truth, record by record.

The truth is looked up by record and criterion (and by `criteria_set` and `criteria_hash` if these are in `by` and the
truth has values in them). Other columns in `by` are those of the coder's own rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import SetupError
from ..coefficients.arrays import IntArray
from ..shared.modes import modes
from ..shared.ratings_groups import WORDING_COLUMNS, check_one_wording
from ..shared.replicate_mode import check_replicate_mode
from .question import CriterionAnswers, category_flags, code_answers, single_scale
from .read_frame import NO_ANSWER, RatingArrays, TextArray, read_ratings

if TYPE_CHECKING:
    import pandas as pd

TIE = "tie"


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers of one coder, one entry per planned answer, by record and replicate.

    Parameters
    ----------
    record, replicate
        The record and the replicate, as numbers.
    code
        An index into the categories of the question; -1 without a usable answer.
    reason
        Why there is no usable answer; empty if there is one.
    row
        The row of the frame.
    """

    record: IntArray
    replicate: IntArray
    code: IntArray
    reason: TextArray
    row: IntArray


@dataclass(frozen=True, eq=False)
class Truth:
    """The truth of a criterion in one wording.

    Parameters
    ----------
    question
        The criterion.
    codes
        The code of each row of the frame; -1 without a usable answer.
    truth, reason
        For each record the true category, as an index (-1: none), and why there is none.
    """

    question: CriterionAnswers
    codes: IntArray
    truth: IntArray
    reason: TextArray


@dataclass(frozen=True, eq=False)
class PairedCoder:
    """One coder in one group, paired with the truth.

    Parameters
    ----------
    key
        The values of `by`.
    coder
        The name of the coder.
    question
        The criterion.
    answers
        The answers of the coder.
    truth, truth_reason
        For each answer the true category, as an index (-1: none), and why there is none.
    clusters
        The cluster of each record of the frame.
    unequal_probabilities
        Whether records were drawn with unequal probabilities.
    table
        The frame.
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
    """Every group x coder, sorted by name."""
    check_replicate_mode(replicate_mode)
    arrays = read_ratings(ratings, truth, by, coders)
    return list(_pair_coders(arrays, truth, tuple(by), modal=replicate_mode == "modal"))


def modal_answers(answers: Answers) -> Answers:
    """The answer that each record got most often; a tie is no answer."""
    records, first, group = np.unique(answers.record, return_index=True, return_inverse=True)
    has_answer = answers.code >= 0
    modal = modes(group[has_answer], answers.code[has_answer], len(records))
    reason = np.array(answers.reason[first], object)
    reason[modal.mode >= 0], reason[modal.is_tie] = "", TIE
    return Answers(records, np.zeros(len(records), np.intp), modal.mode, reason, answers.row[first])


def _pair_coders(arrays: RatingArrays, truth: str, by: tuple[str, ...], *, modal: bool) -> Iterator[PairedCoder]:
    coder_rows = np.flatnonzero(arrays.coder != truth)
    group = _group_numbers(arrays, by, coder_rows)
    question_columns = ("criterion", *(name for name in WORDING_COLUMNS if name in by))
    question_number = _group_numbers(arrays, question_columns, coder_rows)
    truths: dict[int, Truth] = {}
    for number in range(int(group.max(initial=-1)) + 1):
        rows = coder_rows[group == number]
        own = int(question_number[group == number][0])
        if own not in truths:
            question_rows = coder_rows[question_number == own]
            truths[own] = _truth(arrays, truth, question_rows, question_columns[1:], modal=modal)
        for coder in sorted(set(arrays.coder[rows])):
            answers = _coder_answers(arrays, coder, rows[arrays.coder[rows] == coder], truths[own].codes, modal=modal)
            yield PairedCoder(
                key=tuple(arrays.table[name].iloc[int(rows[0])] for name in by),
                coder=coder,
                question=truths[own].question,
                answers=answers,
                truth=truths[own].truth[answers.record],
                truth_reason=truths[own].reason[answers.record],
                clusters=arrays.clusters,
                unequal_probabilities=arrays.unequal_probabilities,
                table=arrays.table,
            )


def _group_numbers(arrays: RatingArrays, by: tuple[str, ...], rows: IntArray) -> IntArray:
    if not by:
        return np.zeros(len(rows), np.intp)
    part = arrays.table.iloc[rows]
    return part.groupby(list(by), dropna=False, sort=True, observed=True).ngroup().to_numpy().astype(np.intp)


def _truth(arrays: RatingArrays, truth: str, rows: IntArray, wording_columns: tuple[str, ...], *, modal: bool) -> Truth:
    """The truth of the criterion and wording of some rows."""
    table = arrays.table
    name = str(table["criterion"].iloc[int(rows[0])])
    truth_rows = _truth_rows(arrays, truth, int(rows[0]), wording_columns)
    both = np.concatenate([rows, truth_rows])
    for column in WORDING_COLUMNS:
        check_one_wording(name, column, _distinct_texts(arrays, column, both))
    scale = single_scale(name, _distinct_texts(arrays, "scale", both))
    question, both_codes = code_answers(
        name, scale, arrays.category[both], arrays.texts, arrays.value[both], arrays.has_answer[both]
    )
    question = replace(question, flags=category_flags(question, both_codes, arrays.flag[both]))
    codes = np.full(len(arrays.record), -1, np.intp)
    codes[both] = both_codes
    answers = _coder_answers(arrays, truth, truth_rows, codes, modal=modal)
    if len(answers.record) != len(np.unique(answers.record)):
        raise SetupError(
            f"`{truth}` answered criterion `{name}` in several replicates, and a truth is one answer: "
            'filter its rows to one replicate, or use `replicate_mode="modal"`.'
        )
    truth_code, reason = np.full(len(arrays.clusters), -1, np.intp), np.full(len(arrays.clusters), NO_ANSWER, object)
    truth_code[answers.record], reason[answers.record] = answers.code, answers.reason
    return Truth(question, codes, truth_code, reason)


def _truth_rows(arrays: RatingArrays, truth: str, row: int, wording_columns: tuple[str, ...]) -> IntArray:
    """The rows of the truth on the criterion of a row, in its wording or in none."""
    table = arrays.table
    is_truth = (arrays.coder == truth) & (table["criterion"] == table["criterion"].iloc[row]).to_numpy(np.bool_)
    for column in wording_columns:
        is_same = (table[column] == table[column].iloc[row]).fillna(value=False)
        is_truth &= (table[column].isna() | is_same).to_numpy(np.bool_)
    return np.flatnonzero(is_truth)


def _distinct_texts(arrays: RatingArrays, column: str, rows: IntArray) -> list[str]:
    return sorted(str(value) for value in arrays.table[column].iloc[rows].dropna().unique())


def _coder_answers(arrays: RatingArrays, coder: str, rows: IntArray, codes: IntArray, *, modal: bool) -> Answers:
    rows = rows[np.lexsort((arrays.replicate[rows], arrays.record[rows]))]
    record, replicate = arrays.record[rows], arrays.replicate[rows]
    twice = np.flatnonzero((np.diff(record) == 0) & (np.diff(replicate) == 0))
    if twice.size:
        row = arrays.table.iloc[int(rows[int(twice[0])])]
        raise SetupError(
            f"coder `{coder}` has two rows for record `{row['record_id']}` on criterion `{row['criterion']}`: keep "
            "one, or number them in the column `replicate`."
        )
    answers = Answers(record, replicate, codes[rows], arrays.reason[rows], rows)
    return modal_answers(answers) if modal else answers
