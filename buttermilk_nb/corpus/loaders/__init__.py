"""Loaders, one file per format. Each returns a `Source`, and `column_mapping` makes records of it."""

from __future__ import annotations

from . import bigquery, csv_files, dataframes, excel, json_files, remote_files, subtitles, text_folders
from .column_mapping import MappingOptions, Rejected, check_mapping, to_records
from .source import Source, existing_path
from .source_remarks import check_ids, source_remarks

__all__ = [
    "MappingOptions",
    "Rejected",
    "Source",
    "bigquery",
    "check_ids",
    "check_mapping",
    "csv_files",
    "dataframes",
    "excel",
    "existing_path",
    "json_files",
    "remote_files",
    "source_remarks",
    "subtitles",
    "text_folders",
    "to_records",
]
