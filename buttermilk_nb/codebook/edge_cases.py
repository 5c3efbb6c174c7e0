"""Edge cases: decisions on contested records, kept as rules in the text of the criteria.

They are lines of the criteria's own text, so that people and models read them, and criteria with a new edge case are
a new version with a new hash. Each line names the records of the decision. A coder who has read the decision no longer
codes these records independently, so statistics on that version exclude or mark them.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import NamedTuple

from .._internal.text import shorten
from .criteria import Criteria

_HEADING = "Edge cases, as decided:"
_LINE_START = re.compile(r"- (\d{4}-\d\d-\d\d), `([^`]+)`, answer \"")
_MAX_REASON_LENGTH = 2_000


class EdgeCase(NamedTuple):
    """One decision as a rule."""

    date: dt.date
    criterion: str
    answer: str
    reason: str
    record_ids: tuple[str, ...]

    @property
    def line(self) -> str:
        """The line for it in the text of the criteria."""
        ids = json.dumps(list(self.record_ids), ensure_ascii=False)
        reason = shorten(self.reason, _MAX_REASON_LENGTH)
        return f'- {self.date.isoformat()}, `{self.criterion}`, answer "{self.answer}": {reason} [records: {ids}]'


def with_edge_case(criteria: Criteria, case: EdgeCase) -> Criteria:
    """The criteria with one more edge case: a new version, with a new hash.

    Raises
    ------
    SetupError
        The criteria have no criterion of that name.

    Examples
    --------
    >>> case = EdgeCase(dt.date(2026, 3, 1), "respect", "yes", "A quotation belongs to its speaker.", ("a007",))
    >>> print(with_edge_case(Criteria("respect", "Is it respectful?"), case).text)
    Is it respectful?
    <BLANKLINE>
    Edge cases, as decided:
    <BLANKLINE>
    - 2026-03-01, `respect`, answer "yes": A quotation belongs to its speaker. [records: ["a007"]]
    """
    criteria[case.criterion]
    text = criteria.text if _HEADING in criteria.text.splitlines() else f"{criteria.text}\n\n{_HEADING}\n"
    plain = {**criteria.to_plain(), "text": f"{text.lstrip()}\n{case.line}"}
    return Criteria(plain.pop("name"), plain.pop("text"), **plain)


def edge_cases(criteria: Criteria) -> list[EdgeCase]:
    """The edge cases in the text of the criteria, in their order.

    Examples
    --------
    >>> case = EdgeCase(dt.date(2026, 3, 1), "respect", "yes", "A quotation.", ("a007",))
    >>> edge_cases(with_edge_case(Criteria("respect", "Is it respectful?"), case)) == [case]
    True
    """
    return [case for line in criteria.text.split("\n") if (case := _parse_line(line)) is not None]


def _parse_line(line: str) -> EdgeCase | None:
    """The edge case in a line; None if the line is prose."""
    start = _LINE_START.match(line)
    rule, mark, ids = line.rpartition(" [records: ")
    if not start or not mark or not ids.endswith("]"):
        return None
    answer, colon, reason = rule[start.end() :].partition('": ')
    try:
        record_ids = json.loads(ids[:-1])
        date = dt.date.fromisoformat(start[1])
    except (ValueError, RecursionError):
        return None  # somebody has changed the line
    if not colon or not isinstance(record_ids, list):
        return None
    return EdgeCase(date, start[2], answer, reason, tuple(map(str, record_ids)))
