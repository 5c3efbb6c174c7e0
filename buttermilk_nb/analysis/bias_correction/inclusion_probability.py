"""With which probability a record came to be coded: declared, or a simple random sample on the caller's word."""

from __future__ import annotations

import numpy as np

from ...errors import SetupError
from .influence import BoolArray, FloatArray

SIMPLE_RANDOM = "simple random"
DECLARED, ASSUMED, ALL = "declared", "simple random", "all"


def inclusion_probability(
    where: str, coder: str, declared: FloatArray, drawn: BoolArray, coded: BoolArray, sampled: str | None
) -> tuple[FloatArray, str]:
    """The inclusion probability of each coded record (NaN for others), and whence it is known.

    Records that were drawn and have no usable code take no part; the probabilities of the others are multiplied by the
    weighted share of drawn records that have one.

    Raises
    ------
    SetupError
        The probabilities are not known, not probabilities, or contradict `sampled`.
    """
    if sampled not in (None, SIMPLE_RANDOM):
        raise SetupError(
            f'sampled: write "{SIMPLE_RANDOM}", or give the coded records a column `inclusion_p`; not `{sampled}`.'
        )
    known, whence = _drawn_probability(where, coder, declared, drawn, sampled)
    weights = np.where(drawn, 1 / np.where(drawn, known, 1.0), 0.0)
    share = weights[coded].sum() / weights.sum()
    return np.where(coded, known * share, np.nan), whence


def _drawn_probability(
    where: str, coder: str, declared: FloatArray, drawn: BoolArray, sampled: str | None
) -> tuple[FloatArray, str]:
    given = drawn & ~np.isnan(declared)
    if given.any():
        _check_declared(where, coder, declared, drawn, given, sampled)
        return declared, DECLARED
    if sampled is None and not drawn.all():
        raise SetupError(
            f"{where}: with which probability the records coded by `{coder}` were chosen is not known, and only a "
            "probability sample corrects a judge. Draw one of all judged records (`corpus.sample(200, seed=1)`), "
            'have it coded, and pass sampled="simple random"; or give the rows of the coder a column `inclusion_p`. '
            "Records that were chosen because they looked interesting cannot be mended so."
        )
    return np.full(len(drawn), drawn.mean()), ALL if drawn.all() else ASSUMED


def _check_declared(
    where: str, coder: str, declared: FloatArray, drawn: BoolArray, given: BoolArray, sampled: str | None
) -> None:
    if (drawn & ~given).any():
        raise SetupError(
            f"{where}: {int((drawn & ~given).sum()):,} of {int(drawn.sum()):,} records coded by `{coder}` have no "
            "`inclusion_p`; give it to each, or to none."
        )
    found = declared[given]
    if ((found <= 0) | (found > 1)).any():
        wrong = found[(found <= 0) | (found > 1)][0]
        raise SetupError(f"{where}: `inclusion_p` is {wrong:g} for a coded record; it is above 0 and at most 1.")
    if sampled == SIMPLE_RANDOM and np.ptp(found) > 1e-9:
        raise SetupError(
            f"{where}: `inclusion_p` goes from {found.min():g} to {found.max():g}, so that this is no simple random "
            "sample; leave out `sampled`, and the column is used."
        )
