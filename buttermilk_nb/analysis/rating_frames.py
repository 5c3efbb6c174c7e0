"""What statistics expect of a frame of ratings, and the sentence where it is something else.

A researcher may hand over a frame of her own with four columns; everything else has a default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import SetupError, nearest
from ..scales import NON_ANSWERS, Scale, make_scale

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("record_id", "criterion", "coder", "category")
_DEFAULTS: dict[str, Any] = {
    "kind": "human", "replicate": 0, "status": "ok", "scale": None, "cluster": None, "blind": None, "criteria_hash": "",
    "flagged": None, "value": float("nan"), "inclusion_p": float("nan"),
}  # fmt: skip
FEW = 30
"""Below so many records no conclusion follows."""


def checked(ratings: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """The frame with every column that statistics read.

    Raises
    ------
    SetupError
        A column is missing, a coder coded the same twice, or different wordings would be pooled.
    """
    missing = [name for name in NEEDED if name not in ratings.columns]
    if missing:
        raise SetupError(
            f"the ratings have no column `{missing[0]}`; run.ratings() gives such a frame, and one of your own needs "
            f"{', '.join(f'`{name}`' for name in NEEDED)}."
        )
    found = ratings.assign(**{name: value for name, value in _DEFAULTS.items() if name not in ratings.columns})
    for name in by:
        if name not in found.columns:
            raise SetupError(f"by: there is no column `{name}`; {nearest(name, list(found.columns))}")
    found["cluster"] = found.cluster.astype("object").where(found.cluster.notna(), found.record_id)
    found["criteria_hash"] = found.criteria_hash.fillna("")
    _coded_once(found)
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
        wordings = part.criteria_hash.unique()
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


def answers(part: pd.DataFrame) -> pd.DataFrame:
    """The rows that hold an answer on the scale: non-answers and what has no answer are outside every metric."""
    return part[part.category.notna() & ~part.category.isin(NON_ANSWERS)]


def modal(part: pd.DataFrame) -> pd.DataFrame:
    """One row per coder and record: the answer that most replicates gave; none where two are as frequent.

    What was repeated is another instrument, and has another name.
    """
    keys = ["record_id", "coder"]
    given = answers(part)
    counts = given.groupby([*keys, "category"], sort=False).agg(n=("replicate", "size"), at=("replicate", "idxmin"))
    counts = counts.reset_index()
    most = counts.groupby(keys, sort=False).n.transform("max")
    best = counts[counts.n == most]
    alone = best[~best.duplicated(keys, keep=False)]
    kept = part.loc[alone["at"]]
    left = part.drop_duplicates(keys).set_index(keys).index.difference(kept.set_index(keys).index)
    rest = part.drop_duplicates(keys).set_index(keys).loc[left].reset_index()
    empty = rest.assign(category=None, value=float("nan"), flagged=None, status="tied")
    import pandas as pd

    found = pd.concat([kept, empty[kept.columns]] if len(empty) else [kept], ignore_index=True).assign(replicate=0)
    repeats = part.groupby("coder").replicate.nunique()
    names = {coder: f"{coder} (mode of {n})" for coder, n in repeats.items() if n > 1}
    return found.assign(coder=found.coder.replace(names))


def _coded_once(found: pd.DataFrame) -> None:
    keys = ["record_id", "criterion", "criteria_hash", "coder", "replicate"]
    twice = found[found.duplicated(keys)]
    if len(twice):
        row = twice.iloc[0]
        raise SetupError(
            f"coder `{row.coder}` has two codes on `{row.criterion}` for record `{row.record_id}` "
            f"(and {len(twice) - 1:,} more such rows); give repeats a column `replicate`, or drop one."
        )
