"""Parsers of a model's answer: the JSON in it, and refusals."""
