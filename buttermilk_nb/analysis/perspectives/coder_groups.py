"""The group to which each coder belongs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...errors import SetupError, nearest

if TYPE_CHECKING:
    import pandas as pd


def group_of_coder(frame: pd.DataFrame, group: Mapping[str, str] | str, parameter: str) -> dict[str, str]:
    """The group of each coder who has one.

    Parameters
    ----------
    frame
        Prepared ratings.
    group
        A mapping from a coder's name to the group's, or a column with the group of each coder.
    parameter
        The name of the parameter, for the error.

    Raises
    ------
    SetupError
        A coder or column is unknown, a coder is in two groups, or nobody is in a group.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"coder": ["ana", "ben", "judge"], "town": ["Graz", "Graz", None]})
    >>> group_of_coder(frame, "town", "groups")
    {'ana': 'Graz', 'ben': 'Graz'}
    """
    coders = sorted(frame.coder.unique())
    if isinstance(group, str):
        members = _groups_in_column(frame, group, parameter)
    else:
        for name in group:
            if name not in coders:
                raise SetupError(f"{parameter}: there is no coder `{name}`; {nearest(name, coders)}")
        members = {name: str(value) for name, value in group.items()}
    if not members:
        raise SetupError(f"{parameter}: no coder is in a group; name them, {parameter}={{{coders[0]!r}: 'students'}}.")
    return dict(sorted(members.items()))


def _groups_in_column(frame: pd.DataFrame, column: str, parameter: str) -> dict[str, str]:
    if column not in frame.columns:
        raise SetupError(
            f"{parameter}: there is no column `{column}`; {nearest(column, list(frame.columns))} Or give names: "
            f'{parameter}={{"ana": "students", "ben": "experts"}}.'
        )
    pairs = frame[["coder", column]].dropna().drop_duplicates()
    twice = pairs[pairs.duplicated("coder")]
    if len(twice):
        name = twice.coder.iloc[0]
        raise SetupError(f"{parameter}: column `{column}` puts coder `{name}` into two groups; a coder belongs to one.")
    return dict(zip(pairs.coder, pairs[column].astype(str), strict=True))
