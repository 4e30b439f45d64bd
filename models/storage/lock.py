"""One recorder at a time: a lock on `recorder.lock`, with a note in it that says who holds it and when it last lived."""

import contextlib
import datetime
import fcntl
import json
import os
import platform
import time
from typing import NamedTuple

import psutil

from models.domain.clock import Clock
from models.domain.problems import trouble
from models.storage.access import prepare_folder
from models.storage.store_errors import environment_problem
from models.storage.workspace import Workspace

FRESH_BEAT_US = 30_000_000
"""A lock of another computer counts while its heartbeat is younger than this."""
_NOTE_BYTES = 1024  # always written whole and at once, so that no reader sees half a note
_TRIES, _PAUSE_S = 20, 0.01  # somebody who only looks holds the lock for microseconds
_SAME_START_S = 3.0  # start times wobble when the wall clock is set


def own_host() -> str:
    """The name of this computer, as notes carry it."""
    return platform.node()


class LockState(NamedTuple):
    """What a look at the lock tells. `held`: by a process of this computer, now. `alive`: the process of the note runs on
    this computer. Times are wall µs; 0, "" where there is no note."""

    held: bool
    pid: int
    host: str
    version: str
    since_us: int
    beat_us: int
    alive: bool
    start_time: float


class RecorderLock:
    """Held by the recorder as long as it lives; the operating system lets go of it when the process ends in any way."""

    def __init__(self, workspace: Workspace, clock: Clock) -> None:
        self._workspace = workspace
        self._clock = clock
        self._handle = -1
        self._note: dict[str, object] = {}

    def acquire(self, version: str) -> None:
        """Take the lock and write the note.

        Raises `EnvironmentProblem` workspace.busy, workspace.busy-elsewhere, and those of `prepare_folder`.
        """
        prepare_folder(self._workspace)
        path = self._workspace.lock
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise (environment_problem(error, path) or error) from error
        try:
            note = _read_note(handle)
            if not _try_lock(handle):
                note = _read_note(handle)
                raise trouble("workspace.busy", pid=_int(note, "pid"), since=_iso(_int(note, "started_us")))
            host, beat_us = str(note.get("host", "")), _int(note, "beat_us")
            if host and host != platform.node() and abs(self._clock.wall_us() - beat_us) < FRESH_BEAT_US:
                raise trouble("workspace.busy-elsewhere", host=host)
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        now_us = self._clock.wall_us()
        self._note = {
            "pid": os.getpid(), "start_time": psutil.Process().create_time(), "host": platform.node(), "version": version,
            "started_us": now_us,
        }  # fmt: skip
        self.beat()

    def beat(self) -> None:
        """Say that we live; call it every few seconds. Any thread. Raises `OSError`-based `EnvironmentProblem`."""
        try:
            _write_note(self._handle, {**self._note, "beat_us": self._clock.wall_us()})
        except OSError as error:
            raise (environment_problem(error, self._workspace.lock) or error) from error

    def release(self) -> None:
        """Let go; safe to call twice. The file stays, as another process may already wait on it."""
        if self._handle < 0:
            return
        handle, self._handle = self._handle, -1
        try:
            with contextlib.suppress(OSError):  # a full disk must not keep the lock
                _write_note(handle, {})
        finally:
            os.close(handle)


def read_lock(workspace: Workspace) -> LockState:
    """Look at the lock without taking it. Any thread or process."""
    try:
        handle = os.open(workspace.lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return LockState(False, 0, "", "", 0, 0, False, 0.0)
    try:
        note = _read_note(handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            held = False
        except BlockingIOError:
            held = True
    finally:
        os.close(handle)
    pid, host = _int(note, "pid"), str(note.get("host", ""))
    started = note.get("start_time")
    start_time = float(started) if isinstance(started, (int, float)) else 0.0
    alive = host == platform.node() and _runs(pid, start_time)
    version = str(note.get("version", ""))
    return LockState(held, pid, host, version, _int(note, "started_us"), _int(note, "beat_us"), alive, start_time)


def _try_lock(handle: int) -> bool:
    for attempt in range(_TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if attempt < _TRIES - 1:
                time.sleep(_PAUSE_S)
    return False


def _runs(pid: int, start_time: float) -> bool:
    try:
        return pid > 0 and abs(psutil.Process(pid).create_time() - start_time) < _SAME_START_S
    except psutil.Error:
        return False


def _read_note(handle: int) -> dict[str, object]:
    try:
        note = json.loads(os.pread(handle, _NOTE_BYTES, 0) or b"{}")
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}


def _write_note(handle: int, note: dict[str, object]) -> None:
    text = json.dumps(note).encode()
    os.pwrite(handle, text.ljust(_NOTE_BYTES), 0)


def _int(note: dict[str, object], key: str) -> int:
    value = note.get(key)
    return int(value) if isinstance(value, (int, float)) else 0


def _iso(us: int) -> str:
    moment = datetime.datetime.fromtimestamp(us / 1e6, datetime.UTC) if us else None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else "?"
