"""The sentences in the column `note` that several statistics share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._internal.text import pluralise

if TYPE_CHECKING:
    import pandas as pd

FEW = 30
"""With fewer records no conclusion follows."""


def join_sentences(*sentences: str | None) -> str:
    """The sentences that are not empty, as one text."""
    return " ".join(sentence for sentence in sentences if sentence)


def codes_note(prepared: pd.DataFrame) -> str:
    """What was done to the forms of the codes in prepared ratings; empty if nothing was."""
    return join_sentences(*prepared.code_note.unique())


def add_codes_notes(result: pd.DataFrame, prepared: pd.DataFrame) -> pd.DataFrame:
    """A table of results, with what was done to the codes of each criterion in its column `note`."""
    if not prepared.code_note.any() or not len(result):
        return result
    notes = {criterion: codes_note(part) for criterion, part in prepared.groupby("criterion")}
    if "criterion" in result.columns:
        added = [notes.get(criterion, "") for criterion in result["criterion"]]
    else:
        added = [join_sentences(*notes.values())] * len(result)
    return result.assign(note=[join_sentences(*pair) for pair in zip(result["note"], added, strict=True)])


def few_records_note(n: int, noun: str = "record") -> str:
    """A warning that `n` records are too few for a conclusion; empty if there are none, or enough."""
    return f"This is based on {pluralise(n, noun)}; below {FEW} no conclusion follows." if 0 < n < FEW else ""


def sample_note(n: int, n_clusters: int) -> str:
    """A warning about a small number of records or clusters."""
    if n == 0:
        return ""
    if n_clusters == 1:
        return "All records are in one cluster, so there is no interval."
    return few_records_note(n) or few_clusters_note(n_clusters)


def few_clusters_note(n_clusters: int) -> str:
    """A warning that an interval from so few clusters is rough."""
    return f"With only {n_clusters} clusters the interval is rough." if n_clusters < FEW else ""


def unequal_note(has_unequal_probabilities: bool) -> str:
    """A note that inclusion probabilities differ and are not used as weights."""
    return "Records were drawn with unequal probabilities, and are not weighted." if has_unequal_probabilities else ""


def replicates_note(n_replicates: int) -> str:
    """A note that the number is an average over replicates."""
    return f"Computed within each of {n_replicates} replicates and averaged." if n_replicates > 1 else ""
