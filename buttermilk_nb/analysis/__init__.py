"""Frames and numbers made from the Store."""
