"""Every public name is used or explained in a lesson or an example, so that nobody has to find it by chance."""

from __future__ import annotations

import json
import re
from pathlib import Path

import buttermilk_nb as bm

ROOT = Path(__file__).parents[3]


def shown_texts():
    """The cells of all lessons and example notebooks, and the example programs."""
    for path in [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "examples").rglob("*.ipynb")]:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield "\n".join("".join(cell["source"]) for cell in cells)
    for path in (ROOT / "examples").rglob("*.py"):
        yield path.read_text(encoding="utf-8")


def test_every_public_name_is_in_a_lesson_or_an_example():
    text = "\n".join(shown_texts())
    names = dir(bm)
    missing = [name for name in names if not re.search(rf"\bbm\.{name}\b", text)]
    print(f"{len(names) - len(missing)} of {len(names)} public names are in a lesson or an example")
    assert missing == []
