"""Fixture: a real IPython shell with the extension loaded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from support.paths import DATA


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
def shell() -> Iterator[Shell]:
    InteractiveShell.clear_instance()
    ip = InteractiveShell.instance(colors="nocolor")
    ip.history_manager.enabled = False
    shell = Shell(ip)
    shell.space["DATA"] = DATA
    shell.run("%load_ext buttermilk_nb\nimport buttermilk_nb as bm")
    yield shell
    shell.run("%unload_ext buttermilk_nb")
    ip.history_manager.end_session()
    InteractiveShell.clear_instance()
