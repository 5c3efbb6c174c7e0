"""Prevalence, means and regressions of a judge's answers, corrected by a human-coded sample.

A judge's errors do not cancel: a share, a mean or a coefficient of its answers is biased by its errors, however many
records it judges. Codes of a probability sample of the same records correct the bias, and the judge makes the estimate
more precise than the sample alone.
"""

from __future__ import annotations

from .corrected_estimate import corrected_estimate
from .sample_size import sample_size

__all__ = ["corrected_estimate", "sample_size"]
