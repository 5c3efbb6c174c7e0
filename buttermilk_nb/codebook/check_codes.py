"""Check that truth and human codes are answers on the scales.

The check runs before any model is called. A code that is not on the scale is an error of the column mapping, not of a
coder. The message lists the codes in the data, with their counts, and the line to paste.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ..corpus.record import DEFAULT_CRITERION, Record
from ..errors import InvalidAnswer, nearest
from .criteria import Criteria
from .criterion import Criterion


def code_problems(records: Sequence[Record], documents: Sequence[Criteria]) -> list[str]:
    """One sentence for each criterion with codes that are not answers on its scale."""
    by_name: dict[str, list[Criterion]] = {}
    for document in documents:
        for criterion in document:
            by_name.setdefault(criterion.name, []).append(criterion)
    only_criterion = next(iter(by_name.values()))[0] if len(by_name) == 1 else None
    sources: dict[tuple[str, str], Counter[str]] = {}
    codes: dict[str, Any] = {}
    for record in records:
        for source, answers in (
            ("truth", record.ground_truth),
            *((f"coder `{c}`", a) for c, a in record.labels.items()),
        ):
            for name, value in answers.items():
                sources.setdefault((source, name), Counter())[_code_text(value)] += 1
                codes[_code_text(value)] = value
    problems = []
    for (source, name), counts in sources.items():
        if name == DEFAULT_CRITERION and only_criterion is None:
            names = ", ".join(f'"{n}": "column"' for n in by_name)
            problems.append(
                f"{source} does not name a criterion, and there are {len(by_name)}: write {{{names}}} when loading."
            )
            continue
        criteria = [only_criterion] if name == DEFAULT_CRITERION and only_criterion else by_name.get(name, [])
        for criterion in criteria:
            wrong_codes = [code for code in counts if not _is_valid(criterion, codes[code])]
            if wrong_codes:
                problems.append(_code_problem(source, criterion, counts, wrong_codes))
                break
    return problems


def unused_codes(records: Sequence[Record], documents: Sequence[Criteria]) -> list[str]:
    """A remark on each criterion that has codes in the data but that no judge asks: most likely a misspelt name."""
    asked_criteria = {criterion.name for document in documents for criterion in document}
    coded_criteria = {
        name for record in records for codes in (record.ground_truth, *record.labels.values()) for name in codes
    }
    return [
        f"the data has codes for `{name}`, but no judge of this flow asks about it, so they are not used; "
        f"{nearest(name, asked_criteria)}"
        for name in sorted(coded_criteria - asked_criteria - {DEFAULT_CRITERION})
    ]


def _code_problem(source: str, criterion: Criterion, counts: Counter[str], wrong_codes: Iterable[str]) -> str:
    code_counts = ", ".join(
        f"`{code}` ({counts[code]:,})" for code in sorted(wrong_codes, key=lambda c: -counts[c])[:8]
    )
    answers = criterion.scale.answers or (criterion.scale.shorthand,)
    pairs = ", ".join(f"{code!r}: '...'" for code in list(wrong_codes)[:6])
    return (
        f"{source}: criterion `{criterion.name}` allows {' | '.join(answers)}, but the data has {code_counts}. "
        f"Give the answer that each of them means when loading: truth_values={{{pairs}}}"
    )


def _is_valid(criterion: Criterion, code: Any) -> bool:
    try:
        criterion.parse_code(code)
    except InvalidAnswer:
        return False
    return True


def _code_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
