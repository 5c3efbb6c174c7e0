"""Agents over answers: they read what judges said, and say what is in it."""

from .differences import Differences
from .escalation import Escalation
from .panel import Panel
from .scorer import Scorer
from .synthesiser import Synthesiser

__all__ = ["Differences", "Escalation", "Panel", "Scorer", "Synthesiser"]
