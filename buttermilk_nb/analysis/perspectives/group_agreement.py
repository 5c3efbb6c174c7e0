"""Agreement of a judge with the members of each group of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..coefficients import COEFFICIENTS
from ..coefficients.arrays import BoolArray, FloatArray, mean_of_defined
from ..coefficients.distinct_units import DistinctUnits, distinct_units
from ..shared.coder_roles import coder_codes, non_blind_coders
from ..shared.reliability_data import ReliabilityData

if TYPE_CHECKING:
    import pandas as pd

MEASURES = ("agreement", "alpha")
"""The names of the estimates, in order."""


@dataclass(frozen=True, eq=False)
class GroupAgreement:
    """A judge and the members of each group, as columns of the reliability data.

    Parameters
    ----------
    data
        The reliability data.
    judge
        The column of the judge.
    groups
        The columns of the members of each group.
    excluded_coders
        The members of each group who are left out because they have seen the judges' answers.
    was_planned
        Which records the judge was meant to answer.
    """

    data: ReliabilityData
    judge: int
    groups: dict[str, list[int]]
    excluded_coders: dict[str, list[str]]
    was_planned: BoolArray

    def has_both(self, group: str) -> BoolArray:
        """The records that the judge and a member answered."""
        has_code = np.any([codes.matrix >= 0 for codes in self.data.codes], axis=0)
        return np.asarray(has_code[:, self.judge] & has_code[:, self.groups[group]].any(axis=1))

    def judge_pairs(self, group: str) -> list[tuple[int, int]]:
        """The judge with each member, as columns."""
        return [(self.judge, member) for member in self.groups[group]]

    def distinct_units(self, pair: tuple[int, int]) -> tuple[DistinctUnits, ...]:
        """The distinct records of two columns, in each replicate."""
        replicates = range(self.data.replicates)
        return tuple(distinct_units(self.data.codes_of(r, pair), is_by_coder=False) for r in replicates)

    def estimates(self, pairs: Sequence[tuple[DistinctUnits, ...]], weights: FloatArray) -> FloatArray:
        """Measures x resamples: percent agreement and alpha, averaged over replicates, then over the pairs.

        Parameters
        ----------
        pairs
            The distinct records of each pair.
        weights
            Resamples x records: how often each record counts.
        """
        if not pairs:
            return np.full((len(MEASURES), len(weights)), np.nan)
        by_pair = []
        for pair in pairs:
            counts = [(own.codes, own.weights(weights)) for own in pair]
            by_pair.append(
                np.stack(
                    [
                        mean_of_defined(COEFFICIENTS[name].resample(codes, rows) for codes, rows in counts)
                        for name in ("percent_agreement", self._alpha)
                    ]
                )
            )
        return mean_of_defined(by_pair)

    def undefined_reason(self, group: str) -> str:
        """Why alpha is undefined with each member."""
        codes = (self.data.codes_of(r, pair) for pair in self.judge_pairs(group) for r in range(self.data.replicates))
        return next(filter(None, map(COEFFICIENTS[self._alpha].undefined_reason, codes)), "")

    def bounds(self, group: str) -> tuple[float, float]:
        """The least and the greatest agreement, if every missing answer of the judge had disagreed, or agreed."""
        pair_bounds = []
        for _, member in self.judge_pairs(group):
            replicate_bounds = []
            for codes in self.data.codes:
                judge, own = codes.matrix[:, self.judge], codes.matrix[:, member]
                planned = (own >= 0) & (self.was_planned | (judge >= 0))
                same, missing = (own == judge)[planned], (judge < 0)[planned]
                replicate_bounds.append(
                    np.array([same.mean(), (same | missing).mean()] if planned.any() else [np.nan, np.nan])
                )
            pair_bounds.append(mean_of_defined(replicate_bounds))
        least, most = mean_of_defined(pair_bounds) if pair_bounds else (np.nan, np.nan)
        return float(least), float(most)

    @property
    def _alpha(self) -> str:
        return "krippendorff_alpha_masi" if self.data.level == "set" else "krippendorff_alpha"


def group_agreement(part: pd.DataFrame, judge: str, members: Mapping[str, str]) -> GroupAgreement:
    """The judge, and those members who have not seen its answers.

    Parameters
    ----------
    part
        One group of prepared ratings.
    judge
        The name of the judge.
    members
        The group of each coder.
    """
    rows, non_blind = part[part.usable], non_blind_coders(part)
    present = [name for name in members if name in set(rows.coder) and name not in non_blind]
    data, column = coder_codes(part, [judge, *present])
    was_planned = part.record_id.drop_duplicates().sort_values().isin(part.record_id[part.coder == judge])
    groups = sorted(set(members.values()))
    return GroupAgreement(
        data=data,
        judge=column[judge],
        groups={group: [column[name] for name in present if members[name] == group] for group in groups},
        excluded_coders={
            group: [name for name in members if name in non_blind and members[name] == group] for group in groups
        },
        was_planned=was_planned.to_numpy(bool),
    )
