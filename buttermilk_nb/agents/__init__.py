"""Agents: named units that turn a record, and what earlier steps found, into an output."""
