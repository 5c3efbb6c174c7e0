"""Summarise a multiverse in a few sentences: range, threshold, most influential choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._internal.arguments import check_arguments, require_table
from ..._internal.text import pluralise
from ..shared.notes import join_sentences
from .multiverse import CHOICES

if TYPE_CHECKING:
    import pandas as pd


@check_arguments
def multiverse_summary(table: pd.DataFrame, *, above: float | None = None) -> str:
    """The range of the finding over all specifications, and the choice that changes it most.

    Parameters
    ----------
    table
        The table that `multiverse` returns.
    above
        A value that the finding should exceed. By default 0 if the finding is not a share, so that the sentence is
        about its sign.

    Returns
    -------
    str
        The range and median of the estimates; how many exceed the value, and how many with their whole interval; and
        the choice with the largest difference between the medians of its values.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"estimate": [0.1, 0.2, 0.4, 0.5], "low": [0.0, 0.1, 0.3, 0.4], "high": 0.6})
    >>> frame = frame.assign(finding="share flagged", models=["m1", "m1", "m2", "m2"], rule="alone")
    >>> for sentence in multiverse_summary(frame, above=0.15).split(". "):
    ...     print(sentence)
    In 4 specifications the finding (share flagged) goes from 0.10 to 0.50, with a median of 0.30 (half: 0.18 to 0.43)
    3 (75 %) are above 0.15, 2 of them with the whole interval; 1 is not, none with the whole interval below
    The choice that changes it most is `models`: medians from 0.15 (m1) to 0.45 (m2).
    """
    require_table(table, "bm.multiverse_summary", "bm.multiverse(...)", ("estimate",))
    defined = table[table.estimate.notna()]
    if not len(defined):
        return "No specification has an estimate."
    quartiles = defined.estimate.quantile([0.25, 0.5, 0.75]).map(_format_number)
    lowest, highest = _format_number(defined.estimate.min()), _format_number(defined.estimate.max())
    n_undefined = len(table) - len(defined)
    if above is None and table.finding.iloc[0] != "share flagged":
        above = 0.0
    return join_sentences(
        f"In {pluralise(len(defined), 'specification')} the finding ({table.finding.iloc[0]}) goes from {lowest} to "
        f"{highest}, with a median of {quartiles[0.5]} (half: {quartiles[0.25]} to {quartiles[0.75]}).",
        f"In {pluralise(n_undefined, 'other')} it is undefined." if n_undefined else "",
        _exceeding_sentence(defined, above) if above is not None else "",
        _influential_choice_sentence(defined),
    )


def _exceeding_sentence(defined: pd.DataFrame, above: float) -> str:
    over, under = defined[defined.estimate > above], defined[defined.estimate <= above]
    n_whole_over, n_whole_under = int((over.low > above).sum()), int((under.high < above).sum())
    has_intervals = bool(defined.low.notna().any())
    share = f"{len(over) / len(defined):.0%}".replace("%", " %")
    sentence = f"{len(over):,} ({share}) {_is_or_are(len(over))} above {above:g}"
    if has_intervals and len(over):
        sentence += f", {n_whole_over or 'none'} of them with the whole interval"
    sentence += f"; {len(under):,} {_is_or_are(len(under))} not"
    if has_intervals and len(under):
        sentence += f", {n_whole_under or 'none'} with the whole interval below"
    return f"{sentence}."


def _influential_choice_sentence(defined: pd.DataFrame) -> str:
    widest, sentence = 0.0, ""
    for name in CHOICES:
        if name not in defined or defined[name].nunique() < 2:
            continue
        medians = defined.groupby(name).estimate.median()
        difference = float(medians.max() - medians.min())
        if difference > widest:
            widest = difference
            lowest = f"{_format_number(medians.min())} ({medians.idxmin()})"
            highest = f"{_format_number(medians.max())} ({medians.idxmax()})"
            sentence = f"The choice that changes it most is `{name}`: medians from {lowest} to {highest}."
    return sentence


def _is_or_are(n: int) -> str:
    return "is" if n == 1 else "are"


def _format_number(number: float) -> str:
    return f"{number:.2f}" if abs(number) >= 0.01 or not number else f"{number:.2g}"
