"""Agreement of a judge with each group of people, compared with the agreement within the group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._internal.arguments import check_arguments
from ...errors import SetupError
from ..coefficients.arrays import BoolArray, FloatArray
from ..shared.bootstrap import check_resampling, percentile_interval, unit_weights
from ..shared.coder_roles import judge_names
from ..shared.notes import add_codes_notes, join_sentences, replicates_note, sample_note, unequal_note
from ..shared.ratings_frame import prepare_ratings
from ..shared.ratings_groups import column_names, ratings_groups
from .coder_groups import group_of_coder
from .group_agreement import MEASURES, GroupAgreement, group_agreement

if TYPE_CHECKING:
    import pandas as pd


@check_arguments
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
    """Does a judge agree more with one group of people? One row per group of the frame, judge and group of people.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder` and `category`.
    groups
        A mapping from each person's name to the name of the group, or a column of the frame with the group. People
        without a group are left out.
    by
        Columns that make the groups of the frame. Criteria and wordings are never pooled.
    judges
        The judges, by name; by default every coder of kind `instrument`.
    n_boot, seed, confidence
        The number of resamples of whole clusters, their seed, and the level of the percentile intervals (0 to 1).

    Returns
    -------
    pandas.DataFrame
        `by`..., `judge`, `group`, then

        - `agreement`: percent agreement (a share, 0 to 1) of the judge with each member, averaged over the members;
          `agreement_least` and `agreement_most`: if it had disagreed, or agreed, with the members on each record that
          it was meant to answer and did not;
        - `alpha`: Krippendorff's alpha (2019) of the judge with each member, averaged, at the level of measurement of
          the scale, for sets with the MASI distance;
        - `within_agreement`, `within_alpha`: the same of each two members, averaged: the yardstick; NaN if the group is
          one person;
        - `difference`, `alpha_difference`: with this group, minus the mean over the other groups: above 0, the judge
          agrees more with this group;
        - for all but the bounds, `_low` and `_high`; then `n_coders`, `n_records` (answered by the judge and a member),
          `n_excluded` (the other records), `n_clusters`, `n_undefined` (resamples without a value of alpha) and `note`.

    Raises
    ------
    SetupError
        A coder or column is unknown, a coder is in two groups or is a judge as well; criteria or wordings would be
        pooled.

    Notes
    -----
    Everything is computed within each replicate of the judge and averaged; each member counts alike, whatever the
    number of records. Members who have seen the judges' answers are left out. Groups are compared on the records that
    each has coded: if these differ, this may explain the difference, and the note says so.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = {"ana": "yyyn", "ben": "yyyn", "eva": "ynnn", "judge": "yyyn"}
    >>> rows = [(i, "hurtful", who, codes[i % 4]) for who, codes in answers.items() for i in range(40)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> in_group = {"ana": "targeted", "ben": "targeted", "eva": "bystander"}
    >>> result = perspectives(ratings, groups=in_group, judges=["judge"], n_boot=50)
    >>> result[["group", "agreement", "within_agreement", "difference"]].values.tolist()
    [['bystander', 0.5, nan, -0.5], ['targeted', 1.0, 1.0, 0.5]]
    """
    import pandas as pd

    check_resampling(n_boot, confidence)
    by = column_names(by)
    frame = prepare_ratings(ratings, by)
    members = group_of_coder(frame, groups, "groups")
    rows = []
    for key, part in ratings_groups(frame, by):
        for judge in judge_names(part, judges):
            if judge in members:
                raise SetupError(
                    f"groups: `{judge}` is a judge; groups are of the people with whom a judge is compared."
                )
            data = group_agreement(part, judge, members)
            unequal = part.inclusion_p.nunique() > 1
            rows += [key | {"judge": judge} | row for row in _group_rows(data, unequal, n_boot, seed, confidence)]
    return add_codes_notes(pd.DataFrame(rows), frame)


def _group_rows(
    data: GroupAgreement, unequal_probabilities: bool, n_boot: int, seed: int, confidence: float
) -> Iterator[dict[str, Any]]:
    has_both = {group: data.has_both(group) for group in data.groups}
    judge_values, within_values = _resampled_values(data, np.any(list(has_both.values()), axis=0), n_boot, seed)
    for group in data.groups:
        other_groups = [judge_values[name] for name in data.groups if name != group]
        own = judge_values[group]
        difference = own - np.mean(other_groups, axis=0) if other_groups else np.full(own.shape, np.nan)
        n_clusters = len(np.unique(data.data.clusters[has_both[group]]))
        row: dict[str, Any] = {"group": group}
        for prefix, values in (("", own), ("within_", within_values[group])):
            for i, measure in enumerate(MEASURES):
                row |= _value_with_interval(prefix + measure, values[i], n_clusters, confidence)
                if prefix + measure == "agreement":
                    row["agreement_least"], row["agreement_most"] = data.bounds(group)
        for name, values in (("difference", difference[0]), ("alpha_difference", difference[1])):
            row |= _value_with_interval(name, values, n_clusters, confidence)
        yield row | {
            "n_coders": len(data.groups[group]),
            "n_records": int(has_both[group].sum()),
            "n_excluded": int((~has_both[group]).sum()),
            "n_clusters": n_clusters,
            "n_undefined": int(np.isnan(own[1][1:]).sum()),
            "note": join_sentences(
                _group_note(data, group, has_both, np.isnan(own[1, 0]), n_clusters),
                unequal_note(unequal_probabilities),
            ),
        }


def _resampled_values(
    data: GroupAgreement, used: BoolArray, n_boot: int, seed: int
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """For each group, measures x (1 + resamples): of the judge with the members, and of the members with each other.

    The first column is the sample itself.
    """
    used_data = replace(
        data,
        data=replace(
            data.data,
            codes=tuple(replace(codes, matrix=codes.matrix[used]) for codes in data.data.codes),
            clusters=np.unique(data.data.clusters[used], return_inverse=True)[1],
        ),
    )
    pairs = {("judge", group): used_data.judge_pairs(group) for group in data.groups}
    pairs |= {("within", group): list(combinations(members, 2)) for group, members in data.groups.items()}
    units = {key: [used_data.distinct_units(pair) for pair in own] for key, own in pairs.items()}
    values: dict[tuple[str, str], list[FloatArray]] = {key: [] for key in pairs}
    for weights in chain([np.ones((1, int(used.sum())))], unit_weights(used_data.data.clusters, n_boot, seed)):
        for key, own in units.items():
            values[key].append(used_data.estimates(own, weights))
    judge_values, within_values = (
        {group: np.concatenate(values[kind, group], axis=1) for group in data.groups} for kind in ("judge", "within")
    )
    return judge_values, within_values


def _value_with_interval(name: str, values: FloatArray, n_clusters: int, confidence: float) -> dict[str, float]:
    value = float(values[0])
    low, high, _ = percentile_interval(values[1:], confidence)
    if n_clusters < 2 or np.isnan(value):
        low = high = float("nan")
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _group_note(
    data: GroupAgreement, group: str, has_both: Mapping[str, BoolArray], is_undefined: bool, n_clusters: int
) -> str:
    members, excluded = data.groups[group], data.excluded_coders[group]
    n = int(has_both[group].sum())
    on_other_records = [name for name in has_both if name != group and (has_both[name] != has_both[group]).any()]
    return join_sentences(
        "No member of the group coded these records." if not members else "",
        "No record was answered by both." if members and not n else "",
        data.undefined_reason(group) if n and is_undefined else "",
        sample_note(n, n_clusters),
        "The group is one person, so there is no agreement within it." if len(members) == 1 else "",
        "There is only one group, so there is no difference." if len(has_both) == 1 else "",
        f"Not on the same records as {', '.join(f'`{name}`' for name in on_other_records)}; this may explain the "
        "difference."
        if on_other_records
        else "",
        "Numbers agree only if they are the same: use alpha." if data.data.level in ("interval", "ratio") else "",
        f"Left out, because they saw the judges' answers: {', '.join(f'`{name}`' for name in excluded)}."
        if excluded
        else "",
        replicates_note(data.data.replicates),
    )
