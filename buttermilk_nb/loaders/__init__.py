"""Loaders, one file a format: each returns a `Source`, and `mapping` turns any Source into records."""

from __future__ import annotations

from . import base, bigquery, delimited, json_files, remote, spreadsheets, tables, texts
from .base import Source
from .mapping import MappingOptions, Rejected, mapped, to_records

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
