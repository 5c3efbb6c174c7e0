"""Scores that were made elsewhere: Buttermilk's rows, Inspect's logs, a plain table of codes.

Each becomes an ordinary run of the Store, with status `imported`, so that everything that can be asked of a run can
be asked of it: frames, agreement, the explorer, SQL. It lands in one transaction or not at all; the same content a
second time, and records that were forgotten here, are noticed. A reader is one file that turns its source into a
`Study`.
"""

from __future__ import annotations

from .import_traces import KINDS, ImportedTraces, import_traces

__all__ = ["KINDS", "ImportedTraces", "import_traces"]
