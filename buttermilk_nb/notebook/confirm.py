"""Asking before many calls are sent, in the cell that would send them."""

from __future__ import annotations


def confirm(question: str) -> bool | None:
    """Yes, no, or None where nobody can be asked (a notebook that is run as a whole, by a program)."""
    try:
        said = input(f"{question} [y/N] ")
    except (EOFError, NotImplementedError, OSError, RuntimeError):  # ipykernel says so where nobody can type
        return None
    return said.strip().lower() in ("y", "yes")
