"""Agreement of a judge with each group of people, beside that of the group with itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SetupError
from ..coefficients.base import FloatArray
from ..shared.bootstrap import percentile_interval, unit_weights
from ..shared.coder_roles import judge_names
from ..shared.groups import column_names
from ..shared.notes import join_sentences, sample_note
from ..shared.ratings_frame import groups as parted, prepare_ratings
from ..stability.stability import check_resampling
from .coder_groups import group_of_coder
from .group_agreement import MEASURES, GroupAgreement, group_agreement

if TYPE_CHECKING:
    import pandas as pd


def perspectives(
    ratings: pd.DataFrame,
    *,
    groups: Mapping[str, str] | str,
    by: str | Sequence[str] = ("criterion",),
    judges: Sequence[str] | None = None,
    n_boot: int = 1000,
    seed: int = 1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Does a judge side with one group of people? One row per part of the frame, judge and group.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder` and `category`.
    groups
        From each person's name to the name of the group, or a column of the frame that holds it. Who has no group is
        left out.
    by
        Columns to part the frame by. Criteria and wordings are never pooled.
    judges
        The judges, by name; by default every coder of kind `instrument`.
    n_boot, seed, confidence
        Resamples of whole clusters, their seed, and the level of the percentile intervals.

    Returns
    -------
    pandas.DataFrame
        `by`..., `judge`, `group`, then

        - `agreement`: percent agreement (a share) of the judge with each member, averaged over the members;
          `agreement_least` and `agreement_most`, had it disagreed, or agreed, with the members on each record that it
          was asked about and did not answer;
        - `alpha`: Krippendorff's alpha (2019) of the judge with each member, averaged, at the level of measurement of
          the scale, for sets with the MASI distance;
        - `within_agreement`, `within_alpha`: the same of each two members, averaged: the yardstick, and NaN where the
          group is one person;
        - `difference`, `alpha_difference`: with this group, less the mean over the other groups: above 0, the judge
          sides with this one;
        - for all but the bounds, `_low` and `_high`; then `n_coders`, `n_records` (answered by the judge and a member),
          `n_excluded` (the other records), `n_clusters`, `n_undefined` (resamples without a value of alpha) and `note`.

    Raises
    ------
    SetupError
        A coder or column is unknown, a coder is in two groups or is a judge as well; criteria or wordings would be
        pooled.

    Notes
    -----
    Everything is computed within each replicate of the judge and averaged, each member counting alike, whatever the
    number of records. Members who have seen the judges' answers are left out. Groups are compared on the records that
    each has coded: where these differ, so may the difference, and the note says so.

    Examples
    --------
    >>> import pandas as pd
    >>> said = {"ana": "yyyn", "ben": "yyyn", "eva": "ynnn", "judge": "yyyn"}
    >>> rows = [(i, "hurtful", who, codes[i % 4]) for who, codes in said.items() for i in range(40)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> in_group = {"ana": "targeted", "ben": "targeted", "eva": "bystander"}
    >>> found = perspectives(ratings, groups=in_group, judges=["judge"], n_boot=50)
    >>> found[["group", "agreement", "within_agreement", "difference"]].values.tolist()
    [['bystander', 0.5, nan, -0.5], ['targeted', 1.0, 1.0, 0.5]]
    """
    import pandas as pd

    check_resampling(n_boot, confidence)
    by = column_names(by)
    frame = prepare_ratings(ratings, by)
    members = group_of_coder(frame, groups, "groups")
    rows = []
    for key, part in parted(frame, by):
        for judge in judge_names(part, judges):
            if judge in members:
                raise SetupError(
                    f"groups: `{judge}` is a judge; groups are of the people whom a judge is compared with."
                )
            found = group_agreement(part, judge, members)
            named = dict(zip(by, key, strict=True))
            rows += [named | {"judge": judge} | row for row in _group_rows(part, found, n_boot, seed, confidence)]
    return pd.DataFrame(rows)


def _group_rows(
    part: pd.DataFrame, found: GroupAgreement, n_boot: int, seed: int, confidence: float
) -> Iterator[dict[str, Any]]:
    shared = {group: found.has_both(group) for group in found.groups}
    used = np.any(list(shared.values()), axis=0)
    kept = replace(
        found,
        data=replace(
            found.data,
            codes=tuple(replace(codes, matrix=codes.matrix[used]) for codes in found.data.codes),
            clusters=np.unique(found.data.clusters[used], return_inverse=True)[1],
        ),
    )
    pairs = {("judge", one): kept.judge_pairs(one) for one in found.groups}
    pairs |= {("within", one): list(combinations(members, 2)) for one, members in found.groups.items()}
    numbers: dict[tuple[str, str], list[FloatArray]] = {which: [] for which in pairs}
    for rows in chain([np.ones((1, int(used.sum())))], unit_weights(kept.data.clusters, n_boot, seed)):
        for which, places in pairs.items():
            numbers[which].append(kept.estimates(places, rows))
    judged, within = (
        {one: np.concatenate(numbers[which, one], axis=1) for one in found.groups} for which in ("judge", "within")
    )
    for group in found.groups:
        others = [judged[one] for one in found.groups if one != group]
        apart = judged[group] - np.mean(others, axis=0) if others else np.full(judged[group].shape, np.nan)
        n, n_clusters = int(shared[group].sum()), len(np.unique(found.data.clusters[shared[group]]))
        row: dict[str, Any] = {"group": group}
        for prefix, own in (("", judged[group]), ("within_", within[group])):
            for i, measure in enumerate(MEASURES):
                row |= _value_with_interval(prefix + measure, own[i], n_clusters, confidence)
                if prefix + measure == "agreement":
                    row["agreement_least"], row["agreement_most"] = found.bounds(group)
        row |= _value_with_interval("difference", apart[0], n_clusters, confidence) | _value_with_interval(
            "alpha_difference", apart[1], n_clusters, confidence
        )
        yield row | {
            "n_coders": len(found.groups[group]),
            "n_records": n,
            "n_excluded": int((~shared[group]).sum()),
            "n_clusters": n_clusters,
            "n_undefined": int(np.isnan(judged[group][1][1:]).sum()),
            "note": _group_note(part, found, group, shared, judged[group], n_clusters),
        }


def _value_with_interval(name: str, numbers: FloatArray, n_clusters: int, confidence: float) -> dict[str, float]:
    value = float(numbers[0])
    low, high, _ = percentile_interval(numbers[1:], confidence)
    if n_clusters < 2 or np.isnan(value):
        low = high = float("nan")
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _group_note(
    part: pd.DataFrame,
    found: GroupAgreement,
    group: str,
    shared: Mapping[str, NDArray[np.bool_]],
    numbers: FloatArray,
    n_clusters: int,
) -> str:
    members, set_aside = found.groups[group], found.excluded_coders[group]
    others = [one for one in shared if one != group and (shared[one] != shared[group]).any()]
    return join_sentences(
        "No member of the group coded these records." if not members else "",
        "No record was answered by both." if members and not shared[group].any() else "",
        found.undefined_reason(group) if shared[group].any() and np.isnan(numbers[1, 0]) else "",
        sample_note(int(shared[group].sum()), n_clusters),
        "The group is one person, so it has no agreement of its own." if len(members) == 1 else "",
        "There is one group only, so there is no difference." if len(shared) == 1 else "",
        f"Not on the same records as {', '.join(f'`{one}`' for one in others)}; so may the difference be."
        if others
        else "",
        "Numbers agree only where they are the same: read alpha." if found.data.level in ("interval", "ratio") else "",
        f"Left out, having seen the judges' answers: {', '.join(f'`{one}`' for one in set_aside)}."
        if set_aside
        else "",
        f"Computed within each of {found.data.replicates} replicates and averaged."
        if found.data.replicates > 1
        else "",
        "Records were drawn with unequal probability, and are not weighted here."
        if part.inclusion_p.nunique() > 1
        else "",
    )
