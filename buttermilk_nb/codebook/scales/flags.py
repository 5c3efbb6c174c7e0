"""Parse a criterion's flag: the answers that it lists, or a comparison such as `>= 4`."""

from __future__ import annotations

import re

from .answer import Answer


def flag_parts(flag: str) -> list[str]:
    """The answers that a flag lists."""
    return [part.strip() for part in flag.split("|")]


def parse_comparison(flag: str) -> tuple[str, float] | None:
    """The sign and the bound of a flag such as `>= 4`; None if the flag is not a comparison."""
    match = re.fullmatch(r"\s*(>=|<=|>|<|==)\s*(-?\d+(?:\.\d+)?)\s*", flag)
    return (match[1], float(match[2])) if match else None


def meets_comparison(answer: Answer, flag: str) -> bool | None:
    """Whether a number meets a comparison; None for a non-answer."""
    parsed_flag = parse_comparison(flag)
    if parsed_flag is None or answer.value is None:
        return None
    sign, bound = parsed_flag
    below, equal = answer.value < bound, answer.value == bound
    return {">=": not below, "<=": below or equal, ">": not below and not equal, "<": below, "==": equal}[sign]
