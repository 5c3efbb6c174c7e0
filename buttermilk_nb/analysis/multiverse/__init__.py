"""The headline finding under every defensible choice: which judges, which rule, which threshold, what of non-answers.

One analysis is one of many that could as well have been made. So all of them are made, from the answers that are there
already, and what is reported is how far the finding depends on the choice.
"""

from __future__ import annotations

from .multiverse import multiverse
from .summary import multiverse_summary

__all__ = ["multiverse", "multiverse_summary"]
