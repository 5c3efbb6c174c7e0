"""The alternative annotator test: whether a judge may replace the people who code.

Agreement with the people says how close a judge is to them; this test asks whether it is as close as one of them is.
Each person is left out in turn, and the judge or that person has the advantage, depending on which of the two is nearer
to the other people (Calderon, Reichart and Dror 2025).
"""

from __future__ import annotations

from .alt_test import alt_test, alt_test_coders

__all__ = ["alt_test", "alt_test_coders"]
