"""A real IPython shell with the extension loaded, in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from support.paths import ROOT

from buttermilk_nb.project import session


class Shell:
    """Runs cells as a notebook does; keeps what they displayed."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.ip = shell
        self.space = shell.user_ns

    def run(self, code: str):
        """Run a cell; raises what the cell raised."""
        with capture_output() as captured:
            result = self.ip.run_cell(code, store_history=True)
        self.outputs = captured.outputs
        self.stdout = captured.stdout
        if result.error_in_exec or result.error_before_exec:
            raise result.error_in_exec or result.error_before_exec
        return result.result

    def shown(self) -> str:
        """The plain text of every output of the last cell."""
        return "\n".join(output.data.get("text/plain", "") for output in self.outputs)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.chdir(tmp_path)
    InteractiveShell.clear_instance()
    ip = InteractiveShell.instance(colors="nocolor")
    ip.history_manager.enabled = False
    made = Shell(ip)
    made.space["DATA"] = ROOT / "data"
    made.run("%load_ext buttermilk_nb\nimport buttermilk_nb as bm")
    yield made
    made.run("%unload_ext buttermilk_nb")
    session.close()
    ip.history_manager.end_session()
    InteractiveShell.clear_instance()
