"""Percent agreement: how often two coders gave a unit the same code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .agreement_counts import mean_agreement
from .arrays import FloatArray
from .base import Coefficient, register
from .reliability_matrix import LEVELS, ReliabilityMatrix


@dataclass(frozen=True)
class PercentAgreement(Coefficient):
    """Percent agreement over pairs of coders, as a share from 0 to 1.

    It is the share of identical pairs of codes in each unit, averaged over the units with two codes or more (Gwet 2014,
    ch. 2). With missing codes each unit counts once, and not each pair. It takes no account of chance, and is 1 if only
    one category was used. Numbers and sets agree only if they are the same.

    Examples
    --------
    >>> codes = ReliabilityMatrix.from_rows([["a", "a", "a"], ["a", "a", "b"]], "nominal")
    >>> PercentAgreement().estimate(codes).round(4).tolist()
    [0.6667]
    """

    name: str = "percent_agreement"
    title: str = "Percent agreement"
    levels: tuple[str, ...] = LEVELS
    coders: Literal["two", "any"] = "any"
    missing: Literal["used", "dropped", "refused"] = "used"
    source: str = "Gwet 2014"
    is_by_coder: bool = False

    def _estimate(self, codes: ReliabilityMatrix, rows: FloatArray) -> FloatArray:
        return mean_agreement(codes.matrix, rows)

    def _undefined_reason(self, codes: ReliabilityMatrix) -> str | None:  # noqa: ARG002  # with a pair of codes it is always defined
        return None


register(PercentAgreement())
