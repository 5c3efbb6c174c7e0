"""The groups of a frame in which one instrument answers the same records again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import SetupError
from ..shared.groups import groups, in_order, names, read
from ..shared.record_table import RecordTable, table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Repeated:
    """One group.

    Parameters
    ----------
    key
        The values of `by`.
    table
        All its answers.
    slices
        The columns of the table that are repeats of each other. Where something else than replicates is looked at,
        one slice for each replicate; else one, under None.
    """

    key: dict[str, Any]
    table: RecordTable
    slices: dict[Any, list[int]]


def repeated(ratings: pd.DataFrame, by: str | Sequence[str], over: str) -> list[Repeated]:
    """The groups, without people who answered once.

    Raises
    ------
    SetupError
        Nothing is repeated, or what is no repeat would be taken for one.
    """
    by = names(by)
    if over == "coder":
        raise SetupError("over: coders are not repeats of each other; bm.agreement(ratings) compares them.")
    frame = read(ratings, by, over, "over")
    parts = [(key, part) for key, part in groups(frame, by, over) if not _person_asked_once(part, over)]
    if not any(part[over].nunique() > 1 for _, part in parts):
        raise SetupError(_once(frame, by, over))
    along = ["replicate", over] if over != "replicate" and "replicate" not in by else [over]
    return [_repeated(key, table(part, along)) for key, part in parts]


def _repeated(key: dict[str, Any], found: RecordTable) -> Repeated:
    replicates = in_order(column[0] for column in found.columns if len(column) > 1)
    if len(replicates) < 2:
        return Repeated(key, found, {None: list(range(len(found.columns)))})
    places = {one: [i for i, column in enumerate(found.columns) if column[0] == one] for one in replicates}
    return Repeated(key, found, places)


def _person_asked_once(part: pd.DataFrame, over: str) -> bool:
    return bool((part.kind == "human").all()) and part[over].nunique() == 1


def _once(frame: pd.DataFrame, by: Sequence[str], over: str) -> str:
    if over == "replicate":
        return (
            "every record was answered once: stability needs the same instrument to answer again. Ask for more with "
            'replicates=3, as in bm.Judge("judge", ..., replicates=3), and run the flow again; what is answered '
            "already is not asked again."
        )
    if frame[over].nunique() > 1:
        return f"`{over}` has one value in each group; leave out of by={list(by)} what changes together with it."
    shown = f"one value, `{frame[over].iloc[0]}`" if len(frame) else "no value"
    return f"over: `{over}` has {shown} in these ratings; stability needs two or more."
