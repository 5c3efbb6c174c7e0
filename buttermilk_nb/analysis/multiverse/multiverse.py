"""Estimate the finding under every specification, as one tidy table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._internal.arguments import check_arguments
from ...errors import SetupError, nearest
from ..coefficients.arrays import BoolArray
from ..shared.bootstrap import check_resampling
from ..shared.coder_roles import judge_names
from ..shared.notes import join_sentences, sample_note, unequal_note
from ..shared.ratings_frame import prepare_ratings
from ..shared.ratings_groups import column_names, ratings_groups
from ..shared.replicate_mode import REPLICATE_MODES
from .estimands import (
    Estimand,
    Verdicts,
    difference_estimand,
    estimates_with_intervals,
    function_estimand,
    share_estimand,
)
from .instruments import InstrumentAnswers, InstrumentTable, instrument_table
from .specifications import (
    FLAG,
    NON_ANSWERS,
    RULES,
    SUBSETS,
    Specification,
    aggregations,
    check_choices,
    named_thresholds,
    specifications,
    verdicts,
)

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "specification", "criterion", "finding", "models", "prompts", "rule", "threshold", "replicate_mode", "non_answers",
    "n_instruments", "estimate", "low", "high", "n", "n_excluded", "n_clusters", "note",
)  # fmt: skip
CHOICES = ("models", "prompts", "rule", "threshold", "replicate_mode", "non_answers")
_MAX_SPECIFICATIONS = 20_000


@check_arguments
def multiverse(
    ratings: pd.DataFrame,
    finding: Callable[[pd.DataFrame], Any] | None = None,
    *,
    criterion: str | None = None,
    groups: str | None = None,
    pair: tuple[Any, Any] | None = None,
    judges: Sequence[str] | None = None,
    models: str | Sequence[str] = ("each", "together"),
    prompts: str | Sequence[str] = ("each", "together"),
    rules: str | Sequence[str] | None = None,
    thresholds: str | Sequence[str] = "each",
    replicate_mode: str | Sequence[str] = ("modal", "each"),
    non_answers: str | Sequence[str] = ("left out", "no"),
    n_boot: int | None = None,
    seed: int = 1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The headline finding in every defensible specification, from the answers that exist; no model is called.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`; people's codes in it are not used. Columns of the records can be joined:
        `ratings.merge(corpus.to_df()[["record_id", "outlet"]], on="record_id")`.
    finding
        None: the share of records with the finding. Else a function from a frame with one row per record that has a
        verdict (`record_id`, `cluster`, `flagged`, and the columns that were joined) to a number.
    criterion
        The criterion, if there are several; criteria and wordings are never pooled.
    groups, pair
        A column joined to the ratings, and two of its values (by default its only two, from A to Z): the finding is the
        share of records with the first value, minus the share of records with the second.
    judges
        The instruments, by name; by default all. Leave out those that read the answers of others, such as a
        synthesiser.
    models, prompts
        `each` by itself, all `together`, every one of the `subsets`, or several of these. The prompt of a judge is the
        part of its name that is not the model.
    rules
        How several instruments give one verdict: `majority` (more than half of those that answered; a tie is not
        enough), `any`, `all`, `mean` (the mean of their numbers meets the threshold). By default all that fit.
    thresholds
        `flag`, as the criterion declares it, or comparisons of numbers such as `">= 4"`; `each`: every cut of an
        ordinal scale, and the flag on others.
    replicate_mode
        `modal`: the answer of most replicates, and no answer if two are as frequent (for ordinal numbers, the mean of
        those tied; for continuous ones the mean of all); `each`: each replicate, as if it were the only one.
    non_answers
        How to count refusals, invalid answers, `cannot tell` and ties of replicates: `left out`, `no` or `yes`.
    n_boot, seed, confidence
        The number of resamples of whole clusters, the same for all specifications, their seed, and the level of the
        percentile intervals (0 to 1). By default 1,000 resamples, and 0 (no intervals) for a function, which is called
        once for each resample of each specification.

    Returns
    -------
    pandas.DataFrame
        One row per specification, the lowest estimate first: `specification` (from 1), `criterion`, `finding`; its
        choices `models`, `prompts`, `rule` (`alone`: one instrument), `threshold`, `replicate_mode`, `non_answers`;
        `n_instruments`, `estimate`, `low`, `high`, `n` (records with a verdict that count in the finding),
        `n_excluded` (the other records), `n_clusters` and `note`. `multiverse_summary` describes the table in a few
        sentences, and `plot_multiverse` draws it.

    Raises
    ------
    SetupError
        No flag is declared and no threshold fits; a choice is unknown; criteria or wordings would be pooled; a record
        has two values in `groups`; there are more than 20,000 specifications.

    Notes
    -----
    Steegen, Tuerlinckx, Gelman and Vanpaemel (2016), Increasing transparency through a multiverse analysis; Simonsohn,
    Simmons and Nelson (2020), Specification curve analysis. Specifications are not independent, and not all are
    equally good: a share of them is not a probability. No specification counts twice: a majority of two instruments is
    both, so it appears only as `all`. If no answer is missing, how to count non-answers is not a choice.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = {"m1": "yyyynnnnnn", "m2": "yynnnnnnnn", "m3": "yyyyyynnnn"}
    >>> rows = [(f"r{i}", "calm", f"judge · {m}", m, c) for m, codes in answers.items() for i, c in enumerate(codes)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "model", "category"])
    >>> ratings = ratings.assign(kind="instrument", flagged=ratings.category == "y")
    >>> result = multiverse(ratings, n_boot=100)
    >>> result[["models", "rule", "estimate"]].values.tolist()[::5]
    [['m2', 'alone', 0.2], ['all 3', 'any', 0.6]]
    """
    import pandas as pd

    choices = {
        "models": _checked_choices("models", models, SUBSETS),
        "prompts": _checked_choices("prompts", prompts, SUBSETS),
        "replicate_mode": _checked_choices("replicate_mode", replicate_mode, REPLICATE_MODES),
        "non_answers": _checked_choices("non_answers", non_answers, list(NON_ANSWERS)),
    }
    resamples = (0 if finding else 1000) if n_boot is None else n_boot
    check_resampling(resamples, confidence, least=0)
    part = _select_criterion(prepare_ratings(ratings), criterion)
    description = f"criterion `{part.criterion.iloc[0]}`"
    instruments = instrument_table(part, judge_names(part, judges))
    threshold_names = named_thresholds(instruments, thresholds, description)
    _check_subsets(instruments, choices, description)
    answers = list(instruments.answers(choices["replicate_mode"]))
    has_missing = any(own.has_missing(FLAG in threshold_names, set(threshold_names) != {FLAG}) for own in answers)
    planned = list(
        specifications(
            aggregations(instruments.instruments, choices["models"], choices["prompts"]),
            _select_rules(rules, instruments, list(threshold_names)),
            list(threshold_names),
            choices["non_answers"] if has_missing else choices["non_answers"][:1],
        )
    )
    _check_number(len(planned) * len(answers), description)
    rows, matrix = _specification_rows(planned, answers, threshold_names)
    estimand = _choose_estimand(part, instruments.table.records, finding, groups, pair)
    shared = {"criterion": part.criterion.iloc[0], "finding": estimand.name}
    clusters = instruments.table.clusters
    estimates = estimates_with_intervals(estimand, matrix, clusters, resamples, seed, confidence)
    for row, has_verdict, estimate in zip(rows, matrix >= 0, estimates, strict=True):
        row |= shared | _estimate_columns(instruments, has_verdict & estimand.is_counted, estimate)
    result = pd.DataFrame(rows).sort_values("estimate", kind="stable", ignore_index=True)
    return result.assign(specification=range(1, len(result) + 1))[list(COLUMNS)]


def _checked_choices(parameter: str, values: str | Sequence[str], offered: Sequence[str]) -> list[str]:
    names = column_names(values)
    check_choices(parameter, names, offered)
    return names


def _check_number(n: int, description: str) -> None:
    if n > _MAX_SPECIFICATIONS:
        raise SetupError(
            f"{description}: there would be {n:,} specifications, and {_MAX_SPECIFICATIONS:,} is the most; leave out "
            "choices that you would not defend, such as `subsets`."
        )


def _estimate_columns(
    instruments: InstrumentTable, is_counted: BoolArray, estimate: tuple[float, float, float]
) -> dict[str, Any]:
    """The estimate of a specification, its sample sizes and warnings."""
    value, low, high = estimate
    n, n_clusters = int(is_counted.sum()), len(np.unique(instruments.table.clusters[is_counted]))
    return {
        "estimate": value,
        "low": low,
        "high": high,
        "n": n,
        "n_excluded": int((~is_counted).sum()),
        "n_clusters": n_clusters,
        "note": join_sentences(
            sample_note(n, n_clusters),
            "All resamples are the same, so the interval has no width." if low == high else "",
            unequal_note(instruments.table.unequal_probabilities),
            instruments.table.codes_note,
        ),
    }


def _select_criterion(frame: pd.DataFrame, criterion: str | None) -> pd.DataFrame:
    names = list(frame.criterion.unique())
    if criterion is not None and criterion not in names:
        raise SetupError(f"there is no criterion `{criterion}`; {nearest(criterion, names)}")
    if criterion is None and len(names) > 1:
        raise SetupError(f"criteria are never pooled, and there are {len(names)}; choose one, criterion={names[0]!r}.")
    ((_, part),) = ratings_groups(frame[frame.criterion == (criterion or names[0])], [])
    return part


def _check_subsets(instruments: InstrumentTable, choices: dict[str, list[str]], description: str) -> None:
    """Raise before more subsets are enumerated than there may be specifications."""
    names = {
        "models": {instrument.model for instrument in instruments.instruments},
        "prompts": {instrument.prompt for instrument in instruments.instruments},
    }
    for parameter, distinct in names.items():
        n_subsets = 2 ** len(distinct) - 1
        if "subsets" in choices[parameter] and n_subsets >= _MAX_SPECIFICATIONS:
            raise SetupError(
                f"{description}: {len(distinct)} {parameter} have {n_subsets:,} subsets, and {_MAX_SPECIFICATIONS:,} "
                f'specifications are the most; write {parameter}=("each", "together"), or name fewer judges.'
            )


def _select_rules(
    rules: str | Sequence[str] | None, instruments: InstrumentTable, thresholds: Sequence[str]
) -> list[str]:
    fitting = [rule for rule in RULES if rule != "mean" or any(threshold != FLAG for threshold in thresholds)]
    if rules is None:
        return fitting
    names = _checked_choices("rules", rules, RULES)
    if "mean" in names and "mean" not in fitting:
        raise SetupError(
            'rules: a `mean` needs a threshold that it meets or not: thresholds=[...], such as ">= 4".'
            if instruments.has_numbers
            else "rules: the answers have no numbers, so there is no `mean`; leave it out."
        )
    return names


def _specification_rows(
    planned: Sequence[Specification], answers: Sequence[InstrumentAnswers], threshold_names: dict[str, str]
) -> tuple[list[dict[str, Any]], Verdicts]:
    """The choices of every specification with a planned answer, and its verdict on each record."""
    rows, matrix = [], []
    for replicate_answers in answers:
        for specification in planned:
            aggregation = specification.aggregation
            if not replicate_answers.has_row[:, list(aggregation.instruments)].any():
                continue
            verdict = verdicts(replicate_answers, specification)
            matrix.append(np.where(np.isnan(verdict), -1, verdict).astype(np.int8))
            rows.append(
                {
                    "models": aggregation.models,
                    "prompts": aggregation.prompts,
                    "rule": specification.rule,
                    "threshold": threshold_names[specification.threshold],
                    "replicate_mode": replicate_answers.replicates,
                    "non_answers": specification.non_answers,
                    "n_instruments": len(aggregation.instruments),
                }
            )
    return rows, np.array(matrix, np.int8)


def _choose_estimand(
    part: pd.DataFrame,
    records: Sequence[str],
    function: Callable[[pd.DataFrame], Any] | None,
    groups: str | None,
    pair: tuple[Any, Any] | None,
) -> Estimand:
    if function is not None:
        if groups is not None or pair is not None:
            raise SetupError("groups: a function of your own compares groups itself; leave `groups` and `pair` out.")
        return function_estimand(part, records, function)
    if groups is None:
        if pair is not None:
            raise SetupError('pair: name the column of the two values too, such as groups="outlet".')
        return share_estimand(records)
    return difference_estimand(part, records, groups, pair)
