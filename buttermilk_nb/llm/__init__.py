"""Models, and the call path that every request takes."""
