"""What a corpus looks like: as a line of counts, as a table in a notebook, as a dataframe.

A corpus is shown with the number of its images and never with the images, so that a saved notebook stays small; one
record shows its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._internal.html import fragment, table, title
from .._internal.text import pluralise, shorten
from .record import DEFAULT_CRITERION, Record

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 5


def describe_counts(records: Sequence[Record], rejected: int = 0) -> list[str]:
    """How many records, how many of them must stay local, how many images and rejected rows; zeros left out.

    Examples
    --------
    >>> describe_counts([Record(content="One."), Record(content="Two.", local_only=True)], rejected=1)
    ['2 records', '1 of which stays local', '1 row rejected']
    """
    local = sum(record.local_only for record in records)
    images = sum(len(record.images) for record in records)
    found = [pluralise(len(records), "record")]
    if local:
        some = "" if local == len(records) else f"{local:,} of "
        found.append(f"{some}which {'stays' if local == 1 else 'stay'} local")
    found += [pluralise(images, "image")] if images else []
    return found + ([f"{pluralise(rejected, 'row')} rejected"] if rejected else [])


def to_html(records: Sequence[Record], rejected: int) -> str:
    """The first records as HTML."""
    first = records[:_SHOWN]
    fields = list(dict.fromkeys(name for record in first for name in record.metadata))[:4]
    coded = any(record.ground_truth for record in first)
    rows = []
    for record in first:
        row: list[object] = [record.record_id, shorten(record.content, 140) or pluralise(len(record.images), "image")]
        row += [shorten(str(record.metadata.get(name, "")), 30) for name in fields]
        if coded:
            row.append(
                ", ".join(str(v) if k == DEFAULT_CRITERION else f"{k}: {v}" for k, v in record.ground_truth.items())
            )
        rows.append(row)
    note = " · ".join(describe_counts(records, rejected)) + (", listed in corpus.rejected" if rejected else "")
    columns = ["record_id", "content", *fields, *(["truth"] if coded else [])]
    more = f"... and {len(records) - _SHOWN:,} more" if len(records) > _SHOWN else ""
    return fragment(title("Corpus", note), table(columns, rows, more))


def to_dataframe(records: Sequence[Record]) -> pd.DataFrame:
    """One row a record; images as their number."""
    import pandas as pd

    pictured, local = any(record.images for record in records), any(record.local_only for record in records)
    rows = []
    for record in records:
        row: dict[str, Any] = {"record_id": record.record_id, "content": record.content}
        row |= {"images": len(record.images)} if pictured else {}
        row |= {"local_only": record.local_only} if local else {}
        row |= {f"metadata_{name}" if name in row else name: value for name, value in record.metadata.items()}
        row |= {_column("truth", name): value for name, value in record.ground_truth.items()}
        for coder, codes in record.labels.items():
            row |= {_column(f"coder_{coder}", name): value for name, value in codes.items()}
        for name in ("cluster", "parent_id", "start_offset", "end_offset"):
            if getattr(record, name) is not None:
                row[name] = getattr(record, name)
        rows.append(row)
    return pd.DataFrame(rows, columns=None if rows else ["record_id", "content"])


def _column(prefix: str, criterion: str) -> str:
    return prefix if criterion == DEFAULT_CRITERION else f"{prefix}_{criterion}"
