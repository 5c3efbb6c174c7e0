"""How far coders are from a truth: metrics with intervals, confusions and non-answers.

Pure functions of a ratings frame. To add a metric, write a subclass of `Metric` here, one line in `metric_registry.py`
and one test. Nothing is rated as good or bad: the tables say what was counted, on how many records, and what was left
out.
"""

from __future__ import annotations

from .confusion import confusion
from .metrics import metrics
from .non_answers import non_answers

__all__ = ["confusion", "metrics", "non_answers"]
