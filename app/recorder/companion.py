"""Who talks to our own broker from the first moment, so that there is something to see: this computer as an agent, or in a
demo a simulated fleet. Each is a command of ours, run as a child."""

import platform
import secrets
from collections.abc import Callable
from pathlib import Path

from app.own_process import PASSWORD_VARIABLE, own_command
from app.recorder.child import Child
from app.recorder.embedded_broker import Access
from app.settings import Demo
from models.domain.clock import Clock
from models.domain.problems import ExitCode

PROCESSES = 8
Words = Callable[[str, dict[str, int]], list[str]]
"""The command's words for the address of the broker, and for processes of ours by name."""


class Companion:
    """Main thread only."""

    def __init__(self, name: str, output: Path, words: Words, clock: Clock) -> None:
        """`words` is asked anew for each start."""
        self._child = Child(name, clock, output)
        self._words = words
        self._access: Access | None = None
        self._pids: dict[str, int] = {}

    @property
    def pid(self) -> int:
        return self._child.pid

    def start(self, access: Access, pids: dict[str, int]) -> None:
        """`pids`: processes of ours that are shown whatever they use, by name. Ends one that runs already."""
        self._child.stop()
        self._access, self._pids = access, pids
        self._restart()

    def keep(self) -> None:
        """Call about every second: starts it again when it died. One that refused its arguments is left alone."""
        if self._child.exit_code != ExitCode.USAGE:
            self._child.keep(self._restart)

    def stop(self) -> None:
        """End it; it says goodbye."""
        self._child.stop()

    def _restart(self) -> None:
        access = self._access
        assert access is not None, "start() comes first"
        words = self._words(access.connection.url, self._pids)
        self._child.start(own_command(*words), {PASSWORD_VARIABLE: access.secret.value})


def host_agent(folder: Path, clock: Clock) -> Companion:
    """Figures of this computer, its busiest programs, the broker and the recorder."""

    def words(url: str, pids: dict[str, int]) -> list[str]:
        also = [word for name, pid in pids.items() for word in ("--also-pid", f"{name}={pid}")]
        return ["agent", "--broker", url, "--id", host_id(), "--processes", str(PROCESSES), *also]

    return Companion("the agent of this computer", folder / "host-agent.log", words, clock)


def demo_fleet(folder: Path, clock: Clock, demo: Demo) -> Companion:
    """A simulated fleet that tells a story."""

    def words(url: str, _pids: dict[str, int]) -> list[str]:
        numbers = {"--agents": demo.agents, "--rate": demo.rate, "--speed": demo.speed, "--seed": secrets.randbits(31)}
        return ["simulate", "--broker", url, "--story", *(str(one) for pair in numbers.items() for one in pair)]

    return Companion("the simulated fleet", folder / "demo-fleet.log", words, clock)


def host_id() -> str:
    """Name of this computer, fit for one level of a topic."""
    name = platform.node().split(".")[0] or "this-computer"
    return "".join("-" if char in "/+#\0" else char for char in name)
