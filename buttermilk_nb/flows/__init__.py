"""Flows: their definition, their plan for a corpus, their execution and their results."""
