"""What we publish: queued by any thread, written by the network thread, answered by the broker."""

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties as PahoProperties

from models.domain.messages import Properties
from models.domain.problems import EnvironmentProblem, Problem


class Receipt(NamedTuple):
    """PUBACK: 0 taken, 0x10 taken but nobody subscribed, from 0x80 refused. MQTT 3.1.1 knows only 0; QoS 0 gets 0 when
    it is written."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Publication:
    """One message to publish. QoS 0 or 1; `properties` are sent where MQTT 5 is spoken."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    properties: Properties | None = None
    receipt: "Future[Receipt]" = field(default_factory=Future)

    def fail(self, problem: Problem) -> None:
        """The outcome is unknown: the broker may have it or not."""
        if not self.receipt.done():
            self.receipt.set_exception(EnvironmentProblem(problem))


class Outgoing:
    """Publications of one connection. `put` is for any thread, all else for the network thread."""

    def __init__(self, client: Client, *, properties: bool) -> None:
        self.highest_qos = 1
        self._client, self._properties = client, properties
        self._waiting: deque[Publication] = deque()
        self._unanswered: dict[int, Publication] = {}

    def put(self, publication: Publication) -> None:
        self._waiting.append(publication)

    def write(self) -> None:
        """Hand everything that waits to paho."""
        while self._waiting:
            one = self._waiting.popleft()
            if not one.receipt.set_running_or_notify_cancel():
                continue
            try:
                properties = _for_paho(one.properties) if self._properties and one.properties else None
                qos = min(one.qos, self.highest_qos)
                info = self._client.publish(one.topic, one.payload, qos, one.retain, properties)
            except ValueError as error:  # a topic with wildcards, a payload beyond the protocol: the caller's mistake
                one.receipt.set_exception(error)
                continue
            if info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._unanswered[info.mid] = one
            else:
                one.receipt.set_exception(RuntimeError(f"not published: {info.rc.name}"))

    def on_publish(self, _client: object, _userdata: object, mid: int, reason: object, _properties: object) -> None:
        """Paho's callback for PUBACK, and for a written QoS 0 message."""
        one = self._unanswered.pop(mid, None)
        if one is not None:
            one.receipt.set_result(Receipt(int(getattr(reason, "value", 0)), str(reason)))

    def fail(self, problem: Problem) -> None:
        """The connection is gone: nothing here will be answered."""
        for one in [*self._unanswered.values(), *self._waiting]:
            one.fail(problem)
        self._unanswered.clear()
        self._waiting.clear()


def _for_paho(properties: Properties) -> PahoProperties:
    made = PahoProperties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's
    if properties.content_type is not None:
        made.ContentType = properties.content_type
    if properties.response_topic is not None:
        made.ResponseTopic = properties.response_topic
    if properties.correlation is not None:
        made.CorrelationData = properties.correlation
    if properties.expiry_s is not None:
        made.MessageExpiryInterval = properties.expiry_s
    if properties.user:
        made.UserProperty = list(properties.user)
    return made
