"""Export of the Store's tables to files, remote addresses and BigQuery."""
