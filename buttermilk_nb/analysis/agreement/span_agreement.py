"""Agreement on passages: whether coders mark the same words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import SetupError, nearest
from ..coefficients import UnitisedAlpha
from ..coefficients.spans import Spans
from ..shared.bootstrap import percentile_interval, unit_weights
from ..shared.ratings_frame import FEW

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = ("record_id", "criterion", "coder", "start", "end", "length")


def span_agreement(
    marks: pd.DataFrame,
    *,
    by: Sequence[str] = ("criterion",),
    coders: Sequence[str] | None = None,
    categories: bool = False,
    n_boot: int = 1000,
    seed: int = 1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Krippendorff's alpha for unitising, of all coders and of each pair.

    Parameters
    ----------
    marks
        One row per marked passage: `record_id`, `criterion`, `coder`, `start` and `end` (characters; the end is
        exclusive) and `length` of the text. A coder who marked nothing in a record has a row with empty `start` and
        `end`, because that is an answer too. `bm.highlights()` gives such a frame. A column `cluster` says what records
        share, and `category` what a passage was marked as.
    by
        Columns to part the frame by.
    coders
        Whom to compare; by default everybody.
    categories
        Whether passages must also have the same `category`; by default only marked text is told from unmarked.
    n_boot, seed, confidence
        Resamples of whole clusters, their seed, and the level of the percentile interval.

    Returns
    -------
    pandas.DataFrame
        `by`..., `comparison` (`all coders`, or two names), `value`, `low`, `high`, `n_units` (records that two coders
        coded), `n_excluded`, `n_coders`, `n_spans`, `n_undefined` (resamples without a value), `note`.

    Raises
    ------
    SetupError
        A column is missing, a coder is unknown, or a passage lies outside its text.

    Notes
    -----
    Overlapping passages of one coder count as one. The source is Krippendorff, Mathet, Bouvry and Widlöcher (2016), On
    the reliability of unitizing textual continua, Quality & Quantity 50.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("r", "calm", "ana", 0, 20, 100), ("r", "calm", "ben", 10, 30, 100)]
    >>> marks = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "start", "end", "length"])
    >>> span_agreement(marks, n_boot=10)[["comparison", "value", "n_spans"]].round(2).values.tolist()
    [['ana ~ ben', 0.39, 2]]
    """
    import pandas as pd

    frame = _prepare_highlights(marks, by, coders)
    rows: list[dict[str, Any]] = []
    for key, part in frame.groupby(list(by), dropna=False, sort=True) if by else [((), frame)]:
        names = sorted(part.coder.unique())
        groups = [("all coders", names)] if len(names) > 2 else []
        groups += [(f"{one} ~ {other}", [one, other]) for one, other in combinations(names, 2)]
        for comparison, chosen in groups:
            found = _span_row(part[part.coder.isin(chosen)], chosen, categories, n_boot, seed, confidence)
            rows.append({**dict(zip(by, key, strict=True)), "comparison": comparison, **found})
    columns = [*by, "comparison", "value", "low", "high", "n_units", "n_excluded", "n_coders", "n_spans"]
    return pd.DataFrame(rows, columns=[*columns, "n_undefined", "note"])


def _prepare_highlights(marks: pd.DataFrame, by: Sequence[str], coders: Sequence[str] | None) -> pd.DataFrame:
    for name in (*_NEEDED, *by):
        if name not in marks.columns:
            raise SetupError(f"the marks have no column `{name}`; {nearest(name, list(marks.columns))}")
    if not len(marks):
        raise SetupError("nobody has marked anything; bm.coding_form(...) lets people mark words in a text.")
    known = list(marks.coder.unique())
    for name in coders or ():
        if name not in known:
            raise SetupError(f"coders: there is no `{name}`; {nearest(name, known)}")
    added = {name: None for name in ("category", "cluster") if name not in marks.columns}
    chosen = marks.assign(**added)
    return chosen[chosen.coder.isin(coders)] if coders is not None else chosen


def _span_row(
    part: pd.DataFrame, names: Sequence[str], categories: bool, n_boot: int, seed: int, confidence: float
) -> dict[str, Any]:
    spans, clusters = _to_spans(part, names, categories)
    alpha = UnitisedAlpha(binary=not categories)
    value = float(alpha.estimate(spans)[0])
    resampled = np.concatenate([alpha.estimate(spans, block) for block in unit_weights(clusters, n_boot, seed)])
    low, high, undefined = percentile_interval(resampled, confidence)
    counted = alpha.sample_counts(spans)
    why = alpha.undefined_reason(spans) if np.isnan(value) else None
    few = f"It rests on {counted.units:,} records; below {FEW} no conclusion follows." if counted.units < FEW else ""
    return {
        "value": value,
        "low": low,
        "high": high,
        "n_units": counted.units,
        "n_excluded": counted.n_excluded,
        "n_coders": len(names),
        "n_spans": counted.codes,
        "n_undefined": undefined,
        "note": why or few,
    }


def _to_spans(part: pd.DataFrame, names: Sequence[str], categories: bool) -> tuple[Spans, np.ndarray[Any, Any]]:
    records, kin = [], []
    for record_id, one in part.groupby("record_id", sort=True):
        marked = []
        for name in names:
            own = one[one.coder == name].dropna(subset=["start", "end"])
            label = own.category.map(str) if categories else own.coder.map(lambda _: "marked")
            passages = sorted(zip(own.start, own.end, label, strict=True))
            marked.append(_merge_overlaps(passages) if (one.coder == name).any() else None)
        records.append((float(one.length.iloc[0]), marked))
        cluster = one.cluster.iloc[0]
        kin.append(f"cluster {cluster}" if isinstance(cluster, str) else f"record {record_id}")
    return Spans.from_records(records), np.unique(np.array(kin), return_inverse=True)[1]


def _merge_overlaps(passages: Sequence[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """Passages of one coder, those that overlap as one."""
    found: list[tuple[float, float, str]] = []
    for start, end, label in passages:
        if found and start < found[-1][1] and label == found[-1][2]:
            found[-1] = (found[-1][0], max(end, found[-1][1]), label)
        else:
            found.append((start, end, label))
    return found
