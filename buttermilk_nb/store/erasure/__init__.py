"""What goes from the Store for good: a person's words, a coder's codes, old runs."""
