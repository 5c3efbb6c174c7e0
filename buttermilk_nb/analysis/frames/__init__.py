"""Dataframes of what the Store holds, one function for each grain."""
