"""Coefficients of agreement, as pure functions of the codes; a file for each family.

To add a coefficient, write a file here that ends in `register`, one line below and one test. Nothing here draws a
resample, makes a frame or prints: for an interval, the caller passes the weights of all resamples at once.

Examples
--------
>>> codes = ReliabilityMatrix.from_rows([["yes", "yes"], ["yes", "no"], ["no", "no"], ["no", None]], "nominal")
>>> COEFFICIENTS["krippendorff_alpha"].estimate(codes).round(4).tolist()
[0.4444]
>>> COEFFICIENTS["fleiss_kappa"].undefined_reason(codes)
"Fleiss' kappa needs equally many codes in every unit, and there are 1 to 2; use Krippendorff's alpha."
"""

from __future__ import annotations

from .base import COEFFICIENTS, Coefficient, SampleCounts, register
from .brennan_prediger import BrennanPrediger
from .cohen_kappa import CohenKappa, CongerKappa, LightKappa
from .fleiss_kappa import FleissKappa, GeneralisedFleissKappa, ScottPi
from .gwet_ac import GwetAC
from .intraclass import IntraclassCorrelation
from .kendall_w import KendallW
from .krippendorff_alpha import KrippendorffAlpha, SetAlpha, WeightedAlpha
from .percent_agreement import PercentAgreement
from .reliability_matrix import ReliabilityMatrix
from .spans import Spans
from .specific_agreement import SpecificAgreement, specific_agreement
from .unitised_alpha import UnitisedAlpha

__all__ = [
    "COEFFICIENTS",
    "BrennanPrediger",
    "Coefficient",
    "CohenKappa",
    "CongerKappa",
    "FleissKappa",
    "GeneralisedFleissKappa",
    "GwetAC",
    "IntraclassCorrelation",
    "KendallW",
    "KrippendorffAlpha",
    "LightKappa",
    "PercentAgreement",
    "ReliabilityMatrix",
    "SampleCounts",
    "ScottPi",
    "SetAlpha",
    "Spans",
    "SpecificAgreement",
    "UnitisedAlpha",
    "WeightedAlpha",
    "register",
    "specific_agreement",
]
