"""Agents that read the answers of judges: panels, syntheses, differences, escalations and scorers."""

from .differences import Differences
from .escalation import Escalation
from .panel import Panel
from .scorer import Scorer
from .synthesiser import Synthesiser

__all__ = ["Differences", "Escalation", "Panel", "Scorer", "Synthesiser"]
