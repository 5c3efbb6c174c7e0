"""Agents: named units that turn a record, and what earlier steps found, into an output. One file a kind."""

from __future__ import annotations

from .base import AgentBase
from .function import FunctionAgent, agent
from .judge import Judge
from .llm_agent import Agent

__all__ = ["Agent", "AgentBase", "FunctionAgent", "Judge", "agent"]
