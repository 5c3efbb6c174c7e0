"""Models, and the one path of every call."""
