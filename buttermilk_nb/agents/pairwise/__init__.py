"""Agents that compare two texts."""
