"""Model families: litellm, offline, scripted, and test doubles."""
