"""Import of scores from other programs: Buttermilk rows, Inspect logs, tables of codes.

Each import becomes an ordinary run of the Store, with status `imported`. So everything that works with a run works with
it too: frames, agreement, the explorer, SQL. It is written in one transaction or not at all. Importing the same content
twice, or a record that was forgotten here, is an error. Each reader is one file that turns its source into an
`ImportedStudy`.
"""

from __future__ import annotations

from .import_traces import KINDS, ImportedTraces, import_traces

__all__ = ["KINDS", "ImportedTraces", "import_traces"]
