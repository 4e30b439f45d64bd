"""The recorder's end of the control channel: a Unix socket that only this user reaches, one thread for each client."""

import contextlib
import errno
import logging
import os
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path

from app.control_wire import peer_is_ours
from app.recorder.control_line import ControlLine, Verbs
from models.domain.clock import Clock
from models.domain.problems import trouble

MOST_CLIENTS = 64
ACCEPT_SLICE_S = 0.5
_LOG = logging.getLogger(__name__)


class ControlServer:
    """Listens from `start()` to `close()`. Only for whoever holds the lock of the workspace: it removes a socket that is there."""

    def __init__(self, path: Path, verbs: Verbs, clock: Clock, beat: Callable[[], None]) -> None:
        self._path = path
        self._verbs = verbs
        self._clock = clock
        self._beat = beat
        self._lock = threading.Lock()
        self._clients: set[ControlLine] = set()
        self._windows_seen = False
        self._last_window_us = clock.monotonic_us()
        self._closing = threading.Event()
        self._listener: socket.socket | None = None
        self.thread = threading.Thread(target=self._accept, name="control", daemon=True)

    def start(self) -> None:
        """Raises `EnvironmentProblem` "file.unusable" where the socket cannot be made."""
        try:
            _make_folder(self._path.parent)
            self._path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(str(self._path))  # umask 077 holds already, but say what is meant
            self._path.chmod(0o600)
            listener.listen(MOST_CLIENTS)
            listener.settimeout(ACCEPT_SLICE_S)
        except OSError as error:
            raise trouble("file.unusable", path=str(self._path), detail=error.strerror or str(error)) from error
        self._listener = listener
        self.thread.start()

    def close(self) -> None:
        """Hang up on everybody and remove the socket."""
        self._closing.set()
        if self._listener is None:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as knock:
            knock.connect(str(self._path))  # wakes accept()
        self.thread.join()
        self._listener.close()
        self._path.unlink(missing_ok=True)
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.hang_up()

    def without_window_us(self) -> tuple[bool, int]:
        """Did a window ever say hello, and for how long has there been none (0: there is one)?"""
        with self._lock:
            if any(client.role == "window" for client in self._clients):
                return True, 0
            return self._windows_seen, self._clock.monotonic_us() - self._last_window_us

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._closing.is_set():
            self._beat()
            try:
                connected, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as error:  # as when too many files are open: later there may be fewer
                _LOG.warning("no client of the control channel can be heard: %s", error)
                self._closing.wait(ACCEPT_SLICE_S)
                continue
            if self._closing.is_set():
                connected.close()
                return
            if not peer_is_ours(connected) or len(self._clients) >= MOST_CLIENTS:
                _LOG.warning("a client of the control channel was turned away")
                connected.close()
                continue
            client = ControlLine(connected, self._verbs, self._meet_window, self._leave)
            with self._lock:
                self._clients.add(client)
            client.thread.start()

    def _meet_window(self) -> None:
        with self._lock:
            self._windows_seen = True

    def _leave(self, client: ControlLine) -> None:
        with self._lock:
            self._clients.discard(client)
            if client.role == "window":
                self._last_window_us = self._clock.monotonic_us()


def _make_folder(folder: Path) -> None:
    """Of the socket, for this user alone. Raises `OSError` where others could put a socket there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "its folder belongs to somebody else")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(errno.EPERM, "others may write in its folder")
