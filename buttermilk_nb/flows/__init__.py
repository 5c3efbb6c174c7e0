"""Flows: definition (steps, flow), plan, execution (runner, executors) and results (run), one file each."""
