"""Offline models: rule-based baselines that need no language model."""
