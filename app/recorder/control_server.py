"""The recorder's end of the control channel: a Unix socket that only this user reaches, one thread for each client."""

import contextlib
import errno
import logging
import os
import socket
import stat
import struct
import threading
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from app.control_wire import (
    LINE_LIMIT_BYTES,
    connection_from,
    decode_line,
    encode_line,
    message_from,
    peer_is_ours,
    problem_to,
)
from app.version import VERSION
from models.domain.clock import Clock
from models.domain.connection import Connection, Secret
from models.domain.control import PROTOCOL_VERSION, RecorderState, StepState, TestStep, Verb
from models.domain.problems import EnvironmentProblem, Problem, trouble
from models.domain.publishing import OutgoingMessage, Published
from models.domain.recorded import ImportProgress, ImportResult, OnProgress

MOST_CLIENTS = 64
SEND_LIMIT_S = 5
ACCEPT_SLICE_S = 0.5
_LOG = logging.getLogger(__name__)

Report = Callable[[TestStep, StepState, Problem | None], None]


class Verbs(Protocol):
    """What clients may ask of the recorder. Called from the clients' threads, several at a time."""

    def state(self) -> RecorderState: ...
    def submit(self, commands: list[dict[str, object]]) -> None: ...
    def secret(self, secret: Secret) -> None: ...
    def test_connection(self, connection: Connection, secret: Secret | None, report: Report) -> None: ...
    def publish(self, message: OutgoingMessage) -> Published: ...
    def import_files(self, paths: list[Path], on_progress: OnProgress, *, again: bool) -> ImportResult: ...
    def wake(self) -> None: ...
    def stop(self) -> None: ...


class ControlServer:
    """Listens from `start()` to `close()`. Only for whoever holds the lock of the workspace: it removes a socket that is there."""

    def __init__(self, path: Path, verbs: Verbs, clock: Clock, beat: Callable[[], None]) -> None:
        self._path = path
        self._verbs = verbs
        self._clock = clock
        self._beat = beat
        self._lock = threading.Lock()
        self._clients: set[_Client] = set()
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
            client = _Client(connected, self)
            with self._lock:
                self._clients.add(client)
            client.thread.start()

    def met_window(self) -> None:
        """A client told that it is a window."""
        with self._lock:
            self._windows_seen = True

    def left(self, client: "_Client") -> None:
        """A client hung up."""
        with self._lock:
            self._clients.discard(client)
            if client.role == "window":
                self._last_window_us = self._clock.monotonic_us()

    @property
    def verbs(self) -> Verbs:
        return self._verbs


class _HungUpError(Exception):
    """The client is gone, or does not read its answers."""


class _Client:
    """One connection: requests are answered one after the other, by a thread of its own."""

    def __init__(self, connected: socket.socket, server: ControlServer) -> None:
        self.role = ""
        self._socket = connected
        self._server = server
        connected.settimeout(None)
        # one that does not read its answers must not hold a thread for ever
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_LIMIT_S, 0))
        self.thread = threading.Thread(target=self._serve, name="control-client", daemon=True)

    def hang_up(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it hung up first

    def _serve(self) -> None:
        try:
            with self._socket, self._socket.makefile("rb") as stream:
                while line := stream.readline(LINE_LIMIT_BYTES + 1):
                    if len(line) > LINE_LIMIT_BYTES:
                        self._refuse(None, Problem("recorder.request", {"detail": "a line over 1 MiB"}))
                        return
                    self._answer(line)
        except (OSError, _HungUpError):
            pass  # hung up in the middle of a line or an answer
        finally:
            self._server.left(self)

    def _answer(self, line: bytes) -> None:
        number: object = None
        try:
            request = decode_line(line)
            number = request.get("id")
            answer = self._carry_out(number, request)
        except EnvironmentProblem as error:
            self._refuse(number, error.problem)
        except _HungUpError:
            raise
        except Exception as error:  # noqa: BLE001 - one client's bad luck must not cost the others theirs; it is logged
            _LOG.exception("a request on the control channel failed")
            self._refuse(number, Problem("recorder.request", {"detail": type(error).__name__}))
        else:
            try:
                self._send({"id": number, "ok": True, **answer})
            finally:
                if request.get("verb") == Verb.STOP:
                    self._server.verbs.stop()

    def _carry_out(self, number: object, request: dict[str, Any]) -> dict[str, Any]:
        verbs = self._server.verbs
        match request.get("verb"):
            case Verb.HELLO:
                return {"state": self._hello(request)}
            case Verb.SUBMIT:
                commands = request.get("commands")
                if not isinstance(commands, list) or not all(isinstance(one, dict) for one in commands):
                    raise trouble("recorder.request", detail="commands is not a list of objects")
                verbs.submit(commands)
            case Verb.SECRET:
                verbs.secret(_secret(request) or Secret(""))
            case Verb.TEST_CONNECTION:
                connection = connection_from(request.get("connection"))
                verbs.test_connection(connection, _secret(request), lambda *step: self._send_step(number, *step))
            case Verb.PUBLISH:
                return {"published": verbs.publish(message_from(request.get("message")))}
            case Verb.IMPORT:
                again = request.get("again") is True
                told = partial(self._send_progress, number)
                return {"result": verbs.import_files(_paths(request), told, again=again)}
            case Verb.WAKE:
                verbs.wake()
            case Verb.STOP:
                pass  # once it is answered: the end hangs up
            case other:
                raise trouble("recorder.request", detail=f"unknown verb {str(other)[:40]!r}")
        return {}

    def _hello(self, request: dict[str, Any]) -> RecorderState:
        if request.get("protocol") != PROTOCOL_VERSION:
            raise trouble("recorder.version", found=VERSION)
        role = request.get("role")
        if role not in ("window", "cli"):
            raise trouble("recorder.request", detail="role is neither window nor cli")
        self.role = role
        if role == "window":
            self._server.met_window()
        return self._server.verbs.state()

    def _send_step(self, number: object, step: TestStep, state: StepState, problem: Problem | None) -> None:
        told = {} if problem is None else {"problem": problem_to(problem)}
        self._send({"id": number, "step": step, "state": state, **told})

    def _send_progress(self, number: object, progress: ImportProgress) -> None:
        self._send({"id": number, **asdict(progress)})

    def _refuse(self, number: object, problem: Problem) -> None:
        self._send({"id": number, "ok": False, "problem": problem_to(problem)})

    def _send(self, message: dict[str, Any]) -> None:
        line = encode_line(message)
        try:
            self._socket.sendall(line)
        except OSError as error:  # told apart from one that a request raised
            raise _HungUpError from error


def _make_folder(folder: Path) -> None:
    """Of the socket, for this user alone. Raises `OSError` where others could put a socket there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "its folder belongs to somebody else")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(errno.EPERM, "others may write in its folder")


def _paths(request: dict[str, Any]) -> list[Path]:
    files = request.get("files")
    if not isinstance(files, list) or not files or not all(isinstance(one, str) and "\0" not in one for one in files):
        raise trouble("recorder.request", detail="files is not a list of paths")
    return [Path(one) for one in files]


def _secret(request: dict[str, Any]) -> Secret | None:
    password = request.get("password")
    if password is not None and not isinstance(password, str):
        raise trouble("recorder.request", detail="password is not text")
    return Secret(password) if password else None
