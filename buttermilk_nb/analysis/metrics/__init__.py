"""How far coders are from a truth: metrics with intervals, confusions, and who is left without an answer.

Pure functions of a ratings frame. A new metric is a subclass of `Metric` here, one line in `choosing.py` and one test.
Nothing is weighed as good or bad: the tables say what was counted, on how many records, and what was left out.
"""

from __future__ import annotations

from .crossing import confusion
from .leaving_out import non_answers
from .measuring import metrics

__all__ = ["confusion", "metrics", "non_answers"]
