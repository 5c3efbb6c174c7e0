"""Who is compared with whom: people, instruments, everybody, each pair, and an instrument in a person's place."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from ..frames.ratings import TRUTH
from ..shared.reliability_data import ReliabilityData


class CoderSet(NamedTuple):
    """Some coders, and what their agreement would tell."""

    name: str
    comparison_type: str
    coders: tuple[str, ...]
    dependent: bool = False
    """Whether one of them has seen what another said."""
    each_category: bool = False


def coder_sets(data: ReliabilityData) -> Iterator[CoderSet]:
    """Every comparison that the coders allow; people among themselves first, because they are the yardstick.

    Who has read the others (a synthesiser, a panel, a person who was not blind) is not pooled with them.
    """
    people = [c for c, kind in zip(data.coders, data.kinds, strict=True) if kind == "human" and c != TRUTH]
    judges = [c for c, kind in zip(data.coders, data.kinds, strict=True) if kind != "human"]
    blind = [name for name in people if name not in data.non_blind]
    apart = [name for name in judges if data.depends_on(name) == {name}]
    pooled = [*blind, *apart]
    if len(people) > 2:
        yield CoderSet("people", "human-human", tuple(people), each_category=True)
    if len(apart) > 2:
        yield CoderSet("instruments", "judge-judge", tuple(apart), each_category=True)
    if blind and apart and len(pooled) > 2:
        yield CoderSet("all coders", "mixed", tuple(pooled), each_category=True)
    pairs = list(combinations(data.coders, 2))
    for one, other in pairs:
        between = _comparison_type(one, other, judges)
        dependent = (between == "judge-human" and bool({one, other} & data.non_blind)) or (
            not data.depends_on(one).isdisjoint(data.depends_on(other))
        )
        yield CoderSet(f"{one} ~ {other}", between, (one, other), dependent, each_category=len(pairs) == 1)
    if len(blind) > 2:
        for judge in judges:
            for person in blind:
                others = tuple(judge if name == person else name for name in blind)
                yield CoderSet(f"people, with {judge} for {person}", "judge-human", others)


def _comparison_type(one: str, other: str, judges: list[str]) -> str:
    return {0: "human-human", 1: "judge-human", 2: "judge-judge"}[(one in judges) + (other in judges)]
