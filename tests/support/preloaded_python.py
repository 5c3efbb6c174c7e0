"""Python processes that have litellm imported already: importing it takes longer than most of what they do.

A server process imports it once, starts no thread, and forks for each script. The script's process is a child of the
server, and otherwise like one that was started anew: own environment, folder, arguments and streams.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

_MESSAGE_BYTES = 1_000_000
_POLL_S = 0.005


class PreloadedPython:
    """A server that forks processes for scripts; close it at the end."""

    def __init__(self) -> None:
        self._socket, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(server.fileno())], pass_fds=[server.fileno()], cwd="/"
        )
        server.close()
        self._codes: dict[int, int] = {}

    def start(self, script: str, *arguments: object, cwd: Path, env: Mapping[str, str] | None = None) -> Script:
        """Start a script with `sys.argv[1:]`."""
        ends = [os.pipe() for _ in range(3)]
        (stdin, parent_stdin), (parent_stdout, stdout), (parent_stderr, stderr) = ends
        request = {"script": script, "argv": [str(item) for item in arguments], "cwd": str(cwd)}
        message = json.dumps({**request, "env": dict(os.environ if env is None else env)}).encode()
        socket.send_fds(self._socket, [message], [stdin, stdout, stderr])
        for end in (stdin, stdout, stderr):
            os.close(end)
        pid = None
        while pid is None:
            pid = self._read().get("started")
        return Script(self, pid, parent_stdin, parent_stdout, parent_stderr)

    def code(self, pid: int) -> int | None:
        """The return code of a process; None while it lives."""
        self._socket.setblocking(False)
        try:
            while pid not in self._codes:
                self._read()
        except BlockingIOError:
            return None
        finally:
            self._socket.setblocking(True)
        return self._codes[pid]

    def close(self) -> None:
        """End the server."""
        self._socket.close()
        self._process.wait()

    def _read(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._socket.recv(_MESSAGE_BYTES) or b'{"started": -1}')
        if "ended" in answer:
            self._codes[answer["ended"]] = answer["code"]
        return answer


class Script:
    """A running script, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, server: PreloadedPython, pid: int, stdin: int, stdout: int, stderr: int) -> None:
        self._server = server
        self.pid = pid
        self.stdin: IO[str] = os.fdopen(stdin, "w")
        self.stdout: IO[str] = os.fdopen(stdout)
        self.stderr: IO[str] = os.fdopen(stderr)

    @property
    def returncode(self) -> int | None:
        """The return code; negative if a signal has ended it."""
        return self._server.code(self.pid)

    def poll(self) -> int | None:
        """The return code; None while it lives."""
        return self.returncode

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float = 60.0) -> int:
        """Wait for its end."""
        deadline = time.monotonic() + timeout
        while (code := self.returncode) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("script", timeout)
            time.sleep(_POLL_S)
        return code

    def close(self) -> None:
        """End it, and close its streams."""
        self.kill()
        self.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def communicate(self, timeout: float = 60.0) -> tuple[str, str]:
        """Everything that it writes until its end."""
        errors: list[str] = []
        reader = threading.Thread(target=lambda: errors.append(self.stderr.read()))
        reader.start()
        self.stdin.close()
        out = self.stdout.read()
        reader.join()
        self.wait(timeout)
        for stream in (self.stdout, self.stderr):
            stream.close()
        return out, errors[0]


def _serve(channel: socket.socket) -> None:
    from buttermilk_nb.llm.providers.load_litellm import load_litellm

    load_litellm()
    assert threading.active_count() == 1, "a thread would not survive the fork"
    wake_read, wake_write = socket.socketpair()
    wake_read.setblocking(False)
    wake_write.setblocking(False)
    signal.set_wakeup_fd(wake_write.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if wake_read in ready:
                wake_read.recv(4096)
                _report_ended(channel)
            if channel in ready:
                message, descriptors, _, _ = socket.recv_fds(channel, _MESSAGE_BYTES, 3)
                if not message:
                    return
                if (pid := os.fork()) == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    channel.close()
                    _run(json.loads(message), descriptors)
                for descriptor in descriptors:
                    os.close(descriptor)
                channel.send(json.dumps({"started": pid}).encode())


def _report_ended(channel: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        channel.send(json.dumps({"ended": pid, "code": os.waitstatus_to_exitcode(status)}).encode())


def _run(request: dict[str, Any], descriptors: list[int]) -> None:
    """Be the script's process, to its end."""
    code = 1
    try:
        for target, descriptor in enumerate(descriptors):
            os.dup2(descriptor, target)
            os.close(descriptor)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
        own = {name: value for name, value in os.environ.items() if name.startswith("LITELLM_")}
        os.environ.clear()
        os.environ.update({**own, **request["env"]})
        os.chdir(request["cwd"])
        sys.argv, sys.path[0] = ["-c", *request["argv"]], ""
        exec(compile(request["script"], "<script>", "exec"), {"__name__": "__main__"})
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001  # as an interpreter does
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOBase):
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
