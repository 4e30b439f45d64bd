"""A command of ours as a child process that tells how far it is (`app.cli.telling`), and ends at once when it is asked to."""

import json
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal, Slot

from app.cli.telling import OPTION
from app.own_process import child_environment, own_command
from models.domain.problems import PROBLEMS, ExitCode, Problem

KILL_AFTER_MS = 3_000
"""A child that does not end by itself is ended."""
LONGEST_LINE = 1_000_000

log = logging.getLogger(__name__)


class ChildJob(QObject):
    """One run. After `ended` nothing comes any more. GUI thread."""

    told = Signal(str, dict)
    """A line: progress, finding or result, with its values."""
    ended = Signal(object, bool)
    """The problem (None: it ended well), and whether it was cancelled."""

    def __init__(self, arguments: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cancelled = False
        self._problem: Problem | None = None
        self._rest = b""
        self._words: list[str] = []
        program, *whole = own_command(*arguments, OPTION)
        environment = QProcessEnvironment()
        for name, value in child_environment().items():
            environment.insert(name, value)
        self._process = QProcess(self)
        self._process.setProgram(program)
        self._process.setArguments(whole)
        self._process.setProcessEnvironment(environment)
        self._process.setStandardOutputFile(QProcess.nullDevice())
        self._process.setStandardInputFile(QProcess.nullDevice())
        self._process.readyReadStandardError.connect(self._read)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._failed)
        self._impatient = QTimer(self, singleShot=True, interval=KILL_AFTER_MS)
        self._impatient.timeout.connect(self._process.kill)

    def start(self) -> None:
        self._process.start()

    def cancel(self) -> None:
        """As Ctrl+C: it takes away what is unfinished, then `ended` comes."""
        if self._cancelled:
            return
        self._cancelled = True
        pid = self._process.processId()
        if pid:
            os.kill(pid, signal.SIGINT)
            self._impatient.start()

    def shutdown(self) -> None:
        """Cancel and wait for the end."""
        self._hear_no_more()
        self.cancel()
        if not self._process.waitForFinished(KILL_AFTER_MS):
            self._kill()

    def end_at_once(self) -> None:
        """End it without giving it the time to take anything away."""
        self._hear_no_more()
        self._kill()

    def _hear_no_more(self) -> None:
        self._process.finished.disconnect(self._finished)
        self._process.errorOccurred.disconnect(self._failed)

    def _kill(self) -> None:
        self._process.kill()
        self._process.waitForFinished(KILL_AFTER_MS)

    @Slot()
    def _read(self) -> None:
        *lines, self._rest = (self._rest + bytes(self._process.readAllStandardError().data())).split(b"\n")
        self._rest = self._rest[-LONGEST_LINE:]
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            told = json.loads(line)
        except ValueError:
            told = None
        if not isinstance(told, dict) or len(told) != 1 or not isinstance(next(iter(told.values())), dict):
            self._words.append(line.decode(errors="replace"))  # a traceback, or a library's complaint
            return
        ((kind, values),) = told.items()
        if kind == "problem":
            self._problem = _problem(values)
        else:
            self.told.emit(kind, values)

    @Slot(int, QProcess.ExitStatus)
    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._impatient.stop()
        self._read()
        well = status is QProcess.ExitStatus.NormalExit and code in (ExitCode.OK, ExitCode.FAILED)
        problem = self._problem
        if self._words and not self._cancelled:
            log.error("a command that was started says: %s", "\n".join(self._words))
        if problem is None and (self._words or not well) and not self._cancelled:
            last = self._words[-1] if self._words else f"code {code}"
            problem = Problem("job.died", {"detail": last})
        ended_by_itself = code in (ExitCode.OK, ExitCode.FAILED) and not self._words  # else it had not even begun
        self.ended.emit(problem, self._cancelled and not ended_by_itself)

    @Slot(QProcess.ProcessError)
    def _failed(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:  # then `finished` never comes
            self.ended.emit(Problem("job.died", {"detail": self._process.errorString()}), self._cancelled)


def _problem(values: Mapping[str, Any]) -> Problem:
    code, params = str(values.get("code")), values.get("params")
    if code not in PROBLEMS or not isinstance(params, dict):
        return Problem("job.died", {"detail": code})
    return Problem(code, params)
