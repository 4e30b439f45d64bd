"""History read again with the present rules: read by somebody who holds nobody up, shown by the one that writes."""

import logging
import os
import selectors
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from app.control_wire import decode_line, problem_from, reread_progress_from
from app.own_process import child_environment, own_command
from app.recorder.child import bound_to_parent
from app.recorder.import_run import HandOver, nobody
from app.recorder.ports import RereadStore
from app.recorder.reread_history import OnProgress, RereadHistory
from models.domain.clock import Clock
from models.domain.problems import EnvironmentProblem, trouble
from models.domain.recorded import RereadProgress, RereadResult
from models.domain.rules import Rules
from models.storage.rereading.renumbering import renumber
from models.storage.rereading.reread_writer import OnSwapped
from models.storage.workspace import Workspace

_LOG = logging.getLogger(__name__)
_PAUSE_S = 0.2
_END_LIMIT_S = 5.0


class History(Protocol):
    """Reads stored messages again, in whatever process."""

    def read(self, segments: Sequence[int], prefix: str, on_progress: OnProgress) -> int:
        """Make the shadow; answers how many segments cannot be read whole."""
        ...

    def renumber(self, on_progress: OnProgress) -> None: ...


class Rereader:
    """Any thread, several at a time: the store admits one."""

    def __init__(
        self, store: RereadStore, history: History, hand_over: HandOver, on_swapped: OnSwapped
    ) -> None:  # fmt: skip
        """`on_swapped` is called in the thread that writes."""
        self._store, self._history, self._hand_over, self._on_swapped = store, history, hand_over, on_swapped

    def run(self, since_us: int, until_us: int, prefix: str, on_progress: OnProgress) -> RereadResult:
        """Read again what arrived in [since, until) (0: open end), whole segments; all of it or nothing: what `on_progress`
        raises throws all away. `prefix`: where our own contract's topics begin.

        Raises `EnvironmentProblem` import.busy, store.*, reread.failed.
        """
        progress = RereadProgress()

        def tell() -> None:
            on_progress(progress)

        def told(now: RereadProgress) -> None:
            nonlocal progress
            progress = now
            tell()

        writer = self._hand_over(partial(self._store.begin_reread, since_us, until_us, self._on_swapped), nobody)
        try:
            while (segments := self._hand_over(writer.wanted, tell)) is None:
                _pause()
            if not segments:
                self._hand_over(writer.cancel, nobody)
                return RereadResult()
            left = self._history.read(segments, prefix, told)
            while not self._hand_over(writer.number, tell):
                self._history.renumber(told)
            progress = replace(progress, waiting=True)
            while (result := self._hand_over(writer.swap_in, nobody)) is None:
                tell()
                _pause()
        except BaseException:
            try:
                self._hand_over(writer.cancel, nobody)
            except EnvironmentProblem as error:
                _LOG.warning("the next start of the program removes what was read again so far: %s", error)
            raise
        _LOG.info("%d messages in %d segments were read again", result.messages, result.segments)
        return replace(result, left_segments=left)


@dataclass(frozen=True, slots=True)
class HistoryHere:
    """In this process and thread."""

    workspace: Workspace
    rules: Rules
    clock: Clock

    def read(self, segments: Sequence[int], prefix: str, on_progress: OnProgress) -> int:
        history = RereadHistory(self.workspace, segments, prefix, self.rules, self.clock, on_progress)
        history.run()
        return len(history.left)

    def renumber(self, on_progress: OnProgress) -> None:
        on_progress(RereadProgress())
        renumber(self.workspace, self.clock)


@dataclass(frozen=True, slots=True)
class HistoryInChild:
    """In a process of low priority, which ends with this thread."""

    workspace: Workspace

    def read(self, segments: Sequence[int], prefix: str, on_progress: OnProgress) -> int:
        some = ",".join(map(str, segments))
        result = self._run(on_progress, "--segments", some, "--prefix", prefix)
        left = result.get("left")
        return left if isinstance(left, int) else 0

    def renumber(self, on_progress: OnProgress) -> None:
        self._run(on_progress, "--renumber")

    def _run(self, on_progress: OnProgress, *arguments: str) -> dict[str, object]:
        argv = own_command("reread-segments", "--workspace", str(self.workspace.root), "--tell-json", *arguments)
        process = subprocess.Popen(
            bound_to_parent(argv), env=child_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, cwd="/", start_new_session=True,
        )  # fmt: skip
        try:
            return self._follow(process, on_progress)
        finally:
            _end(process)

    def _follow(self, process: "subprocess.Popen[bytes]", on_progress: OnProgress) -> dict[str, object]:
        """To its end; `on_progress` hears of it several times a second, also while nothing is told."""
        assert process.stderr is not None
        progress, said, rest = RereadProgress(), "", b""
        result: dict[str, object] = {}
        os.set_blocking(process.stderr.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(process.stderr, selectors.EVENT_READ)
            while True:
                on_progress(progress)
                if not selector.select(_PAUSE_S):
                    continue
                if not (data := process.stderr.read(65_536)):
                    break
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    try:
                        told = decode_line(line)
                    except EnvironmentProblem:
                        said = line.decode(errors="replace")[-300:]  # a traceback
                        continue
                    if "problem" in told:
                        raise EnvironmentProblem(problem_from(told["problem"]))
                    if "progress" in told:
                        progress = reread_progress_from(told["progress"])
                    result = told.get("result", result)
        code = process.wait()
        if code:
            raise trouble("reread.failed", detail=said or f"it ended with code {code}")
        return result


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stderr is not None:
        process.stderr.close()


def _pause() -> None:
    """While others settle their files, or read them."""
    threading.Event().wait(_PAUSE_S)
