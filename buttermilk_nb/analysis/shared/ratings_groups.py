"""The groups of a ratings frame: one criterion in one wording each, nothing pooled.

Along one column the answers of a group may differ: the column along which they are repeated or compared. The checks
take this column as a parameter: a second criterion or wording in a group is an error, unless it is that column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from ...errors import SetupError, nearest
from .ratings_frame import DEFAULTS, as_ratings, prepare_ratings

if TYPE_CHECKING:
    import pandas as pd

WORDING_COLUMNS = ("criteria_set", "criteria_hash")
_ANSWER_COLUMNS = ("record_id", "category", "value", "flagged", "status", "usable", "resampling_unit", "code_note")


def column_names(by: str | Sequence[str]) -> list[str]:
    """The names as a list; a single name may be given as a string."""
    return [by] if isinstance(by, str) else list(by)


def prepare_ratings_along(ratings: pd.DataFrame, by: Sequence[str], along: str, parameter: str) -> pd.DataFrame:
    """Prepare ratings whose answers are repeated or compared along a column.

    Parameters
    ----------
    ratings
        The long frame, or one with the needed columns only.
    by
        The columns that make a group.
    along
        The column along which the answers of a group are repeated or compared. Rows without a value in it are dropped.
    parameter
        The name of the parameter that gave `along`, for the error: `over` or `factor`.

    Raises
    ------
    SetupError
        A column is missing or misused, the frame is empty, or a record is in two clusters.
    """
    ratings = as_ratings(ratings)
    _check_columns(ratings, by, along, parameter)
    frame = prepare_ratings(ratings, by, unique_codes=False)
    return frame[frame[along].notna()]


def ratings_groups(
    frame: pd.DataFrame, by: Sequence[str], along: str | None = None
) -> list[tuple[dict[str, Any], pd.DataFrame]]:
    """The groups of prepared ratings, sorted, each with its values of `by`.

    Parameters
    ----------
    frame
        Prepared ratings.
    by
        The columns that make a group; without any, the whole frame is one group.
    along
        The column along which answers are repeated or compared. Without it only `criteria_hash` tells wordings apart;
        with it `criteria_set` does too.

    Raises
    ------
    SetupError
        A group would pool criteria or wordings.
    """
    result = []
    for key, part in frame.groupby(list(by), dropna=False, sort=True) if by else [((), frame)]:
        _check_one_question(part, along)
        result.append((dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True)), part))
    return result


def wordings_note(along: str) -> str:
    """A note that the caller chose to compare wordings."""
    return "This compares answers under different wordings." if along in WORDING_COLUMNS else ""


def sorted_values(values: Iterable[Any]) -> list[Any]:
    """The distinct values, numbers first, ascending; tuples element by element."""
    return sorted(set(values), key=_sort_key)


def check_one_criterion(criteria: Sequence[Any]) -> None:
    """Check that there is only one criterion.

    Raises
    ------
    SetupError
        There are several.
    """
    if len(criteria) > 1:
        listed = ", ".join(f"`{name}`" for name in criteria[:3])
        raise SetupError(
            f"criteria are never pooled, and there are {len(criteria)} here ({listed}); put `criterion` into `by`, or "
            "choose one."
        )


def check_one_wording(criterion: str, column: str, wordings: Sequence[Any]) -> None:
    """Check that a criterion has only one value in `criteria_set` or `criteria_hash`.

    Raises
    ------
    SetupError
        There are several.
    """
    if len(wordings) > 1:
        listed = ", ".join(f"`{wording}`" for wording in wordings[:3])
        raise SetupError(
            f"criterion `{criterion}` has answers under {len(wordings)} wordings (`{column}`: {listed}), which are "
            f'never pooled; choose one, ratings[ratings.{column} == "{wordings[0]}"], or put `{column}` into `by`.'
        )


def _sort_key(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_sort_key(element) for element in value)
    return (0, float(value), "") if isinstance(value, Real) else (1, 0.0, str(value))


def _check_columns(ratings: pd.DataFrame, by: Sequence[str], along: str, parameter: str) -> None:
    columns = dict.fromkeys([*ratings.columns, *DEFAULTS])
    for source, name in [*(("by", name) for name in by), (parameter, along)]:
        if name not in columns:
            raise SetupError(f"{source}: there is no column `{name}`; {nearest(name, columns)}")
        if name in _ANSWER_COLUMNS:
            raise SetupError(f"{source}: `{name}` belongs to the answers; name a column that says how they were made.")
    if along in by:
        raise SetupError(f"`{along}` is in `by` and in `{parameter}`; leave it out of `by`, else it cannot differ.")


def _check_one_question(part: pd.DataFrame, along: str | None) -> None:
    if along != "criterion":
        check_one_criterion(sorted_values(part.criterion.unique()))
    compares_questions = along in ("criterion", *WORDING_COLUMNS)
    for question in [rows for _, rows in part.groupby(along)] if compares_questions else [part]:
        for column in WORDING_COLUMNS if along else WORDING_COLUMNS[1:]:
            check_one_wording(question.criterion.iloc[0], column, sorted_values(question[column].dropna().unique()))
