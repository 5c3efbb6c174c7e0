"""The open folder of a study."""
