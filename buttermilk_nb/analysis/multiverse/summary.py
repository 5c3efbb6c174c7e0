"""A multiverse in a few sentences: how far the finding goes, and which choice moves it most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._internal.text import pluralise
from .multiverse import CHOICES

if TYPE_CHECKING:
    import pandas as pd


def multiverse_summary(found: pd.DataFrame, *, above: float | None = None) -> str:
    """What all specifications say together.

    Parameters
    ----------
    found
        What `multiverse` gave.
    above
        A value that the finding should exceed. By default 0 where the finding is no share, so that the sentence is
        about its sign.

    Returns
    -------
    str
        The range and median of the estimates; how many exceed the value, and how many with their whole interval; and
        the choice whose values' medians are the furthest apart.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"estimate": [0.1, 0.2, 0.4, 0.5], "low": [0.0, 0.1, 0.3, 0.4], "high": 0.6})
    >>> frame = frame.assign(finding="share flagged", models=["m1", "m1", "m2", "m2"], rule="alone")
    >>> for sentence in multiverse_summary(frame, above=0.15).split(". "):
    ...     print(sentence)
    In 4 specifications the finding (share flagged) goes from 0.10 to 0.50, with a median of 0.30 (half: 0.18 to 0.43)
    3 (75 %) are above 0.15, 2 of them with the whole interval; 1 is not, none with the whole interval below
    What moves it most is `models`: medians from 0.15 (m1) to 0.45 (m2).
    """
    known = found[found.estimate.notna()]
    if not len(known):
        return "No specification has a finding."
    middle = known.estimate.quantile([0.25, 0.5, 0.75])
    undefined = len(found) - len(known)
    said = [
        f"In {pluralise(len(known), 'specification')} the finding ({found.finding.iloc[0]}) goes from "
        f"{_format_number(known.estimate.min())} to {_format_number(known.estimate.max())}, with a median of {_format_number(middle[0.5])} "
        f"(half: {_format_number(middle[0.25])} to {_format_number(middle[0.75])})."
    ]
    if undefined:
        said.append(f"In {pluralise(undefined, 'other')} it is undefined.")
    if above is None and found.finding.iloc[0] != "share flagged":
        above = 0.0
    if above is not None:
        said.append(_exceeding_sentence(known, above))
    said.append(_influential_choice_sentence(known))
    return " ".join(filter(None, said))


def _exceeding_sentence(known: pd.DataFrame, above: float) -> str:
    over, under = known[known.estimate > above], known[known.estimate <= above]
    sure_over, sure_under = int((over.low > above).sum()), int((under.high < above).sum())
    with_intervals = bool(known.low.notna().any())
    said = f"{len(over):,} ({len(over) / len(known):.0%}) {_is_or_are(len(over))} above {above:g}".replace("%", " %")
    if with_intervals and len(over):
        said += f", {sure_over or 'none'} of them with the whole interval"
    said += f"; {len(under):,} {_is_or_are(len(under))} not"
    if with_intervals and len(under):
        said += f", {sure_under or 'none'} with the whole interval below"
    return f"{said}."


def _influential_choice_sentence(known: pd.DataFrame) -> str:
    widest: tuple[float, str] = (0.0, "")
    for name in CHOICES:
        if name not in known or known[name].nunique() < 2:
            continue
        medians = known.groupby(name).estimate.median()
        apart = float(medians.max() - medians.min())
        if apart > widest[0]:
            low, high = medians.idxmin(), medians.idxmax()
            what = f"{_format_number(medians.min())} ({low}) to {_format_number(medians.max())} ({high})"
            widest = (apart, f"What moves it most is `{name}`: medians from {what}.")
    return widest[1]


def _is_or_are(n: int) -> str:
    return "is" if n == 1 else "are"


def _format_number(number: float) -> str:
    return f"{number:.2f}" if abs(number) >= 0.01 or not number else f"{number:.2g}"
