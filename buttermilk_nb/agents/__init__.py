"""Agents: each turns a record, and the outputs of earlier steps, into one output."""

from __future__ import annotations

from .base import AgentBase
from .extraction.extractor import Extractor
from .function_agent import FunctionAgent, agent
from .judge.judge import Judge
from .llm_agent import Agent
from .meta import Differences, Escalation, Panel, Scorer, Synthesiser
from .pairwise.pairwise import Pairwise
from .typed_output.typed_agent import TypedAgent

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
    "TypedAgent",
    "agent",
]
