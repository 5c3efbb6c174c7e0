"""Loaders, one file a format: each returns a `Source`, and `mapping` turns any Source into records."""

from __future__ import annotations

from . import (
    bigquery,
    csv_files as delimited,
    dataframes as tables,
    excel as spreadsheets,
    json_files,
    remote_files as remote,
    source as base,
    text_folders as texts,
)
from .column_mapping import MappingOptions, Rejected, mapped, to_records
from .source import Source

__all__ = [
    "MappingOptions",
    "Rejected",
    "Source",
    "base",
    "bigquery",
    "delimited",
    "json_files",
    "mapped",
    "remote",
    "spreadsheets",
    "tables",
    "texts",
    "to_records",
]
