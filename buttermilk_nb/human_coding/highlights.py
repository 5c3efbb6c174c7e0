"""The passages that people marked in texts, as a frame."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .._internal.arguments import check_arguments
from ..project.project import Project
from ..project.session import require_project

if TYPE_CHECKING:
    import pandas as pd

_ANSWERS = """
    select l.record_id, l.criteria_set, l.criteria_hash, l.criterion, l.coder, l.category, l.quotes,
           r.content, r.cluster
    from latest_labels l
    join latest_records r on r.record_id = l.record_id and r.record_hash = l.record_hash
    where l.status not in ('withdrawn', 'skipped') and l.round <> 'adjudication'
    order by l.criteria_set, l.criterion, l.record_id, l.coder, l.round
"""


@check_arguments
def highlights(project: Project | None = None) -> pd.DataFrame:
    """The passages that people marked for their answers.

    Parameters
    ----------
    project
        The project; by default the open one.

    Returns
    -------
    pandas.DataFrame
        One row per passage, and one row per answer without a passage: `record_id`, `criteria_set`, `criterion`,
        `coder`, `category` (the answer; of several labels that of this passage, if it is known), `start`, `end`
        (characters, counted from 0, the end excluded; empty if nothing was marked), `text`, `length` (of the record,
        in characters), `cluster`, `criteria_hash`. `span_agreement` accepts this frame.

    Examples
    --------
    >>> import tempfile
    >>> from buttermilk_nb import init
    >>> len(highlights(init("marks-example", path=tempfile.mkdtemp())))
    0
    """
    import pandas as pd

    answers = require_project(project).store.df(_ANSWERS)
    rows: list[dict[str, Any]] = []
    for answer in answers.to_dict("records"):
        fields = {str(name): answer[name] for name in answer if name not in ("quotes", "content")}
        fields["length"] = len(answer["content"])
        passages = json.loads(answer["quotes"]) if isinstance(answer["quotes"], str) else []
        rows += [
            {
                **fields,
                "category": json.dumps([passage["answer"]], ensure_ascii=False)
                if "answer" in passage
                else answer["category"],
                **{name: passage.get(name) for name in ("start", "end", "text")},
            }
            for passage in passages or [{}]
        ]
    columns = ["record_id", "criteria_set", "criterion", "coder", "category", "start", "end", "text", "length"]
    frame = pd.DataFrame(rows, columns=[*columns, "cluster", "criteria_hash"])
    return frame.astype({"start": "Int64", "end": "Int64", "length": "int64"})
