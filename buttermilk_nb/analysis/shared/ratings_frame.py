"""What statistics expect of a frame of ratings, and the sentence where it is something else.

A researcher may hand over a frame of her own with four columns; everything else has a default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...codebook.scales import NON_ANSWERS, Scale, make_scale
from ...errors import SetupError, nearest

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("record_id", "criterion", "coder", "category")
DEFAULTS: dict[str, Any] = {
    "kind": "human", "replicate": 0, "status": "ok", "scale": None, "cluster": None, "blind": None,
    "input_models": None, "judge": None, "in_edge_cases": False, "criteria_set": None, "criteria_hash": None,
    "flagged": None, "value": float("nan"), "inclusion_p": float("nan"),
}  # fmt: skip
FEW = 30
"""Below so many records no conclusion follows."""


def prepare_ratings(ratings: pd.DataFrame, by: Sequence[str] = (), *, unique_codes: bool = True) -> pd.DataFrame:
    """The frame with every column that statistics read.

    `usable` says whether a row holds an answer on the scale: non-answers, missing answers and records that the criteria
    use as edge cases (`in_edge_cases`) are outside every metric. `kin` is what a record is resampled with: its cluster,
    else itself.

    Raises
    ------
    SetupError
        A column is missing or empty, a record is in two clusters, or a coder coded the same twice where `once`.
    """
    if missing := [name for name in NEEDED if name not in ratings.columns]:
        raise SetupError(
            f"the ratings have no column `{missing[0]}`; run.ratings() gives such a frame, and one of your own needs "
            f"{', '.join(f'`{name}`' for name in NEEDED)}."
        )
    if not len(ratings):
        raise SetupError("the ratings have no rows; a run that has finished gives some with run.ratings().")
    added = {name: value for name, value in DEFAULTS.items() if name not in ratings.columns}
    found = ratings.assign(**added).reset_index(drop=True)
    for name in by:
        if name not in found.columns:
            raise SetupError(f"by: there is no column `{name}`; {nearest(name, list(found.columns))}")
    for name in NEEDED[:3]:
        if found[name].isna().any():
            raise SetupError(f"column `{name}` of the ratings is empty in row {int(found[name].isna().argmax())}.")
    found["record_id"] = found.record_id.astype(str)
    found["replicate"] = found.replicate.fillna(0)
    found["usable"] = _has_usable_answer(found)
    found["kin"] = _resampling_units(found)
    if unique_codes:
        _check_coded_once(found)
    return found


def groups(found: pd.DataFrame, by: Sequence[str]) -> list[tuple[tuple[Any, ...], pd.DataFrame]]:
    """The parts of a checked frame; in each there is one criterion, in one wording.

    Raises
    ------
    SetupError
        Criteria or wordings would be pooled.
    """
    parts = []
    for key, part in found.groupby(list(by), dropna=False, sort=True) if by else [((), found)]:
        names = part.criterion.unique()
        if len(names) > 1:
            raise SetupError(
                f"criteria are never pooled, and there are {len(names)} here ({', '.join(map(str, names[:3]))}); "
                'write by=["criterion"], or choose one.'
            )
        wordings = part.criteria_hash.dropna().unique()
        if len(wordings) > 1:
            raise SetupError(
                f"criterion `{names[0]}` was asked in {len(wordings)} wordings ({', '.join(map(str, wordings[:3]))}), "
                'which are not pooled; choose one: ratings[ratings.criteria_hash == "..."], or write '
                'by=["criterion", "criteria_hash"].'
            )
        parts.append((key if isinstance(key, tuple) else (key,), part))
    return parts


def scale_of(part: pd.DataFrame) -> Scale | None:
    """The declared scale; None where the frame names none."""
    named = part.scale.dropna().unique()
    if len(named) > 1:
        raise SetupError(f"one criterion has {len(named)} scales here: {', '.join(map(str, named))}; choose one.")
    return make_scale(str(named[0])) if len(named) else None


def usable_rows(part: pd.DataFrame) -> pd.DataFrame:
    """The rows of a checked frame that hold an answer on the scale."""
    return part[part.usable]


def modal_ratings(part: pd.DataFrame) -> pd.DataFrame:
    """One row per coder and record: the answer that most replicates gave; none where two are as frequent.

    What was repeated is another instrument, and has another name.
    """
    keys = ["record_id", "coder"]
    given = usable_rows(part)
    given = given.assign(said=given.category.astype(object).where(given.category.notna(), given.value))
    counts = given.groupby([*keys, "said"], sort=False).agg(n=("replicate", "size"), at=("replicate", "idxmin"))
    counts = counts.reset_index()
    most = counts.groupby(keys, sort=False).n.transform("max")
    best = counts[counts.n == most]
    alone = best[~best.duplicated(keys, keep=False)]
    kept = part.loc[alone["at"]]
    left = part.drop_duplicates(keys).set_index(keys).index.difference(kept.set_index(keys).index)
    rest = part.drop_duplicates(keys).set_index(keys).loc[left].reset_index()
    empty = rest.assign(category=None, value=float("nan"), flagged=None, status="tied", usable=False)
    import pandas as pd

    found = pd.concat([kept, empty[kept.columns]] if len(empty) else [kept], ignore_index=True).assign(replicate=0)
    repeats = part.groupby("coder").replicate.nunique()
    names = {coder: f"{coder} (mode of {n})" for coder, n in repeats.items() if n > 1}
    return found.assign(coder=found.coder.replace(names))


def _has_usable_answer(found: pd.DataFrame) -> pd.Series[bool]:
    answered = found.category.notna() & ~found.category.isin(NON_ANSWERS)
    answered |= found.category.isna() & found.value.notna()  # a number on a continuous scale has no category
    taught = found.in_edge_cases.fillna(value=False).astype(bool)
    return answered & (found.status.isna() | (found.status == "ok")) & ~taught


def _resampling_units(found: pd.DataFrame) -> list[str]:
    known = found[["record_id", "cluster"]].dropna().drop_duplicates()
    twice = known[known.duplicated("record_id")]
    if len(twice):
        raise SetupError(f"record `{twice.record_id.iloc[0]}` is in two clusters; a record belongs to one.")
    cluster = dict(zip(known.record_id, known.cluster, strict=True))
    return [f"cluster {cluster[one]}" if one in cluster else f"record {one}" for one in found.record_id]


def _check_coded_once(found: pd.DataFrame) -> None:
    keys = ["record_id", "criterion", "criteria_hash", "coder", "replicate"]
    twice = found[found.duplicated(keys)]
    if len(twice):
        row = twice.iloc[0]
        raise SetupError(
            f"coder `{row.coder}` has two codes on `{row.criterion}` for record `{row.record_id}` "
            f"(and {len(twice) - 1:,} more such rows); give repeats a column `replicate`, or drop one."
        )
