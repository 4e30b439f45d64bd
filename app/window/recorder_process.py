"""Starting a recorder for this window, and ending one that hangs. Blocks; knows no Qt."""

import json
import logging
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

import psutil

from app.own_process import child_environment, own_command
from models.domain.problems import trouble

END_LIMIT_S = 3.0
LAST_WORDS_BYTES = 4_096
SAME_START_S = 3.0  # start times wobble when the wall clock is set

log = logging.getLogger(__name__)


class RecorderProcess:
    """A recorder that this window started, in a session of its own: it outlives a window that crashes.

    What it says on stderr goes to a nameless file; its last lines say why it ended, should it end.
    """

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process has ended
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._words,
            start_new_session=True,
            env=environment,
            cwd=tempfile.gettempdir(),  # never hold on to a folder that somebody may want to unmount
        )
        self._ready = threading.Event()
        threading.Thread(target=self._listen, name="recorder-stdout", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ready(self) -> bool:
        """Has it said that it is ready?"""
        return self._ready.is_set()

    def ended(self) -> tuple[int, str] | None:
        """Exit code (negative: the signal that killed it) and last words without a full stop, once it has ended."""
        code = self._process.poll()
        if code is None:
            return None
        words = self._last_words()
        self._words.close()
        log.warning("the recorder (process %s) ended with %s: %s", self.pid, code, words)
        lines = words.strip().splitlines()
        return code, lines[-1].removeprefix("murmurscope: ").rstrip(".") if lines else _how(code)

    def _last_words(self) -> str:
        size = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, size - LAST_WORDS_BYTES))
        return self._words.read().decode("utf-8", "replace")

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:  # read to the end, that it never waits for us
            for line in lines:
                try:
                    said = json.loads(line)
                except ValueError:
                    continue
                if isinstance(said, dict) and said.get("ready"):
                    self._ready.set()


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.strsignal(-code) or f"signal {-code}"


def start_recorder(workspace: Path) -> RecorderProcess:
    """Start one for a workspace; it ends some seconds after the last window. Raises `EnvironmentProblem`
    "recorder.failing" where not even its process can be made."""
    command = own_command("record", "--with-window", "--workspace", str(workspace))
    try:
        return RecorderProcess(command, child_environment())
    except OSError as error:
        raise trouble("recorder.failing", detail=error.strerror or str(error)) from error


def end_recorder(pid: int, start_time: float) -> bool:
    """End a process that does not answer: it is asked first, then killed. False where `pid` is not the process that
    began at `start_time` (Unix seconds): pids are used again."""
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - start_time) > SAME_START_S or process.uids().real != os.getuid():
            return False
        process.terminate()
        try:
            process.wait(END_LIMIT_S)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(END_LIMIT_S)
    except psutil.NoSuchProcess:
        return True
    except (psutil.AccessDenied, psutil.TimeoutExpired) as error:
        log.warning("the recorder (process %s) could not be ended: %s", pid, error)
        return False
    return True
