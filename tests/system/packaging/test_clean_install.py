"""A new environment, installed as Binder installs it, runs the first notebook.

This finds what a development environment hides: a file missing from the wheel, a package that only a tool brought in,
a notebook that leans on the repository's root.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import ROOT

NOTEBOOK = "01_start_here.ipynb"
HOW = "BUTTERMILK_NB_CLEAN_INSTALL=1 uv run pytest tests/system/packaging/test_clean_install.py"

pytestmark = pytest.mark.skipif(
    os.environ.get("BUTTERMILK_NB_CLEAN_INSTALL") != "1",
    reason=f"installs some 170 packages into a new environment; `{HOW}` runs it",
)


def _run(*command: str | Path, cwd: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, f"`{' '.join(map(str, command))}`\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def env() -> dict[str, str]:
    """Return this process's environment without what would tie a child to the development environment."""
    tied = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTEST_ADDOPTS", "UV_PROJECT_ENVIRONMENT", "JUPYTER_PATH")
    return {name: value for name, value in os.environ.items() if name not in tied}


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory, env: dict[str, str]) -> Path:
    """Return the folder of programs of a new environment that holds the lock and the package."""
    uv = os.environ.get("UV") or shutil.which("uv")
    assert uv, f"uv is not on the path: `pip install uv && {HOW}`"
    venv = tmp_path_factory.mktemp("clean") / "venv"
    make = [uv, "venv", "--clear", "--no-python-downloads", str(venv), "--python"]
    if subprocess.run([*make, "3.12"], cwd=ROOT, env=env, capture_output=True, check=False).returncode:
        _run(*make, sys.executable, cwd=ROOT, env=env)
    _run(uv, "pip", "install", "--python", venv, "-r", "binder/requirements.txt", cwd=ROOT, env=env)
    _run(uv, "pip", "install", "--python", venv, "--no-deps", ".", cwd=ROOT, env=env)
    _run(uv, "pip", "check", "--python", venv, cwd=ROOT, env=env)
    return venv / ("Scripts" if sys.platform == "win32" else "bin")


def test_the_first_notebook_runs_in_a_clean_environment(binaries: Path, env: dict[str, str], tmp_path: Path):
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    shutil.copy(ROOT / "notebooks" / NOTEBOOK, notebooks)
    shutil.copytree(ROOT / "data", tmp_path / "data")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        env = {**env, name: str(tmp_path / name.lower())}

    command = ("nbconvert", "--to", "notebook", "--execute", "--output", "executed.ipynb", NOTEBOOK)
    _run(binaries / "python", "-m", "jupyter", *command, cwd=notebooks, env=env)

    cells = json.loads((notebooks / "executed.ipynb").read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]
    assert code
    assert all(cell["execution_count"] for cell in code)
    noise = [text for cell in code for text in cell["outputs"] if text.get("name") == "stderr"]
    assert noise == [], "a first notebook shows no warnings"


def test_the_installed_package_ships_the_tracked_data_and_notebooks_and_nothing_else(
    binaries: Path, env: dict[str, str], tmp_path: Path
):
    where = "import buttermilk_nb, pathlib; print(pathlib.Path(buttermilk_nb.__file__).parent)"
    package = Path(_run(binaries / "python", "-c", where, cwd=tmp_path, env=env).strip())
    assert package.is_relative_to(binaries.parent), "the package came from the checkout, not from the environment"

    listing = ("git", "ls-files", "-co", "-z", "--exclude-standard", "data", "notebooks")
    wanted = {name for name in _run(*listing, cwd=ROOT, env=env).split("\0") if name}
    shipped = package / "_shipped"
    assert {path.relative_to(shipped).as_posix() for path in shipped.rglob("*") if path.is_file()} == wanted
