"""Loaders, one file a format: each returns a `Source`, and `mapping` turns any Source into records."""

from __future__ import annotations

from . import bigquery, json_files
from . import csv_files as delimited
from . import dataframes as tables
from . import excel as spreadsheets
from . import remote_files as remote
from . import source as base
from . import text_folders as texts
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
