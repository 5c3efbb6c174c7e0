"""Permanent removal of records, coders' codes and old runs from the Store."""
