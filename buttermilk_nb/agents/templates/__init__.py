"""Prompt templates: what they may read and do, and within which limits."""
