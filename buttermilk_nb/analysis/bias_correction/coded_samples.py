"""Judged records and the human-coded sample of them, as arrays: what every estimator here takes.

A correction holds whatever the judge says, as long as chance alone decided which records were coded. Two things follow.
Without known chances there is no correction, so none is guessed. And a record without an answer of the judge needs not
be left out: the mean of its answers stands in, and the codes of such records correct it like any other error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ...errors import SetupError, nearest
from ..shared.ratings_frame import FEW, groups, modal_ratings, prepare_ratings, scale_of, usable_rows
from .inclusion_probability import inclusion_probability
from .influence import BoolArray, FloatArray, IntArray
from .outcome_values import Outcome, OutcomeName, choose_outcome

if TYPE_CHECKING:
    import pandas as pd

ReplicateMode = Literal["each", "modal"]


@dataclass(frozen=True, eq=False)
class CodedSample:
    """One group: an entry per record that the judge was asked about.

    `said` is the judge's number (its mean where it gave none, which `answered` tells), `coded` the human one and
    `inclusion` its probability, NaN for records without a code. `drawn` counts records with a row of the coder, and
    `seen` codes that were not given blind.
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
    of: OutcomeName,
    sampled: str | None,
    replicate_mode: ReplicateMode,
) -> Iterator[CodedSample]:
    """Each group in which the judge was asked.

    Raises
    ------
    SetupError
        As `corrected_estimate` says.
    """
    by = [by] if isinstance(by, str) else list(by)
    if replicate_mode not in get_args(ReplicateMode):
        raise SetupError(f"replicates: write `each` or `modal`, and not `{replicate_mode}`.")
    frame = _select_judge_and_coder(prepare_ratings(ratings, by), judge, coder)
    for key, part in groups(frame, by):
        if (part.coder == judge).any():
            yield _coded_sample(dict(zip(by, key, strict=True)), part, judge, coder, of, sampled, replicate_mode)


def _select_judge_and_coder(frame: pd.DataFrame, judge: str, coder: str) -> pd.DataFrame:
    known = [str(name) for name in frame.coder.unique()]
    for word, name in (("judge", judge), ("coder", coder)):
        if name not in known:
            raise SetupError(f"{word}: there is no coder `{name}` in the ratings; {nearest(name, known)}")
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
    of: OutcomeName,
    sampled: str | None,
    how: ReplicateMode,
) -> CodedSample:
    where = f"criterion `{part.criterion.iloc[0]}`"
    theirs, own = part[part.coder == judge], part[part.coder == coder]
    records = sorted(theirs.record_id.unique())
    _check_sample(where, records, own, judge, coder)
    what = choose_outcome(part, theirs, own, of, where, scale_of(part))
    said = _record_means(modal_ratings(theirs) if how == "modal" else theirs, what, records)
    answered = ~np.isnan(said)
    if not answered.any():
        raise SetupError(f"{where}: judge `{judge}` has no usable answer, so there is nothing to correct.")
    coded = _record_means(own, what, records)
    drawn = own.set_index("record_id").inclusion_p.reindex(records).to_numpy(float)
    is_drawn = np.isin(records, own.record_id.to_numpy(str))
    known, chosen_by = inclusion_probability(where, coder, drawn, is_drawn, ~np.isnan(coded), sampled)
    kin = theirs.drop_duplicates("record_id").set_index("record_id").kin.reindex(records)
    return CodedSample(
        key=key,
        description=where,
        outcome=what,
        records=records,
        judged=np.where(answered, said, said[answered].mean()),
        has_answer=answered,
        coded=coded,
        inclusion=known,
        clusters=np.unique(kin.to_numpy(str), return_inverse=True)[1].astype(np.intp),
        n_drawn=int(is_drawn.sum()),
        n_not_blind=int((own.blind.astype("boolean") == False).fillna(value=False).sum()),  # noqa: E712  # NA is not known
        inclusion_source=chosen_by,
    )


def _check_sample(where: str, records: list[str], own: pd.DataFrame, judge: str, coder: str) -> None:
    if own.record_id.duplicated().any():
        raise SetupError(f"{where}: `{coder}` coded records in several replicates; filter the ratings to one of them.")
    other = sorted(set(own.record_id) - set(records))
    if other:
        raise SetupError(
            f"{where}: {len(other):,} of {len(own):,} records coded by `{coder}` were never put to `{judge}` (such as "
            f"`{other[0]}`), and a correction needs a sample of the judged records: judge them too, or leave them out."
        )
    usable = len(usable_rows(own))
    if usable < FEW:
        raise SetupError(
            f"{where}: {usable} records have a usable code of `{coder}`, and a correction needs {FEW} at least; draw a "
            "random sample of the judged records and have it coded, or leave out of `by` what only the judge's rows "
            "have."
        )


def _record_means(rows: pd.DataFrame, what: Outcome, records: list[str]) -> FloatArray:
    """The mean number of each record's rows; NaN where no row has one."""
    numbers = what.values(rows)
    return np.asarray(numbers.groupby(rows.record_id).mean().reindex(records).to_numpy(float))
