"""Scales: the answers that a criterion allows, one file for each kind of scale.

A scale declares everything that depends on the kind of answer, so no other code has to know the kind. A new kind is
one file here, one line below (which registers it) and one test.
"""

from __future__ import annotations

from .answer import NON_ANSWERS, Answer
from .base import Level, Scale
from .categories import Categories
from .continuous import Continuous
from .likert import Likert
from .make_scale import make_scale
from .multi_label import MultiLabel
from .yes_no import YesNo

__all__ = [
    "NON_ANSWERS",
    "Answer",
    "Categories",
    "Continuous",
    "Level",
    "Likert",
    "MultiLabel",
    "Scale",
    "YesNo",
    "make_scale",
]
