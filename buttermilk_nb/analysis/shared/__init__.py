"""Helpers that several statistics share."""
