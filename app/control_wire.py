"""Lines of the control channel as bytes and back, for both ends. What the lines mean stands in `models.domain.control`."""

import os
import socket
import struct
from typing import Any, TypeVar

import msgspec

from models.domain.connection import Connection
from models.domain.control import RecorderState
from models.domain.problems import PROBLEMS, EnvironmentProblem, Problem, trouble
from models.domain.publishing import OutgoingMessage, Published
from models.domain.recorded import ImportProgress, ImportResult, RereadProgress, RereadResult

LINE_LIMIT_BYTES = 1024 * 1024
_T = TypeVar("_T")


def peer_is_ours(connected: socket.socket) -> bool:
    """Does the other end run as this user (or as root, who can do anything anyway)?"""
    credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return uid in (os.getuid(), 0)


def encode_line(message: dict[str, Any]) -> bytes:
    """One message, ended by a line break; dataclasses inside become objects."""
    return msgspec.json.encode(message) + b"\n"


def decode_line(line: bytes) -> dict[str, Any]:
    """Raises `EnvironmentProblem` "recorder.request" where it is not one JSON object."""
    try:
        message = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise trouble("recorder.request", detail=f"not JSON ({error})") from error
    if not isinstance(message, dict):
        raise trouble("recorder.request", detail="not a JSON object")
    return message


def state_from(value: object) -> RecorderState:
    """Raises `EnvironmentProblem` "recorder.request"."""
    return _convert(value, RecorderState, "state")


def connection_from(value: object) -> Connection:
    """Raises `EnvironmentProblem` "recorder.request"."""
    return _convert(value, Connection, "connection")


def message_from(value: object) -> OutgoingMessage:
    """Its payload travels as base64. Raises `EnvironmentProblem` "recorder.request"."""
    return _convert(value, OutgoingMessage, "message")


def published_from(value: object) -> Published:
    """Raises `EnvironmentProblem` "recorder.request"."""
    return _convert(value, Published, "published")


def progress_from(value: object) -> ImportProgress:
    """Raises `EnvironmentProblem` "recorder.request"."""
    return _convert(value, ImportProgress, "progress")


def import_result_from(value: object) -> ImportResult:
    """Raises `EnvironmentProblem` "recorder.request"."""
    return _convert(value, ImportResult, "result")


def reread_progress_from(value: object) -> RereadProgress:
    """Raises `EnvironmentProblem` "recorder.request"."""
    return _convert(value, RereadProgress, "progress", strict=False)


def reread_result_from(value: object) -> RereadResult:
    """Raises `EnvironmentProblem` "recorder.request"."""
    return _convert(value, RereadResult, "result")


def problem_to(problem: Problem) -> dict[str, object]:
    """A problem as it travels, and as `RecorderState.problem` holds it."""
    return {"code": problem.code, "params": dict(problem.params), "retry_at_us": problem.retry_at_us}


def problem_from(value: object) -> Problem:
    """A problem that travelled. One with a code that we do not know (the other side is newer) is told as such."""
    try:
        problem = _convert(value, Problem, "problem")
    except EnvironmentProblem as error:
        return error.problem
    return problem if problem.code in PROBLEMS else Problem("recorder.request", {"detail": problem.code})


def _convert(value: object, wanted: type[_T], what: str, *, strict: bool = True) -> _T:
    try:
        return msgspec.convert(value, wanted, strict=strict)
    except msgspec.ValidationError as error:
        raise trouble("recorder.request", detail=f"{what}: {error}") from error
