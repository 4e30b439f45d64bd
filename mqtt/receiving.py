"""From what came to our messages: bytes as they came, when, and how they reached us."""

from typing import TYPE_CHECKING

from models.domain.clock import Clock
from models.domain.masking import Masking
from models.domain.messages import Origin, Properties, RawMessage
from mqtt.acknowledging import Acknowledging, Piece
from mqtt.demux_packets import Splitter, publish_packet
from mqtt.inbox import Inbox
from mqtt.probe import Probe

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage
    from paho.mqtt.properties import Properties as PahoProperties

_PAHOS_OWN = 4  # attributes that every Properties object of paho has; a property that was sent is one more


class Receiver:
    """Collects what one connection delivers; network thread only. Messages come one by one from paho (`on_message`), or
    many at once out of the bytes (`split`). What comes on the probe's topic is for the probe, and never reaches the inbox.

    What comes at QoS 1 while the inbox is full is forgotten: unacknowledged, the broker sends it again on another
    connection. So everything is read all the time, and memory is bounded by more than the broker's window. `owed` has the
    packet ids of what was forgotten, here or before, and did not come again yet; None: the broker keeps no session, so
    nothing can be forgotten. `masking` hides secrets before anything leaves this thread, so that none is in the journal.
    """

    def __init__(
        self, inbox: Inbox, clock: Clock, epoch: int, probe: Probe, acknowledging: Acknowledging,
        owed: set[int] | None = None, *, version_5: bool = True, masking: Masking | None = None,
    ) -> None:  # fmt: skip
        self.count = 0  # grows with every message that paho brings
        self.came_again = 0  # of those that were owed
        self.awaits_replay = self.replayed = False  # a retained message came since somebody began to wait for one
        self.forgets = False  # QoS 1, from now on to the end of the connection: what came later must not come before
        self._owed = owed
        self._inbox, self._clock, self._epoch, self._probe = inbox, clock, epoch, probe
        self._probe_topic = probe.topic.encode()
        self._splitter = Splitter(epoch, self._probe_topic, self._on_probe, version_5=version_5)
        self._acknowledging, self._masking, self._version_5 = acknowledging, masking, version_5
        self._pieces: list[Piece] = []
        self._in_pieces = 0  # messages that they hold; fewer than there are: some did not come out of bytes
        self._see_origin()

    @property
    def content_bytes(self) -> int:
        """Of topics and payloads that are not handed over yet."""
        return self._splitter.content_bytes

    def split(self, data: bytes, at: int) -> int:
        """Take the PUBLISH packets from `at` on; see `Splitter`. Raises `Malformed`."""
        before, now_us = len(self._splitter.messages), self._clock.wall_us()
        end = self._splitter.split(data, at, now_us)
        if len(self._splitter.messages) > before:
            self._pieces.append(Piece(now_us, data[at:end]))
            self._in_pieces += len(self._splitter.messages) - before
        return end

    def on_message(self, _client: object, _userdata: object, message: "MQTTMessage") -> None:
        """Paho's callback, once for every PUBLISH that it reads itself."""
        # the one private use of paho: `.topic` raises where the topic is no UTF-8, and then nobody could store it
        topic: bytes = message._topic  # noqa: SLF001
        payload = bytes(message.payload)
        self.count += 1
        into = self._splitter
        if topic == self._probe_topic:
            into.origin = self._on_probe(payload, message.mid, message.qos)
            return
        properties = message.properties
        into.messages.append(
            RawMessage(
                topic,
                payload,
                message.qos,
                message.retain,
                message.dup,
                message.mid,
                _kept(properties) if properties is not None and len(vars(properties)) > _PAHOS_OWN else None,
                self._clock.wall_us(),
                Origin.REPLAY if message.retain else into.origin,
                self._epoch,
            )
        )
        into.reliable += message.qos > 0
        into.content_bytes += len(topic) + len(payload)

    def flush(self) -> None:
        """Hand over what arrived as one list."""
        self._see_origin()
        into = self._splitter
        if not into.messages:
            return
        arrived, into.messages = into.messages, []
        if self.awaits_replay and any(one.retain for one in arrived):
            self.awaits_replay, self.replayed = False, True
        reliable, content_bytes, into.reliable, into.content_bytes = into.reliable, into.content_bytes, 0, 0
        pieces = self._pieces if self._in_pieces == len(arrived) else []
        self._pieces, self._in_pieces = [], 0
        if reliable and self._owed is not None and (self.forgets or self._inbox.full):
            self._forget(arrived, self._owed)
            return
        if self._owed:
            self._meet(arrived, self._owed)
        if self._masking is not None:
            arrived, pieces = self._hide(arrived, pieces, self._masking)
        number, safe = self._acknowledging.number, False
        if reliable:
            safe = self._acknowledging.arrived([one.packet_id for one in arrived if one.qos], pieces, number)
        if not self._inbox.put(arrived, reliable, content_bytes, number=number, acknowledged=safe):
            self._acknowledging.give_up()

    def _hide(
        self, arrived: list[RawMessage], pieces: list[Piece], masking: Masking
    ) -> tuple[list[RawMessage], list[Piece]]:
        """Without the secrets. The bytes that they came in are made anew; those of MQTT 5 cannot be, with properties that we
        do not keep, and what they hold is acknowledged once it is stored."""
        if pieces and not any(masking.may_be_in(piece.packets) for piece in pieces):
            return arrived, pieces
        masked = masking.applied(arrived)
        if not masked.hidden:
            return arrived, pieces
        if not pieces or self._version_5:
            return masked.messages, []
        return masked.messages, [Piece(one.received_us, publish_packet(one)) for one in masked.messages]

    def _forget(self, arrived: list[RawMessage], owed: set[int]) -> None:
        self.forgets = True
        owed.update(one.packet_id for one in arrived if one.qos)
        self._inbox.put([one for one in arrived if not one.qos], 0)

    def _meet(self, arrived: list[RawMessage], owed: set[int]) -> None:
        before = len(owed)
        owed.difference_update(one.packet_id for one in arrived if one.qos)
        self.came_again += before - len(owed)

    def _on_probe(self, payload: bytes, packet_id: int, qos: int) -> Origin:
        self._probe.returned(payload)
        if qos:
            self._acknowledging.answered([(packet_id, qos)])
        return self._origin()

    def _origin(self) -> Origin:
        return Origin.BACKLOG if self._probe.backlog else Origin.LIVE

    def _see_origin(self) -> None:
        self._splitter.origin = self._origin()


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
