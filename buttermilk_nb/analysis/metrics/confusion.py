"""Truth by answer, counted: where a coder errs, and where it does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._internal.arguments import check_arguments
from ..coefficients.arrays import IntArray
from .pair_with_truth import PairedCoder, paired_coders
from .read_frame import TextArray

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("coder", "truth", "truth_usable", "answer", "answer_usable", "n", "share")


@check_arguments
def confusion(
    ratings: pd.DataFrame,
    *,
    truth: str = "truth",
    by: Sequence[str] = ("criterion",),
    coders: Sequence[str] | None = None,
) -> pd.DataFrame:
    """How often each truth got each answer, in long form.

    Parameters
    ----------
    ratings
        As for `metrics`.
    truth, by, coders
        As for `metrics`.

    Returns
    -------
    pandas.DataFrame
        One row per group x coder x truth x answer: `n` planned answers over all replicates, and their `share` of those
        with the same truth (0 to 1; NaN if there are none). All declared categories appear, also with 0. Non-answers
        have rows of their own (`not applicable`, `cannot tell`, `refused`, `no answer`, ...), in which `truth_usable`
        or `answer_usable` is False.

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
    for coder in paired_coders(ratings, truth, by, coders, "each"):
        rows += [dict(zip(by, coder.key, strict=True)) | row for row in _confusion_rows(coder)]
    return pd.DataFrame(rows, columns=[*by, *COLUMNS])


def _confusion_rows(coder: PairedCoder) -> list[dict[str, Any]]:
    question = coder.question
    truths = _labels(question.categories, coder.truth_reason)
    answers = _labels(question.categories, coder.answers.reason)
    truth_index = _label_index(coder.truth, coder.truth_reason, truths)
    answer_index = _label_index(coder.answers.code, coder.answers.reason, answers)
    counts = np.bincount(truth_index * len(answers) + answer_index, minlength=len(truths) * len(answers))
    return [
        {
            "coder": coder.coder,
            "truth": truth,
            "truth_usable": truth_usable,
            "answer": answer,
            "answer_usable": answer_usable,
            "n": int(n),
            "share": float(n / row.sum()) if row.sum() else np.nan,
        }
        for (truth, truth_usable), row in zip(truths, counts.reshape(len(truths), len(answers)), strict=True)
        for (answer, answer_usable), n in zip(answers, row, strict=True)
        if question.has_scale or n or (question.level == "nominal" and truth_usable and answer_usable)
    ]


def _labels(categories: Sequence[str], reasons: TextArray) -> list[tuple[str, bool]]:
    """The categories, then the reasons for non-answers, each with whether it is usable."""
    return [*((name, True) for name in categories), *((reason, False) for reason in sorted(set(reasons) - {""}))]


def _label_index(code: IntArray, reasons: TextArray, labels: list[tuple[str, bool]]) -> IntArray:
    index = {label: i for i, (label, usable) in enumerate(labels) if not usable}
    return np.where(code >= 0, code, [index.get(reason, -1) for reason in reasons])
