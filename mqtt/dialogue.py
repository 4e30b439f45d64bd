"""A short conversation with a broker in the caller's own thread: for trying a connection, and for ending a session."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

from models.domain.clock import Clock
from models.domain.connection import Connection, Secret
from models.domain.problems import EnvironmentProblem, Problem
from mqtt import refusals
from mqtt.versions import VersionChoice
from mqtt.waker import Waker
from mqtt.wire import Hello, Wire

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode

_TURN_S = 0.1
_GOODBYE_LIMIT_S = 1.0


class Cancelled(Exception):  # noqa: N818 - no error
    """Whoever asked does not want to know any more."""


class Dialogue:
    """Connects with a clean session, MQTT 5 or else 3.1.1. Use as a context manager; says goodbye at the end.

    Everything raises `EnvironmentProblem`, and `Cancelled` soon after `cancelled` says so. `time_left_s` bounds every
    wait beside the wait's own limit.
    """

    def __init__(
        self, connection: Connection, secret: Secret | None, client_id: str, clock: Clock,
        cancelled: Callable[[], bool] = lambda: False, time_left_s: Callable[[], float] = lambda: 60.0,
    ) -> None:  # fmt: skip
        self.messages = 0
        self._connection, self._secret, self._hello, self._clock = connection, secret, Hello(client_id), clock
        self._cancelled, self._time_left_s = cancelled, time_left_s
        self._waker = Waker()
        self._wire: Wire | None = None
        self._turned_away = False

    def connect(self) -> None:
        """From the name to CONNACK."""
        versions = VersionChoice(self._connection.protocol)
        while True:
            self._wire = wire = Wire(self._connection, self._secret, self._hello, versions.current, self._waker)
            problem = self._connect(wire)
            if problem is None:
                return
            if not self._turned_away or not versions.turned_away():
                raise EnvironmentProblem(problem)
            wire.close()

    def subscribe(self, filters: Sequence[str]) -> list[tuple[int, str]]:
        """(reason code, its text) for each filter, asked for at QoS 0."""
        wire = self._opened()
        answers: list[list[tuple[int, str]]] = []
        wire.client.on_subscribe = lambda *told: answers.append([(one.value, str(one)) for one in told[3]])
        wire.client.subscribe([(one, 0) for one in filters])
        if not self._until(lambda: bool(answers), refusals.ANSWER_LIMIT_S):
            raise EnvironmentProblem(self._silence(wire))
        return answers[0]

    def wait_for_message(self, limit_s: float) -> bool:
        """Did any message come, before the limit and before the broker hung up?"""
        return self._until(lambda: self.messages > 0, limit_s)

    def _connect(self, wire: Wire) -> Problem | None:
        self._turned_away = False
        answers: list[ReasonCode] = []
        wire.client.on_connect = lambda *told: answers.append(told[3])
        wire.client.on_message = self._on_message
        try:
            wire.open()
        except Exception as error:
            problem = refusals.problem_of(error, self._connection)
            if problem is None:
                raise
            raise EnvironmentProblem(problem) from error
        if not self._until(lambda: bool(answers), refusals.ANSWER_LIMIT_S):
            problem = self._silence(wire)
            self._turned_away = problem.code == "broker.hung-up"
            return problem
        reason = answers[0]
        self._turned_away = reason.value == refusals.UNSUPPORTED_VERSION
        return refusals.connack_problem(reason.value, str(reason), self._connection) if reason.is_failure else None

    def _silence(self, wire: Wire) -> Problem:
        """Why an answer did not come."""
        if wire.is_open:
            return refusals.no_answer(self._connection)
        told = wire.fault if wire.fault and refusals.says_why(wire.fault) else None
        return (told and refusals.problem_of(told, self._connection)) or refusals.hung_up(self._connection)

    def _until(self, done: Callable[[], bool], limit_s: float) -> bool:
        wire = self._opened()
        end_us = self._clock.monotonic_us() + int(min(limit_s, self._time_left_s()) * 1e6)
        while not done() and wire.is_open and self._clock.monotonic_us() < end_us:
            if self._cancelled():
                raise Cancelled
            wire.turn(_TURN_S)
        return done()

    def _opened(self) -> Wire:
        assert self._wire is not None, "connect() comes first"
        return self._wire

    def _on_message(self, _client: object, _userdata: object, _message: object) -> None:
        self.messages += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._wire is not None:
            self._wire.goodbye(_GOODBYE_LIMIT_S)
        self._waker.close()


def forget_session(
    connection: Connection, secret: Secret | None, client_id: str, clock: Clock, cancelled: Callable[[], bool] = lambda: False
) -> None:  # fmt: skip
    """Connect once with a clean session, so that the broker throws away what it keeps for this client id. Raises what
    `Dialogue` raises: then it was not told."""
    with Dialogue(connection, secret, client_id, clock, cancelled) as dialogue:
        dialogue.connect()
