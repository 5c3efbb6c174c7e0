"""Prepare a ratings frame: defaults for missing columns, checks, and which answers are usable.

A frame of one's own needs four columns; all others have a default.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...codebook.scales import NON_ANSWERS, Scale, make_scale
from ...errors import SetupError, nearest
from .check_names import check_names
from .code_forms import unify_codes

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("record_id", "criterion", "coder", "category")
DEFAULTS: dict[str, Any] = {
    "kind": "human", "replicate": 0, "status": "ok", "scale": None, "cluster": None, "blind": None,
    "input_models": None, "judge": None, "in_edge_cases": False, "criteria_set": None, "criteria_hash": None,
    "flagged": None, "value": float("nan"), "inclusion_p": float("nan"),
}  # fmt: skip


def as_ratings(value: Any) -> pd.DataFrame:
    """A frame of ratings: the value itself, or the ratings of a run.

    Raises
    ------
    SetupError
        It is neither.
    """
    if hasattr(value, "columns"):
        frame: pd.DataFrame = value
        return frame
    if hasattr(value, "ratings") and hasattr(value, "run_id"):
        of_run: pd.DataFrame = value.ratings()
        return of_run
    raise SetupError(
        f"this needs a run, or a frame of ratings such as run.ratings() or bm.ratings() returns, not "
        f"{type(value).__name__}."
    )


def prepare_ratings(ratings: pd.DataFrame, by: Sequence[str] = (), *, unique_codes: bool = True) -> pd.DataFrame:
    """The ratings with every column that statistics read, and three columns of their own.

    `usable` says whether a row has an answer on the scale: non-answers, missing answers and records that the criteria
    use as edge cases (`in_edge_cases`) are outside every statistic. `resampling_unit` is the cluster of the record, or
    the record itself if it has none. `code_note` says what was done to the forms of the codes (`unify_codes`).

    Parameters
    ----------
    ratings
        The long frame, or one with the needed columns only; or a run, whose ratings are taken.
    by
        Columns that must exist.
    unique_codes
        Whether a coder may have only one code per record, criterion and replicate.

    Raises
    ------
    SetupError
        A column is missing or empty, a record is in two clusters, or a coder has two codes where one is allowed.
    """
    ratings = as_ratings(ratings)
    if missing := [name for name in NEEDED if name not in ratings.columns]:
        raise SetupError(
            f"the ratings have no column `{missing[0]}`; run.ratings() gives such a frame, and one of your own needs "
            f"{', '.join(f'`{name}`' for name in NEEDED)}.{_wide_hint(ratings)}"
        )
    if not len(ratings):
        raise SetupError("the ratings have no rows; run.ratings() of a finished run has some.")
    defaults = {name: value for name, value in DEFAULTS.items() if name not in ratings.columns}
    frame = ratings.assign(**defaults).reset_index(drop=True)
    for name in by:
        if name not in frame.columns:
            raise SetupError(f"by: there is no column `{name}`; {nearest(name, list(frame.columns))}")
    for name in NEEDED[:3]:
        if frame[name].isna().any():
            raise SetupError(f"column `{name}` of the ratings is empty in row {int(frame[name].isna().argmax())}.")
    frame["record_id"] = frame.record_id.astype(str)
    frame = check_names(frame)
    frame["replicate"] = frame.replicate.fillna(0)
    frame = unify_codes(frame)
    frame["usable"] = _has_usable_answer(frame)
    frame["resampling_unit"] = _resampling_units(frame)
    if unique_codes:
        _check_coded_once(frame)
    return frame


def _wide_hint(ratings: pd.DataFrame) -> str:
    """The line that makes a frame long that has a column for each coder; empty if it does not look so."""
    if "record_id" not in ratings.columns or {"coder", "category"} & set(ratings.columns):
        return ""
    keys, rest = '["record_id", "criterion"]', ""
    if "criterion" not in ratings.columns:
        keys, rest = '"record_id"', '.assign(criterion="...")'
    return (
        " If each other column holds the codes of one coder, write "
        f'ratings.melt({keys}, var_name="coder", value_name="category"){rest}.'
    )


def scale_of(part: pd.DataFrame) -> Scale | None:
    """The declared scale; None if the frame names no scale.

    Raises
    ------
    SetupError
        There are several.
    """
    shorthands = part.scale.dropna().unique()
    if len(shorthands) > 1:
        listed = ", ".join(map(str, shorthands))
        raise SetupError(f"one criterion has {len(shorthands)} scales here: {listed}; choose one.")
    return make_scale(str(shorthands[0])) if len(shorthands) else None


def usable_rows(part: pd.DataFrame) -> pd.DataFrame:
    """The rows of prepared ratings that have an answer on the scale."""
    return part[part.usable]


def _has_usable_answer(frame: pd.DataFrame) -> pd.Series[bool]:
    has_answer = frame.category.notna() & ~frame.category.isin(NON_ANSWERS)
    has_answer |= frame.category.isna() & frame.value.notna()  # a number on a continuous scale has no category
    in_edge_cases = frame.in_edge_cases.fillna(value=False).astype(bool)
    return has_answer & (frame.status.isna() | (frame.status == "ok")) & ~in_edge_cases


def _resampling_units(frame: pd.DataFrame) -> NDArray[np.object_]:
    import pandas as pd

    clustered = frame[["record_id", "cluster"]].dropna().drop_duplicates()
    twice = clustered[clustered.duplicated("record_id")]
    if len(twice):
        raise SetupError(f"record `{twice.record_id.iloc[0]}` is in two clusters; a record belongs to one.")
    cluster = dict(zip(clustered.record_id, clustered.cluster, strict=True))
    codes, records = pd.factorize(frame.record_id)
    units = [f"cluster {cluster[name]}" if name in cluster else f"record {name}" for name in records]
    return np.array(units, object)[codes]


def _check_coded_once(frame: pd.DataFrame) -> None:
    keys = ["record_id", "criterion", "criteria_hash", "coder", "replicate"]
    twice = frame[frame.duplicated(keys)]
    if len(twice):
        row = twice.iloc[0]
        raise SetupError(
            f"coder `{row.coder}` has two codes on `{row.criterion}` for record `{row.record_id}` "
            f"(and {len(twice) - 1:,} more such rows); give repeats a column `replicate`, or drop one."
        )
