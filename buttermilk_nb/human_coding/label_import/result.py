"""The result of an import: counts in sentences, rejected codes and clashes in frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..._internal.html import fragment, table, title
from ..._internal.text import pluralise

if TYPE_CHECKING:
    import pandas as pd

_MAX_EXAMPLES = 5


@dataclass(frozen=True, eq=False, repr=False)
class ImportedLabels:
    """The result of `import_labels`. It looks the same if the same file is imported again.

    Parameters
    ----------
    coders, criteria
        The names of the coders and of the criteria with codes.
    n_codes, n_records
        The number of usable codes, and of the records that they are about.
    n_new
        The number of codes that were not in the project yet.
    n_empty
        The number of places without a code.
    rejected
        One row per code that cannot be used: where, coder, record_id, criterion, code, kind (`unknown record`,
        `not on the scale`, `not in the sample`, `another version`, `row`), problem.
    clashes
        One row per code that differs from an earlier one of the same coder: where, coder, record_id, criterion,
        before, now.
    written
        Whether the codes are in the project.
    why_not
        The reason if nothing was written.
    other_documents
        The criteria that a coding sheet was made for too, but that were not imported, by sheet.
    remarks
        What was taken in another form: ids, spellings, sheets.
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
    other_documents: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def _summary_lines(self) -> list[str]:
        names = f" ({', '.join(self.coders)})" if self.coders else ""
        lines = [
            f"{pluralise(self.n_codes, 'code')} of {pluralise(len(self.coders), 'coder')}{names} on "
            f"{', '.join(self.criteria) or 'no criterion'}, {pluralise(self.n_records, 'record')}; "
            f"{pluralise(self.n_empty, 'place')} without a code"
        ]
        for kind, rows in self.rejected.groupby("kind", sort=True):
            problems = rows.drop_duplicates(["where", "problem"])  # an unknown id is a problem of each code in its row
            examples = [f"{row.where}: {row.problem}" for row in problems.head(_MAX_EXAMPLES).itertuples()]
            lines.append(f"{kind}, {pluralise(len(rows), 'code')}: {_join_examples(examples, len(problems))}")
        if n := len(self.clashes):
            examples = [
                f"{row.where}: {row.coder} on `{row.criterion}` of `{row.record_id}`, "
                f"{row.before} before, {row.now} now"
                for row in self.clashes.head(_MAX_EXAMPLES).itertuples()
            ]
            lines.append(f"{n:,} {'clash' if n == 1 else 'clashes'}: {_join_examples(examples, n)}")
        lines += [
            f"not imported: codes on {names} in {sheet}. To import them, name these criteria too"
            for sheet, names in self.other_documents.items()
        ]
        return [*lines, *self.remarks, *([self.why_not] if self.why_not else [])]

    def __repr__(self) -> str:
        return "\n".join(["Imported:", *(f"  {line}" for line in self._summary_lines())])

    def _repr_html_(self) -> str:
        rows = [line.partition(": ")[::2] if ": " in line else (line, "") for line in self._summary_lines()]
        return fragment(title("Imported labels"), table(["what", "where"], rows))


def _join_examples(examples: list[str], n: int) -> str:
    return "; ".join(examples) + (f"; and {n - len(examples):,} more" if n > len(examples) else "")
