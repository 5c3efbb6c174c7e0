"""One person coding, without the widgets: what comes next, what is held, what stands, what may be seen."""
