"""The passages that people marked, as a frame."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..project.project import Project
from ..project.session import current

if TYPE_CHECKING:
    import pandas as pd

_CODED = """
    select l.record_id, l.criteria_set, l.criteria_hash, l.criterion, l.coder, l.category, l.quotes,
           r.content, r.cluster
    from latest_labels l
    join latest_records r on r.record_id = l.record_id and r.record_hash = l.record_hash
    where l.status not in ('withdrawn', 'skipped') and l.round <> 'adjudication'
    order by l.criteria_set, l.criterion, l.record_id, l.coder, l.round
"""


def highlights(project: Project | None = None) -> pd.DataFrame:
    """One row per passage that a person marked for an answer, and one for each answer without any.

    Parameters
    ----------
    project
        By default the open project.

    Returns
    -------
    pandas.DataFrame
        `record_id`, `criteria_set`, `criterion`, `coder`, `category` (the answer), `start`, `end` (characters; empty
        where nothing was marked), `text`, `length` (of the record, in characters), `cluster`, `criteria_hash`: what
        `span_agreement` takes.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import init
    >>> len(highlights(init("marks-example", path=tempfile.mkdtemp())))
    0
    """
    import pandas as pd

    coded = (project or current()).store.df(_CODED)
    rows: list[dict[str, Any]] = []
    for row in coded.to_dict("records"):
        shared = {str(name): row[name] for name in row if name not in ("quotes", "content")}
        shared["length"] = len(row["content"])
        passages = json.loads(row["quotes"]) if isinstance(row["quotes"], str) else []
        rows += [
            {**shared, **{name: passage.get(name) for name in ("start", "end", "text")}} for passage in passages or [{}]
        ]
    columns = ["record_id", "criteria_set", "criterion", "coder", "category", "start", "end", "text", "length"]
    found = pd.DataFrame(rows, columns=[*columns, "cluster", "criteria_hash"])
    return found.astype({"start": "Int64", "end": "Int64", "length": "int64"})
