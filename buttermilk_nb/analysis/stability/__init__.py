"""Stability: agreement of one instrument with itself, over replicates, prompts or the order of what it reads.

A verdict that changes when the same question is asked again is noise, and no agreement with people can be better
than it allows. This is never agreement between coders: a replicate is no coder, and the alpha here is named
`intra_judge_alpha` so that nobody reports it as the other.
"""

from __future__ import annotations

from .stability import stability
from .verdicts import replicate_answers

__all__ = ["replicate_answers", "stability"]
