"""Agents whose answer is an object of a declared type."""
