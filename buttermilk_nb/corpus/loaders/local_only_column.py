"""`LocalOnlyColumn`: which records must stay on this machine, from the user's word or from a column."""

from __future__ import annotations

from .dotted_names import get_field
from .source import SourceRow

_YES_NO = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}


class LocalOnlyColumn:
    """Says for each row whether its record is `local_only`, and collects the rows that do not say so.

    Parameters
    ----------
    local_only
        The same for all rows, or the column that says `yes` or `no`.
    unit
        What messages call a row.
    """

    def __init__(self, local_only: bool | str, unit: str) -> None:
        self._local_only, self._unit = local_only, unit
        self.problems: list[str] = []

    def flag(self, row: SourceRow) -> bool:
        """Whether the record of this row must stay on this machine."""
        if isinstance(self._local_only, bool):
            return self._local_only
        value = get_field(row.fields, self._local_only)
        word = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip().lower()
        if word not in _YES_NO and not row.problem:
            problem = "is empty" if word in ("", "none") else f"says `{str(value)[:40]}`"
            self.problems.append(
                f"{self._unit} {row.line}: `{self._local_only}` {problem}; write `yes` if the record must stay on this "
                "machine, otherwise `no`."
            )
        return _YES_NO.get(word, True)
