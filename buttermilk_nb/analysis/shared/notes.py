"""The sentences that stand beside a number."""

from __future__ import annotations

from .ratings_frame import FEW
from .record_table import RecordTable


def join_sentences(*sentences: str | None) -> str:
    """Those that say something, as one text."""
    return " ".join(sentence for sentence in sentences if sentence)


def sample_note(n: int, n_clusters: int) -> str:
    """What does not follow from so few records or clusters."""
    if n == 0:
        return ""
    if n_clusters == 1:
        return "All are in one cluster, so no interval can be given."
    if n < FEW:
        return f"It rests on {n:,} records; below {FEW} no conclusion follows."
    return f"With {n_clusters} clusters alone the interval is rough." if n_clusters < FEW else ""


def unequal_note(table: RecordTable) -> str:
    """What is not done about records that were drawn with unequal probability."""
    return (
        "Records were drawn with unequal probability, and are not weighted here." if table.unequal_probabilities else ""
    )
