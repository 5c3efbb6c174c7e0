"""The columns of a coding sheet, and what stands in them: made from the criteria alone.

So a sheet that somebody saved as CSV, without anything that was hidden in it, can still be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...codebook.criteria import Criteria
from ...codebook.criterion import Criterion
from ...codebook.scales import NON_ANSWERS, MultiLabel

RECORD_ID, TEXT, NOTES = "record_id", "text", "notes"
_WORDS = {"yes": "yes", "y": "yes", "x": "yes", "1": "yes", "true": "yes"}
_WORDS |= {"no": "no", "n": "no", "0": "no", "false": "no"} | {name: name for name in NON_ANSWERS}


class CodeColumn(NamedTuple):
    """A column to fill in: the code on a criterion, or whether one of its labels applies."""

    header: str
    criterion: Criterion
    label: str | None = None

    @property
    def choices(self) -> tuple[str, ...]:
        """What the drop-down offers; nothing where a number is asked for."""
        if self.label is not None:
            return ("yes", "no", *self.criterion.non_answers)
        offered = self.criterion.scale.answers
        return (*offered, *self.criterion.non_answers) if offered else ()


def code_columns(criteria: Criteria) -> list[CodeColumn]:
    """The columns to fill in, in the order of the criteria.

    Examples
    --------
    >>> made = Criteria("c", "?", criteria={"tone": {"question": "?", "scale": "labels: warm | cold"}})
    >>> [column.header for column in code_columns(made)]
    ['tone: warm', 'tone: cold']
    """
    taken = {RECORD_ID, TEXT, NOTES}
    found = []
    for criterion in criteria:
        labels: tuple[str | None, ...] = (None,)
        if isinstance(criterion.scale, MultiLabel):
            labels = criterion.scale.labels
        for label in labels:
            header = (criterion.name if label is None else f"{criterion.name}: {label}").strip()
            while header in taken:
                header += " (code)"
            taken.add(header)
            found.append(CodeColumn(header, criterion, label))
    return found


def answers_in(fields: Mapping[str, Any], columns: Sequence[CodeColumn]) -> list[tuple[Criterion, Any]]:
    """The answer on each criterion in a row of a sheet; None where nothing was filled in.

    Of several labels those with `yes` apply; where at least one was filled in, an empty one is a `no`. Where what
    stands in them is no answer, it is given as it stands, and does not fit the scale.
    """
    found: dict[str, tuple[Criterion, Any]] = {}
    for column in columns:
        criterion, value = column.criterion, plain(fields.get(column.header))
        if column.label is None:
            found[criterion.name] = (criterion, value)
        elif value is not None:
            said = found.get(criterion.name, (criterion, None))[1] or {}
            found[criterion.name] = (criterion, {**said, column.label: value})
        else:
            found.setdefault(criterion.name, (criterion, None))
    return [(criterion, _set_of(value) if isinstance(value, dict) else value) for criterion, value in found.values()]


def plain(value: Any) -> Any:
    """A cell as a code: text without spaces around it, None for nothing.

    Examples
    --------
    >>> plain(" yes "), plain(""), plain(float("nan")), plain(3.0)
    ('yes', None, None, 3)
    """
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, float):
        return None if value != value else int(value) if value.is_integer() else value  # NaN is not equal to itself
    return value


def _set_of(said: Mapping[str, Any]) -> Any:
    """What the columns of several labels say together; as it stands where that is nothing."""
    words = {label: _WORDS.get(str(value).casefold()) for label, value in said.items()}
    others = set(words.values()) - {"yes", "no"}
    if not others:
        return [label for label, word in words.items() if word == "yes"]
    if len(others) == 1 and None not in others and "yes" not in words.values():
        return others.pop()
    return dict(said)
