"""Agents that put criteria to a model and read its answers on their scales."""
