"""The probability with which each record was coded: declared, or that of a simple random sample."""

from __future__ import annotations

import numpy as np

from ...errors import SetupError
from ..coefficients.arrays import BoolArray, FloatArray

SIMPLE_RANDOM = "simple random"
DECLARED, ASSUMED, ALL = "declared", "simple random", "all"
"""How the probability is known: from the column `inclusion_p`, from the caller, or because every record is coded."""


def inclusion_probability(
    description: str, coder: str, declared: FloatArray, is_drawn: BoolArray, has_code: BoolArray, sampled: str | None
) -> tuple[FloatArray, str]:
    """The inclusion probability of each coded record (NaN for others), and how it is known.

    Drawn records without a usable code do not take part; the probabilities of the others are multiplied by the weighted
    share of drawn records that have one.

    Parameters
    ----------
    description, coder
        What the group and its coder are called in an error.
    declared
        The declared probability of each record, NaN without one.
    is_drawn, has_code
        Which records were drawn, and which have a usable code.
    sampled
        `simple random`, or None.

    Raises
    ------
    SetupError
        The probabilities are not known, not probabilities, or contradict `sampled`.
    """
    if sampled not in (None, SIMPLE_RANDOM):
        raise SetupError(
            f'sampled: write "{SIMPLE_RANDOM}", or give the coded records a column `inclusion_p`; not `{sampled}`.'
        )
    probability, source = _drawn_probability(description, coder, declared, is_drawn, sampled)
    weights = np.where(is_drawn, 1 / np.where(is_drawn, probability, 1.0), 0.0)
    share = weights[has_code].sum() / weights.sum()
    return np.where(has_code, probability * share, np.nan), source


def _drawn_probability(
    description: str, coder: str, declared: FloatArray, is_drawn: BoolArray, sampled: str | None
) -> tuple[FloatArray, str]:
    is_declared = is_drawn & ~np.isnan(declared)
    if is_declared.any():
        _check_declared(description, coder, declared, is_drawn, is_declared, sampled)
        return declared, DECLARED
    if sampled is None and not is_drawn.all():
        raise SetupError(
            f"{description}: it is not known with which probability the records coded by `{coder}` were chosen, and "
            "only a probability sample corrects a judge. Draw one from all judged records "
            '(`corpus.sample(200, seed=1)`), have it coded, and pass sampled="simple random"; or give the rows of the '
            "coder a column `inclusion_p`. Records that were chosen because they looked interesting cannot be used."
        )
    return np.full(len(is_drawn), is_drawn.mean()), ALL if is_drawn.all() else ASSUMED


def _check_declared(
    description: str,
    coder: str,
    declared: FloatArray,
    is_drawn: BoolArray,
    is_declared: BoolArray,
    sampled: str | None,
) -> None:
    n_missing = int((is_drawn & ~is_declared).sum())
    if n_missing:
        raise SetupError(
            f"{description}: {n_missing:,} of {int(is_drawn.sum()):,} records coded by `{coder}` have no "
            "`inclusion_p`; give it to each, or to none."
        )
    probability = declared[is_declared]
    is_invalid = (probability <= 0) | (probability > 1)
    if is_invalid.any():
        invalid = probability[is_invalid][0]
        raise SetupError(
            f"{description}: `inclusion_p` is {invalid:g} for a coded record; it must be above 0 and at most 1."
        )
    if sampled == SIMPLE_RANDOM and np.ptp(probability) > 1e-9:
        raise SetupError(
            f"{description}: `inclusion_p` goes from {probability.min():g} to {probability.max():g}, so this is not a "
            "simple random sample; leave out `sampled`, and the column is used."
        )
