"""The alternative annotator test: whether a judge may stand in for the people who code.

Agreement with the people says how close a judge is to them; this asks whether it is as close as one of them is. Each
person is left out in turn, and whoever of the two is nearer to the others has the advantage (Calderon, Reichart and
Dror 2025).
"""

from __future__ import annotations

from .alt_test import alt_test, alt_test_coders

__all__ = ["alt_test", "alt_test_coders"]
