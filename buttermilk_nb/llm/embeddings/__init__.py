"""Embedding models: vectors of texts."""
