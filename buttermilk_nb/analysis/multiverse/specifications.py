"""The choices: which instruments, how they are taken together, where the threshold is, what non-answers count as."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np

from ...codebook.scales.flags import parse_comparison
from ...errors import SetupError, nearest
from ..coefficients.base import FloatArray
from ..shared.groups import in_order
from .instruments import Instrument, InstrumentAnswers, InstrumentTable

SETS = ("each", "subsets", "together")
RULES = ("majority", "any", "all", "mean")
REPLICATES = ("modal", "each")
NON_ANSWERS = {"left out": None, "no": 0.0, "yes": 1.0}
FLAG = "flag"
_SIGNS: dict[str, Callable[[Any, float], Any]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq,
}  # fmt: skip


class Aggregation(NamedTuple):
    """Some instruments, by place, and what their models and prompts are called together."""

    places: tuple[int, ...]
    models: str
    prompts: str


class Choice(NamedTuple):
    """One specification, but for the replicates."""

    together: Aggregation
    rule: str
    threshold: str
    non_answers: str


def check(word: str, given: Sequence[str], offered: Sequence[str]) -> None:
    """Raise where a choice is none of those offered, or none is given."""
    if not given:
        raise SetupError(f"{word}: name one choice at least; {nearest('', offered)}")
    for one in given:
        if one not in offered:
            raise SetupError(f"{word}: there is no `{one}`; {nearest(str(one), offered)}")


def sets_of(instruments: Sequence[Instrument], models: Sequence[str], prompts: Sequence[str]) -> list[Aggregation]:
    """Every set of instruments that some models and some prompts make, each once.

    Examples
    --------
    >>> made = sets_of([Instrument("a", "m1", "p"), Instrument("b", "m2", "p")], ["each", "together"], ["each"])
    >>> [(one.places, one.models) for one in made]
    [((0,), 'm1'), ((1,), 'm2'), ((0, 1), 'all 2')]
    """
    found: dict[tuple[int, ...], Aggregation] = {}
    of_models = _subsets([one.model for one in instruments], models)
    of_prompts = list(_subsets([one.prompt for one in instruments], prompts))
    for (called, some), (asked, ways) in product(of_models, of_prompts):
        places = tuple(i for i, one in enumerate(instruments) if one.model in some and one.prompt in ways)
        if places:
            found.setdefault(places, Aggregation(places, called, asked))
    return list(found.values())


def thresholds_of(panel: InstrumentTable, given: str | Sequence[str], where: str) -> dict[str, str]:
    """The thresholds to be tried, and what each is called: `each` is every cut of an ordinal scale.

    Cuts go the way of the flag: upwards, unless the flagged answers are the lower ones. The one that parts the answers
    as the flag does is called so.

    Raises
    ------
    SetupError
        There is neither a flag nor a threshold, or a threshold is not a comparison.
    """
    wanted = [given] if isinstance(given, str) else list(given)
    if wanted == ["each"]:
        wanted = _cuts(panel) or [FLAG]
    if not wanted:
        raise SetupError('thresholds: name one at least, such as thresholds=["flag", ">= 4"].')
    for one in wanted:
        if one == FLAG:
            if not panel.has_flag:
                mend = ', or name thresholds=[">= 4", ">= 5"]' if panel.has_numbers else ""
                raise SetupError(
                    f"{where}: no flag is declared, so it is not known what the finding is; give one{mend}."
                )
        elif parse_comparison(one) is None:
            raise SetupError(f'thresholds: `{one}` is not a comparison; write "flag", or for example ">= 4".')
        elif not panel.has_numbers:
            raise SetupError(
                f"thresholds: the answers on `{where}` have no order, so `{one}` says nothing; leave it out."
            )
    return {one: _called(panel, one) for one in dict.fromkeys(wanted)}


def choices(
    together: Sequence[Aggregation], rules: Sequence[str], thresholds: Sequence[str], non_answers: Sequence[str]
) -> Iterator[Choice]:
    """Every specification. A rule needs two instruments; of two, a majority is both, and stands as `all`."""
    for one, threshold, counted in product(together, thresholds, non_answers):
        for rule in rules if len(one.places) > 1 else ["alone"]:
            twice = rule == "majority" and len(one.places) == 2 and "all" in rules
            if not twice and (rule != "mean" or threshold != FLAG):
                yield Choice(one, rule, threshold, counted)


def verdicts(said: InstrumentAnswers, choice: Choice) -> FloatArray:
    """Whether each record has the finding: 1 or 0, NaN where nothing is known."""
    places = list(choice.together.places)
    asked, filling = said.asked[:, places], NON_ANSWERS[choice.non_answers]
    if choice.rule == "mean":
        numbers = said.numbers[:, places]
        n = (~np.isnan(numbers)).sum(axis=1)
        mean = np.divide(np.nansum(numbers, axis=1), n, out=np.full(len(n), np.nan), where=n > 0)
        found = cut(mean, choice.threshold)
        return found if filling is None else np.where(np.isnan(found) & asked.any(axis=1), filling, found)
    own = said.flags[:, places] if choice.threshold == FLAG else cut(said.numbers[:, places], choice.threshold)
    if filling is not None:
        own = np.where(np.isnan(own) & asked, filling, own)
    n, yes = (~np.isnan(own)).sum(axis=1), np.nansum(own, axis=1)
    met = {"any": yes > 0, "all": yes == n}.get(choice.rule, 2 * yes > n)
    return np.where(n > 0, met.astype(float), np.nan)


def cut(numbers: FloatArray, threshold: str) -> FloatArray:
    """1 where a number meets a comparison, else 0; NaN stays.

    Examples
    --------
    >>> cut(np.array([3.0, 4.0, np.nan]), ">= 4").tolist()
    [0.0, 1.0, nan]
    """
    found = parse_comparison(threshold)
    if found is None:
        raise SetupError(f"thresholds: `{threshold}` is not a comparison.")
    return np.where(np.isnan(numbers), np.nan, _SIGNS[found[0]](numbers, found[1]).astype(float))


def _subsets(names: Sequence[str], how: Sequence[str]) -> Iterator[tuple[str, frozenset[str]]]:
    known = in_order(names)
    if "each" in how or len(known) == 1:
        yield from ((name, frozenset([name])) for name in known)
    if "subsets" in how:
        for size in range(2, len(known)):
            yield from ((" + ".join(some), frozenset(some)) for some in combinations(known, size))
    if {"subsets", "together"} & set(how) and len(known) > 1:
        yield f"all {len(known)}", frozenset(known)


def _cuts(panel: InstrumentTable) -> list[str]:
    """Every cut of an ordinal scale; none where the flag is no cut, or the scale is not ordinal."""
    values = panel.table.codes.values
    if panel.table.codes.level != "ordinal" or values is None:
        return []
    points = sorted(values)
    up = [f">= {point:g}" for point in points[1:]]
    if not panel.has_flag or any(_is_flag(panel, one) for one in up):
        return up
    down = [f"<= {point:g}" for point in points[:-1]]
    return down if any(_is_flag(panel, one) for one in down) else []


def _called(panel: InstrumentTable, threshold: str) -> str:
    """A threshold in the words of the scale, with a mark where it is the flag."""
    found, values = parse_comparison(threshold), panel.table.codes.values
    if found is None or values is None:
        return threshold
    named = [panel.table.codes.categories[i] for i in np.flatnonzero(values == found[1])]
    return f"{found[0]} {named[0] if named else f'{found[1]:g}'}" + (" (flag)" if _is_flag(panel, threshold) else "")


def _is_flag(panel: InstrumentTable, threshold: str) -> bool:
    """Whether a threshold parts all answers as the flag does."""
    values = panel.table.codes.values
    if values is None or not panel.has_flag:
        return False
    said = np.append(values, np.nan)[panel.table.codes.matrix]
    known = ~np.isnan(panel.table.flags) & ~np.isnan(said)
    return bool((cut(said, threshold)[known] == panel.table.flags[known]).all())
