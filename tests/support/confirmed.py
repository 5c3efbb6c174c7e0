"""Settings files that a test has written as its own user, so that nobody needs to be asked about them."""

from __future__ import annotations

from pathlib import Path

from buttermilk_nb.config.confirmed_settings import ConfirmedSettings, sensitive_settings
from buttermilk_nb.config.settings import FILE, Settings


def confirm_settings(folder: Path) -> None:
    """Confirm the settings of a folder, as `bm.trust()` does."""
    ConfirmedSettings(folder).confirm(sensitive_settings(Settings.read(folder / FILE)))
