"""Display of a corpus: a line of counts, an HTML table, a dataframe.

A corpus shows the number of its images and not the images, so that a saved notebook stays small. A single record shows
its images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._internal.html import fragment, table, title
from .._internal.text import pluralise, shorten
from .record import DEFAULT_CRITERION, Record

if TYPE_CHECKING:
    import pandas as pd

_MAX_ROWS = 5


def recording_place(record: Record) -> str:
    """Where a transcribed text is in its recording; empty for a text without times.

    Examples
    --------
    >>> recording_place(Record(content="Good morning.", media="talk.mp3#t=1,3605.5", start_s=1.0, end_s=3605.5))
    'talk.mp3, 0:01 to 1:00:05'
    """
    start, end = record.metadata.get("start_s"), record.metadata.get("end_s")
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        return ""
    media = str(record.metadata.get("media") or "").partition("#")[0]
    return (f"{media}, " if media else "") + f"{_clock(start)} to {_clock(end)}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def describe_counts(records: Sequence[Record], rejected: int = 0) -> list[str]:
    """The numbers of records, local records, images and rejected rows. Zeros are left out.

    Examples
    --------
    >>> describe_counts([Record(content="One."), Record(content="Two.", local_only=True)], rejected=1)
    ['2 records', '1 stays local', '1 row rejected']
    """
    n_local = sum(record.local_only for record in records)
    n_images = sum(len(record.images) for record in records)
    counts = [pluralise(len(records), "record")]
    if n_local:
        counts.append("1 stays local" if n_local == 1 else f"{n_local:,} stay local")
    counts += [pluralise(n_images, "image")] if n_images else []
    return counts + ([f"{pluralise(rejected, 'row')} rejected"] if rejected else [])


def to_html(records: Sequence[Record], rejected: int, remarks: Sequence[str] = ()) -> str:
    """The first records as HTML, and the remarks of their loader."""
    first_records = records[:_MAX_ROWS]
    fields = list(dict.fromkeys(name for record in first_records for name in record.metadata))[:4]
    has_truth = any(record.ground_truth for record in first_records)
    rows = []
    for record in first_records:
        row: list[object] = [record.record_id, shorten(record.content, 140) or pluralise(len(record.images), "image")]
        row += [shorten(str(record.metadata.get(name, "")), 30) for name in fields]
        if has_truth:
            row.append(
                ", ".join(str(v) if k == DEFAULT_CRITERION else f"{k}: {v}" for k, v in record.ground_truth.items())
            )
        rows.append(row)
    note = " · ".join(describe_counts(records, rejected)) + (", listed in corpus.rejected" if rejected else "")
    columns = ["record_id", "content", *fields, *(["truth"] if has_truth else [])]
    more = [f"... and {len(records) - _MAX_ROWS:,} more"] if len(records) > _MAX_ROWS else []
    footer = " ".join([*more, *(f"Note: {remark}" for remark in remarks)])
    return fragment(title("Corpus", note), table(columns, rows, footer))


def to_dataframe(records: Sequence[Record]) -> pd.DataFrame:
    """One row per record, with the number of its images."""
    import pandas as pd

    has_images, has_local = any(record.images for record in records), any(record.local_only for record in records)
    rows = []
    for record in records:
        row: dict[str, Any] = {"record_id": record.record_id, "content": record.content}
        row |= {"images": len(record.images)} if has_images else {}
        row |= {"local_only": record.local_only} if has_local else {}
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
