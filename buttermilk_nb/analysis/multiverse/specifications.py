"""The specifications: sets of instruments, aggregation rules, thresholds, and how non-answers count."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np

from ...codebook.scales.flags import parse_comparison
from ...errors import SetupError, nearest
from ..coefficients.arrays import FloatArray
from ..shared.ratings_groups import sorted_values
from .instruments import Instrument, InstrumentAnswers, InstrumentTable

SUBSETS = ("each", "subsets", "together")
RULES = ("majority", "any", "all", "mean")
NON_ANSWERS = {"left out": None, "no": 0.0, "yes": 1.0}
FLAG = "flag"
_COMPARISONS: dict[str, Callable[[Any, float], Any]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq,
}  # fmt: skip


class Aggregation(NamedTuple):
    """A set of instruments, by index, with a name for its models and one for its prompts."""

    instruments: tuple[int, ...]
    models: str
    prompts: str


class Specification(NamedTuple):
    """One specification, without the way to treat replicates."""

    aggregation: Aggregation
    rule: str
    threshold: str
    non_answers: str


def check_choices(parameter: str, values: Sequence[str], offered: Sequence[str]) -> None:
    """Check that there is a choice, and that each is one of those offered.

    Raises
    ------
    SetupError
        There is no choice, or one is unknown.
    """
    if not values:
        raise SetupError(f"{parameter}: name at least one choice; {nearest('', offered)}")
    for value in values:
        if value not in offered:
            raise SetupError(f"{parameter}: there is no `{value}`; {nearest(str(value), offered)}")


def aggregations(instruments: Sequence[Instrument], models: Sequence[str], prompts: Sequence[str]) -> list[Aggregation]:
    """Every set of instruments that some models and some prompts make, each once.

    Examples
    --------
    >>> result = aggregations([Instrument("a", "m1", "p"), Instrument("b", "m2", "p")], ["each", "together"], ["each"])
    >>> [(aggregation.instruments, aggregation.models) for aggregation in result]
    [((0,), 'm1'), ((1,), 'm2'), ((0, 1), 'all 2')]
    """
    result: dict[tuple[int, ...], Aggregation] = {}
    model_sets = _named_subsets([instrument.model for instrument in instruments], models)
    prompt_sets = list(_named_subsets([instrument.prompt for instrument in instruments], prompts))
    for (models_name, model_set), (prompts_name, prompt_set) in product(model_sets, prompt_sets):
        indices = tuple(
            i
            for i, instrument in enumerate(instruments)
            if instrument.model in model_set and instrument.prompt in prompt_set
        )
        if indices:
            result.setdefault(indices, Aggregation(indices, models_name, prompts_name))
    return list(result.values())


def named_thresholds(table: InstrumentTable, thresholds: str | Sequence[str], description: str) -> dict[str, str]:
    """The thresholds to try, with a name for each: `each` means every cut of an ordinal scale.

    Cuts have the direction of the flag: upwards, unless the flagged answers are the lower ones. The name of a cut that
    divides the answers as the flag does says so.

    Raises
    ------
    SetupError
        There is neither a flag nor a threshold, or a threshold is not a comparison.
    """
    selected = [thresholds] if isinstance(thresholds, str) else list(thresholds)
    if selected == ["each"]:
        selected = _scale_cuts(table) or [FLAG]
    if not selected:
        raise SetupError('thresholds: name at least one, such as thresholds=["flag", ">= 4"].')
    for threshold in selected:
        if threshold == FLAG:
            if not table.has_flag:
                alternative = ', or name thresholds=[">= 4", ">= 5"]' if table.has_numbers else ""
                raise SetupError(
                    f"{description}: no flag is declared, so it is not known which answers are the finding; give the "
                    f"criterion one{alternative}."
                )
        elif parse_comparison(threshold) is None:
            raise SetupError(f'thresholds: `{threshold}` is not a comparison; write "flag", or for example ">= 4".')
        elif not table.has_numbers:
            raise SetupError(
                f"thresholds: the answers on {description} have no order, so `{threshold}` does not apply; leave it "
                "out."
            )
    return {threshold: _threshold_name(table, threshold) for threshold in dict.fromkeys(selected)}


def specifications(
    sets: Sequence[Aggregation], rules: Sequence[str], thresholds: Sequence[str], non_answers: Sequence[str]
) -> Iterator[Specification]:
    """Every specification.

    A rule needs two instruments. A majority of two is both, so it appears only as `all`.
    """
    for aggregation, threshold, counted_as in product(sets, thresholds, non_answers):
        n = len(aggregation.instruments)
        for rule in rules if n > 1 else ["alone"]:
            is_duplicate = rule == "majority" and n == 2 and "all" in rules
            if not is_duplicate and (rule != "mean" or threshold != FLAG):
                yield Specification(aggregation, rule, threshold, counted_as)


def verdicts(answers: InstrumentAnswers, specification: Specification) -> FloatArray:
    """Whether each record has the finding: 1 or 0, NaN if it is unknown."""
    columns = list(specification.aggregation.instruments)
    has_row, fill_value = answers.has_row[:, columns], NON_ANSWERS[specification.non_answers]
    if specification.rule == "mean":
        numbers = answers.numbers[:, columns]
        n = (~np.isnan(numbers)).sum(axis=1)
        mean = np.divide(np.nansum(numbers, axis=1), n, out=np.full(len(n), np.nan), where=n > 0)
        verdict = meets_threshold(mean, specification.threshold)
        return verdict if fill_value is None else np.where(np.isnan(verdict) & has_row.any(axis=1), fill_value, verdict)
    if specification.threshold == FLAG:
        flags = answers.flags[:, columns]
    else:
        flags = meets_threshold(answers.numbers[:, columns], specification.threshold)
    if fill_value is not None:
        flags = np.where(np.isnan(flags) & has_row, fill_value, flags)
    n, n_flagged = (~np.isnan(flags)).sum(axis=1), np.nansum(flags, axis=1)
    is_flagged = {"any": n_flagged > 0, "all": n_flagged == n}.get(specification.rule, 2 * n_flagged > n)
    return np.where(n > 0, is_flagged.astype(float), np.nan)


def meets_threshold(numbers: FloatArray, threshold: str) -> FloatArray:
    """1 if a number meets a comparison, else 0; NaN stays NaN.

    Examples
    --------
    >>> meets_threshold(np.array([3.0, 4.0, np.nan]), ">= 4").tolist()
    [0.0, 1.0, nan]
    """
    parsed = parse_comparison(threshold)
    if parsed is None:
        raise SetupError(f"thresholds: `{threshold}` is not a comparison.")
    sign, value = parsed
    return np.where(np.isnan(numbers), np.nan, _COMPARISONS[sign](numbers, value).astype(float))


def _named_subsets(names: Sequence[str], choices: Sequence[str]) -> Iterator[tuple[str, frozenset[str]]]:
    distinct = sorted_values(names)
    if "each" in choices or len(distinct) == 1:
        yield from ((name, frozenset([name])) for name in distinct)
    if "subsets" in choices:
        for size in range(2, len(distinct)):
            yield from ((" + ".join(subset), frozenset(subset)) for subset in combinations(distinct, size))
    if {"subsets", "together"} & set(choices) and len(distinct) > 1:
        yield f"all {len(distinct)}", frozenset(distinct)


def _scale_cuts(table: InstrumentTable) -> list[str]:
    """Every cut of an ordinal scale; none if the flag is not a cut, or the scale is not ordinal."""
    values = table.table.codes.values
    if table.table.codes.level != "ordinal" or values is None:
        return []
    points = sorted(values)
    upward = [f">= {point:g}" for point in points[1:]]
    if not table.has_flag or any(_is_flag(table, cut) for cut in upward):
        return upward
    downward = [f"<= {point:g}" for point in points[:-1]]
    return downward if any(_is_flag(table, cut) for cut in downward) else []


def _threshold_name(table: InstrumentTable, threshold: str) -> str:
    """A threshold in the words of the scale; it ends in `(flag)` if it is the flag."""
    parsed, values = parse_comparison(threshold), table.table.codes.values
    if parsed is None or values is None:
        return threshold
    sign, value = parsed
    categories = [table.table.codes.categories[i] for i in np.flatnonzero(values == value)]
    return f"{sign} {categories[0] if categories else f'{value:g}'}" + (" (flag)" if _is_flag(table, threshold) else "")


def _is_flag(table: InstrumentTable, threshold: str) -> bool:
    """Whether a threshold divides all answers as the flag does."""
    codes, flags = table.table.codes, table.table.flags
    if codes.values is None or not table.has_flag:
        return False
    numbers = np.append(codes.values, np.nan)[codes.matrix]  # a missing code is -1, the index of the NaN at the end
    has_both = ~np.isnan(flags) & ~np.isnan(numbers)
    return bool((meets_threshold(numbers, threshold)[has_both] == flags[has_both]).all())
