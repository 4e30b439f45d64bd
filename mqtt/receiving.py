"""From paho's message to ours: bytes as they came, when, and how they reached us."""

from typing import TYPE_CHECKING

from models.domain.clock import Clock
from models.domain.messages import Origin, Properties, RawMessage
from mqtt.inbox import Inbox
from mqtt.probe import Probe

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage
    from paho.mqtt.properties import Properties as PahoProperties

_PAHOS_OWN = 4  # attributes that every Properties object of paho has; a property that was sent is one more


class Receiver:
    """Collects what one connection delivers; network thread only. What comes on the probe's topic is for the probe, and
    never reaches the inbox. `count` grows with every message of either kind.
    """

    def __init__(self, inbox: Inbox, clock: Clock, epoch: int, probe: Probe) -> None:
        self.count = 0
        self._inbox, self._clock, self._epoch, self._probe = inbox, clock, epoch, probe
        self._probe_topic = probe.topic.encode()
        self._origin = Origin.BACKLOG if probe.backlog else Origin.LIVE
        self._arrived: list[RawMessage] = []
        self._answered_here: list[tuple[int, int]] = []

    def on_message(self, _client: object, _userdata: object, message: "MQTTMessage") -> None:
        """Paho's callback, once for every PUBLISH."""
        # the one private use of paho: `.topic` raises where the topic is no UTF-8, and then nobody could store it
        topic: bytes = message._topic  # noqa: SLF001
        self.count += 1
        if topic == self._probe_topic:
            self._probe.returned(bytes(message.payload))
            self._see_origin()
            if message.qos:
                self._answered_here.append((message.mid, message.qos))
            return
        properties = message.properties
        self._arrived.append(
            RawMessage(
                topic,
                bytes(message.payload),
                message.qos,
                message.retain,
                message.dup,
                message.mid,
                _kept(properties) if properties is not None and len(vars(properties)) > _PAHOS_OWN else None,
                self._clock.wall_us(),
                Origin.REPLAY if message.retain else self._origin,
                self._epoch,
            )
        )

    def flush(self) -> list[tuple[int, int]]:
        """Hand over what arrived as one list. Returns (packet id, QoS) of what nobody else will acknowledge."""
        self._see_origin()
        if self._arrived:
            arrived, self._arrived = self._arrived, []
            self._inbox.put(arrived)
        answered, self._answered_here = self._answered_here, []
        return answered

    def _see_origin(self) -> None:
        self._origin = Origin.BACKLOG if self._probe.backlog else Origin.LIVE


def _kept(properties: "PahoProperties") -> Properties | None:
    """The properties that we keep; None where the publisher sent only others."""
    sent = vars(properties)
    kept = Properties(
        sent.get("ContentType"),
        sent.get("ResponseTopic"),
        sent.get("CorrelationData"),
        sent.get("MessageExpiryInterval"),
        tuple(sent.get("UserProperty", ())),
    )
    return kept if kept != _NOTHING else None


_NOTHING = Properties()
