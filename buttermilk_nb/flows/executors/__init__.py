"""Where cells are executed. One file an executor; `local` is the only one so far."""
