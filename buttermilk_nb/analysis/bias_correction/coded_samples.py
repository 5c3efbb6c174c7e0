"""Judged records and the human-coded sample of them, as arrays.

A correction is valid for any judge, as long as chance alone decided which records were coded. This has two
consequences. Without known inclusion probabilities there is no correction, so none is guessed. And a record without an
answer of the judge can stay in: the mean of the judge's answers replaces the missing one, and the codes of such records
correct it like any other error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import SetupError, nearest
from ..coefficients.arrays import BoolArray, FloatArray, IntArray
from ..shared.modes import modal_ratings
from ..shared.notes import FEW, codes_note
from ..shared.ratings_frame import prepare_ratings, scale_of, usable_rows
from ..shared.ratings_groups import column_names, ratings_groups
from ..shared.replicate_mode import ReplicateMode, check_replicate_mode
from .inclusion_probability import inclusion_probability
from .outcome_values import Outcome, OutcomeName, choose_outcome

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class CodedSample:
    """One group; the arrays have one entry per record that the judge was meant to answer.

    Parameters
    ----------
    key
        The values of `by`.
    description
        What the group is called in an error.
    outcome
        The number of an answer that is estimated.
    records
        The ids of the records, sorted.
    judged
        The judge's number; the mean of its numbers if it gave none.
    has_answer
        Whether the judge gave an answer.
    coded
        The human code, as a number; NaN without one.
    inclusion
        The inclusion probability of coded records; NaN for the others.
    clusters
        The cluster of each record, as a number.
    n_drawn
        The number of records with a row of the coder.
    n_not_blind
        The number of codes that were not given blind.
    inclusion_source
        How the inclusion probability is known.
    codes_note
        What was done to the forms of the codes.
    """

    key: dict[str, Any]
    description: str
    outcome: Outcome
    records: list[str]
    judged: FloatArray
    has_answer: BoolArray
    coded: FloatArray
    inclusion: FloatArray
    clusters: IntArray
    n_drawn: int
    n_not_blind: int
    inclusion_source: str
    codes_note: str

    @property
    def has_code(self) -> BoolArray:
        """Which records have a usable human code."""
        return np.asarray(~np.isnan(self.coded))

    @property
    def weights(self) -> FloatArray:
        """1 / inclusion probability; 0 for records without a code."""
        return np.where(self.has_code, 1 / np.where(self.has_code, self.inclusion, 1.0), 0.0)

    @property
    def adjusted_outcome(self) -> FloatArray:
        """The design-adjusted outcome of each record."""
        return self.judged + self.weights * np.where(self.has_code, self.coded - self.judged, 0.0)


def coded_samples(
    ratings: pd.DataFrame,
    judge: str,
    coder: str,
    by: str | Sequence[str],
    outcome_name: OutcomeName,
    sampled: str | None,
    replicate_mode: ReplicateMode,
) -> Iterator[CodedSample]:
    """Each group in which the judge has a row. The parameters are those of `corrected_estimate`.

    Raises
    ------
    SetupError
        As in `corrected_estimate`.
    """
    by = column_names(by)
    check_replicate_mode(replicate_mode)
    frame = _select_judge_and_coder(prepare_ratings(ratings, by), judge, coder)
    for key, part in ratings_groups(frame, by):
        if (part.coder == judge).any():
            yield _coded_sample(key, part, judge, coder, outcome_name, sampled, replicate_mode)


def _select_judge_and_coder(frame: pd.DataFrame, judge: str, coder: str) -> pd.DataFrame:
    names = [str(name) for name in frame.coder.unique()]
    for parameter, name in (("judge", judge), ("coder", coder)):
        if name not in names:
            raise SetupError(f"{parameter}: there is no coder `{name}` in the ratings; {nearest(name, names)}")
    if judge == coder:
        raise SetupError(f"judge and coder are both `{judge}`; a correction needs a judge, and a person's codes.")
    if (frame.kind[frame.coder == coder] == "instrument").any():
        raise SetupError(f"coder: `{coder}` is an instrument, and only human codes correct a judge; name a person.")
    return frame[frame.coder.isin([judge, coder])]


def _coded_sample(
    key: dict[str, Any],
    part: pd.DataFrame,
    judge: str,
    coder: str,
    outcome_name: OutcomeName,
    sampled: str | None,
    replicate_mode: ReplicateMode,
) -> CodedSample:
    description = f"criterion `{part.criterion.iloc[0]}`"
    judge_rows, coder_rows = part[part.coder == judge], part[part.coder == coder]
    records = sorted(judge_rows.record_id.unique())
    _check_sample(description, records, coder_rows, judge, coder)
    outcome = choose_outcome(part, judge_rows, coder_rows, outcome_name, description, scale_of(part))
    used_rows = modal_ratings(judge_rows) if replicate_mode == "modal" else judge_rows
    judged = _record_means(used_rows, outcome, records)
    has_answer = ~np.isnan(judged)
    if not has_answer.any():
        raise SetupError(f"{description}: judge `{judge}` has no usable answer, so there is nothing to correct.")
    coded = _record_means(coder_rows, outcome, records)
    declared = coder_rows.set_index("record_id").inclusion_p.reindex(records).to_numpy(float)
    is_drawn = np.isin(records, coder_rows.record_id.to_numpy(str))
    inclusion, source = inclusion_probability(description, coder, declared, is_drawn, ~np.isnan(coded), sampled)
    units = judge_rows.drop_duplicates("record_id").set_index("record_id").resampling_unit.reindex(records)
    not_blind = (coder_rows.blind.astype("boolean") == False).fillna(value=False)  # noqa: E712  # NA is not known
    return CodedSample(
        key=key,
        description=description,
        outcome=outcome,
        records=records,
        judged=np.where(has_answer, judged, judged[has_answer].mean()),
        has_answer=has_answer,
        coded=coded,
        inclusion=inclusion,
        clusters=np.unique(units.to_numpy(str), return_inverse=True)[1].astype(np.intp),
        n_drawn=int(is_drawn.sum()),
        n_not_blind=int(not_blind.sum()),
        inclusion_source=source,
        codes_note=codes_note(part),
    )


def _check_sample(description: str, records: list[str], coder_rows: pd.DataFrame, judge: str, coder: str) -> None:
    """Check that the coded records are a sample of the judged ones, each coded once, and enough of them."""
    if coder_rows.record_id.duplicated().any():
        raise SetupError(
            f"{description}: `{coder}` coded records in several replicates; filter the ratings to one of them."
        )
    not_judged = sorted(set(coder_rows.record_id) - set(records))
    if not_judged:
        raise SetupError(
            f"{description}: {len(not_judged):,} of {len(coder_rows):,} records coded by `{coder}` were not judged by "
            f"`{judge}` (such as `{not_judged[0]}`), and a correction needs a sample of the judged records: judge them "
            "too, or leave them out."
        )
    n_usable = len(usable_rows(coder_rows))
    if n_usable < FEW:
        raise SetupError(
            f"{description}: only {n_usable} records have a usable code by `{coder}`. A correction needs at least "
            f"{FEW}, chosen at random from the judged records. Draw such a sample and have it coded, or leave out of "
            "`by` the columns that only the judge's rows have."
        )


def _record_means(rows: pd.DataFrame, outcome: Outcome, records: list[str]) -> FloatArray:
    """The mean number of each record's rows; NaN if no row has one."""
    numbers = outcome.values(rows)
    return np.asarray(numbers.groupby(rows.record_id).mean().reindex(records).to_numpy(float))
