"""From a frame of ratings to its groups: defaults filled in, and nothing pooled that must not be.

What may differ within a group is one column alone, the one along which answers are repeated or compared. So the checks
ask for it: a criterion or a wording that differs is pooling, unless it is that column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from ...errors import SetupError, nearest
from .ratings_frame import DEFAULTS, prepare_ratings

if TYPE_CHECKING:
    import pandas as pd

_ANSWERS = ("record_id", "category", "value", "flagged", "status", "usable", "kin")
_WORDINGS = ("criterion", "criteria_set", "criteria_hash")


def column_names(by: str | Sequence[str]) -> list[str]:
    """Column names, of which one alone may be given as it is."""
    return [by] if isinstance(by, str) else list(by)


def prepare_ratings_along(ratings: pd.DataFrame, by: Sequence[str], along: str, word: str) -> pd.DataFrame:
    """The ratings with every column that is read, `usable` (an answer on the scale) and `kin` (its cluster).

    Parameters
    ----------
    ratings
        The long frame, or one with the needed columns alone.
    by, along
        The columns that make a group, and the one along which its answers are repeated or compared.
    word
        What `along` is called where it was asked for: `over` or `factor`.

    Raises
    ------
    SetupError
        A column is missing or misused, the frame is empty, or a record is in two clusters.
    """
    _check_columns(ratings, by, along, word)
    frame = prepare_ratings(ratings, by, unique_codes=False)
    return frame[frame[along].notna()]


def groups(frame: pd.DataFrame, by: Sequence[str], along: str) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """The groups of a frame that was read, in order, each with the values of `by`.

    Raises
    ------
    SetupError
        Criteria or wordings would be pooled.
    """
    parts = frame.groupby(list(by), dropna=False, sort=True) if by else [((), frame)]
    for key, part in parts:
        _check_one_question(part, along)
        yield dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True)), part


def wordings_note(along: str) -> str:
    """What a note says where wordings were compared on request."""
    return "Answers under different wordings are compared, as asked." if along in _WORDINGS[1:] else ""


def sorted_values(values: Iterable[Any]) -> list[Any]:
    """Distinct values, numbers before names, each ascending; of tuples, part by part."""
    return sorted(set(values), key=_rank)


def _rank(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_rank(part) for part in value)
    return (0, float(value), "") if isinstance(value, Real) else (1, 0.0, str(value))


def _check_columns(ratings: pd.DataFrame, by: Sequence[str], along: str, word: str) -> None:
    known = dict.fromkeys([*ratings.columns, *DEFAULTS])
    for place, name in [*(("by", name) for name in by), (word, along)]:
        if name not in known:
            raise SetupError(f"{place}: there is no column `{name}`; {nearest(name, known)}")
        if name in _ANSWERS:
            raise SetupError(f"{place}: `{name}` cannot be taken; name what the answers were asked with.")
    if along in by:
        raise SetupError(f"`{along}` is in `by` and in `{word}`; leave it out of `by`, else nothing in it can differ.")


def _check_one_question(part: pd.DataFrame, along: str) -> None:
    if along != "criterion" and part.criterion.nunique() > 1:
        several = ", ".join(f"`{name}`" for name in sorted_values(part.criterion)[:3])
        raise SetupError(f"criteria are never pooled, and there are several ({several}); put `criterion` into `by`.")
    each = [own for _, own in part.groupby(along)] if along in _WORDINGS else [part]
    for own in each:
        for name in ("criteria_set", "criteria_hash"):
            found = sorted_values(own[name].dropna())
            if len(found) > 1:
                shown = ", ".join(f"`{one}`" for one in found[:3])
                raise SetupError(
                    f"criterion `{own.criterion.iloc[0]}` was asked under several {name} ({shown}), which are not "
                    f'pooled; choose one, ratings[ratings.{name} == "{found[0]}"], or put `{name}` into `by`.'
                )
