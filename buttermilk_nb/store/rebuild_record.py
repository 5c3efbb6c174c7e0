"""`rebuild_record`: a stored version of a record as a `Record` again, checked against its hashes."""

from __future__ import annotations

import json

from ..corpus.image import Image
from ..corpus.record import Record
from ..errors import StoreError
from .store import Store

_ROW = """
    select content, metadata, ground_truth, expert_reasons, labels, cluster, parent_id, start_offset, end_offset, uri,
           mime, local_only, media, details_hash
    from records where record_id = ? and record_hash = ? order by details_hash = ? desc, first_seen_at desc limit 1
"""
_JSON = ("metadata", "ground_truth", "expert_reasons", "labels")


def rebuild_record(store: Store, record_id: str, record_hash: str, details_hash: str = "") -> Record | None:
    """A record as a run had it.

    Parameters
    ----------
    store
        The Store.
    record_id, record_hash
        The record, and the hash of what a judge read of it.
    details_hash
        The hash of its annotations in the run; without it, the newest annotations.

    Returns
    -------
    Record or None
        None if the text is not stored, because it was forgotten or was never imported.

    Raises
    ------
    StoreError
        The stored text is not the one that the hash is of.
    """
    with store.reading() as con:
        row = con.execute(_ROW, [record_id, record_hash, details_hash]).fetchone()
        if row is None or row[0] is None:
            return None
        names = [column[0] for column in con.description or ()]
        fields = dict(zip(names, row, strict=True))
        stored_details = fields.pop("details_hash")
        image_hashes = json.loads(fields.pop("media") or "[]")
        texts = "select text_hash, body from texts where list_contains(?::varchar[], text_hash)"
        bodies = dict(con.execute(texts, [image_hashes]).fetchall()) if image_hashes else {}
    if any(text_hash not in bodies for text_hash in image_hashes):
        return None
    for name in _JSON:
        fields[name] = json.loads(fields[name] or "{}")
    record = Record(record_id=record_id, images=[Image.from_body(bodies[each]) for each in image_hashes], **fields)
    if record.record_hash != record_hash:
        raise StoreError(
            f"record `{record_id}` is stored with another text than the one that its hash is of; "
            "project.evidence.verify() shows what else has changed."
        )
    if details_hash == stored_details and not image_hashes and record.annotations_hash != details_hash:
        raise StoreError(
            f"the annotations of record `{record_id}` are not those that their hash is of; "
            "project.evidence.verify() shows what else has changed."
        )
    return record
