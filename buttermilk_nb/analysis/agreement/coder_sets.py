"""The sets of coders to compare: people, instruments, everybody, each pair, substitutions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from ..frames.human_codes import TRUTH
from ..shared.reliability_data import ReliabilityData


class CoderSet(NamedTuple):
    """A set of coders to compare."""

    name: str
    comparison_type: str
    coders: tuple[str, ...]
    dependent: bool = False
    """Whether one of them has seen the answers of another."""
    each_category: bool = False
    """Whether to report specific agreement on each category."""


def coder_sets(data: ReliabilityData) -> Iterator[CoderSet]:
    """Every set that the coders allow; people among themselves first, because they are the yardstick.

    A coder who has read the answers of others (a synthesiser, a panel, a person who was not blind) is not pooled with
    them.
    """
    people = [c for c, kind in zip(data.coders, data.kinds, strict=True) if kind == "human" and c != TRUTH]
    judges = [c for c, kind in zip(data.coders, data.kinds, strict=True) if kind != "human"]
    blind = [name for name in people if name not in data.non_blind]
    independent = [name for name in judges if data.depends_on(name) == {name}]
    pooled = [*blind, *independent]
    if len(people) > 2:
        yield CoderSet("people", "human-human", tuple(people), each_category=True)
    if len(independent) > 2:
        yield CoderSet("instruments", "judge-judge", tuple(independent), each_category=True)
    if blind and independent and len(pooled) > 2:
        yield CoderSet("all coders", "mixed", tuple(pooled), each_category=True)
    pairs = list(combinations(data.coders, 2))
    for a, b in pairs:
        comparison_type = _comparison_type(a, b, judges)
        dependent = (comparison_type == "judge-human" and bool({a, b} & data.non_blind)) or (
            not data.depends_on(a).isdisjoint(data.depends_on(b))
        )
        yield CoderSet(f"{a} ~ {b}", comparison_type, (a, b), dependent, each_category=len(pairs) == 1)
    if len(blind) > 2:
        for judge in judges:
            for person in blind:
                coders = tuple(judge if name == person else name for name in blind)
                yield CoderSet(f"people, with {judge} for {person}", "judge-human", coders)


def _comparison_type(a: str, b: str, judges: list[str]) -> str:
    return {0: "human-human", 1: "judge-human", 2: "judge-judge"}[(a in judges) + (b in judges)]
