"""How far coders are from a truth: metrics with intervals, confusions, and who is left without an answer.

Pure functions of a ratings frame. A new metric is a subclass of `Metric` here, one line in `choosing.py` and one test.
Nothing is weighed as good or bad: the tables say what was counted, on how many records, and what was left out.
"""

from __future__ import annotations

from .confusion import confusion
from .metrics import metrics
from .non_answers import non_answers

__all__ = ["confusion", "metrics", "non_answers"]
