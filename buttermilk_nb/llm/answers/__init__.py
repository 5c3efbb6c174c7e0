"""The reading of a model's answer: its JSON, and refusals."""
