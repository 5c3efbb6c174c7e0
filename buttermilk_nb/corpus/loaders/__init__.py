"""Loaders, one file per format. Each returns a `Source`, and `make_records` makes records of it."""

from __future__ import annotations

from . import bigquery, dataframes, remote_files
from .column_mapping import MappingOptions, check_mapping
from .export_kinds import apply_kind
from .formats import READERS, is_file_name, reader_for
from .make_records import Rejected, make_records
from .source import Source, existing_path

__all__ = [
    "READERS",
    "MappingOptions",
    "Rejected",
    "Source",
    "apply_kind",
    "bigquery",
    "check_mapping",
    "dataframes",
    "existing_path",
    "is_file_name",
    "make_records",
    "reader_for",
    "remote_files",
]
