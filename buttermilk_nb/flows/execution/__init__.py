"""The execution of a flow: checks, scheduling, workers, progress."""
