"""The groups in which one instrument answers the same records again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import SetupError
from ..shared.ratings_groups import column_names, prepare_ratings_along, ratings_groups, sorted_values
from ..shared.record_table import RecordTable, record_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RepeatedGroup:
    """One group.

    Parameters
    ----------
    key
        The values of `by`.
    table
        All answers of the group.
    slices
        The columns of the table that are repeats of each other. If the repeats are not replicates, there is one slice
        for each replicate; else one, under None.
    """

    key: dict[str, Any]
    table: RecordTable
    slices: dict[Any, list[int]]


def repeated_groups(ratings: pd.DataFrame, by: str | Sequence[str], over: str) -> list[RepeatedGroup]:
    """The groups, without people who answered once.

    Raises
    ------
    SetupError
        Nothing is repeated, or `over` is not a repetition.
    """
    by = column_names(by)
    if over == "coder":
        raise SetupError("over: coders are not repeats of each other; bm.agreement(ratings) compares them.")
    frame = prepare_ratings_along(ratings, by, over, "over")
    parts = [(key, part) for key, part in ratings_groups(frame, by, over) if not _is_single_human_answer(part, over)]
    if not any(part[over].nunique() > 1 for _, part in parts):
        raise SetupError(_not_repeated_message(frame, by, over))
    along = ["replicate", over] if over != "replicate" and "replicate" not in by else [over]
    return [_repeated_group(key, record_table(part, along)) for key, part in parts]


def _repeated_group(key: dict[str, Any], table: RecordTable) -> RepeatedGroup:
    replicates = sorted_values(column[0] for column in table.columns if len(column) > 1)
    if len(replicates) < 2:
        return RepeatedGroup(key, table, {None: list(range(len(table.columns)))})
    slices = {
        replicate: [i for i, column in enumerate(table.columns) if column[0] == replicate] for replicate in replicates
    }
    return RepeatedGroup(key, table, slices)


def _is_single_human_answer(part: pd.DataFrame, over: str) -> bool:
    return bool((part.kind == "human").all()) and part[over].nunique() == 1


def _not_repeated_message(frame: pd.DataFrame, by: Sequence[str], over: str) -> str:
    if over == "replicate":
        return (
            "every record was answered once: stability needs the same instrument to answer again. Ask for more with "
            'replicates=3, as in bm.Judge("judge", ..., replicates=3), and run the flow again; answers that exist are '
            "not asked for again."
        )
    if frame[over].nunique() > 1:
        return f"`{over}` has one value in each group; leave out of by={list(by)} the columns that change with it."
    values = f"one value, `{frame[over].iloc[0]}`" if len(frame) else "no value"
    return f"over: `{over}` has {values} in these ratings; stability needs two or more."
