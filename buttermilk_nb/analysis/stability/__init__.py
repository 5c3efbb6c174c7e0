"""Stability: agreement of one instrument with itself, over replicates, prompts or orders.

A verdict that changes when the same question is asked again is noise, and agreement with people cannot be better than
this noise allows. Stability is never agreement between coders: a replicate is not a coder, and the alpha here is called
`intra_judge_alpha` so that nobody reports it as the other.
"""

from __future__ import annotations

from .replicate_answers import replicate_answers
from .stability import stability

__all__ = ["replicate_answers", "stability"]
