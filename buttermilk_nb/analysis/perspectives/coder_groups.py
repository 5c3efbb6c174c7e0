"""Which group a person belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...errors import SetupError, nearest

if TYPE_CHECKING:
    import pandas as pd


def group_of_coder(found: pd.DataFrame, group: Mapping[str, str] | str, parameter: str) -> dict[str, str]:
    """The group of each coder who has one.

    Parameters
    ----------
    found
        A checked frame.
    group
        From a coder's name to the group's, or a column that says of each coder's rows which group it is.
    word
        The name of the parameter, for the error.

    Raises
    ------
    SetupError
        A coder or column is unknown, a coder is in two groups, or nobody is in one.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"coder": ["ana", "ben", "judge"], "town": ["Graz", "Graz", None]})
    >>> group_of_coder(frame, "town", "groups")
    {'ana': 'Graz', 'ben': 'Graz'}
    """
    coders = sorted(found.coder.unique())
    if isinstance(group, str):
        if group not in found.columns:
            raise SetupError(
                f"{parameter}: there is no column `{group}`; {nearest(group, list(found.columns))} Or give names: "
                f'{parameter}={{"ana": "students", "ben": "experts"}}.'
            )
        said = found[["coder", group]].dropna().drop_duplicates()
        twice = said[said.duplicated("coder")]
        if len(twice):
            raise SetupError(
                f"{parameter}: column `{group}` puts coder `{twice.coder.iloc[0]}` into two groups; a coder belongs to one."
            )
        members = dict(zip(said.coder, said[group].astype(str), strict=True))
    else:
        for name in group:
            if name not in coders:
                raise SetupError(f"{parameter}: there is no coder `{name}`; {nearest(name, coders)}")
        members = {name: str(one) for name, one in group.items()}
    if not members:
        raise SetupError(f"{parameter}: no coder is in a group; name them, {parameter}={{{coders[0]!r}: 'students'}}.")
    return dict(sorted(members.items()))
