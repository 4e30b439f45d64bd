"""One client of the control channel: what it asks, and what it is answered."""

import logging
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from app.control_wire import LINE_LIMIT_BYTES, connection_from, decode_line, encode_line, message_from, problem_to
from app.version import VERSION
from models.domain.connection import Connection, Secret
from models.domain.control import PROTOCOL_VERSION, RecorderState, StepState, TestStep, Verb
from models.domain.problems import EnvironmentProblem, Problem, trouble
from models.domain.publishing import OutgoingMessage, Published
from models.domain.recorded import ImportProgress, ImportResult, OnProgress, RereadProgress, RereadResult

SEND_LIMIT_S = 5
_LOG = logging.getLogger(__name__)

Report = Callable[[TestStep, StepState, Problem | None], None]


class Verbs(Protocol):
    """What clients may ask of the recorder. Called from the clients' threads, several at a time."""

    def state(self) -> RecorderState: ...
    def submit(self, commands: list[dict[str, object]]) -> None: ...
    def secret(self, secret: Secret) -> None: ...
    def test_connection(self, connection: Connection, secret: Secret | None, report: Report) -> None: ...
    def publish(self, message: OutgoingMessage) -> Published: ...
    def import_files(
        self, paths: list[Path], on_progress: OnProgress, *, again: bool, make_room: bool
    ) -> ImportResult: ...
    def reread(self, since_us: int, until_us: int, on_progress: Callable[[RereadProgress], None]) -> RereadResult: ...
    def task(self, request: dict[str, Any]) -> list[str]: ...
    def wake(self, *, anew: bool = False) -> None: ...
    def stop(self) -> None: ...


class _HungUpError(Exception):
    """The client is gone, or does not read its answers."""


class ControlLine:
    """`thread` answers its requests one after the other until it hangs up."""

    def __init__(
        self, connected: socket.socket, verbs: Verbs, met_window: Callable[[], None], left: Callable[["ControlLine"], None]
    ) -> None:  # fmt: skip
        """`met_window` is called when the client says that it is one, `left` at its end, both by `thread`."""
        self.role = ""
        self._socket = connected
        self._verbs = verbs
        self._met_window = met_window
        self._left = left
        connected.settimeout(None)
        # one that does not read its answers must not hold a thread for ever
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_LIMIT_S, 0))
        self.thread = threading.Thread(target=self._serve, name="control-client", daemon=True)

    def hang_up(self) -> None:
        """Any thread."""
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
            self._left(self)

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
                    self._verbs.stop()

    def _carry_out(self, number: object, request: dict[str, Any]) -> dict[str, Any]:
        verbs = self._verbs
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
                again, make_room = request.get("again") is True, request.get("make_room") is True
                told = partial(self._send_progress, number)
                return {"result": verbs.import_files(_paths(request), told, again=again, make_room=make_room)}
            case Verb.REREAD:
                return {"result": self._reread(number, request)}
            case Verb.TASK:
                return {"tasks": verbs.task(request)}
            case Verb.WAKE:
                verbs.wake(anew=request.get("anew") is True)
            case Verb.STOP:
                pass  # once it is answered: the end hangs up
            case other:
                raise trouble("recorder.request", detail=f"unknown verb {str(other)[:40]!r}")
        return {}

    def _reread(self, number: object, request: dict[str, Any]) -> RereadResult:
        since_us, until_us = request.get("since_us", 0), request.get("until_us", 0)
        if type(since_us) is not int or type(until_us) is not int:
            raise trouble("recorder.request", detail="since_us and until_us are no times")
        return self._verbs.reread(since_us, until_us, partial(self._send_progress, number))

    def _hello(self, request: dict[str, Any]) -> RecorderState:
        if request.get("protocol") != PROTOCOL_VERSION:
            raise trouble("recorder.version", found=VERSION)
        role = request.get("role")
        if role not in ("window", "cli"):
            raise trouble("recorder.request", detail="role is neither window nor cli")
        self.role = role
        if role == "window":
            self._met_window()
        return self._verbs.state()

    def _send_step(self, number: object, step: TestStep, state: StepState, problem: Problem | None) -> None:
        told = {} if problem is None else {"problem": problem_to(problem)}
        self._send({"id": number, "step": step, "state": state, **told})

    def _send_progress(self, number: object, progress: ImportProgress | RereadProgress) -> None:
        self._send({"id": number, **asdict(progress)})

    def _refuse(self, number: object, problem: Problem) -> None:
        self._send({"id": number, "ok": False, "problem": problem_to(problem)})

    def _send(self, message: dict[str, Any]) -> None:
        line = encode_line(message)
        try:
            self._socket.sendall(line)
        except OSError as error:  # told apart from one that a request raised
            raise _HungUpError from error


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
