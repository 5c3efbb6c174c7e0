"""A yes/no question in the notebook before many calls are sent."""

from __future__ import annotations


def confirm(question: str) -> bool | None:
    """True for yes, False for no. None if nobody can answer, such as in a notebook that a program runs."""
    try:
        reply = input(f"{question} [y/N] ")
    except (EOFError, NotImplementedError, OSError, RuntimeError):  # ipykernel raises these if nobody can type
        return None
    return reply.strip().lower() in ("y", "yes")
