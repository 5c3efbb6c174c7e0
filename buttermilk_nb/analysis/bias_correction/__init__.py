"""What a judge's answers amount to once a human-coded sample has corrected them.

A judge's errors do not cancel: a share, a mean or a coefficient of its answers is off by as much as it errs, however
many records it judges. Codes of a probability sample of the same records correct that, and the judge makes the sample
go further.
"""

from __future__ import annotations

from .corrected_estimate import corrected_estimate
from .sample_size import sample_size

__all__ = ["corrected_estimate", "sample_size"]
