"""The main thread of the recorder: carries out what is asked, keeps children and threads alive, decides when to end."""

import json
import logging
import os
import queue
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from app.recorder.broker_link import BrokerLink
from app.recorder.control_server import ControlServer
from app.recorder.files_writer import FilesWriter
from app.recorder.ingest import Ingest
from app.recorder.late_reread import LateReread
from app.recorder.log_file import Faults
from app.recorder.sealing import Sealer
from app.recorder.tasks.desk import Desk
from app.recorder.watch import Watch
from models.domain.clock import Clock
from models.domain.control import Link
from models.domain.problems import EnvironmentProblem, ExitCode, Problem
from models.storage.lock import RecorderLock
from models.storage.workspace import Workspace

LOOK_S = 1.0
END_LIMIT_S = 10.0
NETWORK = "network"
NETWORK_LIMIT_US = 2_500_000
"""With what the link itself allows for a turn, and a look a second: noticed within five seconds."""
WINDOW_GONE_US = 5_000_000
WINDOW_AWAITED_US = 60_000_000
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EndRules:
    """`with_window`: end after the last window. `duration_s` None: until stopped."""

    with_window: bool = False
    duration_s: float | None = None


class Requests:
    """What other threads and signal handlers want of the main thread."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.exit_code: int | None = None  # set: end with it

    def ask(self, request: Callable[[], None]) -> None:
        """Have something run in the main thread. Any thread, and signal handlers."""
        self._waiting.put(request)

    def end(self, exit_code: int) -> None:
        """End soon; the first word counts. Any thread, and signal handlers."""
        if self.exit_code is None:
            self.exit_code = exit_code
        self.wake()

    def wake(self) -> None:
        """Something changed that the main thread should look at. Any thread."""
        self._waiting.put(lambda: None)

    def carry_out(self, limit_s: float) -> None:
        """Wait for requests, `limit_s` at most, and run them. Main thread."""
        try:
            self._waiting.get(timeout=limit_s)()
            while self.exit_code is None:
                self._waiting.get_nowait()()
        except queue.Empty:
            pass


class Supervisor:
    """`run()` returns the exit code when the recorder has ended."""

    def __init__(
        self, workspace: Workspace, lock: RecorderLock, link: BrokerLink, ingest: Ingest, desk: Desk, files: FilesWriter,
        sealer: Sealer, late: LateReread, control: ControlServer, watch: Watch, clock: Clock, rules: EndRules, requests: Requests,
        faults: Faults,
    ) -> None:  # fmt: skip
        self._workspace = workspace
        self._lock = lock
        self._link = link
        self._ingest = ingest
        self._desk = desk
        self._files = files
        self._sealer = sealer
        self._late = late
        self._control = control
        self._watch = watch
        self._clock = clock
        self._rules = rules
        self._requests = requests
        self._faults = faults
        self._started_us = clock.monotonic_us()
        self._printed: list[Problem] = []

    def run(self) -> int:
        """Raises `EnvironmentProblem` where our own broker is wanted and cannot be started, and nobody watches."""
        self._files.start()
        self._desk.thread.start()
        self._ingest.thread.start()
        try:
            self._control.start()
            self._link.wake()
            self._raise_what_nobody_sees()
            self._say_ready()
            while self._requests.exit_code is None:
                self._requests.carry_out(LOOK_S)
                self._look()
        finally:
            flushed = self._close()
        return self._requests.exit_code if flushed else ExitCode.FAILED

    def _look(self) -> None:
        try:
            self._lock.beat()
        except EnvironmentProblem as error:
            _LOG.warning("the heartbeat could not be written: %s", error)
        self._link.look()
        self._files.look()
        self._sealer.look()
        self._late.look()
        self._tell_problems()
        self._end_by_rule()
        if self._link.lives() or self._ingest.waits_for_disk:
            self._watch.beat(NETWORK)
        found = self._watch.look()
        if found is not None and found[0] == NETWORK:
            self._faults.tell("the network thread died or hangs: another one goes on")
            self._link.begin_again()
            self._watch.beat(NETWORK)
        elif found is not None:
            _LOG.critical("the %s thread is %s: the recorder ends", *found)
            self._requests.end(ExitCode.FAILED)

    def _raise_what_nobody_sees(self) -> None:
        view = self._link.view
        if view.embedded and view.problem is not None and not self._rules.with_window:
            raise EnvironmentProblem(view.problem)

    def _end_by_rule(self) -> None:
        view = self._link.view
        now_us = self._clock.monotonic_us()
        if self._rules.with_window:
            met, alone_us = self._control.without_window_us()
            if alone_us > (WINDOW_GONE_US if met else WINDOW_AWAITED_US):
                self._requests.end(ExitCode.OK)
        elif (
            view.link is Link.REFUSED
            and not view.ever_connected
            and view.problem is not None
            and not view.password_may_come
        ):
            self._requests.end(view.problem.kind.exit_code)
        duration_s = self._rules.duration_s
        if duration_s is not None and now_us - self._started_us >= duration_s * 1e6:
            self._requests.end(ExitCode.OK if view.ever_connected else ExitCode.CANNOT_CONNECT)

    def _tell_problems(self) -> None:
        """On stderr and in the log, each when it begins or changes."""
        view, ingest = self._link.view, self._ingest
        warnings = (
            *view.warnings,
            *ingest.warnings,
            *self._files.warnings,
            *self._sealer.warnings,
            *self._late.warnings,
            *self._desk.warnings,
        )
        present = [one for one in (view.problem, ingest.problem, *warnings) if one is not None]
        present = [Problem(one.code, one.params) for one in present]  # when it is tried again is no news
        for new in present:
            if new not in self._printed:
                _LOG.warning("%s", new.sentence())
                _say(sys.stderr, f"murmurscope: {new.sentence()}")
        self._printed = present

    def _say_ready(self) -> None:
        socket = str(self._workspace.socket)
        broker = self._link.view.broker_url
        _say(sys.stdout, json.dumps({"ready": True, "pid": os.getpid(), "socket": socket, "broker": broker}))

    def _close(self) -> bool:
        """True: everything that arrived is stored and closed."""
        self._control.close()
        self._sealer.stop()
        self._late.stop()
        self._ingest.finish()
        self._ingest.thread.join(END_LIMIT_S)
        self._desk.finish()  # after the last commit, of which it hears
        self._desk.thread.join(END_LIMIT_S)
        flushed = not self._ingest.thread.is_alive() and self._ingest.closed
        self._files.stop()
        if self._requests.exit_code is not None:  # else an exception tells
            self._tell_problems()
        if not flushed:
            _LOG.critical("not everything could be stored before the end; the broker keeps what is not acknowledged")
        self._link.stop()
        return flushed


def _say(stream: TextIO, line: str) -> None:
    try:
        print(line, file=stream, flush=True)
    except OSError:
        pass  # nobody listens there any more
