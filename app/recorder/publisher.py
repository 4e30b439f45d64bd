"""Publishing one message that somebody wrote by hand, and waiting for what the broker says to it."""

from concurrent.futures import CancelledError, Future
from typing import Protocol

from app.recorder.broker_link import LinkView
from models.domain.clock import Clock
from models.domain.connection import Connection
from models.domain.connection import Protocol as Version
from models.domain.problems import EnvironmentProblem, trouble
from models.domain.publishing import OutgoingMessage, Published, publish_problem
from mqtt.outgoing import Receipt

ACKNOWLEDGE_LIMIT_S = 10.0
_REFUSED = 0x80


class Way(Protocol):
    """`broker_link.BrokerLink`, as far as it publishes. Any thread."""

    @property
    def connection(self) -> Connection | None: ...
    @property
    def view(self) -> LinkView: ...
    def publish(self, message: OutgoingMessage) -> Future[Receipt]: ...


class Publisher:
    """Any thread but those that connect or store: it waits."""

    def __init__(self, way: Way, clock: Clock, limit_s: float = ACKNOWLEDGE_LIMIT_S) -> None:
        self._way, self._clock, self._limit_s = way, clock, limit_s

    def publish(self, message: OutgoingMessage) -> Published:
        """Returns when the broker has acknowledged (QoS 0: when it is written).

        Raises `EnvironmentProblem` publish.* (nothing was sent, or the broker refused it; but publish.unanswered) and
        broker.lost (nobody knows).
        """
        problem = publish_problem(message)
        if problem is not None:
            raise EnvironmentProblem(problem)
        connection = self._way.connection
        host = connection.host if connection is not None else ""
        if message.properties is not None and self._way.view.mqtt_version == Version.MQTT_311:
            raise trouble("publish.no-properties", host=host)
        began_us = self._clock.monotonic_us()
        answer = self._way.publish(message)
        try:
            receipt = answer.result(self._limit_s)
        except (TimeoutError, CancelledError) as error:
            answer.cancel()  # one that still waits must not go out when nobody expects it any more
            raise trouble("publish.unanswered", host=host, seconds=round(self._limit_s)) from error
        if receipt.code >= _REFUSED:
            raise trouble("publish.refused", host=host, detail=receipt.reason)
        return Published(receipt.code, receipt.reason, self._clock.monotonic_us() - began_us)
