"""Web pages as records."""
