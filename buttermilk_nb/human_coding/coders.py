"""Who the coders are: what a study says of them, and how much each has coded."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from .._internal.ids import canonical
from ..errors import SetupError
from ..project.project import Project
from ..project.session import current
from ..schema import Coder, now
from ..store.write_batch import WriteBatch

if TYPE_CHECKING:
    import pandas as pd

_OWN = ("coder", "kind", "n_records", "n_labels")
_known_coders: set[tuple[Path, str]] = set()
"""Coders that this process has seen in a Store: of the labels of a form only the first asks who its coder is."""
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


def coders(project: Project | None = None) -> pd.DataFrame:
    """Everybody who has coded in this project, or was declared with `describe_coder`.

    Parameters
    ----------
    project
        The project; by default the open one.

    Returns
    -------
    pandas.DataFrame
        One row per coder: coder, kind, n_records, n_labels (skipped ones are not counted), and one column for each
        thing that was declared of any coder.

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

    found = (project or current()).store.df(_CODERS)
    groups = [json.loads(text) for text in found.pop("groups")]
    names = sorted({name for said in groups for name in said})
    added = pd.DataFrame([[said.get(name) for name in names] for said in groups], columns=names, index=found.index)
    return found[list(_OWN)].join(added)


def describe_coder(name: str, *, project: Project | None = None, **groups: str) -> None:
    """Say who a coder is: each thing becomes a column of `coders`, by which people can be compared.

    What is said replaces what was said of that coder before.

    Parameters
    ----------
    name
        The coder's name, as it stands in their labels or in the data.
    project
        The project; by default the open one.
    **groups
        What the coder belongs to: `profession="teacher"`, `language="de"`.

    Raises
    ------
    SetupError
        Nothing is said, or under a name that the frame of coders has already.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb.project.session import init
    >>> _ = init("coder-example", path=tempfile.mkdtemp())
    >>> describe_coder("kf", profession="teacher", language="de")
    """
    if not name.strip():
        raise SetupError('name the coder, coder("kf", profession="teacher").')
    if not groups:
        raise SetupError(f'say who `{name}` is, coder("{name}", profession="teacher"); `coders` lists what is known.')
    if taken := [key for key in groups if key in _OWN]:
        raise SetupError(f"`{taken[0]}` is a column of the frame of coders already; choose another word.")
    row = Coder(coder=name.strip(), groups=canonical({k: str(v) for k, v in groups.items()}), first_seen_at=now())
    (project or current()).store.write(WriteBatch(rows=[row]))


def new_coders(project: Project, names: Collection[str]) -> list[Coder]:
    """A row for each of the coders of whom the Store has none, to be kept with what they did."""
    place = project.store.path
    asked = [name for name in sorted(names) if (place, name) not in _known_coders]
    if not asked:
        return []
    known = project.store.df("select distinct coder from coders where list_contains(?::varchar[], coder)", [asked])
    _known_coders.update((place, name) for name in asked)
    return [Coder(coder=name, first_seen_at=now()) for name in asked if name not in set(known.coder)]
