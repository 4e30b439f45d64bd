"""The computer that we run on as an agent: our own `agent` command as a child, so that a first start has something to show."""

import platform
from pathlib import Path

from app.own_process import PASSWORD_VARIABLE, own_command
from app.recorder.child import Child
from app.recorder.embedded_broker import Access
from models.domain.clock import Clock
from models.domain.problems import ExitCode

PROCESSES = 8


class HostAgent:
    """Publishes figures of this computer, its busiest programs, the broker and the recorder. Main thread only."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._child = Child("the agent of this computer", clock, folder / "host-agent.log")
        self._argv: list[str] = []
        self._environment: dict[str, str] = {}

    @property
    def pid(self) -> int:
        return self._child.pid

    def start(self, access: Access, pids: dict[str, int]) -> None:
        """`pids`: processes of ours that are shown whatever they use, by name. Ends one that runs already."""
        self._child.stop()
        also = [word for name, pid in pids.items() for word in ("--also-pid", f"{name}={pid}")]
        self._argv = own_command(
            "agent", "--broker", access.connection.url, "--id", host_id(), "--processes", str(PROCESSES), *also
        )
        self._environment = {PASSWORD_VARIABLE: access.secret.value}
        self._restart()

    def keep(self) -> None:
        """Call about every second: starts it again when it died. One that refused its arguments is left alone."""
        if self._child.exit_code != ExitCode.USAGE:
            self._child.keep(self._restart)

    def stop(self) -> None:
        """End it; it says goodbye."""
        self._child.stop()

    def _restart(self) -> None:
        self._child.start(self._argv, self._environment)


def host_id() -> str:
    """Name of this computer, fit for one level of a topic."""
    name = platform.node().split(".")[0] or "this-computer"
    return "".join("-" if char in "/+#\0" else char for char in name)
