"""Fixture: the program that wrote `data/posts_400`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
from support.paths import DATA


@pytest.fixture(scope="module")
def posts_generator() -> Iterator[ModuleType]:
    """Its module `generate`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DATA / "posts_400")
        patch.setattr(sys, "dont_write_bytecode", True)  # the folder is copied into the wheel
        yield importlib.import_module("generate")
        for name in ("generate", "writing"):
            sys.modules.pop(name)
