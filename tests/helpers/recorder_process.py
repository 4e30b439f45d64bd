"""The real recorder as a child process, for tests that kill it and look at what is left."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.helpers.needs import bound_to_parent

REPOSITORY = Path(__file__).resolve().parents[2]


def environment(workspace: Path) -> dict[str, str]:
    """Of a child that must not meet the user's own files."""
    runtime = workspace.parent / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    return {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "XDG_RUNTIME_DIR": str(runtime),
        "QT_QPA_PLATFORM": "offscreen",
    }


class RecorderProcess:
    """`python -m app record` on a workspace. `start` returns once it said `ready`. As a context manager it is killed at the
    end, should it still run; it does not outlive the thread that started it."""

    def __init__(self, workspace: Path, url: str, *arguments: str, module: str = "app") -> None:
        self.workspace, self.url, self._module = workspace, url, module
        self._arguments = arguments
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Has it been started, and not ended since?"""
        return self._process is not None and self._process.poll() is None

    def start(self) -> dict[str, object]:
        """Start it; returns what its `ready` line says. Raises AssertionError with its last words where it ends instead."""
        command = [sys.executable, "-m", self._module, "record", "--workspace", str(self.workspace)]
        if self.url:  # else the broker of its settings
            command += ["--broker", self.url]
        self._process = subprocess.Popen(
            bound_to_parent([*command, *self._arguments]),
            stdout=subprocess.PIPE,
            text=True,
            env=environment(self.workspace),
            cwd=REPOSITORY,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(json.JSONDecodeError):
                said = json.loads(line)
                if isinstance(said, dict) and said.get("ready"):
                    return said
        raise AssertionError(f"the recorder ended with code {self._process.wait()} before it was ready")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self._end(kill=True)

    def kill_before_acknowledging(self) -> None:
        """Let a `mortal_recorder` die between its next commit and the acknowledgement of it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR1)
        self._process.wait(30)
        self.kill()

    def stop(self) -> int:
        """SIGTERM, as a session manager would; returns the exit code."""
        return self._end(kill=False)

    def _end(self, *, kill: bool) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.kill() if kill else process.terminate()
        code = process.wait(30)
        assert process.stdout is not None
        process.stdout.close()
        return code


def command(workspace: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """One `murmurscope` command on a workspace, to its end."""
    full = [sys.executable, "-m", "app", *arguments, "--workspace", str(workspace)]
    return subprocess.run(full, capture_output=True, env=environment(workspace), cwd=REPOSITORY, check=False)
