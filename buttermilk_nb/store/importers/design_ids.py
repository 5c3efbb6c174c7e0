"""Ids and hashes of imported traces.

An imported trace has another design than one that was made here, even if the words are the same, because its prompt is
not known. So its design id has its own recipe (`di1`). So have the hashes of prompts and criteria that are only known
by name (`pi1`, `ci1`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..._internal.ids import canonical, digest
from ...codebook.criteria import Criteria
from ...corpus.record import Record
from .imported_study import ImportedStudy, SourceTrace


class RecordVersion(NamedTuple):
    """The version of a record that a trace is about."""

    record_hash: str
    details_hash: str


def record_version(record: Record) -> RecordVersion:
    """The hashes of a record."""
    return RecordVersion(record.record_hash, record.annotations_hash)


def design_ids_of(study: ImportedStudy, versions: Sequence[RecordVersion], criteria: Criteria | None) -> list[str]:
    """The design id of each trace; it includes the design ids of its inputs, which come before it."""
    design_ids: list[str] = []
    for source, version in zip(study.traces, versions, strict=True):
        input_ids = [design_ids[index] for index in source.inputs]
        design_ids.append(_design_id(study, source, version, criteria, input_ids))
    return design_ids


def _design_id(
    study: ImportedStudy,
    source: SourceTrace,
    version: RecordVersion,
    criteria: Criteria | None,
    input_ids: Sequence[str],
) -> str:
    definition = {
        "kind": study.kind,
        "step": source.step,
        "role": source.role,
        "model": source.model,
        "criteria": criteria_hash_of(source.criteria_set, criteria),
        "prompt": source.prompt,
        "params": source.params,
        "replicate": source.replicate,
    }
    return digest("di1", canonical(definition), version.record_hash, *input_ids)


def criteria_hash_of(name: str | None, criteria: Criteria | None) -> str | None:
    """The hash of the criteria; of their name if the wording is not known."""
    if criteria is not None and name is not None:
        return criteria.criteria_hash
    return digest("ci1", name) if name is not None else None


def prompt_hash_of(name: str | None) -> str | None:
    """The hash of a prompt of which only the name is known."""
    return digest("pi1", name) if name is not None else None
