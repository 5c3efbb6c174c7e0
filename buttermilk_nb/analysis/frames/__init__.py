"""Dataframes of stored results, one function for each grain."""
