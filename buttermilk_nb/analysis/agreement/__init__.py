"""Agreement between coders, on answers and on passages."""
