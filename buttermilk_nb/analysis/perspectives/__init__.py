"""Perspectives: with which group of people a judge agrees, if people disagree for good reasons.

People who disagree need not be wrong. One group may see an attack that another does not, and a judge that agrees with
"the people" may agree with one group only (Aroyo and Welty 2015; Cabitza, Campagner and Basile 2023). So groups are
compared with each other, and the codes of each record can be kept as a distribution instead of a majority.
"""

from __future__ import annotations

from .perspectives import perspectives
from .soft_labels import soft_labels

__all__ = ["perspectives", "soft_labels"]
