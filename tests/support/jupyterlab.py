"""Fixture: a real JupyterLab in a real Chromium, on loopback. It skips if no browser is installed."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from support.loopback_server import free_port
from support.paths import ROOT

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-quic", "--no-first-run",
]  # fmt: skip


def _chromium() -> str:
    names = [os.environ.get("BUTTERMILK_NB_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    path = next(filter(None, map(shutil.which, filter(None, names))), None)
    if path is None:
        pytest.skip("no Chromium here; on Debian or Ubuntu: apt-get install chromium")
    return path


class Lab:
    """A running JupyterLab and a page in it."""

    def __init__(self, page, url: str, token: str, folder: Path) -> None:
        self.page = page
        self._url = url
        self._token = token
        self.folder = folder

    def write_notebook(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells, and return what `open` takes."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nbformat.write(notebook, self.folder / "notebooks" / name)
        return f"notebooks/{name}"

    def screenshot(self, name: str) -> None:
        """Save a picture of the page, if `BUTTERMILK_NB_SCREENSHOTS` names a folder for it."""
        folder = os.environ.get("BUTTERMILK_NB_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=False)

    def open(self, notebook: str) -> None:
        """Open a notebook in simple mode and wait for its kernel."""
        self.page.goto(f"{self._url}/lab/tree/{notebook}?token={self._token}&reset")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        self.page.wait_for_function("() => window.jupyterapp !== undefined", timeout=30_000)
        self.page.wait_for_function(
            """() => { const w = window.jupyterapp.shell.currentWidget;
                       return w && w.sessionContext && w.sessionContext.session?.kernel?.status === 'idle'; }""",
            timeout=120_000,  # the first kernel of a new environment compiles what it imports
        )

    def run_all(self, timeout_s: float = 90) -> None:
        """Run every cell and wait until none is running."""
        self.page.evaluate("() => { window.__ran = window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        self.page.evaluate("() => window.__ran", None)
        self.page.wait_for_function(
            "() => ![...document.querySelectorAll('.jp-InputPrompt')].some(p => p.textContent.includes('*'))",
            timeout=timeout_s * 1000,
        )

    @contextmanager
    def new_tab(self) -> Iterator[Lab]:
        """Another tab, which closes at the end of the block."""
        page = self.page.context.browser.new_page()
        yield Lab(page, self._url, self._token, self.folder)
        page.close()

    def errors(self) -> list[str]:
        """The text of every error output."""
        return self.page.eval_on_selector_all(
            '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"], '
            '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]',
            "nodes => nodes.map(n => n.textContent)",
        )


@pytest.fixture(scope="module")  # not longer: playwright keeps a loop running in this thread
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    chromium = _chromium()
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright here: uv sync")
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "data", folder / "data")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
    port, token = free_port(), secrets.token_hex(16)
    home = tmp_path_factory.mktemp("home")
    env = {**os.environ, "JUPYTER_CONFIG_DIR": str(home), "JUPYTER_DATA_DIR": str(home), "HOME": str(home)}
    settings = home / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    log = (home / "lab.log").open("w")
    server = subprocess.Popen(
        [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1",
            f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}",
            "--LabApp.expose_app_in_browser=True", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ],
        env=env, stdout=log, stderr=subprocess.STDOUT, cwd=folder,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/api/status?token={token}", server, home / "lab.log")
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1400, "height": 1800})
            yield Lab(page, url, token, folder)
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=20)
        log.close()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"JupyterLab ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("JupyterLab did not start within 60 s")
