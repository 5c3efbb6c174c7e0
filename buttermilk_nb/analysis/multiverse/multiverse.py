"""All specifications of a finding, as one tidy table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import SetupError, nearest
from ..shared.coder_roles import judge_names
from ..shared.groups import column_names
from ..shared.notes import join_sentences, sample_note
from ..shared.ratings_frame import groups as parted, prepare_ratings
from ..stability.stability import check_resampling
from .estimands import Estimand, difference_estimand, estimates_with_intervals, function_estimand, share_estimand
from .instruments import InstrumentAnswers, InstrumentTable, instrument_table
from .specifications import (
    FLAG,
    NON_ANSWERS,
    REPLICATES,
    RULES,
    SETS,
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
    """The headline finding in every defensible specification, from the answers that are there; nothing is asked anew.

    Parameters
    ----------
    ratings
        The long frame of `run.ratings()`; people's codes in it are not read. To it may be joined what is known of the
        records: `ratings.merge(corpus.to_df()[["record_id", "outlet"]], on="record_id")`.
    finding
        None: the share of records with the finding. Else a function from a frame with one row per record that has a
        verdict (record_id, cluster, `flagged`, and the columns that were joined) to a number.
    criterion
        Which one, where there are several; criteria and wordings are never pooled.
    groups, pair
        A column joined to the ratings, and two of its values (may be left out where it has two, which are then taken
        from A to Z): the finding is the share where it is the first, less the share where it is the second.
    judges
        The instruments, by name; by default all. Leave out those that have read the others, such as a synthesiser.
    models, prompts
        `each` alone, all `together`, every one of the `subsets`, or several of these. A judge's prompt is what its
        name says beside the model.
    rules
        How several instruments become one verdict: `majority` (more than half of those who answered; a tie is not),
        `any`, `all`, `mean` (the mean of their numbers meets the threshold). By default all that fit.
    thresholds
        `flag`, as the criterion declares it, or comparisons of numbers such as `">= 4"`; `each`: every cut of an
        ordinal scale, and the flag on others.
    replicate_mode
        `modal`: what most replicates said, and no answer where two are as frequent (of ordinal numbers, the mean of
        those tied; of continuous ones the mean of all); `each`: each replicate, as if it had been the only one.
    non_answers
        What becomes of refusals, invalid answers, `cannot tell` and ties of replicates: `left out`, or counted as `no`
        or as `yes`.
    n_boot, seed, confidence
        Resamples of whole clusters, the same for all specifications, their seed, and the level of the percentile
        intervals. By default 1,000, and 0 (no intervals) for a function, which is called anew for each resample of
        each specification.

    Returns
    -------
    pandas.DataFrame
        One row per specification, the lowest estimate first: `specification` (from 1), `criterion`, `finding`; its
        choices `models`, `prompts`, `rule` (`alone`: one instrument), `threshold`, `replicate_mode`, `non_answers`;
        `n_instruments`, `estimate`, `low`, `high`, `n` (records with a verdict that count in the finding),
        `n_excluded` (records that do not), `n_clusters` and `note`. `multiverse_summary` says it in a sentence, and
        `plot_multiverse` draws it.

    Raises
    ------
    SetupError
        No flag is declared and no threshold fits; a choice is unknown; criteria or wordings would be pooled; a record
        has two values in `groups`; there are more than 20,000 specifications.

    Notes
    -----
    Steegen, Tuerlinckx, Gelman and Vanpaemel (2016), Increasing transparency through a multiverse analysis; Simonsohn,
    Simmons and Nelson (2020), Specification curve analysis. Specifications are not independent, and not all are as
    good: a share of them is no probability. No specification counts twice: of two instruments a majority is both, and
    stands as `all`. Where nothing is missing, what non-answers count as is no choice.

    Examples
    --------
    >>> import pandas as pd
    >>> said = {"m1": "yyyynnnnnn", "m2": "yynnnnnnnn", "m3": "yyyyyynnnn"}
    >>> rows = [(f"r{i}", "calm", f"judge · {m}", m, c) for m, codes in said.items() for i, c in enumerate(codes)]
    >>> ratings = pd.DataFrame(rows, columns=["record_id", "criterion", "coder", "model", "category"])
    >>> ratings = ratings.assign(kind="instrument", flagged=ratings.category == "y")
    >>> found = multiverse(ratings, n_boot=100)
    >>> found[["models", "rule", "estimate"]].values.tolist()[::5]
    [['m2', 'alone', 0.2], ['all 3', 'any', 0.6]]
    """
    import pandas as pd

    given = {"models": models, "prompts": prompts, "replicate_mode": replicate_mode, "non_answers": non_answers}
    asked = {word: column_names(one) for word, one in given.items()}
    for word, offered in (
        ("models", SETS),
        ("prompts", SETS),
        ("replicate_mode", REPLICATES),
        ("non_answers", NON_ANSWERS),
    ):
        check_choices(word, asked[word], list(offered))
    resamples = (0 if finding else 1000) if n_boot is None else n_boot
    check_resampling(resamples or 1, confidence)
    part = _select_criterion(prepare_ratings(ratings), criterion)
    where = f"criterion `{part.criterion.iloc[0]}`"
    found = instrument_table(part, judge_names(part, judges))
    cuts = named_thresholds(found, thresholds, where)
    _check_subsets(found, asked, where)
    sets = aggregations(found.instruments, asked["models"], asked["prompts"])
    ways = list(found.answers(asked["replicate_mode"]))
    missing = any(one.has_missing(FLAG in cuts, set(cuts) != {FLAG}) for one in ways)
    counted = asked["non_answers"] if missing else asked["non_answers"][:1]
    each = list(specifications(sets, _select_rules(rules, found, list(cuts)), list(cuts), counted))
    if len(each) * len(ways) > _MAX_SPECIFICATIONS:
        raise SetupError(
            f"{where}: that makes {len(each) * len(ways):,} specifications, and {_MAX_SPECIFICATIONS:,} is the most; leave out "
            "choices that you would not defend, such as `subsets`."
        )
    rows, matrix = _specifications(each, ways, cuts)
    what = _choose_estimand(part, found.table.records, finding, groups, pair)
    named = {"criterion": part.criterion.iloc[0], "finding": what.name}
    intervals = estimates_with_intervals(what, matrix, found.table.clusters, resamples, seed, confidence)
    for row, known, estimate in zip(rows, matrix >= 0, intervals, strict=True):
        row |= named | _estimate_columns(found, known & what.is_counted, estimate)
    result = pd.DataFrame(rows).sort_values("estimate", kind="stable", ignore_index=True)
    return result.assign(specification=range(1, len(result) + 1))[list(COLUMNS)]


def _estimate_columns(found: InstrumentTable, counted: Any, estimate: tuple[float, float, float]) -> dict[str, Any]:
    """What a specification comes to, how much it rests on, and what to heed."""
    value, low, high = estimate
    n, n_clusters = int(counted.sum()), len(np.unique(found.table.clusters[counted]))
    said = join_sentences(
        sample_note(n, n_clusters),
        "All resamples are the same, so the interval has no width." if low == high else "",
        "Records were drawn with unequal probability, and are not weighted here."
        if found.table.unequal_probabilities
        else "",
    )
    sizes = {"n": n, "n_excluded": int((~counted).sum()), "n_clusters": n_clusters}
    return {"estimate": value, "low": low, "high": high, **sizes, "note": said}


def _select_criterion(frame: pd.DataFrame, criterion: str | None) -> pd.DataFrame:
    known = list(frame.criterion.unique())
    if criterion is not None and criterion not in known:
        raise SetupError(f"there is no criterion `{criterion}`; {nearest(criterion, known)}")
    if criterion is None and len(known) > 1:
        raise SetupError(f"criteria are never pooled, and there are {len(known)}; choose one, criterion={known[0]!r}.")
    (_, part), *_ = parted(frame[frame.criterion == (criterion or known[0])], [])
    return part


def _check_subsets(found: InstrumentTable, asked: dict[str, list[str]], where: str) -> None:
    """Refuse, before they are made, more subsets than there may be specifications."""
    kinds = {"models": {one.model for one in found.instruments}, "prompts": {one.prompt for one in found.instruments}}
    for word, different in kinds.items():
        if "subsets" in asked[word] and 2 ** len(different) > _MAX_SPECIFICATIONS:
            raise SetupError(
                f"{where}: {len(different)} {word} have {2 ** len(different) - 1:,} subsets, and {_MAX_SPECIFICATIONS:,} "
                f'specifications are the most; write {word}=("each", "together"), or name fewer judges.'
            )


def _select_rules(rules: str | Sequence[str] | None, found: InstrumentTable, thresholds: Sequence[str]) -> list[str]:
    fits = [rule for rule in RULES if rule != "mean" or any(one != FLAG for one in thresholds)]
    if rules is None:
        return fits
    check_choices("rules", column_names(rules), RULES)
    if "mean" in column_names(rules) and "mean" not in fits:
        raise SetupError(
            'rules: a `mean` needs a threshold that it meets or not: thresholds=[...], such as ">= 4".'
            if found.has_numbers
            else "rules: the answers have no numbers, so there is no `mean`; leave it out."
        )
    return column_names(rules)


def _specifications(
    each: Sequence[Specification], ways: Sequence[InstrumentAnswers], cuts: dict[str, str]
) -> tuple[list[dict[str, Any]], Any]:
    """The choices of every specification in which somebody was asked, and its verdict on each record."""
    rows, own = [], []
    for said in ways:
        for one in each:
            if not said.has_row[:, list(one.aggregation.instruments)].any():
                continue
            verdict = verdicts(said, one)
            own.append(np.where(np.isnan(verdict), -1, verdict).astype(np.int8))
            rows.append(
                {
                    "models": one.aggregation.models,
                    "prompts": one.aggregation.prompts,
                    "rule": one.rule,
                    "threshold": cuts[one.threshold],
                    "replicate_mode": said.replicates,
                    "non_answers": one.non_answers,
                    "n_instruments": len(one.aggregation.instruments),
                }
            )
    return rows, np.array(own, np.int8)


def _choose_estimand(
    part: pd.DataFrame,
    records: Sequence[str],
    function: Callable[[pd.DataFrame], Any] | None,
    groups: str | None,
    pair: tuple[Any, Any] | None,
) -> Estimand:
    if function is not None:
        if groups is not None or pair is not None:
            raise SetupError("groups: with a function of your own the groups are its matter; leave `groups` out.")
        return function_estimand(part, records, function)
    if groups is None:
        if pair is not None:
            raise SetupError('pair: two values of which column? Write groups="outlet".')
        return share_estimand(records)
    return difference_estimand(part, records, groups, pair)
