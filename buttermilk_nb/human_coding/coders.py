"""The coders of a project: their groups, and how much each has coded."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from .._internal.arguments import check_arguments, require_text
from .._internal.ids import canonical
from ..errors import SetupError
from ..project.project import Project
from ..project.session import require_project
from ..schema import Coder, now
from ..store.write_batch import WriteBatch

if TYPE_CHECKING:
    import pandas as pd

_FIXED_COLUMNS = ("coder", "kind", "n_records", "n_labels")
_known_coders: set[tuple[Path, str]] = set()
"""Coders that are stored, by Store. So only the first label of a coding form queries the Store for its coder."""
_CODERS = """
    with named as (
        select coder, kind, groups from coders
        qualify row_number() over (partition by coder order by first_seen_at desc) = 1
    ), counted as (
        select coder, count(distinct record_id) as n_records, count(*) as n_labels
        from latest_labels where status not in ('withdrawn', 'skipped') group by coder
    )
    select coder, coalesce(kind, 'human') as kind, coalesce(groups, '{}') as groups,
           coalesce(n_records, 0) as n_records, coalesce(n_labels, 0) as n_labels
    from named full join counted using (coder) order by coder
"""


@check_arguments
def coders(project: Project | None = None) -> pd.DataFrame:
    """All people who have coded in this project or were described with `describe_coder`.

    Parameters
    ----------
    project
        The project; by default the open one.

    Returns
    -------
    pandas.DataFrame
        One row per coder: coder, kind, n_records, n_labels (skipped ones are not counted), and one column for each
        attribute that was given for any coder.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb.project.session import init
    >>> project = init("coders-example", path=tempfile.mkdtemp())
    >>> describe_coder("kf", profession="teacher")
    >>> coders()[["coder", "profession", "n_records"]].values.tolist()
    [['kf', 'teacher', 0]]
    """
    import pandas as pd

    frame = require_project(project).store.df(_CODERS)
    groups = [json.loads(text) for text in frame.pop("groups")]
    names = sorted({name for coder_groups in groups for name in coder_groups})
    values = [[coder_groups.get(name) for name in names] for coder_groups in groups]
    return frame[list(_FIXED_COLUMNS)].join(pd.DataFrame(values, columns=names, index=frame.index))


@check_arguments
def describe_coder(name: str, *, project: Project | None = None, **groups: str) -> None:
    """Describe a coder. Each attribute becomes a column of `coders`, by which people can be compared.

    The new description replaces an earlier one of the same coder.

    Parameters
    ----------
    name
        The coder's name, as in their labels or in the data.
    project
        The project; by default the open one.
    **groups
        The groups to which the coder belongs: `profession="teacher"`, `language="de"`.

    Raises
    ------
    SetupError
        No group is given, or its name is already a fixed column of the frame of coders.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb.project.session import init
    >>> _ = init("coder-example", path=tempfile.mkdtemp())
    >>> describe_coder("kf", profession="teacher", language="de")
    """
    if not require_text(name, "the name of a coder").strip():
        raise SetupError('name the coder: bm.describe_coder("kf", profession="teacher").')
    if not groups:
        raise SetupError(
            f'describe `{name}`: bm.describe_coder("{name}", profession="teacher"). `bm.coders()` lists all coders.'
        )
    if reserved := [key for key in groups if key in _FIXED_COLUMNS]:
        raise SetupError(f"`{reserved[0]}` is already a column of the frame of coders; choose another word.")
    row = Coder(coder=name.strip(), groups=canonical({k: str(v) for k, v in groups.items()}), first_seen_at=now())
    require_project(project).store.write(WriteBatch(rows=[row]))


def new_coders(project: Project, names: Collection[str]) -> list[Coder]:
    """A row for each coder who is not in the Store yet. It is to be written together with the coder's labels."""
    path = project.store.path
    unchecked = [name for name in sorted(names) if (path, name) not in _known_coders]
    if not unchecked:
        return []
    query = "select distinct coder from coders where list_contains(?::varchar[], coder)"
    stored_names = set(project.store.df(query, [unchecked]).coder)
    _known_coders.update((path, name) for name in unchecked)
    return [Coder(coder=name, first_seen_at=now()) for name in unchecked if name not in stored_names]
