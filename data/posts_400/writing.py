"""Words for the posts: from sentence parts to texts that read as varied posts.

`Words` is given a post's truth, author and issue, and nothing else. What it draws comes from a stream of its own, so
that another sentence in `parts.json` changes no truth and no code. Only `random()` is drawn, whose numbers Python
keeps from version to version.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any, TypeVar

T = TypeVar("T")

PARTS: dict[str, Any] = json.loads((Path(__file__).parent / "parts.json").read_text("utf-8"))
HARD_SHARE, OPENED, TAGGED = 0.10, 0.22, 0.2
LONGER = {"ordinary": 0.75, "other": 0.35}
ALIKE = 0.5  # the share of 5-letter sequences that no two posts may have in common


class Draws:
    """Random numbers that every Python draws alike."""

    def __init__(self, *name: object) -> None:
        self.random = random.Random("/".join(map(str, name))).random  # noqa: S311  # a simulation, not a secret

    def chance(self, p: float) -> bool:
        """Whether something of probability `p` happens."""
        return self.random() < p

    def pick(self, items: Sequence[T]) -> T:
        """One of them."""
        return items[int(self.random() * len(items))]

    def normal(self, sd: float = 1.0) -> float:
        """A number from a normal distribution with mean 0."""
        return NormalDist().inv_cdf(self.random() or 0.5) * sd  # 0 itself has no quantile

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """All of them in another order."""
        return [item for _, item in sorted(((self.random(), item) for item in items), key=lambda pair: pair[0])]


class Words:
    """The words of the posts: sentence parts, each used as seldom as possible, and no two posts nearly alike."""

    def __init__(self, seed: int) -> None:
        self.draw = Draws(seed, "words")
        self.used: Counter[str] = Counter()
        self.written: list[set[str]] = []

    def rarest(self, items: Sequence[T], key: int = 0) -> T:
        """One of those that were used least."""
        texts = [item[key] if isinstance(item, tuple) else item for item in items]
        least = min(self.used[str(text)] for text in texts)
        return self.draw.pick([i for i, text in zip(items, texts, strict=True) if self.used[str(text)] == least])

    def write(self, post: dict[str, Any], person: dict[str, Any]) -> tuple[str, str]:
        """The text of a post, and what kind of text it is."""
        for attempt in range(200):
            text, kind, core = self._composed(post, person)
            self.used[core] += 1
            grams = {text.casefold()[i : i + 5] for i in range(len(text) - 4)}
            most = ALIKE if attempt < 100 else 1  # where the parts are used up, another text is enough
            if all(len(grams & other) < most * len(grams | other) for other in self.written):
                break
        self.written.append(grams)
        return text, kind

    def _composed(self, post: dict[str, Any], person: dict[str, Any]) -> tuple[str, str, str]:
        draw, heat = self.draw, str(post["ground_truth"]["heat"])
        hostile, issue = post["ground_truth"]["hostile"] == "yes", PARTS["issues"][post["issue"]]
        special = PARTS["hostile"] if hostile else PARTS["hard"] if draw.chance(HARD_SHARE) else {}
        cores = [(core, kind) for kind, by_heat in special.items() for core in by_heat.get(heat, [])]
        core, kind = self.rarest(cores or [(core, "ordinary") for core in PARTS["says"][heat]])
        adds = PARTS["hostile_adds"] if hostile else PARTS["adds"][heat]
        sentences = [core]
        if draw.chance(LONGER["other" if special else "ordinary"]) and not core.endswith("?"):
            sentences.append(draw.pick(adds))
        if draw.chance(OPENED) and kind in ("ordinary", "plain"):
            sentences.insert(0, draw.pick(PARTS["openers"][heat]))
        text = filled(" ".join(sentences), issue, draw)
        if heat == "5" and draw.chance(0.3):
            text = text.upper()
        elif person["lower_case"] and heat < "4":
            text = text.lower()
        ends = [draw.pick(PARTS["emoji"][heat])] if draw.chance(person["emoji"]) else []
        ends += [issue["tag"]] if draw.chance(TAGGED) else []
        return " ".join([text, *ends]), kind, core


def filled(template: str, issue: dict[str, Any], draw: Draws) -> str:
    """A template with its gaps filled; `{Kin}` is `{kin}` with a capital, `{KIN}` all in capitals."""
    choices = {name: draw.pick(words) for name, words in PARTS["words"].items()}
    choices |= {name: draw.pick(given) if isinstance(given, list) else given for name, given in issue.items()}
    choices["place"] = draw.pick([place for place in issue["place"] if place != choices["service"]])
    shouted = {name.upper(): text.upper() for name, text in choices.items()}
    begun = {name.capitalize(): text[:1].upper() + text[1:] for name, text in choices.items()}
    return template.format_map({**shouted, **begun, **choices})
