"""What an import found: told in sentences, listed in frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..._internal.html import fragment, table, title
from ..._internal.text import pluralise

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 5


@dataclass(frozen=True, eq=False, repr=False)
class ImportedLabels:
    """The result of `import_labels`. What it shows is the same however often the same file is imported.

    Parameters
    ----------
    coders, criteria
        Whose codes, on which questions.
    n_codes, n_records
        Codes that can be used, and the records that they are about.
    n_new
        How many of them were not in the project yet.
    n_empty
        Places without a code.
    rejected
        One row per code that cannot be used: where, coder, record_id, criterion, code, kind (`unknown record`,
        `not on the scale`, `another version`, `row`), problem.
    clashes
        One row per code that says otherwise than an earlier one of the same coder: where, coder, record_id,
        criterion, before, now.
    written
        Whether the codes are in the project.
    why_not
        Why nothing was written.
    """

    coders: tuple[str, ...]
    criteria: tuple[str, ...]
    n_codes: int
    n_records: int
    n_new: int
    n_empty: int
    rejected: pd.DataFrame
    clashes: pd.DataFrame
    written: bool
    why_not: str = ""

    def _lines(self) -> list[str]:
        who = f" ({', '.join(self.coders)})" if self.coders else ""
        found = [
            f"{pluralise(self.n_codes, 'code')} of {pluralise(len(self.coders), 'coder')}{who} on "
            f"{', '.join(self.criteria) or 'no criterion'}, {pluralise(self.n_records, 'record')}; "
            f"{pluralise(self.n_empty, 'place')} without a code"
        ]
        for kind, rows in self.rejected.groupby("kind", sort=True):
            once = rows.drop_duplicates(["where", "problem"])  # an id is unknown for every code in its row
            said = [f"{row.where}: {row.problem}" for row in once.head(_SHOWN).itertuples()]
            found.append(f"{kind}, {pluralise(len(rows), 'code')}: {self._listed(said, len(once))}")
        if len(self.clashes):
            said = [
                f"{row.where}: {row.coder} on `{row.criterion}` of `{row.record_id}`, "
                f"{row.before} before, {row.now} now"
                for row in self.clashes.head(_SHOWN).itertuples()
            ]
            found.append(f"{self._clashing()}: {self._listed(said, len(self.clashes))}")
        return [*found, *([self.why_not] if self.why_not else [])]

    def _clashing(self) -> str:
        n = len(self.clashes)
        return f"{n:,} {'clash' if n == 1 else 'clashes'}"

    @staticmethod
    def _listed(said: list[str], n: int) -> str:
        return "; ".join(said) + (f"; and {n - len(said):,} more" if n > len(said) else "")

    def __repr__(self) -> str:
        return "\n".join(["Imported:", *(f"  {line}" for line in self._lines())])

    def _repr_html_(self) -> str:
        rows = [line.partition(": ")[::2] if ": " in line else (line, "") for line in self._lines()]
        return fragment(title("Imported labels"), table(["what", "where"], rows))
