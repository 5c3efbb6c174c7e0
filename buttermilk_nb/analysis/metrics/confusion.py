"""Truth by answer, counted: where a coder errs, and where it does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .pair_with_truth import PairedCoder, paired_coders

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("coder", "truth", "truth_usable", "answer", "answer_usable", "n", "share")


def confusion(
    ratings: pd.DataFrame,
    *,
    truth: str = "truth",
    by: Sequence[str] = ("criterion",),
    coders: Sequence[str] | None = None,
) -> pd.DataFrame:
    """How often each answer met each truth, in long form.

    Parameters
    ----------
    ratings
        As for `metrics`.
    truth, by, coders
        As for `metrics`.

    Returns
    -------
    pandas.DataFrame
        One row per group x coder x truth x answer: `n` planned cells over all replicates, and `share` of those with
        that truth (NaN where there are none). All declared categories stand there, also with 0. What is no
        usable answer has rows of its own (`not applicable`, `cannot tell`, `refused`, `no answer`, ...), where
        `truth_usable` or `answer_usable` is False.

    Raises
    ------
    SetupError
        As for `metrics`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [(i, c, a) for i, (t, j) in enumerate(["yy", "yn", "y?"]) for c, a in (("truth", t), ("judge", j))]
    >>> frame = pd.DataFrame(rows, columns=["record_id", "coder", "category"]).replace("?", None)
    >>> frame["criterion"] = "tone"
    >>> confusion(frame).query("truth == 'y'")[["truth", "answer", "n", "share"]].round(2).values.tolist()
    [['y', 'n', 1, 0.33], ['y', 'y', 1, 0.33], ['y', 'no answer', 1, 0.33]]
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for one in paired_coders(ratings, truth, by, coders, "each"):
        rows += [dict(zip(by, one.key, strict=True)) | row for row in _confusion_rows(one)]
    return pd.DataFrame(rows, columns=[*by, *COLUMNS])


def _confusion_rows(one: PairedCoder) -> list[dict[str, Any]]:
    names = one.question.categories
    truths = [*((name, True) for name in names), *((why, False) for why in sorted(set(one.truth_reason) - {""}))]
    answers = [*((name, True) for name in names), *((why, False) for why in sorted(set(one.answers.reason) - {""}))]
    t, a = (
        _category_index(code, reason, found)
        for code, reason, found in (
            (one.truth, one.truth_reason, truths), (one.answers.code, one.answers.reason, answers),
        )
    )  # fmt: skip
    counts = np.bincount(t * len(answers) + a, minlength=len(truths) * len(answers)).reshape(len(truths), len(answers))
    return [
        {
            "coder": one.coder,
            "truth": true,
            "truth_usable": true_usable,
            "answer": said,
            "answer_usable": usable,
            "n": int(n),
            "share": float(n / row.sum()) if row.sum() else np.nan,
        }
        for (true, true_usable), row in zip(truths, counts, strict=True)
        for (said, usable), n in zip(answers, row, strict=True)
        if one.question.has_scale or n or (one.question.level == "nominal" and true_usable and usable)
    ]


def _category_index(code: Any, reason: Any, found: list[tuple[str, bool]]) -> Any:
    place = {name: i for i, (name, usable) in enumerate(found) if not usable}
    return np.where(code >= 0, code, [place.get(why, -1) for why in reason])
