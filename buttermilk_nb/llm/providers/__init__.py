"""Families of models, and how each is asked."""
