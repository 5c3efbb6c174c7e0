"""What tests share: servers on loopback, small studies, and fixtures by topic, which `conftest.py` loads."""
