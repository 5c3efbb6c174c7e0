"""The coding session of one person, without widgets: position, answers, progress, and models' answers."""
