"""The project of a study: its folder, and the functions that work on it."""
