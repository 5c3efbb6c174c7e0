"""Agreement on passages: whether coders highlight the same words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._internal.arguments import check_arguments, require_table
from ...errors import SetupError, nearest
from ..coefficients import UnitisedAlpha
from ..coefficients.arrays import IntArray
from ..coefficients.spans import Spans
from ..shared.bootstrap import check_resampling, percentile_interval, unit_weights
from ..shared.notes import few_records_note

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = ("record_id", "criterion", "coder", "start", "end", "length")


@check_arguments
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
        One row per highlighted passage: `record_id`, `criterion`, `coder`, `start` and `end` (characters; the end is
        exclusive) and `length` of the text. A coder who highlighted nothing in a record has a row with empty `start`
        and `end`, because that is an answer too. `bm.highlights()` gives such a frame. A column `cluster` says which
        records belong together, and `category` what a passage was marked as.
    by
        Columns that make the groups.
    coders
        The coders to compare; by default everybody.
    categories
        Whether passages must also have the same `category`; by default only marked and unmarked text differ.
    n_boot, seed, confidence
        The number of resamples of whole clusters, their seed, and the level of the percentile interval (0 to 1).

    Returns
    -------
    pandas.DataFrame
        `by`..., `comparison` (`all coders`, or two names), `value`, `low`, `high`, `n_units` (records that two coders
        coded), `n_excluded`, `n_coders`, `n_spans`, `n_undefined` (resamples without a value), `note`.

    Raises
    ------
    SetupError
        A column is missing, a coder is unknown, or a passage is outside its text.

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

    check_resampling(n_boot, confidence, least=0)
    frame = _prepare_highlights(marks, by, coders)
    rows: list[dict[str, Any]] = []
    for key, part in frame.groupby(list(by), dropna=False, sort=True) if by else [((), frame)]:
        names = sorted(part.coder.unique())
        coder_sets = [("all coders", names)] if len(names) > 2 else []
        coder_sets += [(f"{a} ~ {b}", [a, b]) for a, b in combinations(names, 2)]
        for comparison, members in coder_sets:
            row = _span_row(part[part.coder.isin(members)], members, categories, n_boot, seed, confidence)
            rows.append({**dict(zip(by, key, strict=True)), "comparison": comparison, **row})
    columns = [*by, "comparison", "value", "low", "high", "n_units", "n_excluded", "n_coders", "n_spans"]
    return pd.DataFrame(rows, columns=[*columns, "n_undefined", "note"])


def _prepare_highlights(marks: pd.DataFrame, by: Sequence[str], coders: Sequence[str] | None) -> pd.DataFrame:
    for name in (*_NEEDED, *by):
        if name not in require_table(marks, "bm.span_agreement", "bm.highlights()").columns:
            raise SetupError(f"the marks have no column `{name}`; {nearest(name, list(marks.columns))}")
    if not len(marks):
        raise SetupError("nobody has marked anything; bm.coding_form(...) lets people mark words in a text.")
    names = list(marks.coder.unique())
    for name in coders or ():
        if name not in names:
            raise SetupError(f"coders: there is no coder `{name}`; {nearest(name, names)}")
    frame = marks.assign(**{name: None for name in ("category", "cluster") if name not in marks.columns})
    frame = _with_numbers(frame[frame.coder.isin(coders)] if coders is not None else frame)
    for is_wrong, problem in (
        (frame.length.isna() | (frame.length < 0), "has no length of its text, in characters; fill in `length`"),
        (frame.start.isna() != frame.end.isna(), "has only one of `start` and `end`; fill in both, or neither"),
        (frame.end <= frame.start, "is empty; its `end` is the place after its last character"),
        ((frame.start < 0) | (frame.end > frame.length), "is outside its text; count characters from 0 to `length`"),
    ):
        if is_wrong.any():
            raise SetupError(f"{_passage_name(frame[is_wrong].iloc[0])} {problem}.")
    return frame


def _with_numbers(marks: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    numbers = {name: pd.to_numeric(marks[name], errors="coerce") for name in ("start", "end", "length")}
    for name, values in numbers.items():
        is_word = values.isna() & marks[name].notna()
        if is_word.any():
            row = marks[is_word].iloc[0]
            raise SetupError(f"{_passage_name(row)}: `{row[name]}` in `{name}` is no number of characters.")
    return marks.assign(**numbers)


def _passage_name(row: pd.Series) -> str:
    has_places = all(isinstance(place, Real) and np.isfinite(float(place)) for place in (row.start, row.end))
    places = f" {row.start:g}-{row.end:g}" if has_places else ""
    return f"the passage{places} of coder `{row.coder}` in record `{row.record_id}`"


def _span_row(
    part: pd.DataFrame, names: Sequence[str], categories: bool, n_boot: int, seed: int, confidence: float
) -> dict[str, Any]:
    spans, clusters = _to_spans(part, names, categories)
    alpha = UnitisedAlpha(binary=not categories)
    sums = alpha.record_sums(spans)
    value = float(alpha.from_sums(sums.sum(axis=0, keepdims=True))[0])
    resampled = [alpha.from_sums(rows @ sums) for rows in unit_weights(clusters, n_boot, seed)]
    low, high, n_undefined = percentile_interval(np.concatenate([np.empty(0), *resampled]), confidence)
    counts = alpha.sample_counts(spans)
    reason = alpha.undefined_reason(spans) if np.isnan(value) else None
    return {
        "value": value,
        "low": low,
        "high": high,
        "n_units": counts.units,
        "n_excluded": counts.n_excluded,
        "n_coders": len(names),
        "n_spans": counts.codes,
        "n_undefined": n_undefined,
        "note": reason or few_records_note(counts.units),
    }


def _to_spans(part: pd.DataFrame, names: Sequence[str], categories: bool) -> tuple[Spans, IntArray]:
    """The passages of all records, and the cluster of each record."""
    import pandas as pd

    first = part.drop_duplicates("record_id").sort_values("record_id")
    index = {record_id: i for i, record_id in enumerate(first.record_id)}
    own = part.assign(
        record=part.record_id.map(index),
        coder=part.coder.map({name: i for i, name in enumerate(names)}),
        category=part.category.map(str) if categories else "marked",
    )
    was_read = np.zeros((len(index), len(names)), np.bool_)
    was_read[own.record, own.coder] = True
    passages = _merge_overlaps(own.dropna(subset=["start", "end"]).astype({"start": float, "end": float}))
    of_same = (passages[["record", "coder"]] == passages[["record", "coder"]].shift()).all(axis=1)
    is_twice = of_same & (passages.start < passages.end.shift())
    if is_twice.any():
        row = passages[is_twice].iloc[0]
        raise SetupError(
            f"coder `{names[row.coder]}` marked {row.start:g}-{row.end:g} in record "
            f"`{first.record_id.iloc[row.record]}` as `{row.category}` and as something else; compare one at a time, "
            f'marks[marks.category == "{row.category}"].'
        )
    category, used = pd.factorize(passages.category, sort=True)
    spans = Spans(
        lengths=first.length.to_numpy(np.float64),
        was_read=was_read,
        record=passages.record.to_numpy(np.intp),
        coder=passages.coder.to_numpy(np.intp),
        start=passages.start.to_numpy(np.float64),
        end=passages.end.to_numpy(np.float64),
        category=category.astype(np.intp),
        categories=tuple(map(str, used)),
    )
    units = [
        f"cluster {cluster}" if isinstance(cluster, str) else f"record {record_id}"
        for record_id, cluster in zip(first.record_id, first.cluster, strict=True)
    ]
    return spans, np.unique(np.array(units), return_inverse=True)[1]


def _merge_overlaps(passages: pd.DataFrame) -> pd.DataFrame:
    """The passages in order; those of one coder and category that overlap are one."""
    ordered = passages.sort_values(["record", "coder", "start", "end", "category"])
    keys = ordered[["record", "coder", "category"]]
    run = (keys != keys.shift()).any(axis=1).cumsum()
    last_end = ordered.end.groupby(run).cummax().groupby(run).shift()
    number = (~(ordered.start < last_end)).cumsum()
    return ordered.groupby(number).agg(
        record=("record", "first"),
        coder=("coder", "first"),
        category=("category", "first"),
        start=("start", "first"),
        end=("end", "max"),
    )
