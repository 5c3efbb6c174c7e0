"""Fixture: matplotlib's figures are closed after a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def closed_figures() -> Iterator[None]:
    import matplotlib.pyplot as plt

    yield
    plt.close("all")
