"""Folders of the repository that tests read."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
DATA = ROOT / "data"
SHARED = ROOT.parent / "shared" / "data"
"""Corpora and recorded answers as they are distributed. They are not part of this repository: tests skip if absent."""
