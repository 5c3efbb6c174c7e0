"""Run the notebooks in a copy and save their outputs: `uv run python tests/system/notebooks/rebuild.py [name ...]`.

What is saved is what strict nbval compares: outputs, without widgets, execution times or machine metadata.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[3]
KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def rebuild(path: Path) -> None:
    """Execute one notebook and write it back."""
    made = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "data", Path(folder) / "data")
        place = Path(folder) / "notebooks"
        place.mkdir()
        os.environ["XDG_CONFIG_HOME"] = str(Path(folder) / "user_settings")
        client = NotebookClient(
            made, timeout=300, resources={"metadata": {"path": str(place)}}, store_widget_state=False
        )
        client.execute()
    made.metadata = nbformat.from_dict(KERNEL)
    for number, cell in enumerate(made.cells, 1):
        cell.metadata = nbformat.from_dict({})
        cell["id"] = f"cell-{number:02d}"
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    nbformat.write(made, path)


if __name__ == "__main__":
    names = sys.argv[1:]
    for notebook in sorted([*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "examples").glob("*.ipynb")]):
        if not names or notebook.stem in names:
            print(notebook.name)
            rebuild(notebook)
