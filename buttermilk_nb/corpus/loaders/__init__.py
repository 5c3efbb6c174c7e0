"""Loaders, one file per format. Each returns a `Source`, and `column_mapping` makes records of it."""

from __future__ import annotations

from . import bigquery, dataframes, remote_files
from .column_mapping import MappingOptions, Rejected, check_mapping, to_records
from .export_kinds import apply_kind
from .formats import READERS, is_file_name, reader_for
from .source import Source, existing_path
from .source_remarks import check_ids, source_remarks

__all__ = [
    "READERS",
    "MappingOptions",
    "Rejected",
    "Source",
    "apply_kind",
    "bigquery",
    "check_ids",
    "check_mapping",
    "dataframes",
    "existing_path",
    "is_file_name",
    "reader_for",
    "remote_files",
    "source_remarks",
    "to_records",
]
