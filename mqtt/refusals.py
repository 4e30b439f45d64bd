"""Why there is no connection: exceptions and reason codes as problems that a person can act upon."""

import errno
import socket
import ssl

from paho.mqtt.client import WebsocketConnectionError

from models.domain.connection import Connection
from models.domain.problems import EnvironmentProblem, Problem

UNSUPPORTED_VERSION = 0x84
TAKEN_OVER = 0x8E
PROTOCOL_ERROR = 0x82
ANSWER_LIMIT_S = 10
"""How long a broker may take to answer CONNECT and SUBSCRIBE; paho itself would wait for ever."""

_CLIENT_ID, _BAD_CREDENTIALS, _NOT_AUTHORISED = 0x85, 0x86, 0x87
_PASSING = {0x88, 0x89, 0x97, 0x9F}  # unavailable, busy, quota exceeded, connection rate exceeded: ask again later
_HOST_MISMATCH, _IP_MISMATCH, _EXPIRED = 62, 64, 10  # X509_V_ERR_… of OpenSSL
_CLIENT_CERTIFICATE = ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "HANDSHAKE_FAILURE", "UNKNOWN_CA", "CERTIFICATE_UNKNOWN",
                       "CERTIFICATE_EXPIRED", "ACCESS_DENIED")  # fmt: skip
_NO_WAY = {errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}

_FINAL = {
    "broker.url", "broker.credentials", "broker.login-needed", "broker.not-authorised", "broker.client-id",
    "broker.refused", "broker.taken-over", "broker.all-subscriptions",
}  # fmt: skip


def waits_for_somebody(problem: Problem) -> bool:
    """Would trying again only repeat the refusal (and perhaps lock the account)?"""
    return problem.code in _FINAL


def problem_of(error: Exception, connection: Connection) -> Problem | None:
    """What an exception on the way to the broker means; None: it is no trouble of the environment but a bug."""
    host, port = connection.host, connection.port
    if isinstance(error, EnvironmentProblem):
        return error.problem
    if isinstance(error, ssl.SSLError):
        return _tls_problem(error, connection)
    if isinstance(error, socket.gaierror | UnicodeError):
        return Problem("broker.name", {"host": host})
    if isinstance(error, ConnectionRefusedError):
        return Problem("broker.refused-port", {"host": host, "port": port})
    if isinstance(error, WebsocketConnectionError):
        return Problem("broker.websocket", {"host": host, "port": port, "path": connection.path or "/mqtt"})
    if isinstance(error, TimeoutError) and "handshake" in str(error):
        return no_answer(connection)
    if isinstance(error, ConnectionError) and connection.tls:  # TCP is refused or times out; this is the handshake
        return Problem("broker.tls", {"host": host, "port": port, "detail": reason_text(error)})
    if isinstance(error, OSError):
        return Problem("broker.unreachable", {"host": host, "detail": reason_text(error)})
    return None


def reached_nobody(error: Exception) -> bool:
    """Did the attempt end before anybody answered: no network, no way there, no open port? Not a name that does not exist,
    which whoever serves names did answer."""
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_AGAIN
    if isinstance(error, TimeoutError):
        return "handshake" not in str(error)
    return isinstance(error, OSError) and error.errno in _NO_WAY


def _tls_problem(error: ssl.SSLError, connection: Connection) -> Problem:
    detail = reason_text(error)
    named = {"host": connection.host, "detail": detail}
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in (_HOST_MISMATCH, _IP_MISMATCH):
            return Problem("broker.tls-host", named)
        return Problem("broker.tls-expired" if error.verify_code == _EXPIRED else "broker.tls-untrusted", named)
    if any(word in (error.reason or "") for word in _CLIENT_CERTIFICATE) and "ALERT" in (error.reason or ""):
        return Problem("broker.tls-client", named)
    return Problem("broker.tls", {**named, "port": connection.port})


def says_why(error: Exception | None) -> bool:
    """Does the exception of a socket that was closed before CONNACK tell more than that it was closed?"""
    silent = ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLWantReadError | ssl.SSLWantWriteError
    return isinstance(error, ssl.SSLError) and not isinstance(error, silent)


def reason_text(error: BaseException) -> str:
    """The short cause that an exception carries, without numbers and file names of the library's source."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def no_answer(connection: Connection) -> Problem:
    """Connected, and then silence."""
    return Problem("broker.no-answer", {"host": connection.host, "port": connection.port, "seconds": ANSWER_LIMIT_S})


def hung_up(connection: Connection) -> Problem:
    """The other side closed the connection before it said anything."""
    return Problem("broker.hung-up", {"host": connection.host, "port": connection.port})


def lost(connection: Connection, detail: str) -> Problem:
    """A connection that had been made broke."""
    return Problem("broker.lost", {"host": connection.host, "detail": detail})


def connack_problem(code: int, text: str, connection: Connection) -> Problem:
    """What a refusal in CONNACK means. `code` as in MQTT 5 (3.1.1 codes are translated by paho), `text` its name."""
    host, user = connection.host, connection.user
    if code in (_BAD_CREDENTIALS, _NOT_AUTHORISED) and not user:
        return Problem("broker.login-needed", {"host": host})
    if code == _BAD_CREDENTIALS:
        return Problem("broker.credentials", {"host": host, "user": user})
    if code == _NOT_AUTHORISED:
        return Problem("broker.not-authorised", {"host": host, "user": user})
    if code == _CLIENT_ID:
        return Problem("broker.client-id", {"host": host})
    if code in _PASSING:
        return Problem("broker.unreachable", {"host": host, "detail": text})
    return Problem("broker.refused", {"host": host, "detail": text})


def disconnect_problem(code: int, text: str, connection: Connection) -> Problem:
    """What a DISCONNECT from the broker (MQTT 5) means."""
    if code == TAKEN_OVER:
        return taken_over(connection)
    if code == _NOT_AUTHORISED:
        return Problem("broker.not-authorised", {"host": connection.host, "user": connection.user})
    return lost(connection, text)


def taken_over(connection: Connection) -> Problem:
    """Another program uses our client id."""
    return Problem("broker.taken-over", {"host": connection.host})


def cut_off(connection: Connection) -> Problem:
    """As it seems, another program uses our client id; the broker does not say so."""
    return Problem("broker.cut-off", {"host": connection.host})


def malformed(connection: Connection) -> Problem:
    """What the broker keeps for us begins with something that is no MQTT, each time."""
    return Problem("broker.malformed", {"host": connection.host})
