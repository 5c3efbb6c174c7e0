"""What goes out of the Store: files, addresses, BigQuery; and the one place that says what may leave."""
