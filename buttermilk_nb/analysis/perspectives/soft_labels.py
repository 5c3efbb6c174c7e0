"""Soft labels: the distribution of the people's codes on each record, instead of the majority's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._internal.arguments import check_arguments
from ...errors import SetupError
from ..coefficients.arrays import FloatArray
from ..frames.human_codes import TRUTH
from ..shared.coder_roles import judge_names, non_blind_coders
from ..shared.modes import modes
from ..shared.notes import add_codes_notes, join_sentences
from ..shared.ratings_frame import prepare_ratings, scale_of
from ..shared.ratings_groups import column_names, ratings_groups
from .coder_groups import group_of_coder

if TYPE_CHECKING:
    import pandas as pd


@check_arguments
def soft_labels(
    ratings: pd.DataFrame,
    *,
    by: str | Sequence[str] = ("criterion",),
    group: Mapping[str, str] | str | None = None,
    judge: str | None = None,
    divergence: bool = False,
    smoothing: float = 0.5,
) -> pd.DataFrame:
    """The distribution of people's codes: one row per group of the frame and record (and group of people).

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`, or one with `record_id`, `criterion`, `coder` and `category`.
    by
        Columns that make the groups of the frame. Criteria and wordings are never pooled.
    group
        A mapping from each person's name to the name of a group, or a column with the group: one distribution for each
        group of people. By default everybody except `truth` counts.
    judge
        A coder whose answers get columns of their own, and who is not counted among the people.
    divergence
        Whether to measure how far the distribution of the judge's answers over its replicates is from the people's.
    smoothing
        The number of answers added to each category of the judge before the cross-entropy (0 or more). Without
        smoothing it is infinite if people gave an answer that the judge never gave.

    Returns
    -------
    pandas.DataFrame
        `by`..., `group` (if there are groups), `record_id`, `share_<category>` (0 to 1, one column for each declared or
        given category; missing if the criterion has no such category), `entropy` (bits: 0 if all agree, 1 if two
        answers are as frequent), `n_coders`, `n_excluded` (people with a row and no usable answer). With a judge:
        `judge`, `judge_answer` (the most frequent of its replicates; missing if there is none or a tie), `judge_share`
        (the share of people who gave that answer), `n_replicates`. With `divergence`: `cross_entropy` (bits; of the
        judge's distribution under the people's, never less than `entropy`), `brier` (sum of the squared differences of
        the shares, 0 to 2; Brier 1950). Then `note`.

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
    >>> result = soft_labels(ratings, judge="judge", divergence=True)
    >>> result[["share_no", "share_yes", "entropy", "judge_share", "brier"]].round(4).values.tolist()
    [[0.25, 0.75, 0.8113, 0.75, 0.125]]
    """
    import pandas as pd

    if divergence and judge is None:
        raise SetupError('divergence: it needs a judge; name one, judge="...".')
    if smoothing < 0:
        raise SetupError(f"smoothing={smoothing}: it is a number of answers, 0 or more.")
    by = column_names(by)
    frame = prepare_ratings(ratings, by)
    members = None if group is None else group_of_coder(frame, group, "group")
    if judge is not None and judge in (members or ()):
        raise SetupError(f"group: `{judge}` is the judge; groups are of people.")
    tables = []
    for key, part in ratings_groups(frame, by):
        judge_name = judge_names(part, [judge])[0] if judge is not None else None
        for name in [None] if members is None else sorted(set(members.values())):
            people = _select_people(part, judge_name, members, name)
            table = _label_table(part, people, judge_name, smoothing if divergence else None)
            full_key = key | ({} if name is None else {"group": name})
            tables.append(table.assign(**full_key)[[*full_key, *table.columns]])
    result = add_codes_notes(pd.concat(tables, ignore_index=True), frame)
    shares = [name for name in result.columns if name.startswith("share_")]
    first = list(result.columns[: list(result.columns).index("record_id") + 1])
    return result[[*first, *shares, *(name for name in result.columns if name not in {*first, *shares})]]


def _select_people(
    part: pd.DataFrame, judge: str | None, members: Mapping[str, str] | None, group: str | None
) -> list[str]:
    if members is None:
        return [name for name in sorted(part.coder[part.kind == "human"].unique()) if name not in (TRUTH, judge)]
    return [name for name in sorted(part.coder.unique()) if members.get(name) == group]


def _label_table(part: pd.DataFrame, people: Sequence[str], judge: str | None, smoothing: float | None) -> pd.DataFrame:
    import pandas as pd

    categories, records = _categories(part), sorted(part.record_id.unique())
    usable = part[part.usable]
    rows = part[part.coder.isin(people)]
    shares, n_coders = _category_shares(usable[usable.coder.isin(people)], records, categories)
    n_planned = rows.groupby("record_id").coder.nunique().reindex(records, fill_value=0).to_numpy()
    table: dict[str, Any] = {"record_id": records}
    table |= {f"share_{name}": shares[:, i] for i, name in enumerate(categories)}
    table |= {"entropy": _cross_entropy(shares, shares), "n_coders": n_coders, "n_excluded": n_planned - n_coders}
    notes = [[] if n else ["No person has coded this record."] for n in n_coders]
    if judge is not None:
        table |= _judge_columns(usable[usable.coder == judge], judge, records, categories, shares, smoothing, notes)
        not_blind = rows.record_id[rows.usable & rows.coder.isin(non_blind_coders(part))]
        for i in np.flatnonzero(np.isin(records, not_blind.to_numpy(str))):
            notes[i].append("One of the people saw the judges' answers.")
    return pd.DataFrame(table | {"note": [join_sentences(*sentences) for sentences in notes]})


def _categories(part: pd.DataFrame) -> list[str]:
    """The declared categories in their order, then others that were given.

    Raises
    ------
    SetupError
        Answers are numbers on a continuous scale.
    """
    scale, criterion = scale_of(part), part.criterion.iloc[0]
    if (scale is not None and scale.level in ("interval", "ratio")) or (part.usable & part.category.isna()).any():
        raise SetupError(
            f"criterion `{criterion}` is answered with numbers, which have no shares; leave it out: "
            f'ratings[ratings.criterion != "{criterion}"].'
        )
    declared = [] if scale is None or scale.level == "set" else list(scale.answers)
    return declared + sorted(set(part.category[part.usable]) - set(declared))


def _category_shares(rows: pd.DataFrame, records: Sequence[str], categories: Sequence[str]) -> tuple[FloatArray, Any]:
    """Records x categories: the share of coders, each counting once; and the number of coders."""
    import pandas as pd

    shape = (len(records), len(categories))
    record = pd.Index(records).get_indexer(pd.Index(rows.record_id))
    category = pd.Index(categories).get_indexer(pd.Index(rows.category))
    n_repeats = rows.groupby(["record_id", "coder"]).category.transform("size").to_numpy(float)
    counts = np.bincount(record * shape[1] + category, 1 / n_repeats, shape[0] * shape[1]).reshape(shape)
    n = np.rint(counts.sum(axis=1)).astype(np.intp)
    return np.divide(counts, n[:, None], out=np.full(shape, np.nan), where=n[:, None] > 0), n


def _judge_columns(
    rows: pd.DataFrame,
    judge: str,
    records: Sequence[str],
    categories: Sequence[str],
    shares: FloatArray,
    smoothing: float | None,
    notes: list[list[str]],
) -> dict[str, Any]:
    """The columns on the judge's answers; adds sentences to the notes of records without a modal answer."""
    import pandas as pd

    judge_shares, _ = _category_shares(rows, records, categories)
    record = pd.Index(records).get_indexer(pd.Index(rows.record_id))
    category = pd.Index(categories).get_indexer(pd.Index(rows.category))
    modal = modes(record, category, len(records))
    n_replicates = modal.n_codes.astype(np.intp)
    people_share = np.pad(shares, ((0, 0), (0, 1)))[np.arange(len(records)), modal.mode]
    columns: dict[str, Any] = {
        "judge": judge,
        "judge_answer": pd.Series(np.array([*categories, None], object)[modal.mode], dtype="str"),
        "judge_share": np.where(modal.mode >= 0, people_share, np.nan),
        "n_replicates": n_replicates,
    }
    for i, (n, is_tie) in enumerate(zip(n_replicates, modal.is_tie, strict=True)):
        if not n:
            notes[i].append("The judge has no answer.")
        elif is_tie:
            notes[i].append("The judge's replicates tie.")
    if smoothing is not None:
        counts = judge_shares * n_replicates[:, None] + smoothing
        smoothed = counts / counts.sum(axis=1, keepdims=True)
        smoothed[n_replicates == 0] = np.nan
        brier = ((judge_shares - shares) ** 2).sum(axis=1)
        columns |= {"cross_entropy": _cross_entropy(shares, smoothed), "brier": brier}
    return columns


def _cross_entropy(shares: FloatArray, model: FloatArray) -> FloatArray:
    """In bits; infinite if the model gives no probability to what occurs, NaN if one of the two is unknown."""
    is_unknown = np.isnan(shares).any(axis=1) | np.isnan(model).any(axis=1)
    occurs = np.nan_to_num(shares) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(occurs, -shares * np.log2(model), 0.0)
    return np.where(is_unknown, np.nan, terms.sum(axis=1) + 0.0)
