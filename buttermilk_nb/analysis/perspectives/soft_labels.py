"""Soft labels: the distribution of the people's codes on each record, instead of the majority's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import SetupError
from ..coefficients.base import FloatArray
from ..frames.ratings import TRUTH
from ..shared.coder_roles import judge_names, non_blind_coders
from ..shared.groups import column_names
from ..shared.notes import join_sentences
from ..shared.ratings_frame import groups, prepare_ratings, scale_of
from .coder_groups import group_of_coder

if TYPE_CHECKING:
    import pandas as pd


def soft_labels(
    ratings: pd.DataFrame,
    *,
    by: str | Sequence[str] = ("criterion",),
    group: Mapping[str, str] | str | None = None,
    judge: str | None = None,
    divergence: bool = False,
    smoothing: float = 0.5,
) -> pd.DataFrame:
    """The distribution of people's codes: one row per part of the frame and record (and group).

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder` and `category`.
    by
        Columns to part the frame by. Criteria and wordings are never pooled.
    group
        From each person's name to the name of a group, or a column that holds it: one distribution for each group. By
        default everybody counts, but `truth`.
    judge
        A coder whose answers stand beside, and who is not counted among the people.
    divergence
        Whether to say how far the distribution of the judge's answers over its replicates is from the people's.
    smoothing
        How many answers are added to each category of the judge's before the cross-entropy, which is infinite where
        people gave an answer that the judge never did; 0 adds none.

    Returns
    -------
    pandas.DataFrame
        `by`..., `group` (where there are groups), `record_id`, `share_<category>` (0 to 1, one column for each declared
        or given category; missing where the criterion has no such category), `entropy` (bits: 0 where all agree, 1
        where two answers are as frequent), `n_coders`, `n_excluded` (people with a row and no usable answer). With a
        judge: `judge`, `judge_answer` (the most frequent of its replicates; missing where there is none or a tie),
        `judge_share` (the share of people who gave that answer), `n_replicates`. With `divergence`: `cross_entropy`
        (bits; of the judge's distribution under the people's, never less than `entropy`), `brier` (sum of the
        squared differences of the shares, 0 to 2; Brier 1950). Then `note`.

    Raises
    ------
    SetupError
        Answers are numbers on a continuous scale; a coder or column is unknown; `divergence` without a judge.

    Notes
    -----
    Uma et al. (2021) review learning from soft labels and these measures. A person who coded a record in several
    replicates counts once. The answer of a multi-label scale is the whole set.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("r1", "calm", who, code) for who, code in zip("abcd", ["yes", "yes", "yes", "no"])]
    >>> rows += [("r1", "calm", "judge", "yes")]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "category"])
    >>> found = soft_labels(ratings, judge="judge", divergence=True)
    >>> found[["share_no", "share_yes", "entropy", "judge_share", "brier"]].round(4).values.tolist()
    [[0.25, 0.75, 0.8113, 0.75, 0.125]]
    """
    import pandas as pd

    if divergence and judge is None:
        raise SetupError('divergence: whose? Name the judge, judge="...".')
    if smoothing < 0:
        raise SetupError(f"smoothing={smoothing}: it is a number of answers, 0 or more.")
    by = column_names(by)
    frame = prepare_ratings(ratings, by)
    members = None if group is None else group_of_coder(frame, group, "group")
    if judge is not None and judge in (members or ()):
        raise SetupError(f"group: `{judge}` is the judge; groups are of people.")
    tables = []
    for key, part in groups(frame, by):
        beside = judge_names(part, [judge])[0] if judge is not None else None
        for one in [None] if members is None else sorted(set(members.values())):
            people = _select_people(part, beside, members, one)
            table = _label_table(part, people, beside, smoothing if divergence else None)
            named = dict(zip(by, key, strict=True)) | ({} if one is None else {"group": one})
            tables.append(table.assign(**named)[[*named, *table.columns]])
    found = pd.concat(tables, ignore_index=True)
    shares = [name for name in found.columns if name.startswith("share_")]
    first = list(found.columns[: list(found.columns).index("record_id") + 1])
    return found[[*first, *shares, *(name for name in found.columns if name not in {*first, *shares})]]


def _select_people(
    part: pd.DataFrame, judge: str | None, members: Mapping[str, str] | None, group: str | None
) -> list[str]:
    present = sorted(part.coder[part.kind == "human"].unique())
    if members is None:
        return [name for name in present if name not in (TRUTH, judge)]
    return [name for name in sorted(part.coder.unique()) if members.get(name) == group]


def _label_table(part: pd.DataFrame, people: Sequence[str], judge: str | None, smoothing: float | None) -> pd.DataFrame:
    import pandas as pd

    scale, criterion = scale_of(part), part.criterion.iloc[0]
    if (scale is not None and scale.level in ("interval", "ratio")) or (part.usable & part.category.isna()).any():
        raise SetupError(
            f"criterion `{criterion}` is answered with numbers, which have no shares; leave it out: "
            f'ratings[ratings.criterion != "{criterion}"].'
        )
    given = part[part.usable]
    named = [] if scale is None or scale.level == "set" else list(scale.answers)
    categories = named + sorted(set(given.category) - set(named))
    records = sorted(part.record_id.unique())
    shares, n = _category_shares(given[given.coder.isin(people)], records, categories)
    rows = part[part.coder.isin(people)]
    asked = rows.groupby("record_id").coder.nunique().reindex(records, fill_value=0).to_numpy()
    found: dict[str, Any] = {"record_id": records}
    found |= {f"share_{name}": shares[:, i] for i, name in enumerate(categories)}
    found |= {"entropy": _cross_entropy(shares, shares), "n_coders": n, "n_excluded": asked - n}
    notes = [["No person has coded it."] if not count else [] for count in n]
    if judge is not None:
        found |= _judge_columns(given[given.coder == judge], judge, records, categories, shares, smoothing, notes)
        seen = rows.record_id[rows.usable & rows.coder.isin(non_blind_coders(part))]
        for place in np.flatnonzero(np.isin(records, seen.to_numpy(str))):
            notes[place].append("Among the people is one who saw the judges' answers.")
    return pd.DataFrame(found | {"note": [join_sentences(*said) for said in notes]})


def _category_shares(given: pd.DataFrame, records: Sequence[str], categories: Sequence[str]) -> tuple[FloatArray, Any]:
    """Records x categories, each coder counting once; and how many coders there are."""
    import pandas as pd

    size = (len(records), len(categories))
    row = pd.Index(records).get_indexer(pd.Index(given.record_id))
    column = pd.Index(categories).get_indexer(pd.Index(given.category))
    repeats = given.groupby(["record_id", "coder"]).category.transform("size").to_numpy(float)
    counts = np.bincount(row * size[1] + column, 1 / repeats, size[0] * size[1]).reshape(size)
    n = np.rint(counts.sum(axis=1)).astype(np.intp)
    return np.divide(counts, n[:, None], out=np.full(size, np.nan), where=n[:, None] > 0), n


def _judge_columns(
    said: pd.DataFrame,
    judge: str,
    records: Sequence[str],
    categories: Sequence[str],
    shares: FloatArray,
    smoothing: float | None,
    notes: list[list[str]],
) -> dict[str, Any]:
    import pandas as pd

    own, _ = _category_shares(said, records, categories)
    repeats = said.groupby("record_id").size().reindex(list(records), fill_value=0).to_numpy()
    best = np.isclose(own, own.max(axis=1, initial=0.0)[:, None]) & (own > 0)
    sole = best.sum(axis=1) == 1
    place = np.where(sole, best.argmax(axis=1) if best.shape[1] else 0, -1)
    answer = np.array([*categories, None], object)[place]
    found: dict[str, Any] = {
        "judge": judge,
        "judge_answer": pd.Series(answer, dtype="str"),
        "judge_share": np.where(sole, np.pad(shares, ((0, 0), (0, 1)))[np.arange(len(records)), place], np.nan),
        "n_replicates": repeats,
    }
    for at, (alone, count) in enumerate(zip(sole, repeats, strict=True)):
        if not count:
            notes[at].append("The judge has no answer.")
        elif not alone:
            notes[at].append("The judge's replicates tie.")
    if smoothing is not None:
        added = own * repeats[:, None] + smoothing
        smooth = added / added.sum(axis=1, keepdims=True)
        smooth[repeats == 0] = np.nan
        found |= {"cross_entropy": _cross_entropy(shares, smooth), "brier": ((own - shares) ** 2).sum(axis=1)}
    return found


def _cross_entropy(shares: FloatArray, other: FloatArray) -> FloatArray:
    """In bits; infinite where `other` holds impossible what occurs, NaN where one of the two is unknown."""
    unknown = np.isnan(shares).any(axis=1) | np.isnan(other).any(axis=1)
    occurs = np.nan_to_num(shares) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(occurs, -shares * np.log2(other), 0.0)
    return np.where(unknown, np.nan, each.sum(axis=1) + 0.0)
