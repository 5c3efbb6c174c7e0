"""The criteria documents in the store, by hash."""

from __future__ import annotations

from collections.abc import Iterable

from ...codebook.criteria import Criteria
from ...store import Store


def stored_criteria(store: Store, hashes: Iterable[str]) -> dict[str, Criteria]:
    """The criteria of each hash; hashes without a stored document are left out."""
    documents: dict[str, Criteria] = {}
    for criteria_hash in hashes:
        body = store.df("select body from texts where text_hash = ? limit 1", [criteria_hash])
        if len(body):
            documents[criteria_hash] = Criteria.from_markdown(str(body.body.iloc[0]))
    return documents
