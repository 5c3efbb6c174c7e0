"""Agents that extract rows in declared columns from a text."""
