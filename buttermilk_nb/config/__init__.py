"""Settings, API keys and the folders on this machine."""
