"""One workspace with a recorder on it, as its user meets it: the command, its channel, and what it exports."""

import base64
import csv
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from app.control_client import ControlClient
from models.domain.control import Link, RecorderState
from models.domain.problems import EnvironmentProblem
from models.storage.export.run import export
from models.storage.history.info import store_info
from models.storage.workspace import Workspace
from tests.helpers.poll import until
from tests.helpers.recorder_process import REPOSITORY, environment

csv.field_size_limit(1 << 30)


class Recording:
    """`start` and `run` use `python -m app record`; `export` reads with `python -m app export`. Call `close` at the end."""

    def __init__(self, root: Path, beside: "Recording | None" = None) -> None:
        """`beside`: another one that this test talks to as well; they share the folder of their sockets."""
        self.module = "app"  # or one that starts it changed
        self.workspace = Workspace.at(root)
        self.errors = root.parent / f"{root.name}.stderr"
        self.output = root.parent / f"{root.name}.stdout"
        self.environment = environment(root)
        if beside is not None:
            self.environment["XDG_RUNTIME_DIR"] = beside.environment["XDG_RUNTIME_DIR"]
        os.environ["XDG_RUNTIME_DIR"] = self.environment["XDG_RUNTIME_DIR"]  # the control client looks there, too
        self.client = ControlClient(self.workspace)
        self.process: subprocess.Popen[bytes] | None = None

    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", self.module, *arguments, "--workspace", str(self.workspace.root)]

    def spawn(self, *arguments: str, variables: Mapping[str, str] | None = None) -> "Recording":
        """Start `record` and return at once."""
        assert self.process is None, "it runs already"
        with self.output.open("wb") as output, self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                self.argv("record", *arguments), stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                env={**self.environment, **(variables or {})}, cwd=REPOSITORY,
            )  # fmt: skip
        return self

    def start(self, *arguments: str, variables: Mapping[str, str] | None = None) -> "Recording":
        """Start `record` and return when it is connected."""
        self.spawn(*arguments, variables=variables)
        self.connected()
        return self

    def run(self, *arguments: str, variables: Mapping[str, str] | None = None, limit_s: float = 60) -> tuple[int, str]:
        """`record` to its end: exit code and what it said on stderr."""
        self.spawn(*arguments, variables=variables)
        assert self.process is not None
        code = self.process.wait(limit_s)
        self.process = None
        return code, self.errors.read_text()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def state(self) -> RecorderState:
        return self.client.hello("cli")

    def when(self, predicate: Callable[[RecorderState], object], what: str, limit_s: float = 20.0) -> RecorderState:
        """Wait for a state of the recorder, which may only just be starting, and return it."""

        def asked() -> RecorderState | None:
            try:
                state = self.state
            except EnvironmentProblem as error:
                assert self.process is None or self.process.poll() is None, self.errors.read_text()
                if not error.problem.code.startswith("recorder."):
                    raise
                return None
            return state if predicate(state) else None

        found = until(asked, what, limit_s)
        assert found is not None
        return found

    def connected(self, limit_s: float = 20.0) -> RecorderState:
        return self.when(lambda state: state.link is Link.CONNECTED, "the recorder is connected", limit_s)

    def stored(self, count: int, limit_s: float = 20.0) -> RecorderState:
        """Wait until so many messages are stored since this run began."""
        return self.when(lambda state: state.counters.stored >= count, f"{count} messages are stored", limit_s)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, and answer its exit code."""
        process, self.process = self.process, None
        assert process is not None
        self.client.close()
        process.send_signal(how)
        return process.wait(30)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def close(self) -> None:
        self.client.close()
        if self.process is not None:
            self.kill()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Another command on the same workspace, to its end."""
        return subprocess.run(
            self.argv(*arguments), capture_output=True, env=self.environment, cwd=REPOSITORY, check=False
        )

    def export(self, dataset: str) -> list[dict[str, str]]:
        """The exported CSV, read back."""
        return exported(self.workspace, dataset)

    def info(self) -> dict[str, Any]:
        return store_info(self.workspace)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children(recursive=True)

    def log(self) -> str:
        return self.workspace.log.read_text()


def exported(workspace: Workspace, dataset: str) -> list[dict[str, str]]:
    """The exported CSV, read back; made in this process, as tests ask again and again."""
    written = io.BytesIO()
    export(workspace, dataset, written)
    return list(csv.DictReader(io.StringIO(written.getvalue().decode("utf-8"), newline="")))


def unguarded(cell: str) -> str:
    """A text cell of an exported CSV without the `'` that keeps spreadsheets from computing it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] and cell[1] in "=+-@\t\r'" else cell


def payload_of(row: Mapping[str, str]) -> bytes:
    """The payload of a row of `export messages`, as it was sent."""
    text = unguarded(row["payload"])
    return base64.b64decode(text) if row["payload_encoding"] == "base64" else text.encode()
