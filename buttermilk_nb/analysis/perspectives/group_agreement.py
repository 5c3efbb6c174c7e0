"""A judge and groups of people as columns of one table, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..coefficients import COEFFICIENTS
from ..coefficients.base import FloatArray
from ..shared.coder_roles import coder_codes, non_blind_coders
from ..shared.reliability_data import ReliabilityData

if TYPE_CHECKING:
    import pandas as pd

MEASURES = ("agreement", "alpha")
"""What is estimated, in order."""


@dataclass(frozen=True, eq=False)
class GroupAgreement:
    """A judge and the members of each group, as columns of the reliability data."""

    data: ReliabilityData
    judge: int
    groups: dict[str, list[int]]
    excluded_coders: dict[str, list[str]]
    was_planned: NDArray[np.bool_]

    def has_both(self, group: str) -> NDArray[np.bool_]:
        """The records that the judge and a member answered."""
        given = np.any([codes.matrix >= 0 for codes in self.data.codes], axis=0)
        return np.asarray(given[:, self.judge] & given[:, self.groups[group]].any(axis=1))

    def judge_pairs(self, group: str) -> list[tuple[int, int]]:
        """The judge with each member."""
        return [(self.judge, place) for place in self.groups[group]]

    def estimates(self, pairs: Sequence[tuple[int, int]], rows: FloatArray) -> FloatArray:
        """Percent agreement and alpha in each resample, averaged over replicates, then over the pairs."""
        found = [np.full(len(rows), np.nan)] * len(MEASURES)
        for i, name in enumerate(("percent_agreement", self._alpha)):
            one, each = COEFFICIENTS[name], range(self.data.replicates)
            found[i] = _mean(
                [_mean([one.estimate(self.data.codes_of(r, p), rows) for r in each], rows) for p in pairs], rows
            )
        return np.stack(found)

    def undefined_reason(self, group: str) -> str:
        """Why alpha is undefined with each member."""
        pairs = (self.data.codes_of(r, pair) for pair in self.judge_pairs(group) for r in range(self.data.replicates))
        return next(filter(None, map(COEFFICIENTS[self._alpha].undefined_reason, pairs)), "")

    @property
    def _alpha(self) -> str:
        return "krippendorff_alpha_masi" if self.data.level == "set" else "krippendorff_alpha"

    def bounds(self, group: str) -> tuple[float, float]:
        """Agreement, had the judge disagreed or agreed wherever it was asked and gave no answer."""
        ends = []
        for _, place in self.judge_pairs(group):
            each = []
            for codes in self.data.codes:
                judge, own = codes.matrix[:, self.judge], codes.matrix[:, place]
                planned = (own >= 0) & (self.was_planned | (judge >= 0))
                same = (own == judge)[planned]
                each.append((same.mean(), (same | (judge < 0)[planned]).mean()) if planned.any() else (np.nan, np.nan))
            ends.append(np.array(each).T)
        only = np.ones((1, 1))
        least, most = (_mean([_mean(list(end[i][:, None]), only) for end in ends], only)[0] for i in (0, 1))
        return float(least), float(most)


def group_agreement(part: pd.DataFrame, judge: str, members: Mapping[str, str]) -> GroupAgreement:
    """The judge and those members who have not seen its answers."""
    given, seen = part[part.usable], non_blind_coders(part)
    present = [name for name in members if name in set(given.coder) and name not in seen]
    data, place = coder_codes(part, [judge, *present])
    asked = part.record_id.drop_duplicates().sort_values().isin(part.record_id[part.coder == judge])
    return GroupAgreement(
        data,
        place[judge],
        {one: [place[name] for name in present if members[name] == one] for one in sorted(set(members.values()))},
        {one: [name for name in members if name in seen and members[name] == one] for one in set(members.values())},
        asked.to_numpy(bool),
    )


def _mean(each: Sequence[FloatArray], rows: FloatArray) -> FloatArray:
    """The mean of those that are defined, in each resample."""
    if not each:
        return np.full(len(rows), np.nan)
    stacked = np.stack(each)
    known = ~np.isnan(stacked)
    n = known.sum(axis=0)
    return np.asarray(
        np.divide(np.where(known, stacked, 0.0).sum(axis=0), n, out=np.full(n.shape, np.nan), where=n > 0)
    )
