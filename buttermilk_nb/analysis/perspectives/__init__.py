"""Perspectives: whose reading a judge shares, where people read differently for reasons.

People who disagree need not be wrong. What one group of them calls an attack another may not, and a judge that agrees
with "the people" may agree with one group alone (Aroyo and Welty 2015; Cabitza, Campagner and Basile 2023). So groups
are compared side by side, and the codes of each record can be kept as they are: a distribution, not a majority.
"""

from __future__ import annotations

from .perspectives import perspectives
from .soft_labels import soft_labels

__all__ = ["perspectives", "soft_labels"]
