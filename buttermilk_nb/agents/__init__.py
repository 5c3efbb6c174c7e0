"""Agents: named units that turn a record, and what earlier steps found, into an output. One file a kind."""

from __future__ import annotations

from .base import AgentBase
from .extractor import Extractor
from .function import FunctionAgent, agent
from .judge import Judge
from .llm_agent import Agent
from .over import Differences, Escalation, Panel, Scorer, Synthesiser
from .pairwise import Pairwise

__all__ = [
    "Agent",
    "AgentBase",
    "Differences",
    "Escalation",
    "Extractor",
    "FunctionAgent",
    "Judge",
    "Pairwise",
    "Panel",
    "Scorer",
    "Synthesiser",
    "agent",
]
