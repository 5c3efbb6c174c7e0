"""Texts with the codes that somebody gave them in another program: one module for each program's files."""
