"""Splits the bytes of a connection into MQTT packets; takes PUBLISH apart many at a time. Pure.

What can be wrong with a packet raises `Malformed`: then nothing behind it can be trusted, and the connection must end.
"""

from collections.abc import Callable
from typing import NamedTuple

from models.domain.messages import Origin, RawMessage
from mqtt.demux_properties import Malformed, read_properties

LARGEST_PACKET_BYTES = 268_435_455
"""What four bytes of length can say: the protocol's own limit of what follows them."""

_PUBLISH = 0x30
_NOT_OURS = 0xF4  # of a first byte: another kind of packet, or QoS 2 or the forbidden 3


class Span(NamedTuple):
    """Where the inside of a packet begins and ends; the end may be beyond what has come."""

    body: int
    end: int


def packet_span(data: bytes, at: int, largest: int = LARGEST_PACKET_BYTES) -> Span | None:
    """The packet that begins at `at`; None where its length has not come whole. Looks at nothing but the length."""
    length = shift = 0
    body = at + 1
    while body < len(data):
        byte = data[body]
        body += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            if length > largest:
                raise Malformed(f"a packet of {length} bytes")
            return Span(body, body + length)
        shift += 7
        if shift == 28:
            raise Malformed("a length of more than four bytes")
    return None


def publish_packet(message: RawMessage) -> bytes:
    """The PUBLISH of MQTT 3.1.1 that a message came in, or would."""
    body = len(message.topic).to_bytes(2, "big") + message.topic
    body += message.packet_id.to_bytes(2, "big") + message.payload if message.qos else message.payload
    length, rest = bytearray(), len(body)
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    length.append(rest)
    return bytes((_PUBLISH | message.dup << 3 | message.qos << 1 | message.retain,)) + length + body


class Splitter:
    """Makes messages of PUBLISH packets, QoS 0 and 1. `messages` are those since whoever takes them emptied it, with how
    many of them are QoS 1 and how many bytes their topics and payloads have.

    `on_own(payload, packet id, qos)` is told what comes on `own_topic`, which becomes no message; it returns the origin
    of what follows. `origin` may be set between two calls.
    """

    def __init__(
        self, epoch: int, own_topic: bytes, on_own: Callable[[bytes, int, int], Origin], *, version_5: bool
    ) -> None:
        self.messages: list[RawMessage] = []
        self.reliable = self.content_bytes = 0
        self.origin = Origin.LIVE
        self._epoch, self._own_topic, self._on_own, self._version_5 = epoch, own_topic, on_own, version_5

    def split(self, data: bytes, at: int, received_us: int) -> int:  # noqa: C901 - calls cost more than branches here
        """Take the PUBLISH packets from `at` on. Returns where the first packet begins that is not whole, or not ours.

        The one loop that runs for every message: everything rare is elsewhere, everything else is written out.
        """
        new, kind, add, own_topic = tuple.__new__, RawMessage, self.messages.append, self._own_topic
        epoch, version_5, count, last = self._epoch, self._version_5, len(data), len(data) - 1
        origin, properties, told, packet_id = self.origin, None, -1, 0
        qos, retain, dup, came = 0, False, False, origin
        reliable = content_bytes = 0
        try:
            while at < last:
                first = data[at]
                if first != told:
                    if first & _NOT_OURS != _PUBLISH:
                        break
                    told, qos, retain, dup = first, first >> 1 & 1, bool(first & 1), bool(first & 8)
                    packet_id = 0
                    came = Origin.REPLAY if retain else origin
                body = at + 2
                end = body + data[at + 1]
                if end >= body + 0x80:
                    if body < count and data[body] < 0x80:  # two bytes of length: up to 16 KiB
                        end += (data[body] << 7) - 0x80 + 1
                        body += 1
                    elif (span := packet_span(data, at)) is not None:
                        body, end = span
                    else:
                        break
                if end > count:
                    break
                begin = body + 2
                if begin > end:
                    raise Malformed("a PUBLISH without a topic")
                named = begin + (data[body] << 8) + data[body + 1]
                content = named
                if qos:
                    content += 2
                    if content > end:
                        raise Malformed("a topic longer than its packet")
                    packet_id = (data[named] << 8) + data[named + 1]
                elif content > end:
                    raise Malformed("a topic longer than its packet")
                if version_5:
                    if content == end:
                        raise Malformed("a PUBLISH that ends before its properties")
                    properties = None
                    if data[content]:
                        properties, content = read_properties(data, content, end)
                    else:
                        content += 1
                topic = data[begin:named]
                payload = data[content:end]
                at = end
                if topic == own_topic:
                    self.origin = origin = self._on_own(payload, packet_id, qos)
                    came = Origin.REPLAY if retain else origin
                    continue
                if (
                    not topic and not version_5
                ):  # in 5 it comes with an alias, which is refused; without one it is stored
                    raise Malformed("an empty topic")
                add(new(kind, (topic, payload, qos, retain, dup, packet_id, properties, received_us, came, epoch)))
                reliable += qos
                content_bytes += end - content + named - begin
        finally:
            self.reliable += reliable
            self.content_bytes += content_bytes
        return at
