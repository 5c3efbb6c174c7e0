"""The headline finding under every defensible choice of judges, rule, threshold and non-answers.

One analysis is one of many that could as well have been made. So all of them are made, from the answers that exist, and
the result shows how much the finding depends on the choices.
"""

from __future__ import annotations

from .multiverse import multiverse
from .summary import multiverse_summary

__all__ = ["multiverse", "multiverse_summary"]
